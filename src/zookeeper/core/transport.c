/* Where the C client meets the network: connect, send, recv and close, each by the linker's --wrap.
 *
 * Everything that a server says comes through here, before the C client sees it, and is looked at on
 * the way (frames.c). It may come by way of a layer such as TLS (layer.c). System calls are made for many
 * bytes together (stream.c).
 *
 * The C client names neither the handle nor the purpose of a socket. So `here` is the handle whose
 * work this thread is doing: the C client's I/O thread during zookeeper_interest and
 * zookeeper_process, a thread that sends its request itself (sending.c) or reads its answer (leader.c), or the
 * thread that closes. It
 * has the lock `sending`, and so the handle's `connection`. A first socket is the connection to a server; a second one beside it is to ask another
 * server whether it is read-write (probe.c).
 */
#include "handle.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static __thread zk_handle *here;
static __thread int is_last; /* this thread closes the handle: nothing is held any more */

int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap___recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);

/* As recv. Bytes behind the opening of the session are not for the C client until SASL is done. */
static ssize_t transport_read(int fd, void *buffer, size_t size) {
    (void)fd;
    return stream_read(here, buffer, size, frames_is_open(&here->connection.frames));
}

void transport_init(connection *c, int timeout_ms, int read_only) {
    c->fd = -1;
    probe_init(&c->probe);
    c->frames.asked_timeout = timeout_ms;
    c->frames.read_only = read_only;
    c->frames.read = transport_read;
    pauses_init(&c->pauses);
}

void transport_clear(connection *c) {
    probe_end(&c->probe);
    stream_begin(&c->stream);
    frames_clear(&c->frames);
}

void transport_enter(zk_handle *handle) {
    core_lock(&handle->sending);
    here = handle;
}

int transport_try_enter(zk_handle *handle) {
    if (!core_trylock(&handle->sending)) return 0;
    here = handle;
    return 1;
}

void transport_leave(void) {
    core_mutex *held = &here->sending;
    here = NULL;
    core_unlock(held);
}

void transport_begin_close(zk_handle *handle) {
    here = handle;
    is_last = 1;
}

void transport_end_close(void) {
    here = NULL;
    is_last = 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size) {
    if (here == NULL) return __real_connect(fd, address, size);
    connection *c = &here->connection;
    if (c->fd >= 0 && c->fd != fd) {
        probe_begin(here, fd, address, size);
        errno = EINPROGRESS;
        return -1;
    }
    c->fd = fd;
    stream_begin(&c->stream);
    frames_begin(&c->frames);
    if (c->is_found) {
        address = &c->found.any;
        size = c->found.length;
        attempt_answered(here, address, size);
    }
    c->is_found = 0;
    return attempt_connect(here, fd, address, size);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags) {
    if (here == NULL || fd != here->connection.fd) return __real_send(fd, bytes, size, flags);
    ssize_t count = is_last ? stream_write(here, bytes, size) : stream_send(here, bytes, size);
    if (count > 0) asked_sent(&here->connection.frames.asked, bytes, (size_t)count);
    return count;
}

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags) {
    if (here && fd == here->connection.fd) return frames_recv(&here->connection.frames, fd, buffer, size);
    return __real_recv(fd, buffer, size, flags);
}

ssize_t __wrap___recv_chk(int fd, void *buffer, size_t size, size_t room, int flags) {
    if (size > room) abort();
    return __wrap_recv(fd, buffer, size, flags);
}

/* Refused credentials are not accepted any sooner for being sent again. But a session would end meanwhile. */
static int64_t longest_pause(zk_handle *handle) {
    int is_refused = handle->sasl.is_refused && handle->connection.frames.asked.session == 0;
    return is_refused ? MAX_REFUSED_PAUSE_NS : pauses_longest(handle->session_timeout);
}

/* The C client closes a socket. */
void transport_closed(int fd) {
    if (here == NULL || fd < 0) return;
    connection *c = &here->connection;
    if (fd != c->fd) return;
    c->fd = -1;
    stream_begin(&c->stream);
    int64_t most = longest_pause(here);
    int is_refused = here->sasl.is_refused, has_failed = here->sasl.phase != SASL_NONE;
    sasl_closed(here);
    layer_waits(&here->layer, "", NULL);
    probe_end(&c->probe);
    layer_end(&here->layer);
    attempt_closed(here);
    if (is_refused)
        refusals_note(&here->refusals, &here->attempt.winner, here->names, &here->attempt.failed);
    else if (has_failed)
        refusals_forget(&here->refusals, &here->attempt.winner);
    c->ends++;
    if (frames_spoken(&c->frames) &&
        pauses_lost(&c->pauses, c->frames.welcomed_at, c->frames.served, core_now(), most))
        log_say(ZOO_LOG_LEVEL_WARN, "transport", "connections are ended again and again: the next ones come after growing pauses");
}
