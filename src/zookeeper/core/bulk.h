/* The common part of all operations on many nodes. */
#ifndef ZOOKEEPER_BULK_H
#define ZOOKEEPER_BULK_H

#include "client.h"
#include "completion_queue.h"
#include "locks.h"
#include "posts.h"
#include "request.h"


/* Counted: the caller that started it has a reference, and so have each request under way and what is
 * queued. It begins a larger structure, which `dispose` frees. */
typedef struct bulk {
    zk_handle *handle;
    _Atomic int references;
    void (*dispose)(struct bulk *);
    void (*pump)(struct bulk *);    /* send what may be sent; called with the lock held */
    int (*complete)(struct bulk *); /* nothing left to send; called with the lock held */

    core_mutex lock;
    /* All guarded by lock; `code` may be read without it when the operation is over. */
    int code;          /* first error that ends the whole operation */
    int abandoned;     /* the caller has gone: send nothing more, touch nothing of its own */
    int over;
    long outstanding;  /* requests on their way */
    long done;         /* units done so far, to see a stall */
    long untold;       /* how many of them are nothing that progress counts */
    posts finished;

    /* Of an asynchronous one; guarded by lock. */
    void *context;    /* a Python object with a reference for the taker of its end; NULL: a thread waits */
    completion_queue *answers; /* the event loop's queue, kept by the context; NULL: that of the handle */
    queue_item ending;   /* the operation, queued at its end */
    queue_item progress; /* and meanwhile; taken before the end is */
    int tells_progress, progress_queued;
    int64_t told_at;     /* when progress was queued */
    int is_starting;     /* bulk_begin is not over: it tells the end to its caller */
    /* When it is given up, as of core_now: at a moment, or so long after anything has come; 0: never. */
    int64_t deadline, stall;
    _Atomic int64_t moved_at;
    struct bulk *next_timed; /* guarded by timed_lock */
} bulk;

/* The caller has one reference, to be released. */
void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *),
               void (*dispose)(bulk *));
void bulk_retain(bulk *b);
/* With no lock of this or any other bulk operation held. */
void bulk_release(bulk *b);
void bulk_start(bulk *b);
/* Start one that no thread waits for, with these fields set: its end is queued with the context. 1: it
 * was over at once, and the context is the caller's. */
int bulk_begin(bulk *b);
/* The operation that an item ITEM_BULK or ITEM_PROGRESS is part of. */
bulk *bulk_ending(queue_item *item);
bulk *bulk_progressing(queue_item *item);
/* End one that was begun, with that code: what is under way is done, and nothing else is sent. */
void bulk_end(bulk *b, int code);
/* On the I/O thread: end those whose time is over. In how many nanoseconds to come back; 0: no need to. */
int64_t bulk_attend(zk_handle *handle);
/* As posts_wait, for the end of it. */
int bulk_wait(bulk *b, int64_t deadline);
void bulk_abandon(bulk *b);
/* How far it is; from then on progress may be queued again. */
long bulk_progress(bulk *b, long *told);
/* Send an operation on one node, which counts as outstanding and has a reference until `ended` is called
 * for it, with `owner` in the call. Anything but ZOK says why it has not been sent, and then nothing has
 * changed. With the lock held. */
int bulk_submit(bulk *b, const operation *op, int watched, void (*ended)(call *), void *owner);
/* To be called at the end of each request's completion, with the lock held. */
void bulk_advance(bulk *b);

#endif
