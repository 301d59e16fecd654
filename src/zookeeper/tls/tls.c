/* TLS over a connected socket, by OpenSSL: the layer's functions, and the bytes of a connection.
 *
 * A configuration is shared by handles. A handle remembers the session of its last connection to each
 * kind of server, which makes the next handshake short.
 */
#include "configuration.h"
#include "handshake.h"
#include "sessions.h"
#include "socket.h"

#include <openssl/err.h>

#include <errno.h>

static ssize_t outcome(layer_connection *c, int result, size_t count, short *events, char *why) {
    if (result == 1) return (ssize_t)count;
    *events = tls_awaited(c, result);
    if (*events) {
        errno = EAGAIN;
        return -1;
    }
    if (tls_is_hangup(c->ssl, result)) {
        ERR_clear_error();
        return 0;
    }
    /* A connection that breaks is no fault of TLS. */
    if (SSL_get_error(c->ssl, result) == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) return -1;
    tls_explain(why, c->ssl, &c->peer, result, 1);
    errno = EPROTO;
    return -1;
}

static ssize_t tls_read(layer_connection *c, void *buffer, size_t size, short *events, char *why) {
    size_t count = 0;
    ERR_clear_error();
    tls_socket_allow(c);
    errno = 0;
    int result = SSL_read_ex(c->ssl, buffer, size, &count);
    c->is_starved = result != 1;
    return outcome(c, result, count, events, why);
}

static ssize_t tls_write(layer_connection *c, const void *bytes, size_t size, short *events, char *why) {
    size_t count = 0;
    ERR_clear_error();
    tls_socket_allow(c);
    errno = 0;
    int result = SSL_write_ex(c->ssl, bytes, size, &count);
    return outcome(c, result, count, events, why);
}

static int is_pending(const layer_connection *c) {
    return SSL_pending(c->ssl) > 0 || (SSL_has_pending(c->ssl) && !c->is_starved);
}

const layer_functions tls_functions = {
    .remember = tls_remember,
    .forget = tls_forget,
    .retain = tls_retain,
    .release = tls_release,
    .complaint = tls_take_complaint,
    .begin = tls_begin,
    .shake = tls_shake,
    .read = tls_read,
    .write = tls_write,
    .is_pending = is_pending,
    .end = tls_end,
};
