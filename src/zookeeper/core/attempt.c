/* Connecting: all servers are tried within a part of the session timeout, whatever some of them do.
 *
 * The C client tries one address at a time, and gives each two thirds of the session timeout: two
 * machines that are switched off, and so swallow packets, cost a session. Its order leaves out every
 * other address after a failure. So the linker's --wrap makes of one connection of the C client a
 * race (race.c) among all addresses that are known (candidates.c):
 *
 *   - `connect` only begins it. The C client's socket stays unconnected, and `poll` waits for the
 *     racers' sockets in its stead.
 *   - A server that has accepted and does not open a session, with the layer's handshake before and
 *     SASL after it, is given up after its share of the session timeout. The share doubles when all of them have failed: slow servers must not be given
 *     up for ever.
 *
 * Pauses after connections that did not last are in pauses.c.
 *
 * All of it happens on the handle's I/O thread, and needs no lock.
 */
#include "handle.h"
#include "log.h"
#include "lookups.h"
#include "memory.h"
#include "race.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server's share of the session timeout, at least: opening a session takes a quorum's disks. */
#define MIN_SHARE (500 * MILLISECOND)

int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

/* The handle whose I/O thread this is, also while it polls. */
static __thread zk_handle *current;

void attempt_here(zk_handle *handle) { current = handle; }

void attempt_answered(zk_handle *handle, const struct sockaddr *address, socklen_t length) {
    server_address answered = {.length = length};
    if (length > sizeof(struct sockaddr_in6)) return;
    memcpy(&answered.any, address, length);
    failed_forget(&handle->attempt.failed, &answered);
}

int attempt_connect(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length) {
    if (length > sizeof(struct sockaddr_in6)) return __real_connect(fd, address, length);
    attempt *a = &handle->attempt;
    server_address asked = {.length = length};
    memcpy(&asked.any, address, length);
    a->fd = fd;
    race_begin(handle, &asked);
    errno = EINPROGRESS;
    return -1;
}

/* The server that has accepted is none that one can talk to. */
static void reject_winner(zk_handle *handle) {
    race_note_failed(handle, &handle->attempt.winner);
    race_lose(handle, EPROTO);
}

static void begin_layer(zk_handle *handle) {
    attempt *a = &handle->attempt;
    char hosts[HOSTS_TEXT], server[ADDRESS_TEXT];
    names_server(handle->names, &a->winner, hosts, sizeof hosts, server, sizeof server);
    a->phase = ATTEMPT_SHAKING;
    layer_waits(&handle->layer, server, " accepts connections, and the TLS handshake does not come to an end");
    if (layer_begin(&handle->layer, a->fd, hosts, server) != 0) reject_winner(handle);
}

/* Poll for what the handshake waits for; the C client hears of its end only. */
static int poll_shaking(zk_handle *handle, struct pollfd *fds, int timeout) {
    attempt *a = &handle->attempt;
    short events = 0;
    fds[0].revents = fds[1].revents = 0;
    int code = layer_shake(&handle->layer, &events);
    if (code == 0) {
        struct pollfd watched[2] = {fds[0], {.fd = a->fd, .events = events}};
        int ready = __real_poll(watched, 2, timeout);
        if (ready < 0) return ready;
        fds[0].revents = watched[0].revents;
        if (watched[1].revents) code = layer_shake(&handle->layer, &events);
    }
    if (code != 0) layer_waits(&handle->layer, "", NULL);
    if (code > 0) a->phase = ATTEMPT_OPENING;
    if (code < 0) reject_winner(handle);
    if (code != 0) fds[1].revents = POLLOUT;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

/* Poll for the C client's pipe, and the racers instead of its socket. */
static int poll_racers(zk_handle *handle, struct pollfd *fds, int timeout) {
    attempt *a = &handle->attempt;
    fds[1].revents = 0;
    race_poll(handle, &fds[0], timeout);
    if (a->phase == ATTEMPT_OPENING && handle->layer.functions) begin_layer(handle);
    if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_LOST) fds[1].revents = POLLOUT;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

static void tell_of_sasl(zk_handle *handle) {
    const sasl *s = &handle->sasl;
    char words[LAYER_SERVER];
    if (s->phase == SASL_STEPPING)
        snprintf(words, sizeof words, ": the mechanism %s does not come to the end of a step", s->name);
    else
        snprintf(words, sizeof words, ": the server opens a session, and does not answer SASL (%s)", s->name);
    layer_waits(&handle->layer, s->server, words);
}

/* Poll for what SASL waits for; the C client hears of its end only. */
static int poll_sasl(zk_handle *handle, struct pollfd *fds, int timeout) {
    attempt *a = &handle->attempt;
    if (handle->sasl.phase == SASL_NONE) {
        char hosts[HOSTS_TEXT], server[ADDRESS_TEXT];
        names_server(handle->names, &a->winner, hosts, sizeof hosts, server, sizeof server);
        hosts[strcspn(hosts, ",")] = 0; /* a mechanism is for one */
        sasl_begin(handle, a->fd, hosts, server);
        tell_of_sasl(handle);
    }
    sasl_phase before = handle->sasl.phase;
    int ready = sasl_poll(handle, fds, timeout);
    if (handle->sasl.phase == SASL_NONE)
        layer_waits(&handle->layer, "", NULL);
    else if (handle->sasl.phase != before)
        tell_of_sasl(handle);
    /* It is not slow, and gets no more time for the next attempt. */
    if (handle->sasl.phase == SASL_FAILED && !handle->sasl.is_late) a->phase = ATTEMPT_NONE;
    return ready;
}

static int poll_socket(zk_handle *handle, struct pollfd *fds, int timeout) {
    if (handle->connection.probe.fd >= 0) return probe_poll(handle, fds, timeout);
    if (handle->layer.connection == NULL) return __real_poll(fds, 2, timeout);
    return layer_poll(&handle->layer, fds, 2, &fds[1], timeout);
}

/* Send what is held, and look whether anything is there to be read: bytes that the C client and the kernel
 * know nothing of (stream.c). */
static int flush(zk_handle *handle, int *is_held) {
    stream *s = &handle->connection.stream;
    core_lock(&handle->sending);
    stream_flush(handle);
    *is_held = stream_is_held(s);
    int has_more = stream_has_more(s);
    if (!has_more) stream_rest(s);
    core_unlock(&handle->sending);
    return has_more;
}

/* Whether to let the C client write without looking first: most sockets take it. But not twice in a row, as
 * answers are to be read, and the pipe, however many requests there are. */
static int skips_poll(zk_handle *handle, int is_wanted) {
    attempt *a = &handle->attempt;
    a->has_skipped = is_wanted && !a->has_skipped && frames_is_open(&handle->connection.frames);
    return a->has_skipped;
}

/* Poll for the connection. Requests that have come meanwhile have the C client told that it may write. */
static int poll_connection(zk_handle *handle, struct pollfd *fds, int timeout) {
    short asked = fds[1].events;
    int is_held;
    fds[0].revents = fds[1].revents = 0;
    if (flush(handle, &is_held)) {
        fds[1].revents = POLLIN;
        return 1;
    }
    int is_called = !wakeups_begin_sleep(&handle->wakeups);
    if (skips_poll(handle, !is_held && (is_called || (asked & POLLOUT)))) {
        wakeups_end_sleep(&handle->wakeups);
        fds[1].revents = POLLOUT;
        return 1;
    }
    if (is_held) fds[1].events |= POLLOUT;
    if (is_called) timeout = 0;
    int is_resting, ready = rests_poll(handle, fds, timeout, &is_resting);
    if (!is_resting) ready = poll_socket(handle, fds, timeout);
    wakeups_end_sleep(&handle->wakeups);
    fds[1].events = asked;
    if (ready < 0) return ready;
    if (fds[1].revents & POLLOUT) {
        if (flush(handle, &is_held)) fds[1].revents |= POLLIN;
        if (!(asked & POLLOUT)) fds[1].revents &= (short)~POLLOUT;
    }
    if (wakeups_is_called(&handle->wakeups) && frames_is_open(&handle->connection.frames)) fds[1].revents |= POLLOUT;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

/* Poll for the beginning of a connection, or for none. */
static int poll_without(zk_handle *handle, struct pollfd *fds, nfds_t count, int timeout) {
    attempt_phase phase = handle->attempt.phase;
    int ready;
    if (!wakeups_begin_sleep(&handle->wakeups)) timeout = 0;
    if (count != 2)
        ready = __real_poll(fds, count, timeout);
    else if (phase == ATTEMPT_RACING || phase == ATTEMPT_LOST)
        ready = poll_racers(handle, fds, timeout);
    else if (phase == ATTEMPT_SHAKING)
        ready = poll_shaking(handle, fds, timeout);
    else
        ready = poll_sasl(handle, fds, timeout);
    wakeups_end_sleep(&handle->wakeups);
    return ready;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout) {
    zk_handle *handle = current;
    if (handle == NULL || !wakeups_is_waited_for(&handle->wakeups, fds[0].fd)) return __real_poll(fds, count, timeout);
    attempt_phase phase = handle->attempt.phase;
    int is_spoken = count == 2 && (phase == ATTEMPT_NONE || phase == ATTEMPT_OPENING);
    if (is_spoken && !frames_is_held(&handle->connection.frames)) return poll_connection(handle, fds, timeout);
    int is_held;
    if (is_spoken) flush(handle, &is_held);
    return poll_without(handle, fds, count, timeout);
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size) {
    if (size / sizeof *fds < count) abort();
    return __wrap_poll(fds, count, timeout);
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size) {
    if (current && current->attempt.phase == ATTEMPT_LOST && current->attempt.fd == fd &&
        level == SOL_SOCKET && option == SO_ERROR) {
        *(int *)value = current->attempt.error;
        return 0;
    }
    return __real_getsockopt(fd, level, option, value, size);
}

void attempt_end_turn(zk_handle *handle, int state, struct timeval *tv) {
    attempt *a = &handle->attempt;
    int is_connected = state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE;
    if (is_connected && a->phase == ATTEMPT_OPENING) {
        a->phase = ATTEMPT_NONE;
        a->served = a->winner;
        a->rounds = a->failures = 0;
        refusals_clear(&handle->refusals);
        failed_forget(&a->failed, &a->winner);
    }
    if (is_connected) return;
    int64_t wait = INT64_MAX, now = core_now();
    int64_t next = lookups_refresh(handle->names);
    if (next != INT64_MAX) wait = next - now;
    if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_SHAKING) {
        int64_t timeout = race_session_timeout(handle);
        int64_t share = timeout / 2 / (a->addresses ? a->addresses : 1);
        if (share < MIN_SHARE) share = MIN_SHARE;
        share = core_clamp(0, share << a->rounds, timeout * 2 / 3);
        int64_t left = a->opening_since + share - now;
        /* The C client then reads the end of the connection, as if the server had hung up. */
        if (left <= 0) {
            if (a->phase == ATTEMPT_SHAKING) layer_give_up(&handle->layer);
            if (frames_is_held(&handle->connection.frames)) sasl_give_up(handle);
            shutdown(a->fd, SHUT_RDWR);
        }
        if (left < wait) wait = left < 0 ? 0 : left;
    }
    if (wait == INT64_MAX) return;
    /* Rounded up: poll takes milliseconds. */
    int64_t asked = tv->tv_sec * (int64_t)1000000 + tv->tv_usec, microseconds = wait / 1000 + 999;
    if (asked <= microseconds) return;
    tv->tv_sec = microseconds / 1000000;
    tv->tv_usec = microseconds % 1000000;
}

void attempt_closed(zk_handle *handle) {
    attempt *a = &handle->attempt;
    if (a->phase == ATTEMPT_NONE) {
        /* A server that hangs still accepts connections, so without this it would win the next race
         * against one that failed longer ago. */
        failed_note(&a->failed, &a->winner, core_now());
    } else if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_SHAKING) {
        if (frames_is_greeted(&handle->connection.frames))
            failed_note(&a->failed, &a->winner, core_now());
        else
            race_note_failed(handle, &a->winner);
        a->was_slow = 1;
    } else if (a->phase == ATTEMPT_RACING) {
        /* The C client has given up: it has been long enough. */
        for (int i = 0; i < a->next; i++)
            if (a->racers[i].fd >= 0) race_note_failed(handle, &a->racers[i].address);
    }
    race_clear(a);
    a->phase = ATTEMPT_NONE;
    a->fd = -1;
}

void attempt_clear(zk_handle *handle) { race_clear(&handle->attempt); }
