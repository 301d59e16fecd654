/* Which thread sends a request: the I/O thread, or the caller's own.
 *
 * The C client calls `adaptor_send_queue` when it has queued a request, to have its I/O thread woken up
 * (wakeups.c). A caller that waits for its answer, and finds that thread asleep, sends the request itself
 * instead: that saves a wake-up, and a switch of threads before the request is on its way. So does one that
 * does not wait, if nothing else is under way; many requests go out together by the I/O thread.
 *
 * It does that by the C client's own function, in the I/O thread's place: with `sending`, which that thread
 * has while it works for the connection. Nobody waits for that lock here. The socket's state, what is held and
 * what is asked are as the I/O thread left them, and as it finds them afterwards. Whatever is not sent
 * completely, or fails, is for the I/O thread, which is woken up for it. No connection is ended here.
 */
#include "handle.h"

int __real_adaptor_send_queue(zhandle_t *zh, int timeout);
int __wrap_adaptor_send_queue(zhandle_t *zh, int timeout);

/* Of the C client. */
int flush_send_queue(zhandle_t *zh, int timeout);

/* A layer's state is the I/O thread's own. */
static int may_send_here(const zk_handle *handle, zhandle_t *zh) {
    if (zoo_state(zh) != ZOO_CONNECTED_STATE || handle->layer.functions) return 0;
    return wakeups_offered() == SENDS_ALL || handle->connection.frames.asked.count == 0;
}

/* Whether nothing is left that the I/O thread has to do. */
static int send_here(zk_handle *handle, zhandle_t *zh) {
    if (!wakeups_is_asleep(&handle->wakeups) || !transport_try_enter(handle)) return 0;
    int is_sent = may_send_here(handle, zh) && flush_send_queue(zh, 0) == ZOK &&
                  !stream_is_short(&handle->connection.stream) && stream_flush(handle) == 1 && rests_sent(handle);
    transport_leave();
    return is_sent;
}

int __wrap_adaptor_send_queue(zhandle_t *zh, int timeout) {
    zk_handle *handle = (zk_handle *)zoo_get_context(zh);
    /* The last request of all, which ends the session. */
    if (timeout) return __real_adaptor_send_queue(zh, timeout);
    if (wakeups_offered() == SENDS_NONE || !send_here(handle, zh)) wakeups_call(&handle->wakeups);
    return ZOK;
}
