/* From no connection to one: data of the handle's I/O thread alone. */
#ifndef ZOOKEEPER_ATTEMPT_H
#define ZOOKEEPER_ATTEMPT_H

#include "candidates.h"
#include "client.h"

#include <sys/time.h>

typedef enum {
    ATTEMPT_NONE,    /* connected, or not even trying */
    ATTEMPT_RACING,  /* until a server accepts */
    ATTEMPT_LOST,    /* the C client is about to hear that none has */
    ATTEMPT_SHAKING, /* a server has accepted, and the layer's handshake goes on */
    ATTEMPT_OPENING, /* a server has accepted, and is to open the session */
} attempt_phase;

typedef struct {
    server_address address;
    int fd; /* while it is being connected, or -1 */
} racer;

typedef struct {
    attempt_phase phase;
    int fd; /* the C client's socket, or -1 */
    int count, next; /* racers, those before `next` have been started */
    int addresses, redials; /* the first racers have one each; the last ones try some again */
    int left_out, batches;  /* addresses that have yet to race; how often others have made room for them */
    int error;       /* of the last one that failed */
    int64_t next_start;
    int64_t opening_since;
    int64_t not_before; /* for the next connection */
    int failures;       /* in a row */
    int was_slow, rounds;
    int has_skipped; /* the last poll of the connection was left out */
    server_address winner, served; /* the last one, too, that has opened the session */
    racer racers[MAX_RACERS];
    failed_addresses failed;
} attempt;

/* This is the I/O thread of that handle. */
void attempt_here(zk_handle *handle);
/* As connect does: begins the race. */
int attempt_connect(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length);
/* The server at the address answers: that it has failed before does not count. */
void attempt_answered(zk_handle *handle, const struct sockaddr *address, socklen_t length);
/* After each zookeeper_interest, which says how long to poll at most. */
void attempt_end_turn(zk_handle *handle, int state, struct timeval *tv);
/* The C client has closed its socket. */
void attempt_closed(zk_handle *handle);
/* Closes the racers' sockets. */
void attempt_clear(zk_handle *handle);

#endif
