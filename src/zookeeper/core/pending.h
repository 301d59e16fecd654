/* Requests that have not finished: each is listed from before it is sent until its end. */
#ifndef ZOOKEEPER_PENDING_H
#define ZOOKEEPER_PENDING_H

#include "client.h"

/* Part of what describes the request, which is its owner's. */
typedef struct pending {
    struct pending *previous, *next; /* guarded by submit; NULL when it is not listed */
    void (*finish)(struct pending *, int code);
} pending;

/* Hand a request over:
 *     int code = pending_begin(handle, &p, finish);
 *     if (code == ZOK) code = pending_sent(handle, &p, zoo_...(...));
 * The lock `submit` is held in between. After ZOK `finish` or the C client's completion, which must
 * call pending_done first, will be called exactly once; after anything else neither will. */
int pending_begin(zk_handle *handle, pending *p, void (*finish)(pending *, int));
int pending_sent(zk_handle *handle, pending *p, int code);
void pending_done(zk_handle *handle, pending *p);
/* The same for a caller that holds `submit`. */
void pending_unlist(zk_handle *handle, pending *p);

/* The result of a request, given the code of its completion. */
int pending_code(const zk_handle *handle, int code);

#endif
