/* TLS over a connected socket, by OpenSSL.
 *
 * A configuration is shared by handles. Its files are looked at for each connection, so that
 * certificates can be rotated; while the new ones cannot be used the old ones go on to serve. A
 * handle remembers the session of its last connection to each kind of server, which makes the next
 * handshake short.
 */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct layer_config {
    _Atomic int references;
    tls_settings settings; /* its strings are ours */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    SSL_CTX *context;
    unsigned long long stamp, complained_stamp;
    char *complaint;
    _Atomic long handshakes, resumed;
};

struct layer_memory {
    SSL_SESSION *session;
    char *host;               /* of the session */
    unsigned long long stamp; /* of the files that it was made with */
};

struct layer_connection {
    layer_config *config;
    layer_memory *memory;
    SSL *ssl;
    int fd;
    int is_shaken;
    int is_starved; /* what has been read ahead is less than a record */
    unsigned long long stamp;
    tls_peer peer;
};

static int connection_index, method_type;
static BIO_METHOD *method;

/* ---- the socket -------------------------------------------------------------------------------- */

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
    const layer_connection *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = recv(c->fd, buffer, size, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (count == 0) {
        errno = 0;
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    if (count > 0) *received = (size_t)count;
    return count > 0;
}

static long socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static void keep_session(layer_connection *c, SSL_SESSION *session) {
    SSL_SESSION_free(c->memory->session);
    free(c->memory->host);
    c->memory->session = session;
    c->memory->host = strdup(c->peer.expected);
    c->memory->stamp = c->stamp;
}

static int session_is_new(SSL *ssl, SSL_SESSION *session) {
    layer_connection *c = SSL_get_ex_data(ssl, connection_index);
    if (c == NULL || c->memory == NULL) return 0;
    keep_session(c, session);
    return 1; /* the reference is ours */
}

static layer_memory *remember(void) { return calloc(1, sizeof(layer_memory)); }

static void forget(layer_memory *memory) {
    if (memory == NULL) return;
    SSL_SESSION_free(memory->session);
    free(memory->host);
    free(memory);
}

/* ---- configurations ---------------------------------------------------------------------------- */

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void) {
    /* At exit threads may still be at work. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    method_type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR;
    method = BIO_meth_new(method_type, "zookeeper");
    BIO_meth_set_write_ex(method, socket_write);
    BIO_meth_set_read_ex(method, socket_read);
    BIO_meth_set_ctrl(method, socket_control);
}

static const char *copied(const char *text) { return text ? strdup(text) : NULL; }

layer_config *tls_configure(const tls_settings *settings, char *why) {
    pthread_once(&prepared, prepare);
    unsigned long long stamp = tls_stamp(settings);
    SSL_CTX *context = tls_context(settings, why);
    if (context == NULL) return NULL;
    SSL_CTX_sess_set_new_cb(context, session_is_new);
    layer_config *config = calloc(1, sizeof *config);
    if (config == NULL) abort();
    config->references = 1;
    config->settings = *settings;
    config->settings.ca_file = copied(settings->ca_file);
    config->settings.ca_folder = copied(settings->ca_folder);
    config->settings.certificate = copied(settings->certificate);
    config->settings.key = copied(settings->key);
    config->settings.key_password = copied(settings->key_password);
    config->settings.server_hostname = copied(settings->server_hostname);
    pthread_mutex_init(&config->lock, NULL);
    config->context = context;
    config->stamp = stamp;
    return config;
}

static void retain(layer_config *config) { config->references++; }

static void release(layer_config *config) {
    if (--config->references) return;
    SSL_CTX_free(config->context);
    pthread_mutex_destroy(&config->lock);
    free((void *)config->settings.ca_file);
    free((void *)config->settings.ca_folder);
    free((void *)config->settings.certificate);
    free((void *)config->settings.key);
    if (config->settings.key_password)
        OPENSSL_cleanse((void *)config->settings.key_password, strlen(config->settings.key_password));
    free((void *)config->settings.key_password);
    free((void *)config->settings.server_hostname);
    free(config->complaint);
    free(config);
}

static char *take_complaint(layer_config *config) {
    pthread_mutex_lock(&config->lock);
    char *complaint = config->complaint;
    config->complaint = NULL;
    pthread_mutex_unlock(&config->lock);
    return complaint;
}

void tls_counts(layer_config *config, long *handshakes, long *resumed) {
    *handshakes = config->handshakes;
    *resumed = config->resumed;
}

/* The context of the files as they are now, or as they were when they could last be used. */
static SSL *new_ssl(layer_config *config, unsigned long long *used) {
    char why[LAYER_WHY];
    unsigned long long stamp = tls_stamp(&config->settings);
    pthread_mutex_lock(&config->lock);
    if (stamp != config->stamp && stamp != config->complained_stamp) {
        SSL_CTX *context = tls_context(&config->settings, why);
        if (context) {
            SSL_CTX_sess_set_new_cb(context, session_is_new);
            SSL_CTX_free(config->context); /* connections that use it have references */
            config->context = context;
            config->stamp = stamp;
        } else {
            config->complained_stamp = stamp;
            free(config->complaint);
            config->complaint = strdup(why);
        }
    }
    SSL *ssl = SSL_new(config->context);
    *used = config->stamp;
    pthread_mutex_unlock(&config->lock);
    return ssl;
}

/* ---- connections ------------------------------------------------------------------------------- */

static int is_address(const char *host) {
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Certificates have neither the dot of a full name nor the zone of an address. */
static void trim(char *host) {
    char *zone = strchr(host, '%');
    if (zone) *zone = 0;
    size_t length = strlen(host);
    if (length > 1 && host[length - 1] == '.') host[length - 1] = 0;
}

static int expect_host(SSL *ssl, const tls_settings *settings, const char *host) {
    int is_checked = settings->verify && settings->check_hostname;
    /* To OpenSSL an empty name is one that need not be checked. */
    if (host[0] == 0) return !is_checked;
    if (!is_address(host) && SSL_set_tlsext_host_name(ssl, host) != 1) return 0;
    if (!is_checked) return 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    return SSL_set1_host(ssl, host);
}

static void end(layer_connection *c) {
    if (c->ssl) {
        ERR_clear_error();
        if (c->is_shaken) SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        ERR_clear_error();
    }
    release(c->config);
    X509_free(c->peer.refused);
    free(c->peer.server);
    free(c->peer.expected);
    free(c);
}

tls_peer *tls_peer_of(SSL *ssl) {
    layer_connection *c = SSL_get_ex_data(ssl, connection_index);
    return c ? &c->peer : NULL;
}

static layer_connection *begin(layer_config *config, layer_memory *memory, int fd, const char *host,
                               const char *server, char *why) {
    const char *expected = config->settings.server_hostname ? config->settings.server_hostname : host;
    layer_connection *c = calloc(1, sizeof *c);
    if (c == NULL) abort();
    retain(config);
    c->config = config;
    c->memory = memory;
    c->fd = fd;
    c->peer.server = strdup(server);
    c->peer.expected = strdup(expected);
    trim(c->peer.expected);
    expected = c->peer.expected;
    ERR_clear_error();
    c->ssl = new_ssl(config, &c->stamp);
    BIO *bio = c->ssl ? BIO_new(method) : NULL;
    if (bio == NULL || !expect_host(c->ssl, &config->settings, expected)) {
        tls_reason(why, "TLS with %s cannot begin: %s", server,
                   expected[0] ? tls_last_error() : "its name is no longer known");
        BIO_free(bio);
        end(c);
        return NULL;
    }
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_ex_data(c->ssl, connection_index, c);
    SSL_set_connect_state(c->ssl);
    /* Not after a change of files: a resumed session is as good as the certificates that began it. */
    if (memory && memory->session && memory->stamp == c->stamp && strcmp(memory->host, expected) == 0)
        SSL_set_session(c->ssl, memory->session);
    return c;
}

/* The event of poll that a function of OpenSSL waits for; 0: it has failed. */
static short awaited(const layer_connection *c, int result) {
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ: return POLLIN;
    case SSL_ERROR_WANT_WRITE: return POLLOUT;
    default: return 0;
    }
}

static int shake(layer_connection *c, short *events, char *why) {
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(c->ssl);
    if (result == 1) {
        c->is_shaken = 1;
        c->config->handshakes++;
        c->config->resumed += SSL_session_reused(c->ssl);
        /* OpenSSL does not call session_is_new for a ticket that TLS 1.2 renews, which makes the former
         * useless. */
        if (c->memory && SSL_version(c->ssl) == TLS1_2_VERSION) keep_session(c, SSL_get1_session(c->ssl));
        return 1;
    }
    *events = awaited(c, result);
    if (*events) return 0;
    tls_explain(why, c->ssl, &c->peer, result, 0);
    return -1;
}

static ssize_t outcome(layer_connection *c, int result, size_t count, short *events, char *why) {
    if (result == 1) return (ssize_t)count;
    *events = awaited(c, result);
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
    errno = 0;
    int result = SSL_read_ex(c->ssl, buffer, size, &count);
    c->is_starved = result != 1;
    return outcome(c, result, count, events, why);
}

static ssize_t tls_write(layer_connection *c, const void *bytes, size_t size, short *events, char *why) {
    size_t count = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(c->ssl, bytes, size, &count);
    return outcome(c, result, count, events, why);
}

static int is_pending(const layer_connection *c) {
    return SSL_pending(c->ssl) > 0 || (SSL_has_pending(c->ssl) && !c->is_starved);
}

const layer_functions tls_functions = {
    .remember = remember,
    .forget = forget,
    .retain = retain,
    .release = release,
    .complaint = take_complaint,
    .begin = begin,
    .shake = shake,
    .read = tls_read,
    .write = tls_write,
    .is_pending = is_pending,
    .end = end,
};
