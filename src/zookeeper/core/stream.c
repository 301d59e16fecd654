/* The bytes of a connection: what is held until it goes out together, and what has been read ahead.
 *
 * The C client sends the length of a request apart from the request, each a system call and a packet of its
 * own; and it reads an answer by two calls or three. Here all that it sends in one turn of the I/O thread is
 * put together and sent before that thread polls (attempt.c), and one call reads what there is, from which
 * answers are handed out. The bytes stay in order: what has been taken goes out before all that comes
 * later, and is sent again from where the socket stopped.
 *
 * A request that is held when the connection is lost was never sent. The C client takes it for sent, as if
 * it were in the socket's own buffer, so its end says that it may have happened: never the other way round.
 *
 * Both buffers are bounded. Bytes that do not fit are not taken, and stay in the C client's queue. A connection on
 * which nothing happens has none.
 */
#include "handle.h"
#include "memory.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Below what malloc has a mapping for, or tidies up after: they come and go with each turn. */
#define OUT_BYTES 16384
#define IN_BYTES 32768

ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);

static void drop_held(stream *s) {
    free(s->out);
    s->out = NULL;
    s->out_first = s->out_end = 0;
}

void stream_begin(stream *s) {
    drop_held(s);
    free(s->in);
    s->in = NULL;
    s->in_first = s->in_end = 0;
    s->error = s->is_short = 0;
}

int stream_is_short(const stream *s) { return s->is_short; }

int stream_is_held(const stream *s) { return s->out_first < s->out_end; }

int stream_has_more(const stream *s) { return s->in_first < s->in_end || s->error; }

void stream_rest(stream *s) {
    if (s->in == NULL || s->in_first < s->in_end) return;
    free(s->in);
    s->in = NULL;
}

/* ---- sending ----------------------------------------------------------------------------------- */

static int has_to_wait(void) { return errno == EAGAIN || errno == EINTR; }

/* Sending has come to nothing, for good. */
static void fail_sending(stream *s) {
    s->error = errno ? errno : EPIPE;
    drop_held(s);
}

/* As send does. */
static ssize_t put(zk_handle *handle, const char *bytes, size_t size) {
    errno = 0;
    return handle->layer.connection ? layer_write(&handle->layer, bytes, size)
                                    : __real_send(handle->connection.fd, bytes, size, MSG_NOSIGNAL);
}

int stream_flush(zk_handle *handle) {
    stream *s = &handle->connection.stream;
    while (stream_is_held(s)) {
        ssize_t count = put(handle, s->out + s->out_first, s->out_end - s->out_first);
        if (count < 0 && has_to_wait()) return 0;
        if (count <= 0) {
            fail_sending(s);
            return -1;
        }
        s->out_first += (size_t)count;
    }
    drop_held(s);
    return 1;
}

/* As sendmsg, with what is held before the bytes; how many of both together. */
static ssize_t put_both(zk_handle *handle, const char *bytes, size_t size) {
    stream *s = &handle->connection.stream;
    struct iovec parts[] = {{s->out + s->out_first, s->out_end - s->out_first}, {(char *)bytes, size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(handle->connection.fd, &message, MSG_NOSIGNAL);
}

static ssize_t would_wait(void) {
    errno = EAGAIN;
    return -1;
}

/* Bytes behind what is held, in one packet if that may be. */
static ssize_t write_behind(zk_handle *handle, const char *bytes, size_t size) {
    stream *s = &handle->connection.stream;
    size_t held = s->out_end - s->out_first;
    ssize_t count = put_both(handle, bytes, size);
    if (count < 0 && has_to_wait()) return would_wait();
    if (count < 0) {
        fail_sending(s);
        errno = s->error;
        return -1;
    }
    if ((size_t)count < held) {
        s->out_first += (size_t)count;
        return would_wait();
    }
    drop_held(s);
    return (size_t)count == held ? would_wait() : count - (ssize_t)held;
}

static ssize_t write_all(zk_handle *handle, const char *bytes, size_t size) {
    stream *s = &handle->connection.stream;
    if (s->error == 0 && stream_is_held(s)) {
        if (handle->layer.connection == NULL) return write_behind(handle, bytes, size);
        if (stream_flush(handle) == 0) return would_wait();
    }
    if (s->error) {
        errno = s->error;
        return -1;
    }
    return put(handle, bytes, size);
}

ssize_t stream_write(zk_handle *handle, const char *bytes, size_t size) {
    ssize_t count = write_all(handle, bytes, size);
    handle->connection.stream.is_short = count < (ssize_t)size;
    return count;
}

ssize_t stream_send(zk_handle *handle, const char *bytes, size_t size) {
    stream *s = &handle->connection.stream;
    size_t held = s->out_end - s->out_first;
    if (s->error || size > OUT_BYTES - held) return stream_write(handle, bytes, size);
    if (s->out == NULL) s->out = core_alloc(OUT_BYTES);
    if (size > OUT_BYTES - s->out_end) {
        memmove(s->out, s->out + s->out_first, held);
        s->out_first = 0;
        s->out_end = held;
    }
    memcpy(s->out + s->out_end, bytes, size);
    s->out_end += size;
    s->is_short = 0;
    return (ssize_t)size;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* As recv does. */
static ssize_t fetch(zk_handle *handle, char *buffer, size_t size) {
    return handle->layer.connection ? layer_read(&handle->layer, buffer, size)
                                    : __real_recv(handle->connection.fd, buffer, size, 0);
}

static ssize_t hand_out(stream *s, char *buffer, size_t size) {
    size_t count = s->in_end - s->in_first < size ? s->in_end - s->in_first : size;
    memcpy(buffer, s->in + s->in_first, count);
    s->in_first += count;
    return (ssize_t)count;
}

/* Sending has failed. The server may have said why, as it does when it refuses a certificate. */
static ssize_t read_last(zk_handle *handle, char *buffer, size_t size) {
    ssize_t count = fetch(handle, buffer, size);
    if (count < 0 && has_to_wait()) errno = handle->connection.stream.error;
    return count;
}

/* As recv, into the buffer, in which nothing is left. */
static ssize_t read_ahead(zk_handle *handle) {
    stream *s = &handle->connection.stream;
    if (s->in == NULL) s->in = core_alloc(IN_BYTES);
    ssize_t count = fetch(handle, s->in, IN_BYTES);
    s->in_first = 0;
    s->in_end = count > 0 ? (size_t)count : 0;
    return count;
}

ssize_t stream_read(zk_handle *handle, char *buffer, size_t size, int ahead) {
    stream *s = &handle->connection.stream;
    if (s->in_first < s->in_end) return hand_out(s, buffer, size);
    if (s->error) return read_last(handle, buffer, size);
    /* Large ones go where they belong. */
    if (!ahead || size >= IN_BYTES) return fetch(handle, buffer, size);
    ssize_t count = read_ahead(handle);
    return count > 0 ? hand_out(s, buffer, size) : count;
}

int stream_fill(zk_handle *handle) {
    if (stream_has_more(&handle->connection.stream)) return 1;
    ssize_t count = read_ahead(handle);
    return count > 0 ? 1 : count < 0 && has_to_wait() ? 0 : -1;
}

const char *stream_ahead(const stream *s, size_t *count) {
    *count = s->in_end - s->in_first;
    return s->in + s->in_first;
}
