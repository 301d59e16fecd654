/* Sizes of requests that a service takes. Data of a service (service.c), guarded by its lock; what is atomic may be
 * read without. */
#ifndef ZOOKEEPER_SIZES_H
#define ZOOKEEPER_SIZES_H

#include "client.h"

/* A request of so many bytes is not what a server finds too large. */
#define SMALL_REQUEST 4000

typedef struct {
    _Atomic long piece;      /* requests that can be cut are cut at so many bytes */
    _Atomic long hung_up_at; /* requests of so many bytes end connections; 0: none do */
    long shrunk_at;          /* pieces are smaller because of a request of so many bytes; 0: they are not */
    /* Requests larger than any that was answered, which were lost since: how many, and the largest. */
    int losses;
    long lost_bytes;
    /* The largest requests that were answered from that moment on (core_now), and in the period before. */
    _Atomic int64_t period;
    _Atomic long answered, answered_before;
} request_sizes;

/* Forget what was lost, and what followed from that. */
void sizes_begin_anew(request_sizes *s);
/* Whether a request so large may be too large: none of that size has been answered for a long time, if ever. */
int sizes_may_be_limited(const request_sizes *s, long bytes, int64_t now);
/* Whether an answer to a request of so many bytes, which is not small, says anything new. Without the lock. */
int sizes_is_news(const request_sizes *s, long bytes, int64_t now);
void sizes_note_answer(request_sizes *s, long bytes, int64_t now);
/* A request that may be too large was lost. `is_sure`: the connection had been good for something else; `is_whole`:
 * it cannot be cut. Returned is whether anything follows. */
int sizes_note_loss(request_sizes *s, long bytes, int64_t now, int is_sure, int is_whole);
/* The last of these losses is to count no more. */
void sizes_excuse(request_sizes *s);

#endif
