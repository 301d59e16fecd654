/* Beginning and end of a connection: whom it is to be with, and the handshake. */
#include "configuration.h"
#include "handshake.h"
#include "sessions.h"
#include "socket.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static int expect_host(SSL *ssl, const tls_settings *settings, const char *host) {
    int is_checked = settings->verify && settings->check_hostname;
    /* To OpenSSL an empty name is one that need not be checked. */
    if (host[0] == 0) return !is_checked;
    if (!tls_is_address(host) && SSL_set_tlsext_host_name(ssl, host) != 1) return 0;
    if (!is_checked) return 1;
    SSL_set_hostflags(ssl, TLS_HOST_FLAGS);
    if (tls_is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    return SSL_set1_host(ssl, host);
}

void tls_end(layer_connection *c) {
    if (c->ssl) {
        ERR_clear_error();
        if (c->is_shaken) SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        ERR_clear_error();
    }
    tls_release(c->config);
    X509_free(c->peer.refused);
    free(c->peer.server);
    free(c->peer.expected);
    free(c->peer.others);
    free(c);
}

layer_connection *tls_begin(layer_config *config, layer_memory *memory, int fd, const char *hosts,
                            const char *server, char *why) {
    const char *expected = config->settings.server_hostname ? config->settings.server_hostname : hosts;
    size_t length = strcspn(expected, ",");
    layer_connection *c = calloc(1, sizeof *c);
    if (c == NULL) abort();
    tls_retain(config);
    c->config = config;
    c->memory = memory;
    c->fd = fd;
    c->peer.server = strdup(server);
    c->peer.expected = strndup(expected, length);
    c->peer.others = strdup(expected + length);
    tls_trim(c->peer.expected);
    expected = c->peer.expected;
    ERR_clear_error();
    c->ssl = tls_new_ssl(config, &c->stamp);
    BIO *bio = c->ssl ? tls_socket_new() : NULL;
    if (bio == NULL || !expect_host(c->ssl, &config->settings, expected)) {
        tls_reason(why, "TLS with %s cannot begin: %s", server,
                   expected[0] ? tls_last_error() : "its name is no longer known");
        BIO_free(bio);
        tls_end(c);
        return NULL;
    }
    tls_socket_attach(c, bio);
    SSL_set_connect_state(c->ssl);
    tls_session_resume(c);
    return c;
}

short tls_awaited(const layer_connection *c, int result) {
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ: return POLLIN;
    case SSL_ERROR_WANT_WRITE: return POLLOUT;
    default: return 0;
    }
}

int tls_shake(layer_connection *c, short *events, char *why) {
    ERR_clear_error();
    tls_socket_allow(c);
    errno = 0;
    int result = SSL_do_handshake(c->ssl);
    if (result == 1) {
        c->is_shaken = 1;
        c->config->handshakes++;
        c->config->resumed += SSL_session_reused(c->ssl);
        /* OpenSSL does not call session_is_new for a ticket that TLS 1.2 renews, which makes the former
         * useless. */
        if (c->memory && SSL_version(c->ssl) == TLS1_2_VERSION) tls_session_keep(c, SSL_get1_session(c->ssl));
        return 1;
    }
    *events = tls_awaited(c, result);
    if (*events) return 0;
    tls_explain(why, c->ssl, &c->peer, result, 0);
    return -1;
}
