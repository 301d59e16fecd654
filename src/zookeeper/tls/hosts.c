/* Hosts as a connection string has them, and the names of certificates. */
#include "tls.h"

#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

int tls_is_address(const char *host) {
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

void tls_trim(char *host) {
    char *zone = strchr(host, '%');
    if (zone) *zone = 0;
    size_t length = strlen(host);
    if (length > 1 && host[length - 1] == '.') host[length - 1] = 0;
}

int tls_fits_another(const tls_peer *peer, X509 *certificate) {
    for (const char *at = peer->others; *at;) {
        char host[NI_MAXHOST];
        size_t length = strcspn(++at, ",");
        size_t kept = length < sizeof host ? length : 0;
        memcpy(host, at, kept);
        host[kept] = 0;
        tls_trim(host);
        at += length;
        /* To OpenSSL an empty name fits any certificate. */
        if (host[0] == 0) continue;
        if (tls_is_address(host) ? X509_check_ip_asc(certificate, host, 0) == 1
                                 : X509_check_host(certificate, host, 0, TLS_HOST_FLAGS, NULL) == 1)
            return 1;
    }
    return 0;
}
