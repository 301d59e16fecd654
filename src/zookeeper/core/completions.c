/* Completions and events on the C client's I/O thread, without a change of thread for each.
 *
 * The C client has two threads: one reads answers and queues their completions, the other takes them
 * from the queue and calls them, so that a completion may block. Ours never block, they fill a queue
 * or wake a waiter, so the second thread only costs time: a wake-up and a switch for every answer,
 * about a tenth of a small request. The linker's --wrap lets the I/O thread call the completions when
 * it has read what there is, and the completion thread sleep until the handle is closed.
 *
 * From then on it works as the C client means it to. `completions_lock` keeps the two from calling
 * completions at the same time, and so in another order.
 */
#include "bulk.h"
#include "completions.h"
#include "credentials.h"
#include "handle.h"
#include "lookups.h"
#include "memory.h"
#include "request.h"
#include "reconnect.h"

int __real_zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv);
int __wrap_zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv);
int __real_zookeeper_process(zhandle_t *zh, int events);
int __wrap_zookeeper_process(zhandle_t *zh, int events);
void __real_process_completions(zhandle_t *zh);
void __wrap_process_completions(zhandle_t *zh);

static __thread zk_handle *calling;

zk_handle *completions_calling(void) { return calling; }

/* With the lock held. */
static void call_completions(zk_handle *handle, zhandle_t *zh) {
    core_assert_held(&handle->completions_lock);
    calling = handle;
    __real_process_completions(zh);
    calling = NULL;
}

static void complete_here(zhandle_t *zh) {
    zk_handle *handle = (zk_handle *)zoo_get_context(zh);
    core_lock(&handle->completions_lock);
    if (!handle->completions_apart) call_completions(handle, zh);
    core_unlock(&handle->completions_lock);
}

static void wait_for(struct timeval *tv, int64_t left) {
    left += 1000000; /* poll counts whole milliseconds */
    *tv = (struct timeval){left / 1000000000, left % 1000000000 / 1000};
}

/* A request that a server has passed over is found by the answer to one behind it (service.c). In how
 * many nanoseconds to come back; 0: no need to. */
static int64_t probe_if_in_doubt(zk_handle *handle) {
    int64_t left;
    if (service_wants_probe(handle, &left)) {
        call *probe = call_new(handle, 1, NULL, 0);
        operation look = {.op = OP_EXISTS, .path = "/"};
        call_submit(probe, &look);
        call_release(probe);
    }
    return left;
}

static int64_t nanoseconds(const struct timeval *tv) {
    return tv->tv_sec * INT64_C(1000000000) + tv->tv_usec * INT64_C(1000);
}

/* Connect, and notice time-outs; both make session events. After a failure the C client may have set none
 * of its results, or a descriptor that is closed; and its caller polls by them. */
static int look_at_connection(zk_handle *handle, zhandle_t *zh, int *fd, int *interest, struct timeval *tv) {
    connection *c = &handle->connection;
    *fd = -1;
    *interest = 0;
    *tv = (struct timeval){0, 0};
    if (c->fd < 0 && zoo_state(zh) >= 0) {
        int64_t left = pauses_left(&c->pauses, core_now());
        if (left == 0) left = lookups_pause(handle->names);
        if (left) {
            wait_for(tv, left);
            return ZOK;
        }
    }
    transport_enter(handle);
    int code = __real_zookeeper_interest(zh, fd, interest, tv);
    transport_leave();
    if (c->fd < 0 && zoo_state(zh) >= 0) {
        *fd = -1;
        pauses_no_socket(&c->pauses, core_now(), nanoseconds(tv));
        wait_for(tv, pauses_left(&c->pauses, core_now()));
    }
    credentials_attend(handle, zh, code);
    complete_here(zh);
    attempt_end_turn(handle, zoo_state(zh), tv);
    int64_t doubt = probe_if_in_doubt(handle);
    if (doubt && doubt < nanoseconds(tv)) wait_for(tv, doubt);
    return code;
}

/* On the I/O thread, before it waits. */
int __wrap_zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv) {
    zk_handle *handle = (zk_handle *)zoo_get_context(zh);
    attempt_here(handle);
    wakeups_begin_turn(&handle->wakeups);
    int code = look_at_connection(handle, zh, fd, interest, tv);
    int64_t left = bulk_attend(handle);
    if (left && left < nanoseconds(tv)) wait_for(tv, left);
    return code;
}

static __thread zk_handle *reading;

zk_handle *completions_whose(void) { return reading; }

/* On the I/O thread: sends requests, reads answers and events. */
int __wrap_zookeeper_process(zhandle_t *zh, int events) {
    zk_handle *handle = reading = (zk_handle *)zoo_get_context(zh);
    transport_enter(handle);
    int code = __real_zookeeper_process(zh, events);
    transport_leave();
    reading = NULL;
    credentials_attend(handle, zh, code);
    complete_here(zh);
    reconnect_attend(handle);
    return code;
}

int completions_read(zk_handle *handle) {
    core_assert_held(&handle->sending);
    reading = handle;
    int code = __real_zookeeper_process(handle->zh, ZOOKEEPER_READ);
    reading = NULL;
    complete_here(handle->zh);
    return code;
}

/* On the completion thread, when the queue is not empty for the first time. */
void __wrap_process_completions(zhandle_t *zh) {
    zk_handle *handle = (zk_handle *)zoo_get_context(zh);
    core_lock(&handle->completions_lock);
    while (!handle->completions_apart) core_cond_wait(&handle->completions_changed, &handle->completions_lock, NULL);
    call_completions(handle, zh);
    core_unlock(&handle->completions_lock);
}

void completions_apart(zk_handle *handle) {
    core_lock(&handle->completions_lock);
    handle->completions_apart = 1;
    pthread_cond_signal(&handle->completions_changed);
    core_unlock(&handle->completions_lock);
}

int __wrap_process_async(int outstanding_sync);

/* The C client's own references to a handle: the last one that goes after `zookeeper_close` has begun
 * frees it. */
void api_prolog(zhandle_t *zh);
int api_epilog(zhandle_t *zh, int code);

static __thread int closing;

/* Asked where completions have been queued: whether to call them then and there. While a handle
 * works we do that ourselves. At its end, when both threads are gone, no thread would call what is
 * still queued, nor free it. */
int __wrap_process_async(int outstanding_sync) {
    (void)outstanding_sync;
    return closing;
}

int completions_close(zhandle_t *zh) {
    calling = (zk_handle *)zoo_get_context(zh);
    transport_begin_close(calling);
    closing = 1;
    /* `zookeeper_close` says that it closes before it takes a reference. A session that has expired has
     * one thread left, about to look for more to do: it would see that, let go of the last reference and
     * free the handle under the closing thread, which then joins a thread of garbage, for ever. */
    api_prolog(zh);
    int code = api_epilog(zh, zookeeper_close(zh));
    closing = 0;
    calling = NULL;
    transport_end_close();
    return code;
}
