/* Where the C client meets the network: connect, send, recv and close, each by the linker's --wrap.
 *
 * Everything that a server says comes through here, before the C client sees it, and is looked at on
 * the way (frames.c). It may come by way of a layer such as TLS (layer.c).
 *
 * The C client names neither the handle nor the purpose of a socket. So `here` is the handle whose
 * work this thread is doing: the C client's I/O thread during zookeeper_interest and
 * zookeeper_process, or the thread that closes. The handle's `connection` belongs to that thread; it
 * needs no lock. A first socket is the connection to a server; a second one beside it asks another
 * server whether it is read-write, which the C client does from a read-only connection.
 */
#include "handle.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* How long another server may take to be connected to, and to say whether it is read-write: the
 * I/O thread waits for it. */
#define PROBE_TIMEOUT_US 500000

static __thread zk_handle *here;

int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
int __real_close(int fd);

/* As recv, by way of the layer if there is one. */
static ssize_t transport_read(int fd, void *buffer, size_t size) {
    if (here && here->layer.connection && fd == here->connection.fd)
        return layer_read(&here->layer, buffer, size);
    return __real_recv(fd, buffer, size, 0);
}

void transport_init(connection *c, int read_only) {
    c->fd = c->probe = -1;
    c->frames.read_only = read_only;
    c->frames.read = transport_read;
    pauses_init(&c->pauses);
}

void transport_clear(connection *c) { frames_clear(&c->frames); }

void transport_enter(zk_handle *handle) { here = handle; }

void transport_leave(void) { here = NULL; }

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size) {
    if (here == NULL) return __real_connect(fd, address, size);
    connection *c = &here->connection;
    if (c->fd >= 0 && c->fd != fd) {
        /* The C client sets a timeout of its own whose microseconds it has not initialised; and it
         * forgets the socket if this fails. */
        struct timeval patience = {0, PROBE_TIMEOUT_US};
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        c->probe = fd;
        memcpy(&c->probed, address, size);
        c->probed_size = size;
        /* The question is four letters in the clear, which a layer's server does not understand. */
        int code = here->layer.functions ? -1 : __real_connect(fd, address, size);
        if (code < 0) {
            c->probe = -1;
            __real_close(fd);
        }
        return code;
    }
    c->fd = fd;
    frames_begin(&c->frames);
    if (c->is_found) {
        address = (struct sockaddr *)&c->found;
        size = c->found_size;
        attempt_answered(here, address, size);
    }
    c->is_found = 0;
    return attempt_connect(here, fd, address, size);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags) {
    if (here == NULL || fd != here->connection.fd) return __real_send(fd, bytes, size, flags);
    ssize_t count = here->layer.connection ? layer_write(&here->layer, bytes, size)
                                           : __real_send(fd, bytes, size, flags);
    if (count > 0) asked_sent(&here->connection.frames.asked, bytes, (size_t)count);
    return count;
}

/* Another server's answer to "isro". When it is read-write, the C client would call all requests
 * under way successful, with results that were never written, and leave the address where it found
 * the server in a variable that all handles share. So it is told that the server is read-only, and
 * the connection is ended as if the server had done it; the next one goes to the server found. */
static ssize_t read_probe(connection *c, void *buffer, size_t size) {
    ssize_t count = transport_read(c->probe, buffer, size);
    if (count < 2 || memcmp(buffer, "rw", 2) != 0) return count;
    memcpy(buffer, "ro", 2);
    c->found = c->probed;
    c->found_size = c->probed_size;
    c->is_found = 1;
    log_say(ZOO_LOG_LEVEL_INFO, "read_only", "a server that is in touch with the others was found: moving there");
    shutdown(c->fd, SHUT_RDWR);
    return count;
}

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags) {
    if (here && fd == here->connection.fd) return frames_recv(&here->connection.frames, fd, buffer, size);
    if (here && fd == here->connection.probe) return read_probe(&here->connection, buffer, size);
    return __real_recv(fd, buffer, size, flags);
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
    if (fd == c->probe) c->probe = -1;
    if (fd != c->fd) return;
    c->fd = -1;
    int64_t most = longest_pause(here);
    sasl_closed(here);
    layer_end(&here->layer);
    attempt_closed(here);
    c->ends++;
    if (frames_spoken(&c->frames) &&
        pauses_lost(&c->pauses, c->frames.welcomed_at, c->frames.served, core_now(), most))
        log_say(ZOO_LOG_LEVEL_WARN, "transport", "connections are ended again and again: the next ones come after growing pauses");
}
