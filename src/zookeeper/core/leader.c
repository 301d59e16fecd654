/* The thread that waits for an answer reads it (leader and follower), while the I/O thread rests (rests.c).
 *
 * A leader polls the socket, and reads what there is. Its own answer, if it is the first and has come as a
 * whole, it hands to the C client and has its completion called, both as the I/O thread would, with `sending`
 * held from the first look to the end of the completion: so it calls that one alone, which belongs to a plain
 * call. Everything else is for the I/O thread, which is woken up and finds what has been read: an event, a
 * part of a large answer, the end of the connection, and requests that others have sent meanwhile.
 *
 * The leader has no duty but its own answer. Where the I/O thread has ended its rest, the handle is being closed,
 * a signal has come or a moment has passed, it waits as all others do (call.c). The socket may be closed
 * while it polls, and its number given to another file: the leader looks at nothing of it before it knows, with
 * `sending` held, that the rest goes on, which a connection's end ends.
 */
#include "completions.h"
#include "handle.h"
#include "leader.h"
#include "memory.h"

#include <errno.h>

/* Longer than a rest in which nothing moves. */
#define MAX_LEAD_NS (3 * MILLISECOND)

typedef enum { GOES_ON, IS_OVER } lead_state;

static int is_leader(const zk_handle *handle, const lead *l) {
    return handle->rests.leader == l->number && !handle->rests.is_shut;
}

/* Something is left that the I/O thread has to see to. */
static void call_io_thread(zk_handle *handle) {
    core_lock(&handle->submit);
    if (!handle->shut) wakeups_call(&handle->wakeups);
    core_unlock(&handle->submit);
}

/* Lead no more, with `sending` held: whether the I/O thread is needed. */
static int step_down(zk_handle *handle) {
    handle->rests.leader = 0;
    if (stream_has_more(&handle->connection.stream)) {
        rests_hindered(&handle->rests);
        return 1;
    }
    return handle->connection.frames.asked.count != 0;
}

/* The socket shows something. */
static lead_state look(zk_handle *handle, const lead *l) {
    int is_needed = 0;
    lead_state state = IS_OVER;
    transport_enter(handle);
    if (is_leader(handle, l)) {
        connection *c = &handle->connection;
        int has_come = stream_fill(handle);
        if (has_come == 0) {
            state = GOES_ON;
        } else {
            size_t count;
            const char *bytes = stream_ahead(&c->stream, &count);
            int is_ours = has_come > 0 && frames_is_between(&c->frames) && asked_is_answered(&c->frames.asked, bytes, count);
            int code = is_ours ? completions_read(handle) : ZOK;
            is_needed = step_down(handle) || has_come < 0 || code < 0;
        }
    }
    transport_leave();
    if (is_needed) call_io_thread(handle);
    return state;
}

static void leave(zk_handle *handle, const lead *l) {
    int is_needed = 0;
    core_lock(&handle->sending);
    if (is_leader(handle, l)) is_needed = step_down(handle);
    core_unlock(&handle->sending);
    if (is_needed) call_io_thread(handle);
}

/* As ppoll, until the deadline, but not for long. */
static int wait_for_socket(struct pollfd *socket, int64_t deadline) {
    struct timespec left = {0, core_clamp(0, deadline - core_now(), MAX_LEAD_NS)};
    return ppoll(socket, 1, &left, NULL);
}

/* 0, or EINTR after a signal. */
static int lead_for(zk_handle *handle, const lead *l, int64_t deadline) {
    struct pollfd socket = {.fd = l->fd, .events = POLLIN};
    for (;;) {
        int ready = wait_for_socket(&socket, deadline);
        int problem = ready < 0 ? errno : 0;
        if (ready > 0 && look(handle, l) == IS_OVER) return 0;
        if (ready > 0) continue;
        leave(handle, l);
        return problem == EINTR ? EINTR : 0;
    }
}

int leader_wait(call *c, int64_t deadline) {
    lead l = c->lead;
    c->lead.number = 0;
    int problem = l.number ? lead_for(c->handle, &l, deadline) : 0;
    return problem ? problem : call_wait(c, deadline);
}
