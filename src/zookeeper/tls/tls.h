/* TLS as a layer: what the extension's Python half calls.
 *
 * Files call one another downwards only, in this order:
 *
 *     tls             the layer's functions, and the bytes of a connection
 *     handshake       beginning and end of a connection
 *     configuration   what handles share
 *     sessions        what the next handshake resumes
 *     files           certificates
 *     regular         opening them
 *     reasons         faults in words
 *     hosts           whom a certificate is for
 *     socket          what OpenSSL reads and writes
 */
#ifndef ZOOKEEPER_TLS_H
#define ZOOKEEPER_TLS_H

#include "layer.h"

extern const layer_functions tls_functions;

/* The settings of a configuration. Names of files are NULL where there is none; strings are copied. */
typedef struct {
    const char *ca_file;     /* PEM */
    const char *ca_folder;   /* of hashed names */
    const char *certificate; /* PEM: ours, with those in between */
    const char *key;         /* PEM; NULL: in `certificate` */
    const char *key_password;
    const char *server_hostname; /* NULL: as in the connection string */
    int check_hostname, verify;
    int minimum_version; /* as in the protocol: 0x0303 is TLS 1.2 */
} tls_settings;

/* A configuration whose files have been read, to be released. NULL with `why` filled. */
layer_config *tls_configure(const tls_settings *settings, char *why);
/* How many handshakes there were, and how many of them resumed an earlier session. */
void tls_counts(layer_config *config, long *handshakes, long *resumed);

/* files.c: an SSL_CTX from settings. */
#include <openssl/ssl.h>
SSL_CTX *tls_context(const tls_settings *settings, char *why);
/* A number that changes when one of the files does. */
unsigned long long tls_stamp(const tls_settings *settings);

/* reasons.c: what went wrong, in words. */
void tls_reason(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The reason of OpenSSL's last error, in words. */
const char *tls_last_error(void);
/* Whether the function of OpenSSL that gave `result` has met the end of the connection, be it with a
 * goodbye or without: frames tell whether that is in the middle of something. */
int tls_is_hangup(SSL *ssl, int result);
/* The server at the other end, as it is or should be. */
typedef struct {
    char *server;   /* with its port, for messages */
    char *expected; /* the host that its certificate has to be for, */
    char *others;   /* or one of these, each with a comma before it */
    X509 *refused;  /* the certificate of its chain that was refused, or NULL */
    int depth;      /* of that: 0 is the server's own */
} tls_peer;
/* How names of certificates are compared with hosts. */
#define TLS_HOST_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
int tls_is_address(const char *host);
/* Certificates have neither the dot of a full name nor the zone of an address: cut them off. */
void tls_trim(char *host);
/* Whether the certificate is for one of the `others`. */
int tls_fits_another(const tls_peer *peer, X509 *certificate);
/* Why a handshake, a read or a write has failed: `result` is that of the OpenSSL function. */
void tls_explain(char *why, SSL *ssl, const tls_peer *peer, int result, int is_shaken);
/* The verify callback of OpenSSL: notes what is refused for `tls_explain`. */
int tls_note_refused(int is_good, X509_STORE_CTX *chain);
/* The peer of a connection (socket.c); NULL when the SSL is of none. */
tls_peer *tls_peer_of(SSL *ssl);

#endif
