/* The layer between the socket and the protocol: none, or one such as TLS (../tls/layer.h).
 *
 * attempt.c begins the layer's connection when a server has accepted, and shows the C client a socket
 * that is not writable yet until the handshake is over: the C client sends its first request as soon
 * as it can, and takes EAGAIN for a failure. Afterwards transport.c reads and writes by way of the
 * layer, and poll is told what the layer waits for, which need not be what the C client asks for.
 *
 * All of it belongs to the thread that works for the handle. Only `why` is read by others.
 */
#include "layer.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A handshake, or an exchange of SASL, that takes longer is worth a word. */
#define USUAL_NS 500000000

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

static void note(layer *l, const char *why) {
    core_lock(&l->lock);
    memcpy(l->why, why, LAYER_WHY);
    core_unlock(&l->lock);
    l->has_failed = why[0] != 0;
    if (why[0]) log_say(ZOO_LOG_LEVEL_ERROR, "tls", "%s", why);
}

void layer_init(layer *l) { core_mutex_init(&l->lock, LOCK_LAYER); }

void layer_use(layer *l, const layer_functions *functions, layer_config *config) {
    functions->retain(config);
    l->functions = functions;
    l->config = config;
    l->memory = functions->remember();
}

void layer_clear(layer *l) {
    layer_end(l);
    if (l->functions) {
        l->functions->forget(l->memory);
        l->functions->release(l->config);
    }
    core_mutex_destroy(&l->lock);
}

void layer_why(layer *l, char *why) {
    core_lock(&l->lock);
    memcpy(why, l->why, LAYER_WHY);
    core_unlock(&l->lock);
}

void layer_waits(layer *l, const char *server, const char *words) {
    core_lock(&l->lock);
    if (words)
        snprintf(l->awaited, sizeof l->awaited, "%.255s%.250s", server, words);
    else
        l->awaited[0] = 0;
    l->waits_since = core_now();
    core_unlock(&l->lock);
}

void layer_awaited(layer *l, char *what) {
    core_lock(&l->lock);
    if (core_now() - l->waits_since >= USUAL_NS)
        memcpy(what, l->awaited, LAYER_WHY);
    else
        what[0] = 0;
    core_unlock(&l->lock);
}

int layer_begin(layer *l, int fd, const char *hosts, const char *server) {
    char why[LAYER_WHY] = "";
    l->is_late = l->is_over = 0;
    snprintf(l->server, sizeof l->server, "%.255s", server);
    l->read_waits = l->write_waits = 0;
    l->connection = l->functions->begin(l->config, l->memory, fd, hosts, l->server, why);
    char *complaint = l->functions->complaint(l->config);
    if (complaint) {
        log_say(ZOO_LOG_LEVEL_ERROR, "tls", "a changed file cannot be used, and what was there before goes on: %s",
                complaint);
        free(complaint);
    }
    if (l->connection) return 0;
    note(l, why);
    return -1;
}

void layer_end(layer *l) {
    if (l->connection) l->functions->end(l->connection);
    l->connection = NULL;
}

int layer_shake(layer *l, short *events) {
    char why[LAYER_WHY] = "";
    int code = l->functions->shake(l->connection, events, why);
    if (code < 0 && l->is_late)
        snprintf(why, sizeof why, "%s accepts connections, and does not answer the TLS handshake", l->server);
    if (code < 0) note(l, why);
    return code;
}

void layer_give_up(layer *l) { l->is_late = 1; }

ssize_t layer_read(layer *l, void *buffer, size_t size) {
    char why[LAYER_WHY] = "";
    short waits = 0;
    ssize_t count = l->functions->read(l->connection, buffer, size, &waits, why);
    int problem = errno;
    l->read_waits = waits;
    /* A reader that had some bytes already comes again for the end. */
    l->is_over = count == 0 || (count < 0 && problem != EAGAIN && problem != EINTR);
    /* A server may refuse a certificate after the handshake: it is well when it has said something. */
    if (why[0] || (count > 0 && l->has_failed)) note(l, why);
    errno = problem;
    return count;
}

ssize_t layer_write(layer *l, const void *bytes, size_t size) {
    char why[LAYER_WHY] = "";
    short waits = 0;
    ssize_t count = l->functions->write(l->connection, bytes, size, &waits, why);
    int problem = errno;
    l->write_waits = waits;
    if (why[0]) note(l, why);
    errno = problem;
    return count;
}

int layer_poll(layer *l, struct pollfd *fds, nfds_t count, struct pollfd *socket, int timeout) {
    short asked = socket->events;
    short for_reading = l->read_waits ? l->read_waits : POLLIN;
    short for_writing = l->write_waits ? l->write_waits : POLLOUT;
    int is_pending = (asked & POLLIN) && (l->is_over || l->functions->is_pending(l->connection));
    socket->events = (short)((asked & POLLIN ? for_reading : 0) | (asked & POLLOUT ? for_writing : 0));
    int ready = __real_poll(fds, count, is_pending ? 0 : timeout);
    short got = ready > 0 ? socket->revents : 0;
    short told = got & (POLLERR | POLLHUP | POLLNVAL);
    socket->events = asked;
    if (ready < 0) return ready;
    if ((asked & POLLIN) && (is_pending || (got & for_reading))) told |= POLLIN;
    if ((asked & POLLOUT) && (got & for_writing)) told |= POLLOUT;
    socket->revents = told;
    ready = 0;
    for (nfds_t i = 0; i < count; i++) ready += fds[i].revents != 0;
    return ready;
}
