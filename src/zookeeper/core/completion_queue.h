/* The queue between the C client's threads and an event loop. */
#ifndef ZOOKEEPER_COMPLETION_QUEUE_H
#define ZOOKEEPER_COMPLETION_QUEUE_H

#include "queue.h"

/* Counted: its maker has a reference. */
typedef struct completion_queue completion_queue;

/* NULL, and errno, without a descriptor. */
completion_queue *completion_queue_new(void);
void completion_queue_retain(completion_queue *q);
void completion_queue_release(completion_queue *q);
/* The descriptor, which can be read while there are items; -1: the queue is closed. */
int completion_queue_fd(completion_queue *q);
/* After 1 the item is the queue's, or already somebody else's. 0: it is closed, and the item stays the
 * caller's. */
int completion_queue_push(completion_queue *q, queue_item *item);
/* All items, in order, the caller's from here on, and their number; the descriptor cannot be read any
 * more. NULL: there are none. */
queue_item *completion_queue_take(completion_queue *q, queue_item **last, long *count);
/* The taker has not dealt with all: have the descriptor be readable again. */
void completion_queue_wake(completion_queue *q);
/* Close it, and take the items that nobody has taken; NULL: there are none. */
queue_item *completion_queue_close(completion_queue *q);
/* In a forked child: close all. */
void completion_queue_after_fork(void);

#endif
