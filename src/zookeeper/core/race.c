/* The race of an attempt (as in RFC 8305, "Happy Eyeballs").
 *
 *   - The next address is tried when one has failed, or has not answered for a while (the stagger).
 *     The first that accepts is put in the place of the C client's socket (dup3).
 *   - Where there are more addresses than race at a time, those of a batch make room for the next ones when
 *     all of them have failed, or have not answered for a while. The C client hears when no address is
 *     left.
 *   - An address that does not answer is tried once more, each client at another moment (redial).
 *     Where hundreds of clients come in the same moment a server's queue of connections, 50 by default,
 *     overflows. The kernel tries again after one second, three, seven, all clients in step: so all but
 *     fifty fail each time, and sessions end.
 *   - When all have failed there is a pause, which grows and is spread at random (backoff, jitter).
 */
#include "handle.h"
#include "log.h"
#include "memory.h"
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_STAGGER (250 * MILLISECOND)
#define MIN_STAGGER (10 * MILLISECOND)
#define MIN_PAUSE (10 * MILLISECOND)
#define MAX_PAUSE (500 * MILLISECOND)
/* Longer than any network takes; the kernel's own next try is after a second. */
#define FIRST_REDIAL (400 * MILLISECOND)
#define MAX_REDIALS 4
/* Where there are more addresses than take part, there is no end of those that are left out. */
#define MAX_BATCHES ((MAX_ADDRESSES + MAX_RACERS) / MAX_RACERS)

int __real_socket(int domain, int type, int protocol);
int __real_close(int fd);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

int64_t race_session_timeout(const zk_handle *handle) { return handle->session_timeout * MILLISECOND; }

/* A pause before the next race: all servers have refused the last one. */
static void rest(zk_handle *handle) {
    attempt *a = &handle->attempt;
    int64_t min = core_clamp(MIN_PAUSE, race_session_timeout(handle) / 60, MAX_PAUSE);
    int64_t max = core_clamp(min, race_session_timeout(handle) / 10, MAX_PAUSE);
    int64_t pause = core_clamp(min, min << core_clamp(0, a->failures, 10), max);
    a->failures++;
    a->not_before = core_now() + pause / 2 + random() % (pause / 2 + 1);
}

void race_clear(attempt *a) {
    for (int i = 0; i < a->count; i++) {
        if (a->racers[i].fd >= 0) __real_close(a->racers[i].fd);
        a->racers[i].fd = -1;
    }
}

static void choose_racers(zk_handle *handle, const server_address *asked) {
    attempt *a = &handle->attempt;
    server_address known[MAX_ADDRESSES];
    race_candidates chosen;
    candidates_choose(&a->failed, asked, known, names_known(handle->names, known, MAX_ADDRESSES), &chosen);
    /* An address that has failed in an earlier batch waits for another race. */
    a->addresses = a->count = a->batches ? chosen.fresh : chosen.count;
    a->left_out = chosen.left_out;
    a->next = a->redials = 0;
    for (int i = 0; i < a->count; i++) a->racers[i] = (racer){.address = chosen.addresses[i], .fd = -1};
    if (chosen.all_failed) {
        /* All get another chance, and longer if some may just be slow. */
        if (a->was_slow && a->rounds < 10) a->rounds++;
        a->was_slow = 0;
    }
}

void race_lose(zk_handle *handle, int error) {
    attempt *a = &handle->attempt;
    rest(handle);
    a->phase = ATTEMPT_LOST;
    a->error = error;
}

/* Where it is the server that the session had, that one dies: what was lost with it was no fault of requests. */
void race_note_failed(zk_handle *handle, const server_address *address) {
    attempt *a = &handle->attempt;
    failed_note(&a->failed, address, core_now());
    if (is_same_address(address, &a->served)) service_excuse(handle);
}

/* The racer is out of the race. */
static void fail(zk_handle *handle, racer *r, int error) {
    handle->attempt.error = error;
    race_note_failed(handle, &r->address);
    if (r->fd >= 0) __real_close(r->fd);
    r->fd = -1;
}

/* From half of a time that doubles to three halves of it. */
static int64_t until_redial(const attempt *a) {
    int64_t pause = FIRST_REDIAL << a->redials;
    return pause / 2 + random() % pause;
}

/* A racer has failed: the next one need not wait. */
static void hurry(attempt *a, int64_t now) {
    if (a->next < a->addresses) a->next_start = now;
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
            int64_t stagger = race_session_timeout(handle) / 4 / (a->addresses + a->left_out);
            stagger = core_clamp(MIN_STAGGER, stagger, MAX_STAGGER);
            a->next_start = now + (a->next < a->addresses ? stagger : until_redial(a));
            return;
        }
    }
    fail(handle, r, errno);
    hurry(a, now);
}

static int running(const attempt *a) {
    int count = 0;
    for (int i = 0; i < a->next; i++) count += a->racers[i].fd >= 0;
    return count;
}

static int has_next_batch(const attempt *a) { return a->left_out && a->batches < MAX_BATCHES; }

/* Whether the race goes on by itself at `next_start`. */
static int has_next(const attempt *a) {
    if (a->next < a->count || (has_next_batch(a) && running(a))) return 1;
    return a->redials < MAX_REDIALS && a->count < MAX_RACERS && running(a);
}

/* Tries one of the addresses once more that have not answered; each in its turn. */
static void redial(zk_handle *handle, int64_t now) {
    attempt *a = &handle->attempt;
    for (int i = 0; i < a->addresses; i++) {
        const racer *r = &a->racers[(a->redials + i) % a->addresses];
        if (r->fd < 0) continue;
        a->racers[a->count++] = (racer){.address = r->address, .fd = -1};
        break;
    }
    a->redials++;
    a->next_start = now + until_redial(a);
    if (a->next < a->count) start_next(handle, now);
}

/* The racers make room for addresses that have not had their turn. */
static void begin_next_batch(zk_handle *handle, int64_t now) {
    attempt *a = &handle->attempt;
    server_address last = a->racers[0].address;
    for (int i = 0; i < a->next; i++)
        if (a->racers[i].fd >= 0) fail(handle, &a->racers[i], ETIMEDOUT);
    a->batches++;
    choose_racers(handle, &last);
    a->next_start = now;
}

static void start_what_is_due(zk_handle *handle) {
    attempt *a = &handle->attempt;
    int64_t now = core_now();
    for (;;) {
        while (a->next < a->count && a->next_start <= now) start_next(handle, now);
        if (a->next < a->count) return;
        int are_out = running(a) == 0;
        if (!has_next_batch(a) || (!are_out && a->next_start > now)) break;
        begin_next_batch(handle, now);
    }
    if (has_next(a) && a->next_start <= now) redial(handle, now);
    if (a->next == a->count && running(a) == 0) race_lose(handle, a->error);
}

void race_begin(zk_handle *handle, const server_address *asked) {
    attempt *a = &handle->attempt;
    a->phase = ATTEMPT_RACING;
    a->batches = 0;
    a->error = ETIMEDOUT;
    a->next_start = a->not_before;
    choose_racers(handle, asked);
    start_what_is_due(handle);
}

/* The C client tells of the address that it has asked for. */
static void log_winner(const attempt *a) {
    char name[ADDRESS_TEXT];
    address_text(&a->winner, name, sizeof name);
    log_say(ZOO_LOG_LEVEL_INFO, "connect", "%s accepts the connection", name);
}

static void win(zk_handle *handle, int index) {
    attempt *a = &handle->attempt;
    racer *r = &a->racers[index];
    if (dup3(r->fd, a->fd, O_CLOEXEC) < 0) {
        fail(handle, r, errno);
        return;
    }
    a->winner = r->address;
    a->phase = ATTEMPT_OPENING;
    a->opening_since = core_now();
    race_clear(a);
    if (a->next > 1 || a->batches) log_winner(a);
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
    fail(handle, r, error);
    hurry(a, core_now());
}

void race_poll(zk_handle *handle, struct pollfd *pipe, int timeout) {
    attempt *a = &handle->attempt;
    struct pollfd watched[1 + MAX_RACERS];
    int indexes[1 + MAX_RACERS], count = 1;
    start_what_is_due(handle);
    watched[0] = *pipe;
    for (int i = 0; i < a->next; i++)
        if (a->racers[i].fd >= 0) {
            watched[count] = (struct pollfd){.fd = a->racers[i].fd, .events = POLLOUT};
            indexes[count++] = i;
        }
    if (a->phase == ATTEMPT_LOST) timeout = 0;
    if (a->phase == ATTEMPT_RACING && has_next(a)) {
        int64_t left = (a->next_start - core_now()) / MILLISECOND + 1;
        if (left < timeout) timeout = left < 0 ? 0 : (int)left;
    }
    int ready = __real_poll(watched, (nfds_t)count, timeout);
    pipe->revents = ready > 0 ? watched[0].revents : 0;
    for (int i = 1; ready > 0 && i < count && a->phase == ATTEMPT_RACING; i++)
        if (watched[i].revents) look_at_racer(handle, indexes[i]);
    if (a->phase == ATTEMPT_RACING) start_what_is_due(handle);
}
