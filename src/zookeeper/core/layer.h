/* The layer that carries the bytes of a handle: none, or TLS. Data of the handle's I/O thread. */
#ifndef ZOOKEEPER_CORE_LAYER_H
#define ZOOKEEPER_CORE_LAYER_H

#include "../tls/layer.h"
#include "locks.h"

#include <poll.h>

#define LAYER_SERVER 256 /* bytes of a server's name and port, cut if need be */

typedef struct {
    const layer_functions *functions; /* NULL: the socket is used as it is */
    layer_config *config;             /* retained; NULL like `functions` */
    layer_memory *memory;             /* ours */
    layer_connection *connection;     /* ours, of the socket that there is, or NULL */
    char server[LAYER_SERVER];        /* of the socket, for messages */
    int is_late;                      /* the handshake has taken its share of the time */
    int has_failed;                   /* whether there is a `why` */
    int is_over;                      /* nothing more can be read, which the socket need not show */
    short read_waits, write_waits;    /* events of poll; 0: the obvious ones */
    core_mutex lock;
    /* Guarded by lock. */
    char why[LAYER_WHY];     /* the last failure, "" since a server has spoken */
    char awaited[LAYER_WHY]; /* "": nothing */
    int64_t waits_since;
} layer;

void layer_init(layer *l);
void layer_clear(layer *l);
/* Have all connections go by that layer: before the handle is opened. Retains `config`. */
void layer_use(layer *l, const layer_functions *functions, layer_config *config);
/* Why the last connection failed, LAYER_WHY bytes; "" if it did not. Any thread may ask. */
void layer_why(layer *l, char *why);
/* Begin on a socket that a server has accepted: 0, or -1. `hosts` is "" if none is known. */
int layer_begin(layer *l, int fd, const char *hosts, const char *server);
/* The handshake has taken too long: the caller shuts the socket down. */
void layer_give_up(layer *l);
/* Go on with the handshake: 1 over, 0 waits for `events`, -1 failed. */
int layer_shake(layer *l, short *events);
/* The layer, or SASL above it, waits for the server to do that; NULL: for nothing any more. */
void layer_waits(layer *l, const char *server, const char *words);
/* Say what it has been waiting for, LAYER_WHY bytes, if that takes longer than is usual; or "". Any thread may ask. */
void layer_awaited(layer *l, char *what);
void layer_end(layer *l);
/* As recv and send. */
ssize_t layer_read(layer *l, void *buffer, size_t size);
ssize_t layer_write(layer *l, const void *bytes, size_t size);
/* As poll, `socket` being the one of `fds` that the layer is on. */
int layer_poll(layer *l, struct pollfd *fds, nfds_t count, struct pollfd *socket, int timeout);

#endif
