/* The names of servers that this process knows, and their addresses. Any thread may call these. */
#ifndef ZOOKEEPER_NAMES_H
#define ZOOKEEPER_NAMES_H

#include "address.h"
#include "locks.h"
#include "posts.h"

#include <stdint.h>

#define HOSTS_TEXT (4 * NI_MAXHOST) /* bytes of the hosts of one address */

/* A host, shared by all handles. Guarded by names_lock. */
typedef struct host_name {
    struct host_name *next;
    long references;
    int is_numeric; /* an address as such, which is known for good */
    int is_busy;    /* a lookup is under way */
    long ended;     /* lookups that have ended */
    int code;       /* of the last one: 0, EAI_... or an errno */
    int64_t began, due, pause;
    int count;
    server_address *addresses; /* ours; NULL: none */
    char text[]; /* as in the connection string, an IPv6 address in brackets */
} host_name;

/* The servers of a connection string. */
typedef struct server_names server_names;
struct server_names {
    server_names *next;
    int wake_fd;   /* of the I/O thread's pipe, or -1 */
    posts changed; /* posted when a lookup has ended */
    int count;
    struct server {
        host_name *name;
        int port;
        long ended; /* when this list was made */
    } servers[];
};

extern core_mutex names_lock;

/* `hosts` as zookeeper.hosts makes it, copied. To be freed by names_free, after which lookups that are
 * under way touch nothing of it. Nothing is looked up before lookups_refresh. */
server_names *names_new(const char *hosts);
void names_free(server_names *list);
/* Write a byte to `fd` when a lookup has ended; -1: do not. */
void names_wake_by(server_names *list, int fd);
/* The known addresses, each once, at most `room` of them: where there are more, others each time, and as many
 * of each name. Returns how many. */
int names_known(server_names *list, server_address *addresses, int room);
/* The addresses of one of the servers that are known, at most `room`. Returns how many. */
int names_of_server(server_names *list, int index, server_address *addresses, int room);
/* The hosts that the address is known by, without brackets, with commas between them, "" when none is; and the
 * server as messages name it: by the first of them and its port, or by its address if there is none. */
void names_server(server_names *list, const server_address *address, char *hosts, size_t hosts_size, char *server,
                  size_t server_size);

/* The name with the text of that length, NULL if it is not in the table. With the lock held. */
host_name *names_find(const char *text, size_t length);
/* A lookup of the name has ended: the threads that wait for that wake. With the lock held. */
void names_wake(const host_name *name);
/* An unused name is remembered for a while, so that its lookups stay paced when handles come and go.
 * With the lock held. */
void names_forget_unused(host_name *name);
/* The table of the parent process is left to itself, as it may have been half changed. */
void names_after_fork(void);

#endif
