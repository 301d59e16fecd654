/* A session's handle: opening, closing, and the requests that have not finished. */
#include "completions.h"
#include "credentials.h"
#include "handle.h"
#include "log.h"
#include "lookups.h"
#include "memory.h"
#include "reconnect.h"
#include "resolve.h"
#include "standing.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The C client asks for the addresses of the servers only while it has no connection. Otherwise it
 * would hang up on a server that its name no longer stands for, and whose session is well. */
#define NOT_WHILE_CONNECTED (-1)

/* How long a server may take to answer what is under way and end the session, and to say anything. */
#define MAX_FAREWELL_NS 5000000000
#define FAREWELL_STALL_MS 1000

/* The threads that the C client makes for each handle. */
#define CLIENT_THREADS 2

/* Whether this thread is closing a session that is connected. */
static __thread int saying_farewell;

/* The handle's own watcher: of the session alone. */
static void session_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
    (void)context;
    zk_handle *handle = (zk_handle *)zoo_get_context(zh);
    if (state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE) {
        handle->connections++;
        handle->turned_away = 0;
        handle->session_timeout = zoo_recv_timeout(zh);
        standing_disconnected(handle);
        reconnect_send_standing(handle);
        reconnect_send_rest(handle);
    } else {
        standing_disconnected(handle);
        reconnect_note_lost(handle);
    }
    queue_push_event(handle, type, state, path);
}

/* The handle that this thread opens. */
static __thread zk_handle *opening;

zk_handle *handle_new(const char *hosts, int timeout_ms, int read_only) {
    zk_handle *handle = core_zeroed(1, sizeof *handle);
    core_mutex_init(&handle->sending, LOCK_SENDING);
    core_mutex_init(&handle->submit, LOCK_SUBMIT);
    wakeups_init(&handle->wakeups);
    core_mutex_init(&handle->queue_lock, LOCK_QUEUE);
    core_mutex_init(&handle->timed_lock, LOCK_TIMED);
    core_mutex_init(&handle->set_watches_lock, LOCK_SET_WATCHES);
    core_mutex_init(&handle->completions_lock, LOCK_COMPLETIONS);
    pthread_cond_init(&handle->queue_filled, NULL);
    pthread_cond_init(&handle->completions_changed, NULL);
    handle->requests.next = handle->requests.previous = &handle->requests;
    handle->session_timeout = timeout_ms;
    transport_init(&handle->connection, timeout_ms, read_only);
    layer_init(&handle->layer);
    handle->farewell = ZCLOSING;
    handle->standing_number = 1;
    handle->names = names_new(hosts);
    lookups_refresh(handle->names);
    handle->attempt.fd = -1;
    const char *slash = strchr(hosts, '/');
    handle->chroot = core_copy(slash && slash[1] ? slash : "");
    handle->service = service_of(hosts);
    return handle;
}

server_names *handle_names(zk_handle *handle) { return handle->names; }

layer *handle_layer(zk_handle *handle) { return &handle->layer; }

void handle_why(zk_handle *handle, char *why) {
    layer_why(&handle->layer, why);
    if (why[0] == 0 && handle->sasl.steps) steps_why(handle->sasl.steps, why);
}

void handle_awaited(zk_handle *handle, char *what) { layer_awaited(&handle->layer, what); }

int handle_is_refused(const zk_handle *handle) { return handle->refusals.by_all; }

/* Have the I/O thread woken by that end of a pipe; -1: no more. */
static void wake_by(zk_handle *handle, int fd) {
    names_wake_by(handle->names, fd);
    if (handle->sasl.steps) steps_wake_by(handle->sasl.steps, fd);
}

int handle_open(zk_handle *handle, const char *hosts, const clientid_t *client) {
    int problem = threads_prepare(CLIENT_THREADS);
    if (problem) return problem;
    queue_list(handle);
    /* Events may come before this returns: session_event relies on the context alone. */
    int flags = ZOO_NO_LOG_CLIENTENV | (handle->connection.frames.read_only ? ZOO_READONLY : 0);
    resolve_opening(1);
    opening = handle;
    zhandle_t *zh =
        zookeeper_init2(hosts, session_event, handle->session_timeout, client, handle, flags, log_push);
    problem = errno;
    opening = NULL;
    resolve_opening(0);
    threads_release();
    if (zh == NULL) {
        queue_unlist(handle);
        return problem ? problem : EINVAL;
    }
    zoo_set_servers_resolution_delay(zh, NOT_WHILE_CONNECTED);
    handle->zh = zh;
    return 0;
}

int handle_state(zk_handle *handle, clientid_t *client) {
    core_lock(&handle->submit);
    int state = handle->shut ? ZOO_EXPIRED_SESSION_STATE : zoo_state(handle->zh);
    if (!handle->shut && client) *client = *zoo_client_id(handle->zh);
    core_unlock(&handle->submit);
    return state;
}

void handle_close(zk_handle *handle, int farewell) {
    /* A signal would interrupt the C client's wait to send the farewell, and it gives up then. */
    sigset_t former;
    signals_block(&former);
    core_lock(&handle->submit);
    handle->farewell = farewell;
    handle->shut = 1;
    core_unlock(&handle->submit);
    rests_shut(handle);
    completions_apart(handle);
    wake_by(handle, -1);
    if (handle->sasl.steps) steps_stop(handle->sasl.steps);
    /* Joins the C client's threads and calls the completions that are still queued: after it nothing
     * calls back. Whatever were still on the list of requests would have no other end. */
    saying_farewell = zoo_state(handle->zh) == ZOO_CONNECTED_STATE;
    completions_close(handle->zh);
    saying_farewell = 0;
    handle->zh = NULL;
    attempt_clear(handle);
    for (;;) {
        core_lock(&handle->submit);
        pending *p = handle->requests.next;
        if (p != &handle->requests) pending_unlist(handle, p);
        core_unlock(&handle->submit);
        if (p == &handle->requests) break;
        p->finish(p, farewell);
    }
    queue_unlist(handle);
    /* The Python thread ends then, and may free the handle: nothing of it is looked at any more. */
    handle->closed = 1;
    queue_stop(handle);
    signals_restore(&former);
}

int handle_closed(zk_handle *handle) { return handle->closed; }

void handle_free(zk_handle *handle) {
    reconnect_clear(handle);
    standing_clear(handle);
    credentials_clear(handle);
    transport_clear(&handle->connection);
    sasl_clear(handle);
    layer_clear(&handle->layer);
    names_free(handle->names);
    service_release(handle->service);
    core_mutex_destroy(&handle->sending);
    core_mutex_destroy(&handle->submit);
    core_mutex_destroy(&handle->queue_lock);
    core_mutex_destroy(&handle->timed_lock);
    core_mutex_destroy(&handle->set_watches_lock);
    core_mutex_destroy(&handle->completions_lock);
    pthread_cond_destroy(&handle->queue_filled);
    pthread_cond_destroy(&handle->completions_changed);
    free(handle->chroot);
    free(handle);
}

/* Calls of the C client to the system, changed to suit us. */
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_pipe(int ends[2]);
int __real_close(int fd);
int __wrap_close(int fd);

/* Its descriptors would survive exec in every program that ours starts. */
int __wrap_socket(int domain, int type, int protocol) {
    return __real_socket(domain, type | SOCK_CLOEXEC, protocol);
}

/* The one by which the I/O thread is woken. */
int __wrap_pipe(int ends[2]) {
    int result = pipe2(ends, O_CLOEXEC);
    if (result == 0 && opening) {
        wakeups_by(&opening->wakeups, ends[0], ends[1]);
        wake_by(opening, ends[1]);
    }
    return result;
}

/* A socket that is closed with answers unread makes the kernel reset the connection, and the server
 * forget what it has not read itself: the request to close the session. The session's ephemeral nodes
 * then stay until it times out. So read on until the server, having closed the session, hangs up. */
static void read_until_hangup(int fd) {
    char unread[UNREAD_BYTES];
    int64_t give_up = core_now() + MAX_FAREWELL_NS;
    struct pollfd ready = {fd, POLLIN, 0};
    while (core_now() < give_up && poll(&ready, 1, FAREWELL_STALL_MS) > 0) {
        ssize_t count = recv(fd, unread, sizeof unread, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
    }
}

int __wrap_close(int fd) {
    transport_closed(fd);
    int type;
    socklen_t size = sizeof type;
    if (saying_farewell && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) read_until_hangup(fd);
    return __real_close(fd);
}
