/* Reads of given paths. */
#ifndef ZOOKEEPER_READ_MANY_H
#define ZOOKEEPER_READ_MANY_H

#include "multi_read.h"

typedef struct {
    reader reader;
    int32_t op; /* OP_GET_DATA, OP_GET_CHILDREN or OP_GET_ACL */
    long count, next;
    node_read nodes[];
} read_many;

/* To be released (bulk_release); each path is to be set before bulk_start. */
read_many *read_many_new(zk_handle *handle, int32_t op, long count);
void read_many_path(read_many *r, long index, const char *path); /* copies it */

#endif
