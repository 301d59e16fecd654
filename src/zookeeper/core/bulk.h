/* The common part of all operations on many nodes. */
#ifndef ZOOKEEPER_BULK_H
#define ZOOKEEPER_BULK_H

#include "client.h"
#include "locks.h"
#include "request.h"

#include <semaphore.h>

/* Counted: the caller that started it has a reference, and each request under way has one. It begins
 * a larger structure, which `dispose` frees. */
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
    sem_t finished;
} bulk;

/* The caller has one reference, to be released. */
void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *),
               void (*dispose)(bulk *));
void bulk_retain(bulk *b);
/* With no lock of this or any other bulk operation held. */
void bulk_release(bulk *b);
void bulk_start(bulk *b);
/* As core_wait, for the end of it. */
int bulk_wait(bulk *b, int64_t deadline);
void bulk_abandon(bulk *b);
long bulk_progress(bulk *b, long *told);
/* Send an operation on one node, which counts as outstanding and has a reference until `ended` is called
 * for it, with `owner` in the call. Anything but ZOK says why it has not been sent, and then nothing has
 * changed. With the lock held. */
int bulk_submit(bulk *b, const operation *op, int watched, void (*ended)(call *), void *owner);
/* To be called at the end of each request's completion, with the lock held. */
void bulk_advance(bulk *b);

#endif
