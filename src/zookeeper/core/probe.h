/* Asking another server whether it is read-write, from a read-only connection: data of the I/O thread. */
#ifndef ZOOKEEPER_PROBE_H
#define ZOOKEEPER_PROBE_H

#include "../tls/layer.h"
#include "address.h"

#include <poll.h>
#include <stdint.h>

typedef enum { PROBE_CONNECTING, PROBE_SHAKING, PROBE_ASKING, PROBE_LISTENING } probe_phase;

#define PROBE_ANSWER 2 /* bytes: "rw" or "ro" */

typedef struct {
    int fd; /* ours; -1: none is under way */
    probe_phase phase;
    int64_t began;
    server_address address;
    const layer_functions *functions;
    layer_connection *layer; /* ours; NULL: none, or not yet */
    short events;            /* of poll, that it waits for */
    size_t asked, heard;     /* bytes */
    char answer[PROBE_ANSWER];
} probe;

void probe_init(probe *p);
/* Ask the server at the address. The socket is the probe's from here on. One that is under way is given
 * up, unless it has hardly begun: then nothing is asked. */
void probe_begin(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length);
/* As poll of `fds`, the C client's pipe and its socket, while the answer is awaited. */
int probe_poll(zk_handle *handle, struct pollfd *fds, int timeout);
void probe_end(probe *p);

#endif
