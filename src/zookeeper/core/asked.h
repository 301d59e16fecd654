/* Requests on one connection: the bytes that are sent, and those under way. Data of the thread
 * that works for the handle (transport.c). */
#ifndef ZOOKEEPER_ASKED_H
#define ZOOKEEPER_ASKED_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t xid, op;
} asked_request;

#define GREETING_HEAD 28 /* up to the end of the session's number in the first request */

typedef struct {
    int greeted;     /* the first request has been sent */
    int64_t session; /* it asked for this one; 0: for a new one */
    /* The frame that is being sent: how much of it, and its first bytes. */
    size_t sent;
    char head[GREETING_HEAD];
    /* Requests under way, in a ring (NULL: none yet); and how many requests without a number of their own. */
    asked_request *ring;
    size_t first, count, room;
    long pings, auths, set_watches;
} asked;

void asked_begin(asked *a); /* a new connection: forgets the last one */
void asked_clear(asked *a);
void asked_sent(asked *a, const char *bytes, size_t count);
/* Whether a request without a number of its own is under way that an answer with that xid is for. It is
 * answered then. */
int asked_without_number(asked *a, int32_t xid);
/* Whether the frames that come next begin with the whole answer to the oldest request. */
int asked_is_answered(const asked *a, const char *bytes, size_t count);
/* Whether the oldest request with a number has that one. It is answered then, and `op` its operation. */
int asked_first(asked *a, int32_t xid, int32_t *op);
/* Whether the request is under way, though not the oldest one. */
int asked_later(const asked *a, int32_t xid);

#endif
