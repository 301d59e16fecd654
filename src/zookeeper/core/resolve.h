/* Names of servers, and their addresses. Any thread may call these. */
#ifndef ZOOKEEPER_RESOLVE_H
#define ZOOKEEPER_RESOLVE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
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

static inline int is_same_address(const server_address *a, const server_address *b) {
    return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

/* The servers of a connection string, with the names that all handles share. */
typedef struct server_names server_names;

/* `hosts` as zookeeper.hosts makes it, copied. Begins to look the names up. To be freed by names_free,
 * after which lookups that are under way touch nothing of it. */
server_names *names_new(const char *hosts);
void names_free(server_names *list);
/* Waits until an address is known: 0. EAI_INTR after a signal, EAI_INPROGRESS after the deadline, or
 * why no name can be looked up. */
int names_wait(server_names *list, int64_t deadline);
/* Looks names up again, those for which it is time. The next moment for that, or INT64_MAX. */
int64_t names_refresh(server_names *list);
/* The host that the address is known by, without brackets; "" when none is. */
void names_host(server_names *list, const server_address *address, char *host, size_t size);
/* The known addresses, each once, at most `room` of them. Returns how many. */
int names_known(server_names *list, server_address *addresses, int room);
/* Write a byte to `fd` when a lookup has ended; -1: do not. */
void names_wake_by(server_names *list, int fd);
/* Whether this thread opens a handle, which does not take addresses. */
void names_opening(int yes);
void names_after_fork(void);

#endif
