/* Asking another server whether it is read-write, which the C client does from a read-only connection.
 *
 * It would connect, ask and wait for the answer on the I/O thread, without a layer. When the answer is
 * "rw", it would call all requests under way successful, with results that were never written, and leave
 * the address where it found the server in a variable that all handles share. So it is told that
 * it could not connect, and forgets its socket. The socket is asked here, beside the connection, while the I/O
 * thread polls; over TLS too. When a server is found, the connection is ended as if its server had done it, and
 * the next one goes to the server found (transport.c).
 */
#include "handle.h"
#include "log.h"
#include "memory.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The C client asks the next server after a tenth of a second, and then at growing intervals. */
#define MIN_PATIENCE (500 * MILLISECOND)

int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_close(int fd);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);

static const char isro_question[] = "isro";
#define QUESTION_BYTES (sizeof isro_question - 1)

void probe_init(probe *p) { p->fd = -1; }

void probe_end(probe *p) {
    if (p->layer) p->functions->end(p->layer);
    p->layer = NULL;
    if (p->fd >= 0) __real_close(p->fd);
    p->fd = -1;
}

void probe_begin(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length) {
    probe *p = &handle->connection.probe;
    int64_t now = core_now();
    if ((p->fd >= 0 && now - p->began < MIN_PATIENCE) || length > sizeof(struct sockaddr_in6)) {
        __real_close(fd);
        return;
    }
    probe_end(p);
    *p = (probe){.fd = fd, .began = now, .functions = handle->layer.functions, .events = POLLOUT};
    memcpy(&p->address.any, address, length);
    p->address.length = length;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (__real_connect(fd, address, length) < 0 && errno != EINPROGRESS) probe_end(p);
}

/* These go on with a phase. 1: it is over. 0: `events` says what it waits for. -1: it has failed. */

static int has_connected(zk_handle *handle, probe *p, char *why) {
    int error = 0;
    socklen_t size = sizeof error;
    if (__real_getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) return -1;
    if (p->functions == NULL) return 1;
    char hosts[HOSTS_TEXT], server[ADDRESS_TEXT];
    names_server(handle->names, &p->address, hosts, sizeof hosts, server, sizeof server);
    /* The memory of the handle is for its own connections. */
    p->layer = p->functions->begin(handle->layer.config, NULL, p->fd, hosts, server, why);
    return p->layer ? 1 : -1;
}

static int has_shaken(probe *p, char *why) {
    return p->layer == NULL ? 1 : p->functions->shake(p->layer, &p->events, why);
}

static int has_asked(probe *p, char *why) {
    while (p->asked < QUESTION_BYTES) {
        const char *rest = isro_question + p->asked;
        p->events = POLLOUT;
        ssize_t count = p->layer ? p->functions->write(p->layer, rest, QUESTION_BYTES - p->asked, &p->events, why)
                                 : __real_send(p->fd, rest, QUESTION_BYTES - p->asked, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
        p->asked += (size_t)count;
    }
    return 1;
}

static int has_heard(probe *p, char *why) {
    while (p->heard < PROBE_ANSWER) {
        char *rest = p->answer + p->heard;
        p->events = POLLIN;
        ssize_t count = p->layer ? p->functions->read(p->layer, rest, PROBE_ANSWER - p->heard, &p->events, why)
                                 : __real_recv(p->fd, rest, PROBE_ANSWER - p->heard, 0);
        if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
        if (count == 0) return -1;
        p->heard += (size_t)count;
    }
    return 1;
}

static int probe_go_on(zk_handle *handle, probe *p, char *why) {
    int code = 1;
    while (code == 1) switch (p->phase) {
        case PROBE_CONNECTING:
            code = has_connected(handle, p, why);
            if (code == 1) p->phase = PROBE_SHAKING;
            break;
        case PROBE_SHAKING:
            code = has_shaken(p, why);
            if (code == 1) p->phase = PROBE_ASKING;
            break;
        case PROBE_ASKING:
            code = has_asked(p, why);
            if (code == 1) p->phase = PROBE_LISTENING;
            break;
        case PROBE_LISTENING: return has_heard(p, why);
        }
    return code;
}

static void probe_advance(zk_handle *handle, probe *p) {
    connection *c = &handle->connection;
    char why[LAYER_WHY] = "";
    int code = probe_go_on(handle, p, why);
    if (code == 0) return;
    if (code == 1 && memcmp(p->answer, "rw", PROBE_ANSWER) == 0) {
        c->found = p->address;
        c->is_found = 1;
        log_say(ZOO_LOG_LEVEL_INFO, "read_only", "a server that is in touch with the others was found: moving there");
        shutdown(c->fd, SHUT_RDWR);
    } else if (why[0]) {
        log_say(ZOO_LOG_LEVEL_WARN, "read_only", "another server cannot be asked whether it is read-write: %s", why);
    }
    probe_end(p);
}

int probe_poll(zk_handle *handle, struct pollfd *fds, int timeout) {
    probe *p = &handle->connection.probe;
    struct pollfd watched[3] = {fds[0], fds[1], {.fd = p->fd, .events = p->events}};
    int ready = handle->layer.connection ? layer_poll(&handle->layer, watched, 3, &watched[1], timeout)
                                         : __real_poll(watched, 3, timeout);
    if (ready < 0) return ready;
    fds[0].revents = watched[0].revents;
    fds[1].revents = watched[1].revents;
    if (watched[2].revents) probe_advance(handle, p);
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}
