/* Closing many handles side by side, as when a process ends.
 *
 * With a server that does not answer, closing takes seconds. One after the other, the sessions of a
 * hundred handles would keep a process for minutes.
 */
#include "close_many.h"
#include "handle.h"
#include "memory.h"
#include "threads.h"

#include <stdlib.h>

/* Threads at a time; more than a program has handles. */
#define MAX_CLOSERS 500

typedef struct {
    core_mutex lock;
    pthread_cond_t all_closed;
    long count, next, left; /* guarded by lock */
    int farewell;
    int references;         /* guarded by lock: closers, and the thread that waits */
    zk_handle *handles[];
} closing_many;

/* With the lock held, which is let go. */
static void release_closing(closing_many *c) {
    core_assert_held(&c->lock);
    int last = --c->references == 0;
    core_unlock(&c->lock);
    if (!last) return;
    core_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->all_closed);
    free(c);
}

static void *close_some(void *argument) {
    closing_many *c = argument;
    core_lock(&c->lock);
    while (c->next < c->count) {
        zk_handle *handle = c->handles[c->next++];
        core_unlock(&c->lock);
        handle_close(handle, c->farewell);
        core_lock(&c->lock);
        if (--c->left == 0) pthread_cond_signal(&c->all_closed);
    }
    release_closing(c);
    return NULL;
}

void handle_close_many(zk_handle **handles, long count, int farewell, int64_t deadline) {
    closing_many *c = core_zeroed(1, sizeof *c + sizeof *handles * (size_t)count);
    core_mutex_init(&c->lock, LOCK_CLOSING);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->all_closed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (long i = 0; i < count; i++) c->handles[i] = handles[i];
    c->count = c->left = count;
    c->references = 1;
    c->farewell = farewell;
    core_lock(&c->lock);
    for (long i = 0; i < count && i < MAX_CLOSERS; i++) {
        if (core_thread(close_some, c)) break;
        c->references++;
    }
    if (c->references == 1) { /* no more threads to be had: then one by one, here */
        c->references++;
        core_unlock(&c->lock);
        close_some(c);
        core_lock(&c->lock);
    }
    struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    while (c->left && core_cond_wait(&c->all_closed, &c->lock, &until) == 0) continue;
    release_closing(c);
}
