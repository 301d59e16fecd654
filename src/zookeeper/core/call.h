/* A call: one asynchronous request of the C client's API, and its result. */
#ifndef ZOOKEEPER_CALL_H
#define ZOOKEEPER_CALL_H

#include "client.h"
#include "completion_queue.h"
#include "pending.h"
#include "posts.h"
#include "queue.h"
#include "rests.h"
#include "service.h"

struct credential;

/* Counted: the caller that made it has a reference, and so have the request under way and the queues. */
typedef struct call {
    queue_item item; /* first: a call is queued as itself */
    pending request;
    zk_handle *handle;
    _Atomic int references;
    lead lead;        /* whether a waiting caller reads the answer itself */
    posts finished;   /* posted when a waiting call is done */
    int waiting;      /* the caller waits: a synchronous call */
    _Atomic int abandoned; /* the caller waits no longer */
    void *context;    /* a Python object with a reference for the takers of queues, or NULL */
    /* The event loop's queue that the answer is for; the context keeps it. NULL: none. */
    completion_queue *answers;
    queue_item answer; /* the call, as it is in that queue */
    int takers;        /* of it and of the handle's queue; the last one drops the context */
    /* For a request of the core's own: called at its end, instead of all that, on the I/O thread or the
     * one that closes, with no lock but `completions_lock`. NULL for Python's. */
    void (*ended)(struct call *);
    void *owner;      /* whatever `ended` needs */
    int watched;      /* the request leaves a watch */
    long covered;     /* not at the server, which has one that stays (standing.c); 0: at the server */
    dispatch sent;    /* the connection when it was submitted */
    int may_be_sent;  /* there was one then, be it to a server that can only be read; or it is not known */
    /* An add_auth: the credential whose answer it waits for, and the next call in that list. Both are
     * guarded by submit. */
    struct credential *credential;
    struct call *next_waiting;

    /* The result: read when the call is over, freed with it. */
    int code;
    int never_sent; /* it was lost, and there was no connection in all its time */
    struct Stat stat;
    int has_stat;
    char *value; /* data, or a path; NULL is null data */
    int length;  /* -1: null data */
    struct String_vector names;
    struct ACL_vector acl; /* or identities, whose permissions are 0 */
    int32_t number;
} call;

/* The caller has one reference, to be released. */
call *call_new(zk_handle *handle, int waiting, void *context, int watched);
void call_release(call *c);
/* As posts_wait, for the end of a synchronous call. */
int call_wait(call *c, int64_t deadline);
/* The call that is queued as its answer. */
call *call_of_answer(queue_item *answer);
/* The request is over: its end is told, and its reference given back. */
void call_ended(call *c, int code);

#endif
