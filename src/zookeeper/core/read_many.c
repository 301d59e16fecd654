/* Reads of given paths. */
#include "handle.h"
#include "read_many.h"

#include <stdlib.h>
#include <string.h>

static int next_given_reads(reader *base, read_item *items, int room, int bytes) {
    core_assert_held(&base->base.lock);
    read_many *r = (read_many *)base;
    int count = 0;
    while (count < room && r->next < r->count && bytes > 0) {
        node_read *node = &r->nodes[r->next++];
        items[count].op = r->op;
        items[count++].node = node;
        bytes -= (int)strlen(node->path) + 16 + (int)strlen(base->base.handle->chroot);
    }
    return count;
}

static int given_are_read(bulk *b) {
    read_many *r = (read_many *)b;
    return r->next == r->count && r->reader.repeat_count == 0;
}

static void dispose_given(bulk *b) {
    reader_clear((reader *)b);
    free(b);
}

read_many *read_many_new(zk_handle *handle, int32_t op, long count) {
    read_many *r = core_zeroed(1, sizeof *r + sizeof(node_read) * (size_t)count);
    reader_init(&r->reader, handle, given_are_read, dispose_given);
    r->reader.next_reads = next_given_reads;
    r->reader.alone = op == OP_GET_ACL;
    r->op = op;
    r->count = count;
    return r;
}

void read_many_path(read_many *r, long index, const char *path) {
    r->nodes[index].path = arena_copy(&r->reader.memory, path, strlen(path));
}
