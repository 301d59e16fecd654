/* The queue between the C client's threads and an event loop.
 *
 * A loop waits for a descriptor, an eventfd, which is written to when the queue gets its first item: a
 * thousand answers that come together wake the loop once. No thread of ours takes Python's lock for
 * them, which costs most of the time of a small request where Python is busy.
 */
#include "completion_queue.h"
#include "locks.h"
#include "memory.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct completion_queue {
    _Atomic int references;
    struct completion_queue *next; /* guarded by loop_queues_lock */
    core_mutex lock;
    /* All guarded by lock. Under it the descriptor is used, too: when it is closed, its number may be
     * another one's. */
    queue_item *first, *last; /* ours; NULL: empty */
    long count;
    int fd; /* -1: closed */
};

static core_mutex loop_queues_lock = CORE_MUTEX(LOCK_LOOP_QUEUES);
static completion_queue *loop_queues;

completion_queue *completion_queue_new(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return NULL;
    completion_queue *q = core_zeroed(1, sizeof *q);
    core_mutex_init(&q->lock, LOCK_LOOP_QUEUE);
    q->references = 1;
    q->fd = fd;
    core_lock(&loop_queues_lock);
    q->next = loop_queues;
    loop_queues = q;
    core_unlock(&loop_queues_lock);
    return q;
}

void completion_queue_retain(completion_queue *q) { q->references++; }

void completion_queue_release(completion_queue *q) {
    if (--q->references) return;
    core_lock(&loop_queues_lock);
    completion_queue **link = &loop_queues;
    while (*link != q) link = &(*link)->next;
    *link = q->next;
    core_unlock(&loop_queues_lock);
    core_mutex_destroy(&q->lock);
    free(q);
}

int completion_queue_fd(completion_queue *q) {
    core_lock(&q->lock);
    int fd = q->fd;
    core_unlock(&q->lock);
    return fd;
}

/* With the lock held. */
static void signal_loop(completion_queue *q) {
    core_assert_held(&q->lock);
    if (q->fd >= 0) eventfd_write(q->fd, 1);
}

int completion_queue_push(completion_queue *q, queue_item *item) {
    /* The item may hold the reference by which the caller knows the queue, and it may be gone at once. */
    completion_queue_retain(q);
    core_lock(&q->lock);
    int is_open = q->fd >= 0;
    if (is_open) {
        item->next = NULL;
        if (q->last)
            q->last->next = item;
        else
            q->first = item;
        q->last = item;
        if (q->count++ == 0) signal_loop(q);
    }
    core_unlock(&q->lock);
    completion_queue_release(q);
    return is_open;
}

/* With the lock held. */
static queue_item *take_all(completion_queue *q, queue_item **last, long *count) {
    core_assert_held(&q->lock);
    queue_item *items = q->first;
    *last = q->last;
    *count = q->count;
    q->first = q->last = NULL;
    q->count = 0;
    return items;
}

queue_item *completion_queue_take(completion_queue *q, queue_item **last, long *count) {
    eventfd_t ignored;
    core_lock(&q->lock);
    queue_item *items = take_all(q, last, count);
    if (q->fd >= 0) eventfd_read(q->fd, &ignored);
    core_unlock(&q->lock);
    return items;
}

void completion_queue_wake(completion_queue *q) {
    core_lock(&q->lock);
    signal_loop(q);
    core_unlock(&q->lock);
}

queue_item *completion_queue_close(completion_queue *q) {
    queue_item *last;
    long count;
    core_lock(&q->lock);
    queue_item *items = take_all(q, &last, &count);
    if (q->fd >= 0) close(q->fd);
    q->fd = -1;
    core_unlock(&q->lock);
    return items;
}

/* In the child there is no thread to fill a queue, and the locks may have been held. Its descriptors are
 * the parent's, too: to read them would keep the parent's loop asleep. */
void completion_queue_after_fork(void) {
    core_mutex_init(&loop_queues_lock, LOCK_LOOP_QUEUES);
    for (completion_queue *q = loop_queues; q; q = q->next) {
        core_mutex_init(&q->lock, LOCK_LOOP_QUEUE);
        if (q->fd >= 0) close(q->fd);
        q->fd = -1;
    }
}
