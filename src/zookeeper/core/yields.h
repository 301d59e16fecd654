/* Letting other threads have the processor, between pieces of long work. */
#ifndef ZOOKEEPER_YIELDS_H
#define ZOOKEEPER_YIELDS_H

#include <stdint.h>

/* All zero: it has not yielded yet. */
typedef struct {
    int64_t next_at; /* not before that, as of core_now */
} yields;

/* Let threads run that wait for this thread's processor, if there are any. It is to be called every
 * tens of microseconds; what it gives away in all is no more than the time between, and one turn of the others. */
void yields_offer(yields *y);

#endif
