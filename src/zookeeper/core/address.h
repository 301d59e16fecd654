/* Addresses of servers (pure, but for the lookup). */
#ifndef ZOOKEEPER_ADDRESS_H
#define ZOOKEEPER_ADDRESS_H

#include "client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length;
} server_address;

#define ADDRESS_TEXT (NI_MAXHOST + NI_MAXSERV + 4) /* bytes of host and port */

static inline int is_same_address(const server_address *a, const server_address *b) {
    return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

/* Whether it is one of the `count` addresses. */
int address_is_among(const server_address *addresses, int count, const server_address *one);
int address_port(const server_address *address);
void address_set_port(server_address *address, int port);
/* 192.0.2.1:2181 or [2001:db8::1]:2181, cut at `size` bytes. */
void address_text(const server_address *address, char *text, size_t size);
/* The addresses of a host, each once, without ports: asks the name service, and so may take half a minute.
 * `host` may be an IPv6 address in brackets. `flags` is AI_NUMERICHOST, which asks nothing, or 0. 0, and
 * `addresses` is to be freed by the caller; or EAI_... (negative) or an errno, and it is NULL. */
int address_look_up(const char *host, int flags, server_address **addresses, int *count);
/* The words for such a failure. */
const char *address_failure(int code);

#endif
