/* The border between the core and a layer that carries its bytes, such as TLS.
 *
 * A layer lies between a connected socket and ZooKeeper's protocol. It is an extension module of its
 * own, which the core never links with: it hands over this table of functions, and a configuration.
 * All functions but `release` are called by one thread at a time for one connection: the C client's
 * I/O thread, or the thread that closes the handle after that one has ended. None of them blocks.
 */
#ifndef ZOOKEEPER_LAYER_H
#define ZOOKEEPER_LAYER_H

#include <stddef.h>
#include <sys/types.h>

#define LAYER_WHY 512 /* bytes for the reason of a failure, with the final null */

typedef struct layer_config layer_config;         /* shared by handles; counted */
typedef struct layer_connection layer_connection; /* of one socket */
typedef struct layer_memory layer_memory;         /* of one handle: what helps the next connection */

typedef struct {
    /* Of a handle; `forget` frees it. */
    layer_memory *(*remember)(void); /* NULL without memory: nothing is remembered then */
    void (*forget)(layer_memory *memory);

    /* One more, and one less, that uses the configuration. */
    void (*retain)(layer_config *config);
    void (*release)(layer_config *config);

    /* Why files that have changed are not used, to be freed, once; or NULL. */
    char *(*complaint)(layer_config *config);

    /* Begin on a connected socket, which stays the caller's. `hosts` are the server's names and
     * addresses as the user wrote them, with commas between them, "" if none is known; `server` stands for it in messages, with its
     * port. NULL with `why` filled if that is not possible. */
    layer_connection *(*begin)(layer_config *config, layer_memory *memory, int fd, const char *hosts,
                               const char *server, char *why);
    /* Go on with the handshake. 1: it is over. 0: `events` (of poll) says what it waits for.
     * -1: it has failed, and `why` says why. */
    int (*shake)(layer_connection *connection, short *events, char *why);
    /* Like recv and send, on a socket that does not block. With -1 and EAGAIN `events` says what it
     * waits for, which need not be the obvious. With any other error `why` is filled. After EAGAIN a
     * write is repeated with the same bytes, be they elsewhere, and perhaps more of them. */
    ssize_t (*read)(layer_connection *connection, void *buffer, size_t size, short *events, char *why);
    ssize_t (*write)(layer_connection *connection, const void *bytes, size_t size, short *events,
                     char *why);
    /* Whether `read` has something without any more bytes from the socket. */
    int (*is_pending)(const layer_connection *connection);
    /* Say goodbye, if the socket takes it at once, and free the connection. */
    void (*end)(layer_connection *connection);
} layer_functions;

/* The capsule `zookeeper._tls.functions` holds a pointer to the table. */
#define LAYER_CAPSULE "zookeeper._tls.functions"
/* Capsules of this name hold a configuration. */
#define LAYER_CONFIGURATION "zookeeper._tls.configuration"

#endif
