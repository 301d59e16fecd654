/* The C client's getaddrinfo.
 *
 * The C client calls it on its I/O thread, the one that keeps the session alive: a name service that is
 * slow, silent or down then ends sessions whose servers are all well. The linker's --wrap gives it what
 * the table knows instead, at once (names.c), while threads of ours look the names up (lookups.c). It
 * asks while it has no connection only (zoo_set_servers_resolution_delay of -1, see handle.c).
 */
#include "client.h"
#include "memory.h"
#include "names.h"
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void __wrap_freeaddrinfo(struct addrinfo *);

/* `init` goes on when no name is known yet: until one is, the C client has this address, which it
 * never tries, as it asks anew before each attempt. */
static const server_address unknown = {.v4 = {.sin_family = AF_INET}, .length = sizeof(struct sockaddr_in)};
static __thread int may_be_unknown;

void resolve_opening(int yes) { may_be_unknown = yes; }

static struct addrinfo *answer(const server_address *addresses, int count, int port) {
    typedef struct {
        struct addrinfo info;
        server_address address;
    } entry;
    entry *entries = core_zeroed((size_t)count, sizeof *entries);
    for (int i = 0; i < count; i++) {
        entry *e = &entries[i];
        e->address = addresses[i];
        address_set_port(&e->address, port);
        e->info.ai_family = e->address.any.sa_family;
        e->info.ai_socktype = SOCK_STREAM;
        e->info.ai_protocol = IPPROTO_TCP;
        e->info.ai_addr = &e->address.any;
        e->info.ai_addrlen = e->address.length;
        e->info.ai_next = i + 1 < count ? &entries[i + 1].info : NULL;
    }
    return &entries[0].info;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **result) {
    (void)hints;
    /* No address is no failure, of which the C client would tell the log each time. */
    *result = NULL;
    core_lock(&names_lock);
    const host_name *name = names_find(host, strlen(host));
    if (name && name->count) *result = answer(name->addresses, name->count, atoi(service));
    core_unlock(&names_lock);
    if (*result == NULL && may_be_unknown) *result = answer(&unknown, 1, atoi(service));
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *result) { free(result); }
