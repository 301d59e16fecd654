/* The socket of a connection, as OpenSSL reads and writes it; and the way back from OpenSSL. */
#ifndef ZOOKEEPER_TLS_SOCKET_H
#define ZOOKEEPER_TLS_SOCKET_H

#include "connection.h"

/* Once in a process, before all else. */
void tls_socket_prepare(void);
/* To be freed by BIO_free, or by the SSL that it is given to; NULL without memory. */
BIO *tls_socket_new(void);
/* Have the SSL of the connection read and write its socket by `bio`. */
void tls_socket_attach(layer_connection *c, BIO *bio);
/* A call of OpenSSL begins that may read so much; it finds the socket empty afterwards. */
void tls_socket_allow(layer_connection *c);
/* The connection that the SSL is of, or NULL. */
layer_connection *tls_connection_of(const SSL *ssl);

#endif
