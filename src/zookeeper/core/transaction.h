/* Transactions: several operations, all or nothing. */
#ifndef ZOOKEEPER_TRANSACTION_H
#define ZOOKEEPER_TRANSACTION_H

#include "completion_queue.h"
#include "memory.h"
#include "queue.h"
#include "raw_request.h"
#include "request.h"

typedef struct {
    int32_t op; /* what was asked for */
    int code;
    const char *path; /* of a created node, in the transaction's arena; or NULL */
    struct Stat stat;
    int has_stat;
    int never_sent; /* it was lost, and certainly not done */
} write_result;

typedef struct transaction {
    queue_item item; /* first: an asynchronous transaction is queued as itself */
    raw_request raw;
    const operation *ops; /* the caller's, until they are sent */
    write_result *results; /* the caller's; of transaction_submit: ours */
    int count;
    arena *memory; /* of the results' paths: the caller's; of transaction_submit: ours */
    int failure;   /* why the request as a whole got no answer, or ZOK */
    int code;      /* that, or the code of the first operation that failed */
    void (*ended)(struct transaction *);
    completion_queue *answers; /* of transaction_submit: the event loop's, kept by the owner; or NULL */
    void *owner;   /* the bulk_write it is a part of, or a Python object with a reference for the taker */
} transaction;

/* To be freed by the caller, unless transaction_send gives ZOK: then by `ended`. ZUNIMPLEMENTED: the service takes
 * no transactions; ZBADARGUMENTS: none so large. */
transaction *transaction_new(const operation *ops, write_result *results, int count, arena *memory);
int transaction_send(zk_handle *handle, transaction *t);
/* An asynchronous one of its own: `context` comes back as an ITEM_TRANSACTION, to be freed by
 * transaction_free, through the queue `answers`, which it keeps; or through that of the handle, if
 * `answers` is NULL or closed. After anything but ZOK nothing comes. */
int transaction_submit(zk_handle *handle, const operation *ops, int count, void *context,
                       completion_queue *answers);
void transaction_free(transaction *t);
/* Bytes that an operation takes in a request. */
long operation_size(const zk_handle *handle, const operation *op);

#endif
