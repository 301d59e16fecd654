/* SASL: the exchange of tokens on a connection, before anything else but the opening of the session.
 *
 * frames.c holds the server's answer to that back; the exchange goes on in the wrapped poll, as the
 * handshake of a layer does; then the answer is let through, and all that the C client sends comes after
 * it: credentials, SetWatches, requests. So it is in every connection anew. A session that is over is
 * not held back, as the C client sends nothing then.
 *
 * A token travels as a request of type 102. The C client does not see these, nor does asked.c. The
 * exchanges have numbers (xid) of their own, since each has the connection to itself: a frame that is
 * not the answer to our last token is a fault. The steps of the mechanism are done elsewhere (steps.c).
 *
 * All of it belongs to the thread that works for the handle.
 */
#include "bytes.h"
#include "handle.h"
#include "log.h"
#include "memory.h"
#include "sasl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LENGTH_BYTES 4
#define HEADER_BYTES 16  /* of an answer: xid, zxid, error */
#define TOKEN_HEAD 12    /* of a request: xid, operation, the token's length */
#define MAX_EXCHANGES 50 /* tokens on one connection; Kerberos takes three */

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

void sasl_use(zk_handle *handle, const char *name) {
    sasl *s = &handle->sasl;
    s->steps = steps_new();
    snprintf(s->name, sizeof s->name, "%s", name);
    handle->connection.frames.is_held_back = 1;
}

sasl_steps *sasl_steps_of(zk_handle *handle) { return handle->sasl.steps; }

static void forget_frames(sasl *s) {
    if (s->out) core_wipe(s->out, s->out_size);
    free(s->out);
    free(s->challenge);
    s->out = s->challenge = NULL;
    s->count = 0;
}

void sasl_clear(zk_handle *handle) {
    forget_frames(&handle->sasl);
    if (handle->sasl.steps) steps_release(handle->sasl.steps);
}

/* The exchange has failed, and with it the connection. */
__attribute__((format(printf, 2, 3))) static void sasl_fails(zk_handle *handle, const char *format, ...) {
    sasl *s = &handle->sasl;
    char why[LAYER_WHY], text[LAYER_WHY];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(why, sizeof why, "%.255s: %.250s", s->server, text);
    if (steps_note(s->steps, why)) log_say(ZOO_LOG_LEVEL_ERROR, "sasl", "%s", why);
    steps_abandon(s->steps);
    forget_frames(s);
    s->phase = SASL_FAILED;
    frames_end(&handle->connection.frames);
}

/* The connection has ended before the exchange has. */
static void fail_at_end(zk_handle *handle) {
    sasl *s = &handle->sasl;
    if (!s->is_late)
        sasl_fails(handle, "the server hangs up during SASL (%s)", s->name);
    else if (s->phase == SASL_STEPPING)
        sasl_fails(handle, "SASL is given up, as the mechanism %s takes too long for a step", s->name);
    else
        sasl_fails(handle, "the server opens a session, and does not answer SASL (%s)", s->name);
}

void sasl_begin(zk_handle *handle, int fd, const char *host, const char *server) {
    sasl *s = &handle->sasl;
    forget_frames(s);
    snprintf(s->server, sizeof s->server, "%.255s", server);
    s->fd = fd;
    s->is_late = s->is_refused = 0;
    s->xid = 0;
    s->phase = SASL_STEPPING;
    steps_begin(s->steps, host);
}

static ssize_t receive(zk_handle *handle, void *buffer, size_t size) {
    return stream_read(handle, buffer, size, 0);
}

/* Whether it is only that the socket would block. Any other end of the connection is told. */
static int must_wait(zk_handle *handle, ssize_t count) {
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
    fail_at_end(handle);
    return 0;
}

static void prepare_token(sasl *s, const char *token, size_t size) {
    s->out_size = LENGTH_BYTES + TOKEN_HEAD + size;
    s->out = core_alloc(s->out_size);
    set_int(s->out, (int32_t)(TOKEN_HEAD + size));
    set_int(s->out + 4, ++s->xid);
    set_int(s->out + 8, OP_SASL);
    set_int(s->out + 12, (int32_t)size);
    if (size) memcpy(s->out + LENGTH_BYTES + TOKEN_HEAD, token, size);
    s->sent = 0;
    s->phase = SASL_SENDING;
}

/* The server and the mechanism are satisfied. */
static void complete(zk_handle *handle) {
    sasl *s = &handle->sasl;
    steps_note(s->steps, "");
    s->phase = SASL_NONE;
    frames_let_through(&handle->connection.frames);
}

static void take_result(zk_handle *handle, step_result result, const char *token, size_t size) {
    sasl *s = &handle->sasl;
    if (result == STEP_FAILED) {
        s->is_refused = 1;
        sasl_fails(handle, "%s", token);
    } else if (result == STEP_COMPLETE) {
        complete(handle);
    } else if (size > MAX_TOKEN) {
        s->is_refused = 1;
        sasl_fails(handle, "a token of %zu bytes, where %d are the limit (%s)", size, MAX_TOKEN, s->name);
    } else if (s->xid == MAX_EXCHANGES) {
        sasl_fails(handle, "SASL does not end after %d tokens (%s)", MAX_EXCHANGES, s->name);
    } else {
        prepare_token(s, token, size);
    }
}

/* 1: the phase has changed. So it is with the other two. */
static int go_on_stepping(zk_handle *handle, short got) {
    sasl *s = &handle->sasl;
    char *token, unasked;
    size_t size;
    step_result result = steps_result(s->steps, &token, &size);
    if (result != STEP_NONE) {
        take_result(handle, result, token, size);
        if (token) core_wipe(token, size);
        free(token);
        return 1;
    }
    if (got == 0) return 0;
    ssize_t count = receive(handle, &unasked, 1);
    if (count > 0)
        sasl_fails(handle, "the server sends something unasked during SASL (%s)", s->name);
    else if (must_wait(handle, count))
        return 0;
    return 1;
}

static int go_on_sending(zk_handle *handle) {
    sasl *s = &handle->sasl;
    while (s->sent < s->out_size) {
        const char *bytes = s->out + s->sent;
        size_t left = s->out_size - s->sent;
        ssize_t count = stream_write(handle, bytes, left);
        if (count <= 0) return !must_wait(handle, count);
        s->sent += (size_t)count;
    }
    forget_frames(s);
    s->phase = SASL_READING;
    return 1;
}

/* The error of an answer. */
static void refused(zk_handle *handle, int32_t code) {
    sasl *s = &handle->sasl;
    s->is_refused = 1;
    if (code == ZAUTHFAILED || code == ZSESSIONCLOSEDREQUIRESASLAUTH)
        sasl_fails(handle, "the server refuses the credentials (%s)", s->name);
    else
        sasl_fails(handle, "the server ends SASL with the error %d (%s)", code, s->name);
}

/* Read on until `size` bytes are there, of which `count` are: 1 if so. */
static int gather_answer(zk_handle *handle, char *bytes, size_t size) {
    sasl *s = &handle->sasl;
    while (s->count < size) {
        ssize_t count = receive(handle, bytes + s->count, size - s->count);
        if (count <= 0) {
            must_wait(handle, count);
            return 0;
        }
        s->count += (size_t)count;
    }
    return 1;
}

/* The head of an answer, of which an error needs no token: 1 if a token follows, of s->size bytes. */
static int check_head(zk_handle *handle) {
    sasl *s = &handle->sasl;
    int32_t length = int_at(s->head), xid = int_at(s->head + LENGTH_BYTES);
    if (length < HEADER_BYTES || length > HEADER_BYTES + LENGTH_BYTES + MAX_TOKEN) {
        sasl_fails(handle, "an answer of %d bytes is none of SASL (%s)", length, s->name);
        return 0;
    }
    if (s->count < LENGTH_BYTES + HEADER_BYTES) return 1;
    if (xid != s->xid) {
        sasl_fails(handle, "an answer numbered %d, where SASL waits for %d (%s)", xid, s->xid, s->name);
        return 0;
    }
    int32_t code = int_at(s->head + LENGTH_BYTES + HEADER_BYTES - 4);
    if (code != ZOK) {
        refused(handle, code);
        return 0;
    }
    int32_t rest = length - HEADER_BYTES - LENGTH_BYTES;
    if (rest < 0) {
        sasl_fails(handle, "an answer of %d bytes, without the length of a token, is none of SASL (%s)", length, s->name);
        return 0;
    }
    int32_t size = s->count < SASL_HEAD ? rest : int_at(s->head + SASL_HEAD - LENGTH_BYTES);
    if (size < -1 || rest != (size < 0 ? 0 : size)) {
        sasl_fails(handle, "a token of %d bytes in an answer of %d is none of SASL (%s)", size, length, s->name);
        return 0;
    }
    return 1;
}

static int go_on_reading(zk_handle *handle) {
    sasl *s = &handle->sasl;
    if (s->challenge == NULL) {
        const size_t parts[] = {LENGTH_BYTES, LENGTH_BYTES + HEADER_BYTES, SASL_HEAD};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (s->count >= parts[i]) continue;
            if (!gather_answer(handle, s->head, parts[i])) return s->phase == SASL_FAILED;
            if (!check_head(handle)) return 1;
        }
        int32_t size = int_at(s->head + SASL_HEAD - LENGTH_BYTES);
        s->size = size < 0 ? 0 : (size_t)size;
        s->challenge = core_alloc(s->size);
        s->count = 0;
    }
    if (!gather_answer(handle, s->challenge, s->size)) return s->phase == SASL_FAILED;
    int is_null = int_at(s->head + SASL_HEAD - LENGTH_BYTES) < 0;
    steps_ask(s->steps, is_null ? NULL : s->challenge, s->size);
    forget_frames(s);
    s->phase = SASL_STEPPING;
    return 1;
}

/* Do all that can be done without waiting; `got` are the events of the socket. */
static void go_on(zk_handle *handle, short got) {
    sasl *s = &handle->sasl;
    int has_changed = 1;
    while (has_changed) {
        switch (s->phase) {
        case SASL_STEPPING: has_changed = go_on_stepping(handle, got); break;
        case SASL_SENDING: has_changed = go_on_sending(handle); break;
        case SASL_READING: has_changed = go_on_reading(handle); break;
        default: return;
        }
        got = 0;
    }
}

static int is_over(const sasl *s) { return s->phase == SASL_NONE || s->phase == SASL_FAILED; }

int sasl_poll(zk_handle *handle, struct pollfd *fds, int timeout) {
    sasl *s = &handle->sasl;
    fds[0].revents = fds[1].revents = 0;
    go_on(handle, 0);
    if (!is_over(s)) {
        short events = s->phase == SASL_SENDING ? POLLOUT : POLLIN;
        struct pollfd watched[2] = {fds[0], {.fd = fds[1].fd, .events = events}};
        int ready = handle->layer.connection ? layer_poll(&handle->layer, watched, 2, &watched[1], timeout)
                                             : __real_poll(watched, 2, timeout);
        if (ready < 0) return ready;
        fds[0].revents = watched[0].revents;
        go_on(handle, watched[1].revents);
    }
    if (is_over(s)) fds[1].revents = POLLIN;
    return (fds[0].revents != 0) + (fds[1].revents != 0);
}

void sasl_give_up(zk_handle *handle) { handle->sasl.is_late = 1; }

void sasl_closed(zk_handle *handle) {
    sasl *s = &handle->sasl;
    if (!is_over(s)) {
        /* The C client has lost patience. */
        s->is_late = 1;
        fail_at_end(handle);
    }
    s->phase = SASL_NONE;
    s->is_refused = 0;
}
