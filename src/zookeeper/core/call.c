/* Calls: requests of the C client's API, each with its result and the one that waits for it.
 *
 * A call has up to two owners: the caller that made it, and the request on its way. A synchronous
 * caller waits for `finished`; an asynchronous one gets the call itself back through the queue. A
 * caller that gives up waiting (a deadline, Ctrl-C) just lets go of its reference.
 */
#include "call.h"
#include "handle.h"
#include "memory.h"
#include "standing.h"

#include <stdlib.h>

call *call_new(zk_handle *handle, int waiting, void *context, int watched) {
    call *c = core_zeroed(1, sizeof *c);
    c->item.kind = ITEM_CALL;
    c->answer.kind = ITEM_ANSWER;
    c->takers = 1;
    c->handle = handle;
    c->references = 1;
    c->waiting = waiting;
    c->context = context;
    c->watched = watched;
    c->length = -1;
    return c;
}

void call_release(call *c) {
    if (--c->references) return;
    free(c->value);
    deallocate_String_vector(&c->names);
    deallocate_ACL_vector(&c->acl);
    free(c);
}

call *call_of_answer(queue_item *answer) { return (call *)((char *)answer - offsetof(call, answer)); }

/* The answer is for an event loop. The Python thread has a part in it if it leaves a watch, which that
 * thread starts, in order with the events; and if the loop's queue is closed, as it can let go of the
 * context. */
static void tell_loop(call *c) {
    int watched = c->watched;
    if (watched) {
        c->takers = 2;
        c->references++;
    }
    if (completion_queue_push(c->answers, &c->answer)) {
        if (watched) queue_push(c->handle, &c->item);
        return;
    }
    c->takers = 1;
    if (watched) call_release(c);
    queue_push(c->handle, &c->item);
}

int call_wait(call *c, int64_t deadline) { return posts_wait(&c->finished, deadline); }

/* A call with a context goes through the queue even if a caller waits for it: the Python thread starts
 * the watch, in order with the events, before the waiter can go on to cause one, and it is the one to
 * drop the reference to the context. */
void call_ended(call *c, int code) {
    c->code = pending_code(c->handle, code);
    if (code == ZOK && c->sent.bytes > 0) service_took(c->handle, c->sent.bytes);
    if (c->covered && (code == ZOK || code == ZNONODE) && !standing_still_covers(c->handle, c->covered))
        c->code = ZCONNECTIONLOSS;
    /* The C client tells of a connection before it tells of what was lost with it. */
    c->never_sent = code == ZCONNECTIONLOSS && !c->may_be_sent && c->handle->connections == c->sent.connection;
    if (c->ended) {
        c->ended(c);
        call_release(c);
    } else if (c->answers) {
        tell_loop(c);
    } else if (c->context == NULL) {
        posts_add(&c->finished);
        call_release(c);
    } else if (c->waiting) {
        c->references++;
        queue_push(c->handle, &c->item);
        posts_add(&c->finished);
        call_release(c);
    } else {
        queue_push(c->handle, &c->item);
    }
}
