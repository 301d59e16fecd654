/* How many requests of this process may have changed nodes. */
#ifndef ZOOKEEPER_WRITE_COUNT_H
#define ZOOKEEPER_WRITE_COUNT_H

#include <stdint.h>

/* A request of that operation is sent, or answered. */
void write_count_note(int32_t op);
/* Of all handles, and for any thread: grows with each request that may change nodes. */
int64_t write_count_now(void);

#endif
