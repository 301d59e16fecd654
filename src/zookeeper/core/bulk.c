/* The common part of all operations on many nodes: a few requests in flight, one end.
 *
 * A bulk operation sends requests until enough are on their way (`pump`), and again whenever one
 * has been answered, on the C client's I/O thread. One Python thread waits for the end. It
 * may give up: then nothing more is sent and what is still on its way just lets go of its reference.
 */
#include "bulk.h"
#include "handle.h"
#include "memory.h"

void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *),
               void (*dispose)(bulk *)) {
    b->handle = handle;
    b->references = 1;
    b->pump = pump;
    b->complete = complete;
    b->dispose = dispose;
    core_mutex_init(&b->lock, LOCK_BULK);
    sem_init(&b->finished, 0, 0);
}

void bulk_retain(bulk *b) { b->references++; }

void bulk_release(bulk *b) {
    if (--b->references) return;
    sem_destroy(&b->finished);
    core_mutex_destroy(&b->lock);
    b->dispose(b);
}

int bulk_submit(bulk *b, const operation *op, int watched, void (*ended)(call *), void *owner) {
    core_assert_held(&b->lock);
    call *c = call_new(b->handle, 0, NULL, watched);
    c->ended = ended;
    c->owner = owner;
    bulk_retain(b);
    b->outstanding++;
    int code = call_submit(c, op);
    call_release(c);
    if (code != ZOK) {
        b->outstanding--;
        bulk_release(b); /* never the last one: our caller has its own */
    }
    return code;
}

void bulk_advance(bulk *b) {
    core_assert_held(&b->lock);
    if (!b->abandoned && b->code == ZOK) b->pump(b);
    if (b->over || b->outstanding) return;
    if (b->abandoned || b->code != ZOK || b->complete(b)) {
        b->over = 1;
        sem_post(&b->finished);
    }
}

void bulk_start(bulk *b) {
    core_lock(&b->lock);
    bulk_advance(b);
    core_unlock(&b->lock);
}

int bulk_wait(bulk *b, int64_t deadline) { return core_wait(&b->finished, deadline); }

void bulk_abandon(bulk *b) {
    core_lock(&b->lock);
    b->abandoned = 1;
    core_unlock(&b->lock);
}

long bulk_progress(bulk *b, long *told) {
    core_lock(&b->lock);
    long done = b->done;
    *told = done - b->untold;
    core_unlock(&b->lock);
    return done;
}
