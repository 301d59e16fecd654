/* The bytes of a server, frame by frame, before the C client gets to see them.
 *
 * The C client believes what it reads: a length, which it allocates; a session timeout, which it
 * divides by; an answer, which it takes for that of the oldest request. A server that is broken, is
 * none, or means harm makes it crash, end the process by an assert, or spin. So each frame is read
 * here first. A frame that cannot be a server's is a broken connection. An answer without a request is dropped.
 * An answer whose body is not what its request asks for (answers.c) becomes the error
 * MARSHALLINGERROR of that one request, so that the C client does not try to read it.
 *
 * For that, what is sent is followed as well (asked.c): which requests are under way, and of which
 * operation.
 * The length and the header of an answer, 20 bytes, are kept here until they have been checked; the
 * body is read into the C client's own buffer and checked there.
 */
#include "answers.h"
#include "bytes.h"
#include "client.h"
#include "codes.h"
#include "frames.h"
#include "log.h"
#include "memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 4
#define HEADER_BYTES 16 /* xid, zxid, error */
#define HEAD_BYTES (LENGTH_BYTES + HEADER_BYTES)

/* Servers allocate an answer as a whole; four million names of children are of that size. */
#define MAX_FRAME (128 << 20)
/* Before so much is promised to the C client, it is tried whether it can be had. */
#define LARGE_FRAME (1 << 20)

/* The answer to the first request: version, session timeout, session, password; and, from 3.4 on,
 * whether the server is cut off from the others. The C client wants that last byte. */
#define WELCOME_BYTES 36
#define PASSWORD_BYTES 16

/* Session timeouts, milliseconds: with a shorter one the C client does nothing but send pings; it
 * computes twice a longer one in an int. */
#define MIN_TIMEOUT 20
#define MAX_TIMEOUT ((1 << 30) - 1)

/* Servers may grant a longer session than was asked for (minSessionTimeout), and what waits for an answer
 * waits for so long. A session that lasts longer than the client believes does no harm. */
#define MAX_UNASKED_TIMEOUT 60000

#define MAX_UNASKED 1000 /* frames on one connection */
#define DROPPED_AT_ONCE (1 << 20)

enum { PHASE_WELCOME, PHASE_HELD, PHASE_READY, PHASE_HEAD, PHASE_BODY, PHASE_DROP, PHASE_BROKEN };

void frames_clear(frames *f) { asked_clear(&f->asked); }

void frames_begin(frames *f) {
    asked_begin(&f->asked);
    f->phase = PHASE_WELCOME;
    f->welcomed_at = 0;
    f->head_count = 0;
    f->served = 0;
    f->unasked = 0;
}

int frames_spoken(const frames *f) { return f->asked.greeted || f->asked.sent; }

int frames_is_greeted(const frames *f) { return f->phase != PHASE_WELCOME; }

int frames_is_held(const frames *f) { return f->phase == PHASE_HELD; }

int frames_is_open(const frames *f) {
    return f->phase == PHASE_HEAD || f->phase == PHASE_BODY || f->phase == PHASE_DROP;
}

int frames_is_between(const frames *f) { return f->phase == PHASE_HEAD && f->head_count == 0; }

void frames_let_through(frames *f) {
    f->phase = PHASE_READY;
    f->welcomed_at = core_now();
}

void frames_end(frames *f) { f->phase = PHASE_BROKEN; }

static ssize_t would_block(void) {
    errno = EAGAIN;
    return -1;
}

__attribute__((format(printf, 2, 3))) static ssize_t broken(frames *f, const char *format, ...) {
    char why[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    if (f->phase != PHASE_BROKEN)
        log_say(ZOO_LOG_LEVEL_ERROR, "frames", "this is no answer of a ZooKeeper server, the connection is ended: %s",
                why);
    f->phase = PHASE_BROKEN;
    errno = EPROTO;
    return -1;
}

/* Read on until `wanted` bytes are in f->head. 1, or what recv gave. */
static ssize_t gather(frames *f, int fd, size_t wanted) {
    while (f->head_count < wanted) {
        ssize_t count = f->read(fd, f->head + f->head_count, wanted - f->head_count);
        if (count <= 0) return count;
        f->head_count += (size_t)count;
    }
    return 1;
}

/* The answer to the first request is in f->head, and may be read. */
static ssize_t hand_out_welcome(frames *f, char *buffer, size_t size) {
    if (size < WELCOME_FRAME) return broken(f, "no room for %d bytes", WELCOME_FRAME);
    memcpy(buffer, f->head, WELCOME_FRAME);
    f->phase = PHASE_HEAD;
    f->head_count = 0;
    return WELCOME_FRAME;
}

/* The longest session timeout that is believed. */
static int32_t longest_timeout(const frames *f) {
    return f->asked_timeout > MAX_UNASKED_TIMEOUT ? f->asked_timeout : MAX_UNASKED_TIMEOUT;
}

static ssize_t welcome(frames *f, int fd, char *buffer, size_t size) {
    ssize_t code = gather(f, fd, LENGTH_BYTES);
    if (code <= 0) return code;
    int32_t length = int_at(f->head);
    if (length != WELCOME_BYTES && length != WELCOME_BYTES + 1)
        return broken(f, "%d bytes instead of %d to open a session", length, WELCOME_BYTES + 1);
    code = gather(f, fd, LENGTH_BYTES + (size_t)length);
    if (code <= 0) return code;
    int32_t timeout = int_at(f->head + 8), password = int_at(f->head + 20);
    int64_t session = long_at(f->head + 12);
    if (length == WELCOME_BYTES) f->head[LENGTH_BYTES + WELCOME_BYTES] = 0;
    unsigned char read_only = (unsigned char)f->head[LENGTH_BYTES + WELCOME_BYTES];
    if (password != PASSWORD_BYTES) return broken(f, "a session's password of %d bytes", password);
    if (read_only > 1) return broken(f, "%d where 1 stands for a read-only server", read_only);
    /* Any other session than the one asked for says that this one is over: the C client knows that. */
    if (session == f->asked.session || f->asked.session == 0) {
        if (session == 0) return broken(f, "a session without a number");
        if (timeout < MIN_TIMEOUT || timeout > MAX_TIMEOUT)
            return broken(f, "a session timeout of %d milliseconds", timeout);
        if (timeout > longest_timeout(f)) {
            log_say(ZOO_LOG_LEVEL_WARN, "frames", "a session timeout of %d milliseconds is granted, and taken for %d",
                    timeout, longest_timeout(f));
            set_int(f->head + 8, longest_timeout(f));
        }
        if (read_only && !f->read_only) return broken(f, "it is read-only, which was not asked for");
        if (f->is_held_back) {
            f->phase = PHASE_HELD;
            return would_block();
        }
        f->welcomed_at = core_now();
    }
    return hand_out_welcome(f, buffer, size);
}

/* The error in f->head. A code that only a client uses of itself would have it believe that its connection is
 * lost, or that it has been closed. */
static int32_t error_in_head(frames *f) {
    char *error = f->head + HEAD_BYTES - 4;
    int32_t code = int_at(error);
    if (code_is_of_a_client(code) || code == ZRUNTIMEINCONSISTENCY) {
        log_say(ZOO_LOG_LEVEL_ERROR, "frames", "an answer with the error %d, which no server gives", code);
        code = ZMARSHALLINGERROR;
        set_int(error, code);
    }
    return code;
}

/* Whether the frame that begins with f->head has been asked for. */
static int is_expected(frames *f) {
    int32_t xid = int_at(f->head + LENGTH_BYTES), op;
    f->op = OP_NONE;
    switch (xid) {
    case XID_EVENT: f->op = OP_EVENT; return 1;
    case XID_PING:
    case XID_AUTH:
    case XID_SET_WATCHES: return asked_without_number(&f->asked, xid);
    }
    if (asked_first(&f->asked, xid, &op)) {
        if (error_in_head(f) == ZOK) f->op = op;
        f->served = 1;
        return 1;
    }
    /* Answers in another order: the C client ends the connection and says that nothing is known of
     * what was under way. */
    return asked_later(&f->asked, xid);
}

static ssize_t head(frames *f, int fd, char *buffer, size_t size) {
    ssize_t code = gather(f, fd, LENGTH_BYTES);
    if (code <= 0) return code;
    int32_t length = int_at(f->head);
    if (length < HEADER_BYTES) return broken(f, "a frame of %d bytes", length);
    if (length > MAX_FRAME) return broken(f, "a frame of %d bytes, where %d are the limit", length, MAX_FRAME);
    code = gather(f, fd, HEAD_BYTES);
    if (code <= 0) return code;
    f->size = (size_t)length;
    if (!is_expected(f)) {
        int32_t xid = int_at(f->head + LENGTH_BYTES);
        if (f->unasked++ == 0)
            log_say(ZOO_LOG_LEVEL_WARN, "frames", "an answer, numbered %d, that nobody has asked for is dropped", xid);
        if (f->unasked > MAX_UNASKED) return broken(f, "%d answers that nobody has asked for", MAX_UNASKED);
        f->phase = PHASE_DROP;
        f->taken = HEADER_BYTES;
        return 1;
    }
    if (f->size > LARGE_FRAME) {
        void *memory = malloc(f->size);
        free(memory);
        if (memory == NULL) return broken(f, "there is no memory for a frame of %d bytes", length);
    }
    if (size < LENGTH_BYTES) return broken(f, "no room for a length");
    memcpy(buffer, f->head, LENGTH_BYTES);
    f->phase = PHASE_BODY;
    f->taken = 0;
    return LENGTH_BYTES;
}

/* All of the frame is in the C client's buffer. */
static int check(const frames *f, char *frame) {
    char *body = frame + HEADER_BYTES;
    size_t size = f->size - HEADER_BYTES;
    if (f->op == OP_NONE) return 1;
    if (f->op == OP_EVENT) {
        if (!event_fits(body, size)) return 0;
        /* Events of the session are the C client's own affair. One of type 0 has no watcher. */
        if (int_at(body) == ZOO_SESSION_EVENT) set_int(body, 0);
        return 1;
    }
    if (!answer_fits(f->op, body, size)) {
        set_int(frame + HEADER_BYTES - 4, ZMARSHALLINGERROR);
        log_say(ZOO_LOG_LEVEL_ERROR, "frames", "an answer of %zu bytes to a request of type %d is not one", size, f->op);
    }
    return 1;
}

static ssize_t body(frames *f, int fd, char *buffer, size_t size) {
    size_t count = 0;
    if (size > f->size - f->taken) return broken(f, "%zu bytes are wanted of %zu", size, f->size - f->taken);
    if (f->taken < HEADER_BYTES) {
        count = HEADER_BYTES - f->taken < size ? HEADER_BYTES - f->taken : size;
        memcpy(buffer, f->head + LENGTH_BYTES + f->taken, count);
    }
    if (count < size) {
        ssize_t more = f->read(fd, buffer + count, size - count);
        if (more > 0)
            count += (size_t)more;
        else if (count == 0)
            return more;
    }
    f->taken += count;
    if (f->taken == f->size) {
        f->phase = PHASE_HEAD;
        f->head_count = 0;
        if (!check(f, buffer + count - f->size)) return broken(f, "an event that cannot be read");
    }
    return (ssize_t)count;
}

static ssize_t drop(frames *f, int fd) {
    char unread[UNREAD_BYTES];
    size_t dropped = 0;
    while (f->taken < f->size && dropped < DROPPED_AT_ONCE) {
        size_t left = f->size - f->taken;
        ssize_t count = f->read(fd, unread, left < sizeof unread ? left : sizeof unread);
        if (count <= 0) return count;
        f->taken += (size_t)count;
        dropped += (size_t)count;
    }
    if (f->taken == f->size) {
        f->phase = PHASE_HEAD;
        f->head_count = 0;
    }
    /* Not more at a time: this thread has requests to send, and pings, and to hear of a close. */
    return would_block();
}

ssize_t frames_recv(frames *f, int fd, void *buffer, size_t size) {
    ssize_t code;
    switch (f->phase) {
    case PHASE_WELCOME: return welcome(f, fd, buffer, size);
    case PHASE_HELD: return would_block();
    case PHASE_READY: return hand_out_welcome(f, buffer, size);
    case PHASE_HEAD:
        code = head(f, fd, buffer, size);
        return f->phase == PHASE_DROP ? drop(f, fd) : code;
    case PHASE_BODY: return body(f, fd, buffer, size);
    case PHASE_DROP: return drop(f, fd);
    default: return broken(f, "it is over");
    }
}
