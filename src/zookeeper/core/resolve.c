/* Names of servers, looked up on threads of ours.
 *
 * The C client calls getaddrinfo on its I/O thread, the one that keeps the session alive: a name
 * service that is slow, silent or down then ends sessions whose servers are all well. The linker's
 * --wrap gives it what is known instead, at once, and looks the names up on detached threads. It
 * asks while it has no connection only (zoo_set_servers_resolution_delay of -1, see handle.c).
 *
 *   - There is one table of names for the process, and at most one lookup of a name under way: one
 *     that hangs takes one thread, and holds up neither other lookups nor exit.
 *   - Lookups of a name are paced: its next one may start after a pause that grows and is spread at
 *     random (backoff, jitter), whatever the number of handles that want it.
 *   - Addresses stay known when a later lookup fails.
 *   - A thread that waits is woken when a lookup has ended: an I/O thread by the pipe that the C client
 *     has for that, `init` by a semaphore.
 *
 * The lock of the table is a leaf. It is never held during a lookup.
 */
#include "client.h"
#include "locks.h"
#include "log.h"
#include "memory.h"
#include "resolve.h"
#include "threads.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MILLISECOND 1000000
#define FIRST_PAUSE (100 * (int64_t)MILLISECOND)
#define MAX_PAUSE (2000 * (int64_t)MILLISECOND)

/* Lookups under way in the process. With a name service that is silent each takes a thread for half a
 * minute. */
#define MAX_LOOKUPS 64

/* Unused names that are remembered. */
#define MAX_NAMES 256

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void __real_freeaddrinfo(struct addrinfo *);
void __wrap_freeaddrinfo(struct addrinfo *);

typedef struct host_name {
    struct host_name *next;
    long references;
    int is_numeric; /* an address as such, which is known for good */
    int is_busy;    /* a lookup is under way */
    long ended;     /* lookups that have ended */
    int code;       /* of the last one, 0 or EAI_... */
    int64_t began, due, pause;
    int count;
    server_address *addresses;
    char text[]; /* as in the connection string, an IPv6 address in brackets */
} host_name;

struct server_names {
    server_names *next;
    int wake_fd;   /* of the I/O thread's pipe, or -1 */
    sem_t changed; /* posted when a lookup has ended */
    int count;
    struct server {
        host_name *name;
        int port;
        long ended; /* when this list was made */
    } servers[];
};

static core_mutex names_lock = CORE_MUTEX(LOCK_NAMES);
/* All guarded by lock. */
static host_name *names;
static long names_count;
static server_names *lists;
static int lookups;
static uint64_t dice;

static int64_t spread(int64_t pause) {
    core_assert_held(&names_lock);
    if (dice == 0) dice = (uint64_t)core_now() ^ ((uint64_t)getpid() << 32) ^ 0x9e3779b97f4a7c15;
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return pause / 2 + (int64_t)(dice % (uint64_t)(pause / 2 + 1));
}

static void set_port(server_address *address, int port) {
    in_port_t number = htons((uint16_t)port);
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = number;
    else
        address->v4.sin_port = number;
}

static int holds(const server_address *addresses, int count, const server_address *one) {
    for (int i = 0; i < count; i++)
        if (is_same_address(&addresses[i], one)) return 1;
    return 0;
}

/* The addresses of a host, without ports. */
static int look_up(const char *text, int flags, server_address **addresses, int *count) {
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
    free(host);
    *addresses = NULL;
    *count = 0;
    if (code != 0) return code;
    for (struct addrinfo *one = found; one; one = one->ai_next) {
        server_address address = {.length = one->ai_addrlen};
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        memcpy(&address.any, one->ai_addr, one->ai_addrlen);
        if (holds(*addresses, *count, &address)) continue;
        *addresses = core_resize(*addresses, sizeof **addresses * (size_t)(*count + 1));
        (*addresses)[(*count)++] = address;
    }
    __real_freeaddrinfo(found);
    return *count ? 0 : EAI_NONAME;
}

/* An unused name is remembered for a while, so that its lookups stay paced when handles come
 * and go. */
static void forget_unused(host_name *name) {
    core_assert_held(&names_lock);
    if (name->references || name->is_busy || names_count <= MAX_NAMES) return;
    names_count--;
    for (host_name **link = &names; *link; link = &(*link)->next)
        if (*link == name) {
            *link = name->next;
            break;
        }
    free(name->addresses);
    free(name);
}

static void wake_who_waits_for(const host_name *name) {
    core_assert_held(&names_lock);
    for (server_names *list = lists; list; list = list->next)
        for (int i = 0; i < list->count; i++)
            if (list->servers[i].name == name) {
                sem_post(&list->changed);
                /* A pipe that is full wakes as well. */
                if (list->wake_fd >= 0 && write(list->wake_fd, "", 1) < 0) break;
                break;
            }
}

static void end_lookup(host_name *name, int code, server_address *addresses, int count) {
    core_lock(&names_lock);
    lookups--;
    name->is_busy = 0;
    name->ended++;
    name->code = code;
    if (code == 0) {
        free(name->addresses);
        name->addresses = addresses;
        name->count = count;
    }
    wake_who_waits_for(name);
    forget_unused(name);
    core_unlock(&names_lock);
}

static void say_why(const char *name, int code) {
    log_say(ZOO_LOG_LEVEL_WARN, "lookup", "%.200s: %s", name, gai_strerror(code));
}

static void *lookup_thread(void *argument) {
    host_name *name = argument;
    server_address *addresses;
    int count;
    int code = look_up(name->text, 0, &addresses, &count);
    if (code != 0) say_why(name->text, code);
    end_lookup(name, code, addresses, count);
    return NULL;
}

/* With the lock held. */
static void begin_lookup(host_name *name, int64_t now) {
    core_assert_held(&names_lock);
    int is_rested = name->began == 0 || now - name->began > 2 * MAX_PAUSE;
    name->pause = is_rested ? FIRST_PAUSE : 2 * name->pause < MAX_PAUSE ? 2 * name->pause : MAX_PAUSE;
    name->began = now;
    name->due = now + spread(name->pause);
    int problem = core_thread(lookup_thread, name);
    if (problem == 0) {
        name->is_busy = 1;
        lookups++;
    } else {
        /* Out of threads: as if the name service had failed. */
        name->ended++;
        name->code = EAI_AGAIN;
    }
}

/* The name in the table, with one more reference. With the lock held. */
static host_name *find_name(const char *text, size_t length) {
    core_assert_held(&names_lock);
    for (host_name *name = names; name; name = name->next)
        if (strncmp(name->text, text, length) == 0 && name->text[length] == 0) {
            name->references++;
            return name;
        }
    host_name *name = core_zeroed(1, sizeof *name + length + 1);
    memcpy(name->text, text, length);
    name->references = 1;
    /* This asks no name service. */
    name->is_numeric = look_up(name->text, AI_NUMERICHOST, &name->addresses, &name->count) == 0;
    name->next = names;
    names = name;
    names_count++;
    return name;
}

/* `hosts` is host:port,host:port/root, as checked by zookeeper.hosts. */
server_names *names_new(const char *hosts) {
    size_t length = strcspn(hosts, "/");
    int most = 1;
    for (size_t i = 0; i < length; i++) most += hosts[i] == ',';
    server_names *list = core_zeroed(1, sizeof *list + sizeof list->servers[0] * (size_t)most);
    list->wake_fd = -1;
    sem_init(&list->changed, 0, 0);
    core_lock(&names_lock);
    for (const char *part = hosts; part < hosts + length;) {
        size_t size = strcspn(part, ",/");
        const char *colon = memrchr(part, ':', size);
        if (colon) {
            struct server *server = &list->servers[list->count++];
            server->name = find_name(part, (size_t)(colon - part));
            server->port = atoi(colon + 1);
            /* A failure just now counts as an answer. */
            int is_fresh = server->name->code != 0 && core_now() < server->name->due;
            server->ended = server->name->ended - is_fresh;
        }
        part += size + 1;
    }
    list->next = lists;
    lists = list;
    core_unlock(&names_lock);
    names_refresh(list);
    return list;
}

void names_free(server_names *list) {
    core_lock(&names_lock);
    for (server_names **link = &lists; *link; link = &(*link)->next)
        if (*link == list) {
            *link = list->next;
            break;
        }
    for (int i = 0; i < list->count; i++) {
        list->servers[i].name->references--;
        forget_unused(list->servers[i].name);
    }
    core_unlock(&names_lock);
    sem_destroy(&list->changed);
    free(list);
}

void names_wake_by(server_names *list, int fd) {
    core_lock(&names_lock);
    list->wake_fd = fd;
    core_unlock(&names_lock);
}

/* Starts the lookups that are due; when the next one is, by core_now, INT64_MAX for never. */
int64_t names_refresh(server_names *list) {
    int64_t next = INT64_MAX;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++) {
        host_name *name = list->servers[i].name;
        if (name->is_numeric || name->is_busy) continue;
        int64_t now = core_now();
        if (name->due <= now && lookups < MAX_LOOKUPS) begin_lookup(name, now);
        if (!name->is_busy) {
            int64_t due = name->due > now ? name->due : now + FIRST_PAUSE;
            if (due < next) next = due;
        }
    }
    core_unlock(&names_lock);
    return next;
}

int names_known(server_names *list, server_address *addresses, int most) {
    int count = 0;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++)
        for (int j = 0; j < list->servers[i].name->count && count < most; j++) {
            server_address one = list->servers[i].name->addresses[j];
            set_port(&one, list->servers[i].port);
            if (!holds(addresses, count, &one)) addresses[count++] = one;
        }
    core_unlock(&names_lock);
    return count;
}

void names_host(server_names *list, const server_address *address, char *host, size_t size) {
    const char *text = NULL;
    core_lock(&names_lock);
    for (int i = 0; i < list->count && text == NULL; i++)
        for (int j = 0; j < list->servers[i].name->count; j++) {
            server_address one = list->servers[i].name->addresses[j];
            set_port(&one, list->servers[i].port);
            if (is_same_address(&one, address)) text = list->servers[i].name->text;
        }
    size_t length = text ? strlen(text) : 0;
    if (length > 1 && text[0] == '[') {
        text++;
        length -= 2;
    }
    if (length >= size) length = 0;
    if (length) memcpy(host, text, length);
    host[length] = 0;
    core_unlock(&names_lock);
}

/* 0: some address is known; EAI_...: each lookup has ended, in vain; EAI_INPROGRESS: neither yet.
 * `is_open`: a name may still be found out. */
static int outcome(const server_names *list, int *is_open) {
    int code = 0, is_known = 0;
    *is_open = 0;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++) {
        const host_name *name = list->servers[i].name;
        if (name->count)
            is_known = 1;
        else if (name->ended == list->servers[i].ended)
            *is_open = 1;
        else if (code == 0 || code == EAI_NONAME)
            code = name->code; /* what may pass says more than that there is no such name */
    }
    core_unlock(&names_lock);
    return is_known ? 0 : *is_open ? EAI_INPROGRESS : code;
}

int names_wait(server_names *list, int64_t deadline) {
    for (int is_known = 0, is_open;;) {
        int code = outcome(list, &is_open);
        if (code != EAI_INPROGRESS && !is_open) return code;
        if (code == 0 && !is_known) {
            /* The one that is known first must not have all clients: wait a little for the others. */
            is_known = 1;
            int64_t until = core_now() + FIRST_PAUSE;
            if (until < deadline) deadline = until;
        }
        /* One that failed lately for another handle may not be due yet. */
        int64_t next = names_refresh(list);
        int woken = core_wait(&list->changed, next < deadline ? next : deadline);
        if (woken == EINTR) return EAI_INTR;
        if (woken != 0 && core_now() >= deadline) return outcome(list, &is_open);
    }
}

/* ---- for the C client ---------------------------------------------------------------------- */

/* `init` goes on when no name is known yet: until one is, the C client has this address, which it
 * never tries, as it asks anew before each attempt. */
static const server_address unknown = {.v4 = {.sin_family = AF_INET}, .length = sizeof(struct sockaddr_in)};
static __thread int may_be_unknown;

void names_opening(int yes) { may_be_unknown = yes; }

static struct addrinfo *answer(const server_address *addresses, int count, int port) {
    typedef struct {
        struct addrinfo info;
        server_address address;
    } entry;
    entry *entries = core_zeroed((size_t)count, sizeof *entries);
    for (int i = 0; i < count; i++) {
        entry *e = &entries[i];
        e->address = addresses[i];
        set_port(&e->address, port);
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
    for (host_name *name = names; name; name = name->next)
        if (strcmp(name->text, host) == 0) {
            if (name->count) *result = answer(name->addresses, name->count, atoi(service));
            break;
        }
    core_unlock(&names_lock);
    if (*result == NULL && may_be_unknown) *result = answer(&unknown, 1, atoi(service));
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *result) { free(result); }

void names_after_fork(void) {
    /* The threads that look names up do not exist in the child, nor the one that may have held the
     * lock. The table is left to itself, as it may have been half changed. */
    core_mutex_init(&names_lock, LOCK_NAMES);
    names = NULL;
    names_count = 0;
    lists = NULL;
    lookups = 0;
    dice = 0;
}
