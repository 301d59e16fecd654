/* The common part of all reads of many nodes. */
#ifndef ZOOKEEPER_READER_H
#define ZOOKEEPER_READER_H

#include "bulk.h"
#include "memory.h"

#define ANSWER_BYTES 2000000  /* aimed at as the most for one answer */

/* The result of a read; what it points to lies in an arena of the reader. */
typedef struct {
    const char *path;
    int code;
    int length; /* of the data, -1: null data; or how many entries of an ACL */
    union {
        const char *data; /* NULL: null data, or not read */
        const struct ACL *entries;
    };
    struct Stat stat;
    int names_count;
    char **names; /* NULL: not read */
} node_read;

/* The read of one path; `op` is OP_GET_DATA, OP_GET_CHILDREN or, where each is `alone`, OP_GET_ACL. */
typedef struct {
    int32_t op;
    node_read *node;
} read_item;

/* A read is asked for and answered in any number of requests: many in one MultiRead, or one each
 * (pipelined) when the server knows no MultiRead. */
typedef struct reader {
    bulk base;
    /* All guarded by the lock of `base`, but for reading when it is over. */
    arena memory;      /* what the results point to */
    /* Child names and their list are a block of their own (free), which `answered` takes; `next_reads` sees
     * to it that not too many come in one answer. Otherwise they lie in `memory`. */
    int takes_names;
    int alone;         /* each read is a request: MultiRead does not have it */
    int64_t lowest_zxid;  /* of the answers: everything read is at least that new */
    double answer_bytes;  /* running mean of an answer's size: keeps requests' answers bounded */
    read_item *repeat;    /* handed out, lost, to be sent again before anything else; NULL: none yet */
    int repeat_count;
    long refused_on;      /* the connection on which a server has said that it knows no MultiRead; 0: none */
    /* The next reads to send: at most `room`, cut at about `bytes` of request. With the lock held. */
    int (*next_reads)(struct reader *, read_item *items, int room, int bytes);
    /* These have been answered. With the lock held. NULL: nothing to do. */
    void (*answered)(struct reader *, const read_item *items, int count);
} reader;

/* Frees what the reader points to, for `dispose`. */
void reader_clear(reader *r);

/* All of these with the lock held. The next reads to send, at most `room`; how many there are. */
int reader_take(reader *r, read_item *items, int room, int bytes);
/* Keep a copy of an answer, with the lock held. `data` may be NULL; returned is how many bytes it had. */
size_t reader_keep_data(reader *r, node_read *node, const char *data, int length, const struct Stat *stat);
void reader_keep_names(reader *r, node_read *node, const struct String_vector *names);
/* Room for a list of names, and behind it for so many bytes of them, with their zeros. */
char **reader_room_for_names(reader *r, int count, size_t bytes);
/* Free names that `answered` will not take. A node is in one request at a time. */
void reader_forget_names(reader *r, const read_item *items, int count);
void reader_keep_acl(reader *r, node_read *node, const struct ACL_vector *acl, const struct Stat *stat);
/* Note the zxid of an answer, with the lock held. */
void reader_note_zxid(reader *r, int64_t zxid);
/* These have been answered, with the lock held. */
void reader_answered(reader *r, const read_item *items, int count);
/* These have been lost, and are to be sent again, with the lock held: of both reads of a node the first one. */
void reader_repeat(reader *r, const read_item *items, int count);
/* Whether a read is of the children of the node whose data is read in front of it, in the same request. */
int reader_is_second(const read_item *items, int place);
/* Bytes that a read takes in a request. */
long reader_read_size(const reader *r, const read_item *item);

/* read_one.c, for servers that do not know MultiRead, and what it does not have: sends what may be sent. With the lock held. */
void read_one_by_one(reader *r);

#endif
