/* How long to wait before the next connection: data of the I/O thread. */
#ifndef ZOOKEEPER_PAUSES_H
#define ZOOKEEPER_PAUSES_H

#include <stdint.h>

typedef struct {
    int failures;  /* connections in a row that were of no use */
    int64_t until; /* no connection before that */
    uint64_t random;
} pauses;

/* The longest pause where there is no session that could end meanwhile. */
#define MAX_REFUSED_PAUSE_NS 30000000000

void pauses_init(pauses *p);
/* A connection is lost; its session was welcomed at that moment, or never (0), and requests were
 * answered or not. The pause is no longer than `most`. Says whether it is time for a log line. */
int pauses_lost(pauses *p, int64_t welcomed_at, int served, int64_t now, int64_t most);
/* The longest pause that leaves a session time enough to find the servers again. */
int64_t pauses_longest(int session_timeout);
/* There is no socket, and the C client wants to wait for `pause`. */
void pauses_no_socket(pauses *p, int64_t now, int64_t pause);
int64_t pauses_left(const pauses *p, int64_t now);

#endif
