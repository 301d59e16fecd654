/* A pipelined walk of a subtree by zoo_aget and zoo_aget_children: the limit for a bulk read that
   sends one request for each node.

   walk_aget HOSTS ROOT WINDOW

   Read data and stat of every node, ask for children only where the stat says that there are some,
   and keep at most WINDOW requests in flight. All that is read is kept in memory, as the caller would
   have it. Printed: nodes, bytes of data, seconds.

   The completion thread does all the work once the first request is sent, so the walk itself needs
   no lock; only its end is signalled to the main thread. */

#include "client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct walk *walk;
    char *path;
    char *data;
    int length; /* -1: null data */
    struct Stat stat;
};

struct walk {
    zhandle_t *zh;
    struct node **nodes; /* in the order of their discovery */
    size_t found, asked, capacity;
    long in_flight, window;
    long long bytes;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int done;
};

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static void add_node(struct walk *walk, const char *parent, const char *name)
{
    if (walk->found == walk->capacity) {
        walk->capacity = walk->capacity ? 2 * walk->capacity : 1024;
        walk->nodes = realloc(walk->nodes, walk->capacity * sizeof *walk->nodes);
        if (walk->nodes == NULL)
            fail("out of memory");
    }
    size_t size = strlen(parent) + strlen(name) + 2;
    struct node *node = allocate(sizeof *node);
    *node = (struct node){.walk = walk, .path = allocate(size), .length = -1};
    if (*name == '\0')
        strcpy(node->path, parent);
    else
        snprintf(node->path, size, "%s/%s", strcmp(parent, "/") ? parent : "", name);
    walk->nodes[walk->found++] = node;
}

static void receive_data(int rc, const char *data, int length, const struct Stat *stat,
                         const void *context);

static void ask_for_more(struct walk *walk)
{
    while (walk->asked < walk->found && walk->in_flight < walk->window) {
        struct node *node = walk->nodes[walk->asked++];
        walk->in_flight++;
        check(zoo_aget(walk->zh, node->path, 0, receive_data, node), node->path);
    }
    if (walk->in_flight == 0) {
        pthread_mutex_lock(&walk->mutex);
        walk->done = 1;
        pthread_cond_signal(&walk->ended);
        pthread_mutex_unlock(&walk->mutex);
    }
}

static void receive_children(int rc, const struct String_vector *names, const void *context)
{
    const struct node *node = context;
    struct walk *walk = node->walk;
    check(rc, node->path);
    for (int i = 0; i < names->count; i++)
        add_node(walk, node->path, names->data[i]);
    walk->in_flight--;
    ask_for_more(walk);
}

static void receive_data(int rc, const char *data, int length, const struct Stat *stat,
                         const void *context)
{
    struct node *node = (struct node *)context;
    struct walk *walk = node->walk;
    check(rc, node->path);
    if (length >= 0) {
        node->data = allocate((size_t)length + 1);
        memcpy(node->data, data, (size_t)length);
        walk->bytes += length;
    }
    node->length = length;
    node->stat = *stat;
    if (stat->numChildren) /* takes over this request's place in the window */
        check(zoo_aget_children(walk->zh, node->path, 0, receive_children, node), node->path);
    else
        walk->in_flight--;
    ask_for_more(walk);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage: walk_aget HOSTS ROOT WINDOW");
    struct walk walk = {
        .window = count_argument(argv[3], "WINDOW"),
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
    };
    walk.zh = connect_to(argv[1], 5000);

    double start = now();
    add_node(&walk, argv[2], "");
    struct node *root = walk.nodes[walk.asked++];
    walk.in_flight = 1;
    check(zoo_aget(walk.zh, root->path, 0, receive_data, root), root->path);
    pthread_mutex_lock(&walk.mutex);
    while (!walk.done)
        pthread_cond_wait(&walk.ended, &walk.mutex);
    pthread_mutex_unlock(&walk.mutex);
    double elapsed = now() - start;

    printf("{\"nodes\": %zu, \"bytes\": %lld, \"seconds\": %.6f}\n", walk.found, walk.bytes, elapsed);
    zookeeper_close(walk.zh);
    return 0;
}
