/* Configurations, which handles share.
 *
 * The files are looked at for each connection, so that certificates can be rotated; while the new ones
 * cannot be used the old ones go on to serve.
 */
#include "configuration.h"
#include "sessions.h"
#include "socket.h"

#include <stdlib.h>
#include <string.h>

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void) {
    /* At exit threads may still be at work. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    tls_socket_prepare();
}

static const char *copied(const char *text) { return text ? strdup(text) : NULL; }

layer_config *tls_configure(const tls_settings *settings, char *why) {
    pthread_once(&prepared, prepare);
    unsigned long long stamp = tls_stamp(settings);
    SSL_CTX *context = tls_context(settings, why);
    if (context == NULL) return NULL;
    tls_sessions_follow(context);
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

void tls_retain(layer_config *config) { config->references++; }

void tls_release(layer_config *config) {
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

char *tls_take_complaint(layer_config *config) {
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

SSL *tls_new_ssl(layer_config *config, unsigned long long *used) {
    char why[LAYER_WHY];
    unsigned long long stamp = tls_stamp(&config->settings);
    pthread_mutex_lock(&config->lock);
    if (stamp != config->stamp && stamp != config->complained_stamp) {
        SSL_CTX *context = tls_context(&config->settings, why);
        if (context) {
            tls_sessions_follow(context);
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
