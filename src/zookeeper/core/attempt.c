/* Connecting: all servers are tried within a part of the session timeout, whatever some of them do.
 *
 * The C client tries one address at a time, and gives each two thirds of the session timeout: two
 * machines that are switched off, and so swallow packets, cost a session. Its order leaves out every
 * other address after a failure. So the linker's --wrap makes of one connection of the C client a
 * race among all addresses that are known (as in RFC 8305, "Happy Eyeballs"):
 *
 *   - `connect` only begins it. The C client's socket stays unconnected, and `poll` waits for the
 *     racers' sockets in its stead.
 *   - The next address is tried when one has failed, or has not answered for a while (the stagger).
 *     The first that accepts is put in the place of the C client's socket (dup3).
 *   - A server that has accepted and does not open a session is given up after its share of the
 *     session timeout. The share doubles when all of them have failed: slow servers must not be given
 *     up for ever.
 *   - What has failed lately is tried last. When all have failed there is a pause, which grows and is
 *     spread at random (backoff, jitter). That after connections which did not last is in pauses.c.
 *
 * All of it happens on the handle's I/O thread, and needs no lock.
 */
#include "handle.h"
#include "log.h"
#include "memory.h"

#include <zookeeper/zookeeper_log.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MILLISECOND ((int64_t)1000000)

#define MAX_STAGGER (250 * MILLISECOND)
#define MIN_STAGGER (10 * MILLISECOND)
/* A server's share of the session timeout, at least: opening a session takes a quorum's disks. */
#define MIN_SHARE (500 * MILLISECOND)
#define MIN_PAUSE (10 * MILLISECOND)
#define MAX_PAUSE (500 * MILLISECOND)

int __real_socket(int domain, int type, int protocol);
int __real_close(int fd);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

/* The handle whose I/O thread this is, also while it polls. */
static __thread zk_handle *current;

static _Atomic int in_given_order;

void attempt_in_given_order(int yes) { in_given_order = yes; }

static int64_t timeout_of(const zk_handle *handle) { return handle->session_timeout * MILLISECOND; }

static int64_t between(int64_t least, int64_t value, int64_t most) {
    return value > most ? most : value < least ? least : value;
}

/* When the address has failed, or 0. */
static int64_t failed_at(const attempt *a, const server_address *address) {
    for (int i = 0; i < a->failed_count; i++)
        if (is_same_address(&a->failed[i].address, address)) return a->failed[i].at;
    return 0;
}

static void note_failed(attempt *a, const server_address *address) {
    int i = 0;
    while (i < a->failed_count && !is_same_address(&a->failed[i].address, address)) i++;
    if (i == MAX_ADDRESSES) return;
    if (i == a->failed_count) a->failed_count++;
    a->failed[i].address = *address;
    a->failed[i].at = core_now();
}

static void note_good(attempt *a, const server_address *address) {
    for (int i = 0; i < a->failed_count; i++)
        if (is_same_address(&a->failed[i].address, address)) {
            a->failed[i] = a->failed[--a->failed_count];
            return;
        }
}

void attempt_answered(zk_handle *handle, const struct sockaddr *address, socklen_t length) {
    server_address answered = {.length = length};
    if (length > sizeof(struct sockaddr_in6)) return;
    memcpy(&answered.any, address, length);
    note_good(&handle->attempt, &answered);
}

/* A pause before the next race: all servers have refused the last one. */
static void rest(zk_handle *handle) {
    attempt *a = &handle->attempt;
    int64_t least = between(MIN_PAUSE, timeout_of(handle) / 60, MAX_PAUSE);
    int64_t most = between(least, timeout_of(handle) / 10, MAX_PAUSE);
    int64_t pause = between(least, least << between(0, a->failures, 10), most);
    a->failures++;
    a->not_before = core_now() + pause / 2 + random() % (pause / 2 + 1);
}

static void close_racers(attempt *a) {
    for (int i = 0; i < a->count; i++) {
        if (a->racers[i].fd >= 0) __real_close(a->racers[i].fd);
        a->racers[i].fd = -1;
    }
}

/* First what has not failed lately, then what has failed longest ago. */
static void sort_by_failure(attempt *a) {
    for (int i = 1; i < a->count; i++)
        for (int j = i; j > 0; j--) {
            racer *x = &a->racers[j - 1], *y = &a->racers[j];
            if (failed_at(a, &x->address) <= failed_at(a, &y->address)) break;
            racer swapped = *x;
            *x = *y;
            *y = swapped;
        }
}

static void choose_racers(zk_handle *handle, const server_address *asked) {
    attempt *a = &handle->attempt;
    server_address known[MAX_ADDRESSES];
    int count = names_known(handle->names, known, MAX_ADDRESSES);
    int first = 0;
    while (first < count && !is_same_address(&known[first], asked)) first++;
    a->count = 0;
    if (first == count) {
        /* It is no longer what a name stands for; the C client will know soon. */
        a->racers[a->count++].address = *asked;
        first = 0;
    }
    for (int i = 0; i < count && a->count < MAX_ADDRESSES; i++)
        a->racers[a->count++].address = known[(first + i) % count];
    if (!in_given_order)
        for (int i = a->count - 1; i > 1; i--) {
            racer *x = &a->racers[i], *y = &a->racers[1 + random() % i];
            racer swapped = *x;
            *x = *y;
            *y = swapped;
        }
    int failed = 0;
    for (int i = 0; i < a->count; i++) {
        a->racers[i].fd = -1;
        failed += failed_at(a, &a->racers[i].address) != 0;
    }
    sort_by_failure(a);
    if (failed == a->count) {
        /* A round is over: all get another chance, and longer if some may just be slow. */
        a->failed_count = 0;
        if (a->was_slow && a->rounds < 10) a->rounds++;
        a->was_slow = 0;
    }
}

static void lose(zk_handle *handle, int error) {
    attempt *a = &handle->attempt;
    a->phase = ATTEMPT_LOST;
    a->error = error;
}

static void start_next(zk_handle *handle, int64_t now) {
    attempt *a = &handle->attempt;
    racer *r = &a->racers[a->next++];
    int yes = 1;
    r->fd = __real_socket(r->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd >= 0) {
        setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (__real_connect(r->fd, &r->address.any, r->address.length) == 0 ||
            errno == EINPROGRESS) {
            int64_t stagger = timeout_of(handle) / 4 / a->count;
            a->next_start = now + between(MIN_STAGGER, stagger, MAX_STAGGER);
            return;
        }
    }
    a->error = errno;
    note_failed(a, &r->address);
    if (r->fd >= 0) __real_close(r->fd);
    r->fd = -1;
    a->next_start = now;
}

static int running(const attempt *a) {
    int count = 0;
    for (int i = 0; i < a->next; i++) count += a->racers[i].fd >= 0;
    return count;
}

static void start_what_is_due(zk_handle *handle) {
    attempt *a = &handle->attempt;
    int64_t now = core_now();
    while (a->next < a->count && a->next_start <= now) start_next(handle, now);
    if (a->next == a->count && running(a) == 0) {
        rest(handle);
        lose(handle, a->error);
    }
}

int attempt_connect(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length) {
    if (length > sizeof(struct sockaddr_in6)) return __real_connect(fd, address, length);
    current = handle;
    attempt *a = &handle->attempt;
    server_address asked = {.length = length};
    memcpy(&asked.any, address, length);
    a->fd = fd;
    a->phase = ATTEMPT_RACING;
    a->next = 0;
    a->error = ETIMEDOUT;
    a->next_start = a->not_before;
    choose_racers(handle, &asked);
    start_what_is_due(handle);
    errno = EINPROGRESS;
    return -1;
}

static void text_of(const server_address *address, char *text, size_t size) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(&address->any, address->length, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, size, "?");
    else
        snprintf(text, size, address->any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int port_of(const server_address *address) {
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

/* For the C client tells of the address that it has asked for. */
static void log_winner(const attempt *a) {
    char name[NI_MAXHOST + NI_MAXSERV + 4];
    text_of(&a->winner, name, sizeof name);
    log_say(ZOO_LOG_LEVEL_INFO, "connect", "%s accepts the connection", name);
}

/* The server that has accepted is none that one can talk to. */
static void reject_winner(zk_handle *handle) {
    note_failed(&handle->attempt, &handle->attempt.winner);
    rest(handle);
    lose(handle, EPROTO);
}

static void begin_layer(zk_handle *handle) {
    attempt *a = &handle->attempt;
    char host[NI_MAXHOST], server[NI_MAXHOST + NI_MAXSERV + 4];
    names_host(handle->names, &a->winner, host, sizeof host);
    if (host[0])
        snprintf(server, sizeof server, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port_of(&a->winner));
    else
        text_of(&a->winner, server, sizeof server);
    a->phase = ATTEMPT_SHAKING;
    if (layer_begin(&handle->layer, a->fd, host, server) != 0) reject_winner(handle);
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
    if (code > 0) a->phase = ATTEMPT_OPENING;
    if (code < 0) reject_winner(handle);
    if (code != 0) fds[1].revents = POLLOUT;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

static void win(zk_handle *handle, int index) {
    attempt *a = &handle->attempt;
    racer *r = &a->racers[index];
    if (dup3(r->fd, a->fd, O_CLOEXEC) < 0) {
        a->error = errno;
        note_failed(a, &r->address);
        __real_close(r->fd);
        r->fd = -1;
        return;
    }
    a->winner = r->address;
    a->phase = ATTEMPT_OPENING;
    a->opening_since = core_now();
    close_racers(a);
    if (a->next > 1) log_winner(a);
    if (handle->layer.functions) begin_layer(handle);
}

static void look_at_racer(zk_handle *handle, int index) {
    attempt *a = &handle->attempt;
    racer *r = &a->racers[index];
    int error = 0;
    socklen_t size = sizeof error;
    if (__real_getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    if (error == 0) {
        win(handle, index);
        return;
    }
    a->error = error;
    note_failed(a, &r->address);
    __real_close(r->fd);
    r->fd = -1;
    a->next_start = core_now();
}

/* Poll for the C client's pipe, and the racers instead of its socket. */
static int poll_racers(zk_handle *handle, struct pollfd *fds, int timeout) {
    attempt *a = &handle->attempt;
    struct pollfd watched[1 + MAX_ADDRESSES];
    int indexes[1 + MAX_ADDRESSES], count = 1;
    start_what_is_due(handle);
    watched[0] = fds[0];
    for (int i = 0; i < a->next; i++)
        if (a->racers[i].fd >= 0) {
            watched[count] = (struct pollfd){.fd = a->racers[i].fd, .events = POLLOUT};
            indexes[count++] = i;
        }
    if (a->phase == ATTEMPT_LOST) timeout = 0;
    if (a->phase == ATTEMPT_RACING && a->next < a->count) {
        int64_t left = (a->next_start - core_now()) / MILLISECOND + 1;
        if (left < timeout) timeout = left < 0 ? 0 : (int)left;
    }
    int ready = __real_poll(watched, (nfds_t)count, timeout);
    fds[0].revents = ready > 0 ? watched[0].revents : 0;
    fds[1].revents = 0;
    for (int i = 1; ready > 0 && i < count && a->phase == ATTEMPT_RACING; i++)
        if (watched[i].revents) look_at_racer(handle, indexes[i]);
    if (a->phase == ATTEMPT_RACING) start_what_is_due(handle);
    if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_LOST) fds[1].revents = POLLOUT;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout) {
    if (current == NULL || count != 2) return __real_poll(fds, count, timeout);
    attempt *a = &current->attempt;
    if (fds[1].fd != a->fd) return __real_poll(fds, count, timeout);
    if (a->phase == ATTEMPT_RACING || a->phase == ATTEMPT_LOST) return poll_racers(current, fds, timeout);
    if (a->phase == ATTEMPT_SHAKING) return poll_shaking(current, fds, timeout);
    if (current->layer.connection == NULL) return __real_poll(fds, count, timeout);
    return layer_poll(&current->layer, fds, count, &fds[1], timeout);
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size) {
    if (current && current->attempt.phase == ATTEMPT_LOST && current->attempt.fd == fd &&
        level == SOL_SOCKET && option == SO_ERROR) {
        *(int *)value = current->attempt.error;
        return 0;
    }
    return __real_getsockopt(fd, level, option, value, size);
}

int64_t attempt_wait_for_names(zk_handle *handle) {
    int64_t next = names_refresh(handle->names);
    server_address any;
    if (names_known(handle->names, &any, 1)) return 0;
    int64_t left = next - core_now();
    return between(MILLISECOND, left, 1000 * MILLISECOND);
}

void attempt_end_turn(zk_handle *handle, int state, struct timeval *tv) {
    attempt *a = &handle->attempt;
    int is_connected = state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE;
    if (is_connected && a->phase == ATTEMPT_OPENING) {
        a->phase = ATTEMPT_NONE;
        a->rounds = a->failures = 0;
        note_good(a, &a->winner);
    }
    if (is_connected) return;
    int64_t wait = INT64_MAX, now = core_now();
    int64_t next = names_refresh(handle->names);
    if (next != INT64_MAX) wait = next - now;
    if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_SHAKING) {
        int64_t timeout = timeout_of(handle);
        int64_t share = timeout / 2 / (a->count ? a->count : 1);
        if (share < MIN_SHARE) share = MIN_SHARE;
        share = between(0, share << a->rounds, timeout * 2 / 3);
        int64_t left = a->opening_since + share - now;
        /* The C client then reads the end of the connection, as if the server had hung up. */
        if (left <= 0) {
            if (a->phase == ATTEMPT_SHAKING) layer_give_up(&handle->layer);
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
        note_failed(a, &a->winner);
    } else if (a->phase == ATTEMPT_OPENING || a->phase == ATTEMPT_SHAKING) {
        note_failed(a, &a->winner);
        a->was_slow = 1;
    } else if (a->phase == ATTEMPT_RACING) {
        /* The C client has given up: it has been long enough. */
        for (int i = 0; i < a->next; i++)
            if (a->racers[i].fd >= 0) note_failed(a, &a->racers[i].address);
    }
    close_racers(a);
    a->phase = ATTEMPT_NONE;
    a->fd = -1;
}

void attempt_clear(zk_handle *handle) { close_racers(&handle->attempt); }
