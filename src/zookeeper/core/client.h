/* The C client's own header, as the core needs it, and the numbers of ZooKeeper's protocol. */
#ifndef ZOOKEEPER_CLIENT_H
#define ZOOKEEPER_CLIENT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif
#ifndef THREADED
#define THREADED
#endif
#include <zookeeper.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct zk_handle zk_handle;

/* Operation numbers of the protocol (zookeeper's ZooDefs.OpCode). */
enum {
    OP_CREATE = 1,
    OP_DELETE = 2,
    OP_EXISTS = 3,
    OP_GET_DATA = 4,
    OP_SET_DATA = 5,
    OP_GET_ACL = 6,
    OP_SET_ACL = 7,
    OP_GET_CHILDREN = 8,
    OP_SYNC = 9,
    OP_PING = 11,
    OP_GET_CHILDREN2 = 12,
    OP_CHECK = 13,
    OP_MULTI = 14,
    OP_CREATE2 = 15,
    OP_RECONFIG = 16,
    OP_REMOVE_WATCHES = 18,
    OP_CREATE_CONTAINER = 19,
    OP_CREATE_TTL = 21,
    OP_MULTI_READ = 22,
    OP_AUTH = 100,
    OP_SET_WATCHES = 101,
    OP_SASL = 102,
    OP_GET_EPHEMERALS = 103,
    OP_GET_ALL_CHILDREN_NUMBER = 104,
    OP_SET_WATCHES2 = 105,
    OP_ADD_WATCH = 106,
    OP_WHO_AM_I = 107,
    OP_ERROR = -1,
    /* Of ours, and never sent. */
    OP_NONE = -100, /* there is nothing to check */
    OP_EVENT = -101,
    OP_GET_CONFIG = -102, /* a read of the configuration's node, which is outside of the chroot */
    OP_REMOVE_STANDING = -103 /* OP_REMOVE_WATCHES for all that a path has, by a raw call */
};

/* Numbers (xid) that are not of a request. */
enum { XID_EVENT = -1, XID_PING = -2, XID_AUTH = -4, XID_SET_WATCHES = -8 };

/* Requests are cut into pieces well under the server's limit for one (jute.maxbuffer). */
#define PIECE_BYTES 400000

/* Bytes that are read at a time to be thrown away. They are on the stack, which a program's threads may have
 * made as small as Python allows (32 kB). */
#define UNREAD_BYTES 4096

#endif
