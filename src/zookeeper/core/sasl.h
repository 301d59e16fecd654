/* SASL on a connection, between its beginning and everything else: data of the handle's I/O thread. */
#ifndef ZOOKEEPER_SASL_H
#define ZOOKEEPER_SASL_H

#include "client.h"
#include "layer.h"
#include "steps.h"

#include <poll.h>

#define SASL_NAME 64 /* bytes of a mechanism's name, cut if need be */
#define SASL_HEAD 24 /* an answer's length and header, and the length of its token */

typedef enum {
    SASL_NONE,     /* no exchange is under way */
    SASL_STEPPING, /* the mechanism is at a step */
    SASL_SENDING,
    SASL_READING,
    SASL_FAILED, /* the connection is about to end */
} sasl_phase;

typedef struct {
    sasl_steps *steps; /* one reference is ours; NULL: the handle has no mechanism */
    char name[SASL_NAME];
    char server[LAYER_SERVER]; /* for messages */
    sasl_phase phase;
    int fd;
    int is_late;    /* it has taken its share of the time */
    int is_refused; /* the last exchange: it will not be better at once */
    int32_t xid;
    char *out; /* ours: the frame that is being sent, or NULL */
    size_t out_size, sent;
    char head[SASL_HEAD];
    char *challenge; /* ours: what is being read behind the head, or NULL */
    size_t size, count;
} sasl;

/* Have all connections go by that mechanism: before the handle is opened. The name is copied. */
void sasl_use(zk_handle *handle, const char *name);
/* NULL: the handle has no mechanism. */
sasl_steps *sasl_steps_of(zk_handle *handle);
void sasl_clear(zk_handle *handle);
/* Begin on a connection whose session a server has opened. `host` and `server` are copied. */
void sasl_begin(zk_handle *handle, int fd, const char *host, const char *server);
/* As poll, for the C client's pipe and its socket, which becomes readable when the exchange is over:
 * `frames` then lets the answer through that was held back, or ends the connection. */
int sasl_poll(zk_handle *handle, struct pollfd *fds, int timeout);
/* It has taken too long: the caller shuts the socket down. */
void sasl_give_up(zk_handle *handle);
/* The C client has closed the socket. */
void sasl_closed(zk_handle *handle);

#endif
