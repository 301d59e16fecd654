/* A node and everything below it. */
#ifndef ZOOKEEPER_SUBTREE_H
#define ZOOKEEPER_SUBTREE_H

#include "multi_read.h"

typedef struct {
    node_read read; /* first: what is read is found by it */
    int64_t index; /* its own; of one that has been handed out, how many were so before */
    int64_t first_child; /* index; the children of a node lie next to each other, sorted */
    int32_t children;
    int32_t depth;
    int32_t path_length;
    int16_t is_complete; /* nothing more comes for it: the I/O thread leaves it as it is */
    int16_t is_handed_out; /* that, and `index` then, are of the thread that hands it out */
} tree_node;

/* The children of a node that are still to be made of their names. */
typedef struct {
    const tree_node *parent;
    char **names; /* ours (free), sorted */
    int next, count;
} family;

typedef struct subtree {
    reader reader;
    tree_node **blocks; /* of TREE_BLOCK nodes each: a node never moves */
    long capacity;
    long count;         /* of the nodes that are known, of which so many are there: */
    long made;
    family *families;   /* queue, as their names have come; NULL: none yet */
    long families_first, families_count, families_capacity;
    long next;          /* the first node not yet asked for */
    long complete;      /* so many nodes, from the first one on, are complete */
    int64_t *parents;   /* queue of nodes whose children are to be read; NULL: none yet */
    long parents_first, parents_count, parents_capacity;
    long answered, parents_answered; /* how many nodes' data have come, of them those of nodes with children */
    int64_t name_bytes; /* of the names of nodes that are there, but for the root's */
} subtree;

/* To be released (bulk_release); `root` is copied. */
subtree *subtree_new(zk_handle *handle, const char *root);
/* A node that is there, which stays the subtree's and where it is. When the reading is over, or under the lock. */
tree_node *subtree_node(subtree *s, int64_t index);
/* How many nodes, from the first one on, are complete, while the reading goes on. Their blocks, for
 * `subtree_node_in`, are put into the array at `blocks`, which is resized (free). */
long subtree_complete(subtree *s, tree_node ***blocks);
tree_node *subtree_node_in(tree_node **blocks, int64_t index);

#endif
