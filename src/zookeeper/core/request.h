/* The operations: what is asked of a server, and sending it as a call. */
#ifndef ZOOKEEPER_REQUEST_H
#define ZOOKEEPER_REQUEST_H

#include "call.h"

/* One operation, alone or of a transaction. Its pointers are the caller's, and good until it has been
 * sent. Fields that the operation does not have are not looked at. */
typedef struct {
    int32_t op; /* of the protocol, OP_... */
    union {
        const char *path;
        const char *scheme; /* OP_AUTH */
        const char *joining; /* OP_RECONFIG, as the two below; NULL: none */
    };
    union {
        const char *data; /* OP_CREATE..., OP_SET_DATA; the credential of OP_AUTH; NULL: null data */
        const char *leaving;
    };
    int length;       /* of it; -1: null data */
    int32_t size;     /* of all in a transaction, once it is known; or 0 */
    int32_t version;  /* -1: any */
    int32_t flags;    /* of a create; which watches OP_REMOVE_WATCHES is about; the mode of OP_ADD_WATCH */
    int children_too; /* of OP_ADD_WATCH: a one-time watch of the children is needed as well */
    union {
        int64_t ttl;    /* -1: none */
        int64_t config; /* OP_RECONFIG: the version that is there; -1: any */
    };
    union {
        const struct ACL_vector *acl; /* of a create, and of OP_SET_ACL */
        const char *members;
    };
} operation;

/* Send an operation. After ZOK one more reference to the call is held until it has finished; anything
 * else says why it has not been sent, and then nothing more will happen. */
int call_submit(call *c, const operation *op);

#endif
