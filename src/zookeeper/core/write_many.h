/* Many writes, in transactions or one by one. */
#ifndef ZOOKEEPER_WRITE_MANY_H
#define ZOOKEEPER_WRITE_MANY_H

#include "bulk.h"
#include "transaction.h"

typedef struct {
    bulk base;
    /* All guarded by the lock of `base`, but for reading results when it is over. */
    arena memory;
    const operation *ops; /* the caller's: not looked at when it has been abandoned */
    long count, next;
    long ready;       /* of the count, those that are written down */
    long batch;       /* operations in a transaction, at most */
    long batch_bytes; /* and bytes */
    int in_flight;    /* transactions, at most */
    long serial;      /* so many of the first operations go in transactions of their own, one after the other */
    int divisible;    /* without transactions it may be done node by node */
    int stop, failed; /* stop: after a transaction that failed, send no more */
    long singles;     /* requests on their way that are no transactions */
    write_result results[];
} bulk_write;

/* `ops` has room for `count` operations. NULL without memory. To be released (bulk_release). Nothing is
 * sent before bulk_write_ready has been called. */
bulk_write *bulk_write_new(zk_handle *handle, const operation *ops, long count, long batch,
                           long batch_bytes, int in_flight, long serial, int stop, int divisible);
/* So many of the operations are written down; 0: no more will be sent, they are not needed. */
int bulk_write_ready(bulk_write *w, long count);

/* write_one.c. Sends the next operation as a request of its own. With the lock held. Anything but ZOK
 * says why it has not been sent. */
int write_alone(bulk_write *w);
/* The same for servers without transactions, if it is its turn. With the lock held. */
void write_one_by_one(bulk_write *w);

#endif
