/* Sessions of TLS that the next handshake resumes. */
#include "sessions.h"
#include "socket.h"

#include <stdlib.h>
#include <string.h>

struct layer_memory {
    SSL_SESSION *session;
    char *host;               /* of the session */
    unsigned long long stamp; /* of the files that it was made with */
};

layer_memory *tls_remember(void) { return calloc(1, sizeof(layer_memory)); }

void tls_forget(layer_memory *memory) {
    if (memory == NULL) return;
    SSL_SESSION_free(memory->session);
    free(memory->host);
    free(memory);
}

void tls_session_keep(layer_connection *c, SSL_SESSION *session) {
    SSL_SESSION_free(c->memory->session);
    free(c->memory->host);
    c->memory->session = session;
    c->memory->host = strdup(c->peer.expected);
    c->memory->stamp = c->stamp;
}

static int session_is_new(SSL *ssl, SSL_SESSION *session) {
    layer_connection *c = tls_connection_of(ssl);
    if (c == NULL || c->memory == NULL) return 0;
    tls_session_keep(c, session);
    return 1; /* the reference is ours */
}

void tls_session_resume(layer_connection *c) {
    const layer_memory *memory = c->memory;
    /* Not after a change of files: a resumed session is as good as the certificates that began it. */
    if (memory && memory->session && memory->stamp == c->stamp && strcmp(memory->host, c->peer.expected) == 0)
        SSL_set_session(c->ssl, memory->session);
}

void tls_sessions_follow(SSL_CTX *context) { SSL_CTX_sess_set_new_cb(context, session_is_new); }
