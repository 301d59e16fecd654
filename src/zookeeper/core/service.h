/* Limits that a service, the servers of a connection string, has turned out to have. */
#ifndef ZOOKEEPER_SERVICE_H
#define ZOOKEEPER_SERVICE_H

#include "client.h"
#include "sizes.h"

typedef enum {
    KNOWS_MULTI_READ,
    KNOWS_SET_WATCHES,
    KNOWS_TRANSACTIONS,
    KNOWS_REMOVE_WATCHES,
    KNOWS_STANDING_WATCHES, /* AddWatch, and what ends it */
    KNOWS_SET_WATCHES2,
    KNOWS_EPHEMERALS,
    KNOWS_CHILDREN_NUMBER,
    KNOWS_WHO_AM_I,
    ABILITIES
} ability;

typedef struct service {
    struct service *next; /* guarded by services_lock */
    int handles;          /* the same */
    _Atomic int64_t learned; /* when it turned out last not to do something; 0: it does all */
    request_sizes sizes;      /* guarded by services_lock */
    struct {
        _Atomic int strikes;
        _Atomic int64_t answered_at; /* by core_now, the last time; 0: never */
        int64_t struck_at; /* guarded by services_lock: by core_now, the last strike */
        _Atomic int64_t refused_until; /* by core_now; 0: it is not, INT64_MAX: until all is tried anew */
    } abilities[ABILITIES];
    char hosts[];
} service;

/* How a request was sent that may be lost because of what it asks. */
typedef struct {
    long connection;
    int was_connected;
    long bytes; /* at least; 0: it is small */
    int64_t at; /* by core_now */
} dispatch;

/* The knowledge that all handles with these hosts share; to be released. */
service *service_of(const char *hosts);
void service_release(service *s);
void service_after_fork(void);
/* Whether the service does without an operation; has proven to know it; at what size to cut. */
int service_refuses(const zk_handle *handle, ability which);
int service_is_proven(const zk_handle *handle, ability which);
long service_piece_bytes(const zk_handle *handle);
int service_hangs_up_at(const zk_handle *handle, long bytes);
/* A request of so many bytes was answered; one of any operation was, if its bytes are more than a few; one was lost,
 * by `code`: whether to try again, with what has been learned; it will never be answered, as `evidence` shows. */
void service_answered(zk_handle *handle, ability which, long bytes);
void service_took(zk_handle *handle, long bytes);
int service_lost(zk_handle *handle, ability which, dispatch sent, int code);
void service_unknown(zk_handle *handle, ability which, const char *evidence);
/* The server of the last connection is not to be reached: what was lost with it is no strike. */
void service_excuse(zk_handle *handle);
/* The connection has answered something. On the thread that works for the handle. */
void service_note_alive(zk_handle *handle);
/* Note how a request is about to be sent; its bytes are for the caller to say. With `submit` held. */
void service_note_dispatch(const zk_handle *handle, dispatch *sent);
/* A request that may never be answered is sent; has ended. */
void service_doubt(zk_handle *handle);
void service_trust(zk_handle *handle);
/* On the I/O thread, from time to time: whether to send a probe behind such a request now. `left` is in
 * how many nanoseconds to ask again; 0: no need to. */
int service_wants_probe(zk_handle *handle, int64_t *left);

#endif
