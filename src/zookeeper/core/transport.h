/* The C client's system calls to do with servers: data of the thread that works for the handle. */
#ifndef ZOOKEEPER_TRANSPORT_H
#define ZOOKEEPER_TRANSPORT_H

#include "client.h"
#include "frames.h"
#include "pauses.h"
#include "probe.h"
#include "stream.h"

#include <sys/socket.h>

typedef struct {
    int fd; /* -1: none */
    long ends; /* how often one has ended, or could not be made */
    stream stream;
    frames frames;
    pauses pauses;
    /* From a read-only connection: another server is asked, and whether the next connection is to go to
     * the one found. */
    probe probe;
    server_address found;
    int is_found;
} connection;

void transport_init(connection *c, int timeout_ms, int read_only);
void transport_clear(connection *c);
/* This thread works for that handle, and holds its lock `sending`, until it says otherwise. */
void transport_enter(zk_handle *handle);
void transport_leave(void);
/* The same, unless another thread does so: 0. */
int transport_try_enter(zk_handle *handle);
/* The same for the thread that closes the handle, and goes on with its connection when the I/O thread has
 * ended. It holds no lock, as it waits for that thread. */
void transport_begin_close(zk_handle *handle);
void transport_end_close(void);
/* The C client closes a socket. */
void transport_closed(int fd);

#endif
