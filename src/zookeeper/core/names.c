/* The table of names: one for the process, with what is known of each host, and a list of servers for
 * each handle, which refers to it.
 *
 * Addresses stay known when a later lookup fails. A thread that waits for a lookup is woken when that has
 * ended: an I/O thread by the pipe that the C client has for that, `init` by a semaphore.
 */
#include "client.h"
#include "memory.h"
#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Unused names that are remembered. */
#define MAX_NAMES 256

core_mutex names_lock = CORE_MUTEX(LOCK_NAMES);
/* All guarded by names_lock. */
static host_name *names;
static long names_count;
static server_names *lists;

void names_forget_unused(host_name *name) {
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

void names_wake(const host_name *name) {
    core_assert_held(&names_lock);
    for (server_names *list = lists; list; list = list->next)
        for (int i = 0; i < list->count; i++)
            if (list->servers[i].name == name) {
                posts_add(&list->changed);
                /* A pipe that is full wakes as well. */
                if (list->wake_fd >= 0 && write(list->wake_fd, "", 1) < 0) break;
                break;
            }
}

host_name *names_find(const char *text, size_t length) {
    core_assert_held(&names_lock);
    for (host_name *name = names; name; name = name->next)
        if (strncmp(name->text, text, length) == 0 && name->text[length] == 0) return name;
    return NULL;
}

/* The name in the table, with one more reference. With the lock held. */
static host_name *refer_to(const char *text, size_t length) {
    core_assert_held(&names_lock);
    host_name *name = names_find(text, length);
    if (name) {
        name->references++;
        return name;
    }
    name = core_zeroed(1, sizeof *name + length + 1);
    memcpy(name->text, text, length);
    name->references = 1;
    /* This asks no name service. */
    name->is_numeric = address_look_up(name->text, AI_NUMERICHOST, &name->addresses, &name->count) == 0;
    name->next = names;
    names = name;
    names_count++;
    return name;
}

server_names *names_new(const char *hosts) {
    size_t length = strcspn(hosts, "/");
    int most = 1;
    for (size_t i = 0; i < length; i++) most += hosts[i] == ',';
    server_names *list = core_zeroed(1, sizeof *list + sizeof list->servers[0] * (size_t)most);
    list->wake_fd = -1;
    core_lock(&names_lock);
    for (const char *part = hosts; part < hosts + length;) {
        size_t size = strcspn(part, ",/");
        const char *colon = memrchr(part, ':', size);
        if (colon) {
            struct server *server = &list->servers[list->count++];
            server->name = refer_to(part, (size_t)(colon - part));
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
        names_forget_unused(list->servers[i].name);
    }
    core_unlock(&names_lock);
    free(list);
}

void names_wake_by(server_names *list, int fd) {
    core_lock(&names_lock);
    list->wake_fd = fd;
    core_unlock(&names_lock);
}

/* With the lock held. */
static void add_address(const struct server *server, int index, server_address *addresses, int *count) {
    core_assert_held(&names_lock);
    server_address one = server->name->addresses[index];
    address_set_port(&one, server->port);
    if (!address_is_among(addresses, *count, &one)) addresses[(*count)++] = one;
}

/* Take in turn one of each name, beginning anywhere, until there is no room. With the lock held. */
static int draw(const server_names *list, server_address *addresses, int room, int most) {
    core_assert_held(&names_lock);
    int count = 0, start = (int)(random() % most), first = (int)(random() % list->count);
    for (int j = 0; j < most; j++)
        for (int i = 0; i < list->count && count < room; i++) {
            const struct server *server = &list->servers[(first + i) % list->count];
            int of_name = server->name->count;
            if (j < of_name) add_address(server, (start + j) % of_name, addresses, &count);
        }
    return count;
}

int names_known(server_names *list, server_address *addresses, int room) {
    int count = 0, total = 0, most = 0;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++) {
        int of_name = list->servers[i].name->count;
        total += of_name;
        if (of_name > most) most = of_name;
    }
    if (total > room)
        count = draw(list, addresses, room, most);
    else
        for (int i = 0; i < list->count; i++)
            for (int j = 0; j < list->servers[i].name->count; j++) add_address(&list->servers[i], j, addresses, &count);
    core_unlock(&names_lock);
    return count;
}

int names_of_server(server_names *list, int index, server_address *addresses, int room) {
    int count = 0;
    core_lock(&names_lock);
    const struct server *server = &list->servers[index];
    for (int i = 0; i < server->name->count && count < room; i++) {
        addresses[count] = server->name->addresses[i];
        address_set_port(&addresses[count++], server->port);
    }
    core_unlock(&names_lock);
    return count;
}

/* With the lock held. */
static int stands_for(const struct server *server, const server_address *address) {
    core_assert_held(&names_lock);
    for (int i = 0; i < server->name->count; i++) {
        server_address one = server->name->addresses[i];
        address_set_port(&one, server->port);
        if (is_same_address(&one, address)) return 1;
    }
    return 0;
}

/* Append a host without its brackets, if there is room for it. */
static void append_host(char *hosts, size_t size, const char *text) {
    size_t used = strlen(hosts), length = strlen(text);
    if (length > 1 && text[0] == '[') {
        text++;
        length -= 2;
    }
    if (used + length + 2 > size) return;
    snprintf(hosts + used, size - used, "%s%.*s", used ? "," : "", (int)length, text);
}

void names_server(server_names *list, const server_address *address, char *hosts, size_t hosts_size, char *server,
                  size_t server_size) {
    hosts[0] = 0;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++)
        if (stands_for(&list->servers[i], address)) append_host(hosts, hosts_size, list->servers[i].name->text);
    core_unlock(&names_lock);
    int length = (int)strcspn(hosts, ",");
    if (length)
        snprintf(server, server_size, memchr(hosts, ':', (size_t)length) ? "[%.*s]:%d" : "%.*s:%d", length, hosts,
                 address_port(address));
    else
        address_text(address, server, server_size);
}

void names_after_fork(void) {
    core_mutex_init(&names_lock, LOCK_NAMES);
    names = NULL;
    names_count = 0;
    lists = NULL;
}
