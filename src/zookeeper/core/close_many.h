/* Closing many handles side by side. */
#ifndef ZOOKEEPER_CLOSE_MANY_H
#define ZOOKEEPER_CLOSE_MANY_H

#include "client.h"

/* handle_close for many handles, with that farewell; the array is copied. Returns when all are closed, or at that moment of
 * core_now: then threads of ours go on closing the others, which must not be freed before
 * `handle_closed`. */
void handle_close_many(zk_handle **handles, long count, int farewell, int64_t deadline);

#endif
