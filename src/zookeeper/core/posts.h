/* Something that a thread waits for until a moment, and that others post: a semaphore.
 *
 * That of libc will not do. It waits by the clock that is set (sem_timedwait), or not with every libc
 * (sem_clockwait, of glibc 2.30). */
#ifndef ZOOKEEPER_POSTS_H
#define ZOOKEEPER_POSTS_H

#include <stdatomic.h>
#include <stdint.h>

/* All zero: nothing is posted. */
typedef struct {
    _Atomic uint32_t state;
} posts;

/* Post once. The waiting thread may free it at once. */
void posts_add(posts *p);

/* Wait for a post and take it, until a moment of core_now's clock. 0, ETIMEDOUT, or EINTR after a signal,
 * so that its handler can be run. */
int posts_wait(posts *p, int64_t deadline);

#endif
