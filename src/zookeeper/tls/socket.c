/* The socket of a connection, as OpenSSL reads and writes it; and the way back from OpenSSL. */
#include "socket.h"

#include <errno.h>
#include <sys/socket.h>

/* OpenSSL goes on while there is anything to read, and does not return before it has data or an end of the
 * handshake. A server that sends nothing but messages to be skipped would keep the I/O thread for good, which has
 * pings to send, deadlines to keep, and to hear of a close. A record has 16 KB. */
#define READ_BUDGET (256 << 10)

static int connection_index;
static BIO_METHOD *method;

/* OpenSSL's own writes by write(), which kills a process that does not ignore SIGPIPE. */
static int socket_write(BIO *bio, const char *bytes, size_t size, size_t *written) {
    const layer_connection *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = send(c->fd, bytes, size, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    if (count > 0) *written = (size_t)count;
    return count > 0;
}

static int socket_read(BIO *bio, char *buffer, size_t size, size_t *received) {
    layer_connection *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (c->budget <= 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    ssize_t count = recv(c->fd, buffer, size, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (count == 0) {
        errno = 0;
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    if (count > 0) {
        *received = (size_t)count;
        c->budget -= count;
    }
    return count > 0;
}

void tls_socket_allow(layer_connection *c) { c->budget = READ_BUDGET; }

static long socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

void tls_socket_prepare(void) {
    connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR;
    method = BIO_meth_new(type, "zookeeper");
    BIO_meth_set_write_ex(method, socket_write);
    BIO_meth_set_read_ex(method, socket_read);
    BIO_meth_set_ctrl(method, socket_control);
}

BIO *tls_socket_new(void) { return BIO_new(method); }

void tls_socket_attach(layer_connection *c, BIO *bio) {
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_ex_data(c->ssl, connection_index, c);
}

layer_connection *tls_connection_of(const SSL *ssl) { return SSL_get_ex_data(ssl, connection_index); }

tls_peer *tls_peer_of(SSL *ssl) {
    layer_connection *c = tls_connection_of(ssl);
    return c ? &c->peer : NULL;
}
