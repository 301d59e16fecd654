/* Sessions of TLS that the next handshake resumes. */
#ifndef ZOOKEEPER_TLS_SESSIONS_H
#define ZOOKEEPER_TLS_SESSIONS_H

#include "connection.h"

/* The memory of a handle; NULL without memory. To be freed by tls_forget, which also takes NULL. */
layer_memory *tls_remember(void);
void tls_forget(layer_memory *memory);
/* Keep the session for the next connection. Takes the reference to it. */
void tls_session_keep(layer_connection *c, SSL_SESSION *session);
/* Resume the last one, if it is of the same host and the same files. */
void tls_session_resume(layer_connection *c);
/* Have OpenSSL tell of sessions of that context. */
void tls_sessions_follow(SSL_CTX *context);

#endif
