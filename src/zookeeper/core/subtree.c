/* A node and everything below it, read level by level.
 *
 * Children are asked for only where the data's stat says that there are some, or with the data: where few
 * nodes are left, a round trip takes longer than to ask some of them in vain. A node that vanishes
 * between the two reads gets ZNONODE; one that may not be read keeps its ZNOAUTH.
 */
#include "handle.h"
#include "order.h"
#include "subtree.h"

#include <stdlib.h>
#include <string.h>

#define TREE_BLOCK 4096
#define NAME_BYTES 40 /* supposed of a name before any is known */

/* So many nodes that are left to be read are few, with those under way; and of those that are left, where at
 * least half of the nodes before them have had children. */
#define MAX_NODES_FOR_BOTH 100
#define MAX_PARENTS_FOR_BOTH 400
/* In a request for both reads: the first names come while the server reads on. */
#define MAX_NODES_OF_BOTH 40

tree_node *subtree_node_in(tree_node **blocks, int64_t index) {
    return &blocks[index / TREE_BLOCK][index % TREE_BLOCK];
}

tree_node *subtree_node(subtree *s, int64_t index) { return subtree_node_in(s->blocks, index); }

long subtree_complete(subtree *s, tree_node ***blocks) {
    core_lock(&s->reader.base.lock);
    long complete = s->complete;
    size_t size = sizeof **blocks * (size_t)((complete + TREE_BLOCK - 1) / TREE_BLOCK);
    if (size) {
        *blocks = core_resize(*blocks, size);
        memcpy(*blocks, s->blocks, size);
    }
    core_unlock(&s->reader.base.lock);
    return complete;
}

static tree_node *make_node(subtree *s) {
    if (s->made % TREE_BLOCK == 0) {
        long blocks = s->made / TREE_BLOCK;
        if (blocks == s->capacity) {
            s->capacity = s->capacity ? s->capacity * 2 : 16;
            s->blocks = core_resize(s->blocks, sizeof *s->blocks * (size_t)s->capacity);
        }
        s->blocks[blocks] = core_zeroed(TREE_BLOCK, sizeof(tree_node));
    }
    tree_node *node = subtree_node(s, s->made++);
    node->read.length = -1;
    return node;
}

static void push_parent(subtree *s, int64_t index) {
    if (s->parents_count == s->parents_capacity) {
        s->parents_capacity = s->parents_capacity ? s->parents_capacity * 2 : 1024;
        s->parents = core_resize(s->parents, sizeof *s->parents * (size_t)s->parents_capacity);
    }
    s->parents[s->parents_count++] = index;
}

static void free_family(family *f) { free(f->names); }

/* The nodes themselves are made when they are to be read, while the server has others to answer. */
static void add_children(subtree *s, tree_node *parent) {
    node_read *read = &parent->read;
    parent->first_child = s->count;
    parent->children = read->names_count;
    s->count += read->names_count;
    order_names((const char **)read->names, read->names_count);
    family all = {parent, read->names, 0, read->names_count};
    read->names = NULL;
    if (all.count == 0) {
        free_family(&all);
        return;
    }
    if (s->families_count == s->families_capacity) {
        s->families_capacity = s->families_capacity ? s->families_capacity * 2 : 64;
        s->families = core_resize(s->families, sizeof *s->families * (size_t)s->families_capacity);
    }
    s->families[s->families_count++] = all;
}

static void make_child(subtree *s) {
    family *f = &s->families[s->families_first];
    const tree_node *parent = f->parent;
    const char *name = f->names[f->next++];
    size_t length = strlen(name), prefix = parent->path_length == 1 ? 0 : (size_t)parent->path_length;
    char *path = arena_alloc(&s->reader.memory, prefix + length + 2);
    memcpy(path, parent->read.path, prefix);
    path[prefix] = '/';
    memcpy(path + prefix + 1, name, length + 1);
    tree_node *child = make_node(s);
    child->read.path = path;
    child->path_length = (int32_t)(prefix + 1 + length);
    child->depth = parent->depth + 1;
    s->name_bytes += (int64_t)length;
    if (f->next < f->count) return;
    free_family(f);
    if (++s->families_first == s->families_count) s->families_first = s->families_count = 0;
}

/* Read items point to the node_read that a tree_node begins with. */
static void tree_reads_answered(reader *base, const read_item *items, int count) {
    core_assert_held(&base->base.lock);
    subtree *s = (subtree *)base;
    for (int i = 0; i < count; i++) {
        tree_node *node = (tree_node *)items[i].node;
        int has_children = node->read.code == ZOK && node->read.stat.numChildren > 0;
        if (items[i].op == OP_GET_CHILDREN) {
            base->base.untold++; /* its data has been counted */
            if (has_children)
                add_children(s, node);
            else
                reader_forget_names(base, &items[i], 1);
        } else {
            s->answered++;
            s->parents_answered += has_children;
            if (i + 1 < count && reader_is_second(items, i + 1)) continue;
            if (has_children) {
                push_parent(s, node->index);
                continue;
            }
        }
        node->is_complete = 1;
    }
    while (s->complete < s->made && subtree_node(s, s->complete)->is_complete) s->complete++;
}

/* How many child names an answer may have, about. */
static double most_names(const subtree *s) {
    double mean = s->made > 1 ? (double)s->name_bytes / (double)(s->made - 1) + 4 : NAME_BYTES;
    return ANSWER_BYTES / mean;
}

/* Whether the children of the next nodes are asked for with their data. */
static int asks_for_both(const subtree *s) {
    long left = s->count - s->next;
    if (2 * s->parents_answered >= s->answered) return left <= MAX_PARENTS_FOR_BOTH;
    return left + s->reader.base.outstanding * MAX_NODES_OF_BOTH <= MAX_NODES_FOR_BOTH;
}

static int next_tree_reads(reader *base, read_item *items, int room, int bytes) {
    core_assert_held(&base->base.lock);
    subtree *s = (subtree *)base;
    int chroot = (int)strlen(base->base.handle->chroot);
    int count = 0;
    double names = 0, most = most_names(s);
    while (count < room && bytes > 0 && names < most && s->parents_first < s->parents_count) {
        tree_node *node = subtree_node(s, s->parents[s->parents_first++]);
        items[count].op = OP_GET_CHILDREN;
        items[count++].node = &node->read;
        names += node->read.stat.numChildren;
        bytes -= node->path_length + chroot + 16;
    }
    if (s->parents_first == s->parents_count) s->parents_first = s->parents_count = 0;
    int reads = room > 1 && asks_for_both(s) ? 2 : 1;
    if (reads == 2 && room > 2 * MAX_NODES_OF_BOTH) room = 2 * MAX_NODES_OF_BOTH;
    while (count + reads <= room && bytes > 0 && names < most && s->next < s->count) {
        if (s->next == s->made) make_child(s);
        tree_node *node = subtree_node(s, s->next);
        int size = node->path_length + chroot + 16;
        if (reads == 2 && 2 * size > bytes) {
            if (count) break;
            reads = 1; /* no request has room for the path twice, as a rule */
        }
        node->index = s->next++;
        items[count].op = OP_GET_DATA;
        items[count++].node = &node->read;
        if (reads == 2) {
            items[count].op = OP_GET_CHILDREN;
            items[count++].node = &node->read;
        }
        bytes -= reads * size;
    }
    return count;
}

static int tree_is_read(bulk *b) {
    subtree *s = (subtree *)b;
    return s->next == s->count && s->parents_first == s->parents_count && s->reader.repeat_count == 0;
}

static void dispose_tree(bulk *b) {
    subtree *s = (subtree *)b;
    reader_clear(&s->reader);
    for (long first = 0; first < s->made; first += TREE_BLOCK) free(s->blocks[first / TREE_BLOCK]);
    free(s->blocks);
    for (long i = s->families_first; i < s->families_count; i++) free_family(&s->families[i]);
    free(s->families);
    free(s->parents);
    free(s);
}

subtree *subtree_new(zk_handle *handle, const char *root) {
    subtree *s = core_zeroed(1, sizeof *s);
    reader_init(&s->reader, handle, tree_is_read, dispose_tree);
    s->reader.next_reads = next_tree_reads;
    s->reader.answered = tree_reads_answered;
    s->reader.takes_names = 1;
    size_t length = strlen(root);
    tree_node *node = make_node(s);
    s->count = 1;
    node->read.path = arena_copy(&s->reader.memory, root, length);
    node->path_length = (int32_t)length;
    return s;
}
