/* The common part of all operations on many nodes: a few requests in flight, one end.
 *
 * A bulk operation sends requests until enough are on their way (`pump`), and again whenever one
 * has been answered, on the C client's I/O thread. One Python thread waits for the end, or none: then
 * the end is queued, as an answer is, and the I/O thread looks at the time. Either may
 * give up: then nothing more is sent and what is still on its way just lets go of its reference.
 */
#include "bulk.h"
#include "handle.h"
#include "memory.h"

#define PROGRESS_NS (100 * MILLISECOND) /* between two looks at it */

void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *),
               void (*dispose)(bulk *)) {
    b->handle = handle;
    b->references = 1;
    b->pump = pump;
    b->complete = complete;
    b->dispose = dispose;
    b->ending.kind = ITEM_BULK;
    b->progress.kind = ITEM_PROGRESS;
    core_mutex_init(&b->lock, LOCK_BULK);
}

void bulk_retain(bulk *b) { b->references++; }

void bulk_release(bulk *b) {
    if (--b->references) return;
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

/* ---- asynchronous ones --------------------------------------------------------------------------- */

static void add_timed(bulk *b) {
    core_lock(&b->handle->timed_lock);
    b->next_timed = b->handle->timed;
    b->handle->timed = b;
    core_unlock(&b->handle->timed_lock);
}

static void remove_timed(bulk *b) {
    core_lock(&b->handle->timed_lock);
    for (bulk **link = &b->handle->timed; *link; link = &(*link)->next_timed)
        if (*link == b) {
            *link = b->next_timed;
            break;
        }
    core_unlock(&b->handle->timed_lock);
}

/* Requests are under way, or this is their end: so the handle's queue has not been stopped. */
static void queue_bulk(bulk *b, queue_item *item) {
    bulk_retain(b);
    if (b->answers == NULL || !completion_queue_push(b->answers, item)) queue_push(b->handle, item);
}

/* With the lock held. */
static void set_over(bulk *b) {
    core_assert_held(&b->lock);
    b->over = 1;
    if (b->context == NULL) {
        posts_add(&b->finished);
        return;
    }
    remove_timed(b);
    if (!b->is_starting) queue_bulk(b, &b->ending);
}

/* With the lock held. */
static void note_move(bulk *b) {
    core_assert_held(&b->lock);
    if (b->context == NULL || b->over) return;
    int64_t now = core_now();
    b->moved_at = now;
    if (!b->tells_progress || b->progress_queued || b->is_starting || now - b->told_at < PROGRESS_NS) return;
    b->progress_queued = 1;
    b->told_at = now;
    queue_bulk(b, &b->progress);
}

int bulk_begin(bulk *b) {
    core_lock(&b->lock);
    b->moved_at = b->told_at = core_now();
    add_timed(b);
    b->is_starting = 1;
    bulk_advance(b);
    b->is_starting = 0;
    int is_over = b->over;
    core_unlock(&b->lock);
    return is_over;
}

bulk *bulk_ending(queue_item *item) { return (bulk *)((char *)item - offsetof(bulk, ending)); }

bulk *bulk_progressing(queue_item *item) { return (bulk *)((char *)item - offsetof(bulk, progress)); }

/* With the lock held. */
static void give_up_with(bulk *b, int code) {
    core_assert_held(&b->lock);
    if (b->over) return;
    b->abandoned = 1;
    b->code = code;
    set_over(b);
}

void bulk_end(bulk *b, int code) {
    core_lock(&b->lock);
    give_up_with(b, code);
    core_unlock(&b->lock);
}

static int64_t due_at(const bulk *b) { return b->deadline ? b->deadline : b->moved_at + b->stall; }

int64_t bulk_attend(zk_handle *handle) {
    for (;;) {
        int64_t now = core_now(), next = 0;
        bulk *due = NULL;
        core_lock(&handle->timed_lock);
        for (bulk *b = handle->timed; b && due == NULL; b = b->next_timed) {
            int64_t at = due_at(b);
            if (at <= now) bulk_retain(due = b);
            if (next == 0 || at < next) next = at;
        }
        core_unlock(&handle->timed_lock);
        if (due == NULL) return next ? next - now : 0;
        core_lock(&due->lock);
        if (due_at(due) <= now) give_up_with(due, ZOPERATIONTIMEOUT);
        core_unlock(&due->lock);
        bulk_release(due);
    }
}

/* ---- all ----------------------------------------------------------------------------------------- */

void bulk_advance(bulk *b) {
    core_assert_held(&b->lock);
    if (!b->abandoned && b->code == ZOK) b->pump(b);
    note_move(b);
    if (b->over || b->outstanding) return;
    if (b->abandoned || b->code != ZOK || b->complete(b)) set_over(b);
}

void bulk_start(bulk *b) {
    core_lock(&b->lock);
    bulk_advance(b);
    core_unlock(&b->lock);
}

int bulk_wait(bulk *b, int64_t deadline) { return posts_wait(&b->finished, deadline); }

void bulk_abandon(bulk *b) {
    core_lock(&b->lock);
    b->abandoned = 1;
    core_unlock(&b->lock);
}

long bulk_progress(bulk *b, long *told) {
    core_lock(&b->lock);
    long done = b->done;
    *told = done - b->untold;
    b->progress_queued = 0;
    core_unlock(&b->lock);
    return done;
}
