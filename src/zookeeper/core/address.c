/* Addresses of servers: compared, written as text, and asked of the name service. */
#include "address.h"
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void __real_freeaddrinfo(struct addrinfo *);

int address_is_among(const server_address *addresses, int count, const server_address *one) {
    for (int i = 0; i < count; i++)
        if (is_same_address(&addresses[i], one)) return 1;
    return 0;
}

int address_port(const server_address *address) {
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void address_set_port(server_address *address, int port) {
    in_port_t number = htons((uint16_t)port);
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = number;
    else
        address->v4.sin_port = number;
}

void address_text(const server_address *address, char *text, size_t size) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(&address->any, address->length, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, size, "?");
    else
        snprintf(text, size, address->any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* Why a lookup has failed. Without descriptors the name service says that there is no such name, as it
 * could read no file and ask no server. */
static int failure_of(int code, int fault) {
    int spare = eventfd(0, EFD_CLOEXEC);
    if (spare < 0 && (errno == EMFILE || errno == ENFILE)) return errno;
    if (spare >= 0) close(spare);
    return code == EAI_SYSTEM && fault > 0 ? fault : code;
}

const char *address_failure(int code) { return code > 0 ? strerror(code) : gai_strerror(code); }

int address_look_up(const char *text, int flags, server_address **addresses, int *count) {
    char *host = strdup(text);
    if (host == NULL) abort();
    size_t length = strlen(host);
    if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = 0;
        memmove(host, host + 1, length - 1);
    }
    struct addrinfo hints = {.ai_flags = flags ? flags : AI_ADDRCONFIG,
                             .ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_protocol = IPPROTO_TCP};
    struct addrinfo *found = NULL;
    int code = __real_getaddrinfo(host, NULL, &hints, &found);
    if (code == EAI_BADFLAGS || code == EAI_ADDRFAMILY) {
        /* As where there is no interface but the loopback one. */
        hints.ai_flags = flags & ~AI_ADDRCONFIG;
        code = __real_getaddrinfo(host, NULL, &hints, &found);
    }
    int fault = errno;
    free(host);
    *addresses = NULL;
    *count = 0;
    if (code != 0) return flags & AI_NUMERICHOST ? code : failure_of(code, fault);
    for (struct addrinfo *one = found; one; one = one->ai_next) {
        server_address address = {.length = one->ai_addrlen};
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        memcpy(&address.any, one->ai_addr, one->ai_addrlen);
        if (address_is_among(*addresses, *count, &address)) continue;
        *addresses = core_resize(*addresses, sizeof **addresses * (size_t)(*count + 1));
        (*addresses)[(*count)++] = address;
    }
    __real_freeaddrinfo(found);
    return *count ? 0 : EAI_NONAME;
}
