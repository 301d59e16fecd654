/* The work that waits for the Python thread of a handle. */
#ifndef ZOOKEEPER_QUEUE_H
#define ZOOKEEPER_QUEUE_H

#include "client.h"

typedef enum {
    ITEM_EVENT,
    ITEM_CALL,
    ITEM_ANSWER,
    ITEM_TRANSACTION,
    ITEM_BULK,
    ITEM_PROGRESS,
    ITEM_OBJECT
} item_kind;

/* The head of what is queued. The thread that takes an item frees what it is part of: an event or
 * an object by `free`, a call or its answer by call_release, a transaction by transaction_free, the end
 * and the progress of a bulk operation by bulk_release. */
typedef struct queue_item {
    struct queue_item *next;
    item_kind kind;
} queue_item;

/* A watch or session event. */
typedef struct {
    queue_item item;
    int type;
    int state;
    int64_t zxid; /* of the change; -1: not known */
    int outside;  /* the node is not below the chroot */
    char path[]; /* "" for a session event */
} event_item;

/* A Python object with a reference for the taker: a function to call and its arguments. */
typedef struct {
    queue_item item;
    void *object;
} object_item;

/* The item is the queue's from here on. */
void queue_push(zk_handle *handle, queue_item *item);
/* Queue an event; `path` is copied, and may be NULL. */
void queue_push_event(zk_handle *handle, int type, int state, const char *path);
/* Queue a server's event, with the path that the server knows and the zxid that came with it. */
void queue_push_change(zk_handle *handle, int type, int state, const char *server_path, int64_t zxid);
/* An item with that object, to be freed by `free`. */
object_item *queue_object(void *object);
/* Queue an object. 0: the handle is closed, and the reference to the object stays the caller's. */
int queue_push_object(zk_handle *handle, void *object);
/* Everything queued, in order, the caller's from here on; waits for something. NULL: woken for log
 * lines, or stopped. */
queue_item *queue_take(zk_handle *handle);
/* The handle can be used: from now on what is queued may be taken. */
void queue_open(zk_handle *handle);
void queue_stop(zk_handle *handle);
int queue_stopped(zk_handle *handle);

/* Log lines wake the Python thread of one of the handles that are listed. */
void queue_list(zk_handle *handle);
void queue_unlist(zk_handle *handle);
void queue_poke(void);
void queue_after_fork(void);

/* The watcher that the C client is given for nodes, so that it keeps their watches. Events are queued
 * as they come (events.c): it does not know whom those of watches that stay are for. */
void queue_node_event(zhandle_t *zh, int type, int state, const char *path, void *context);

#endif
