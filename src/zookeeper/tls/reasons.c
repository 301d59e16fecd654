/* Faults of a certificate, a server or a file, in words that say what to do. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void tls_reason(char *why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, LAYER_WHY, format, arguments);
    va_end(arguments);
}

const char *tls_last_error(void) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "no reason given";
}

static void append(char *list, size_t size, const char *name, int length) {
    size_t used = strlen(list);
    if (used + (size_t)length + 3 > size) return;
    snprintf(list + used, size - used, "%s%.*s", used ? ", " : "", length, name);
}

/* The names that a certificate is for. A name with a null in it ends there. */
static void names_of(X509 *certificate, char *list, size_t size) {
    list[0] = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            const char *text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
            append(list, size, text, ASN1_STRING_length(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            char text[INET6_ADDRSTRLEN];
            int length = ASN1_STRING_length(name->d.iPAddress);
            int family = length == 4 ? AF_INET : AF_INET6;
            if ((length == 4 || length == 16) &&
                inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text))
                append(list, size, text, (int)strlen(text));
        }
    }
    GENERAL_NAMES_free(names);
    if (list[0] == 0) snprintf(list, size, "none");
    for (char *at = list; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) *at = '?';
}

static int is_of_name(long verdict) {
    return verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

int tls_note_refused(int is_good, X509_STORE_CTX *chain) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    tls_peer *peer = ssl ? tls_peer_of(ssl) : NULL;
    X509 *certificate = X509_STORE_CTX_get_current_cert(chain);
    int error = X509_STORE_CTX_get_error(chain);
    if (!is_good && peer && certificate && is_of_name(error) && tls_fits_another(peer, certificate)) {
        X509_STORE_CTX_set_error(chain, X509_V_OK);
        return 1;
    }
    if (!is_good && peer && certificate && peer->refused == NULL) {
        X509_up_ref(certificate);
        peer->refused = certificate;
        peer->depth = X509_STORE_CTX_get_error_depth(chain);
    }
    return is_good;
}

static const char *time_text(const ASN1_TIME *time, char *text, size_t size) {
    struct tm moment;
    if (time == NULL || ASN1_TIME_to_tm(time, &moment) != 1 ||
        strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &moment) == 0)
        snprintf(text, size, "an unknown time");
    return text;
}

static void explain_certificate(char *why, const tls_peer *peer, long verdict) {
    char details[LAYER_WHY / 2];
    const char *whose = peer->depth > 0 ? "of an authority of" : "of";
    if (peer->refused && is_of_name(verdict)) {
        names_of(peer->refused, details, sizeof details);
        tls_reason(why, "the certificate of %s is not for %s%s, but for: %s", peer->server, peer->expected, peer->others,
                   details);
    } else if (peer->refused && verdict == X509_V_ERR_CERT_HAS_EXPIRED) {
        tls_reason(why, "the certificate %s %s has expired at %s", whose, peer->server,
                   time_text(X509_get0_notAfter(peer->refused), details, sizeof details));
    } else if (peer->refused && verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
        tls_reason(why, "the certificate %s %s is not valid before %s; is the clock right?", whose, peer->server,
                   time_text(X509_get0_notBefore(peer->refused), details, sizeof details));
    } else if (verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
               verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) {
        tls_reason(why, "the certificate of %s is not of an authority that is trusted here", peer->server);
    } else {
        tls_reason(why, "the certificate %s %s is not accepted: %s", whose, peer->server,
                   X509_verify_cert_error_string(verdict));
    }
}

/* An alert is what the other side says before it hangs up. */
static int explain_alert(char *why, const SSL *ssl, const char *server, int reason) {
    switch (reason) {
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        tls_reason(why, "%s refuses the handshake (%s): it may want a client certificate", server, tls_last_error());
        return 1;
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        if (SSL_get_certificate(ssl))
            tls_reason(why, "%s refuses our client certificate: %s", server, tls_last_error());
        else
            tls_reason(why, "%s wants a client certificate: %s", server, tls_last_error());
        return 1;
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
        tls_reason(why, "%s speaks no version of TLS that is accepted here: %s", server, tls_last_error());
        return 1;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
        tls_reason(why, "%s does not speak TLS at that port", server);
        return 1;
    }
    return 0;
}

int tls_is_hangup(SSL *ssl, int result) {
    int error = SSL_get_error(ssl, result);
    unsigned long code = ERR_peek_last_error();
    return error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && code == 0 && errno == 0) ||
           (code && ERR_GET_LIB(code) == ERR_LIB_SSL &&
            ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

void tls_explain(char *why, SSL *ssl, const tls_peer *peer, int result, int is_shaken) {
    int number = errno, is_hangup = tls_is_hangup(ssl, result);
    const char *server = peer->server;
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_last_error();
    if (!is_shaken && verdict != X509_V_OK && code && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        explain_certificate(why, peer, verdict);
    else if (is_hangup && !is_shaken)
        tls_reason(why, "%s hangs up in the middle of the TLS handshake: the port may be one without TLS", server);
    else if (is_hangup)
        tls_reason(why, "%s has hung up", server);
    else if (code && explain_alert(why, ssl, server, ERR_GET_REASON(code)))
        ;
    else if (code)
        tls_reason(why, "TLS with %s has failed: %s", server, tls_last_error());
    else
        tls_reason(why, "the connection to %s: %s", server, strerror(number));
    ERR_clear_error();
}
