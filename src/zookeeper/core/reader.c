/* The common part of all reads of many nodes: which are next, and the results. */
#include "handle.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

void reader_free_names(char **names, int first, int count) {
    for (int i = first; i < count; i++) free(names[i]);
    free(names);
}

size_t reader_keep_names(reader *r, node_read *node, struct String_vector *names) {
    core_assert_held(&r->base.lock);
    size_t bytes = 0;
    node->names_count = names->count > 0 ? names->count : 0;
    if (r->takes_names) {
        node->names = names->data;
        names->data = NULL;
        names->count = 0;
        return bytes;
    }
    node->names = arena_alloc(&r->memory, sizeof(char *) * (size_t)node->names_count);
    for (int32_t i = 0; i < node->names_count; i++) {
        size_t length = strlen(names->data[i]);
        node->names[i] = arena_copy(&r->memory, names->data[i], length);
        bytes += length + 4;
    }
    return bytes;
}

void reader_forget_names(reader *r, const read_item *items, int count) {
    core_assert_held(&r->base.lock);
    if (!r->takes_names) return;
    for (int i = 0; i < count; i++) {
        node_read *node = items[i].node;
        if (node->names) reader_free_names(node->names, 0, node->names_count);
        node->names = NULL;
        node->names_count = 0;
    }
}

size_t reader_keep_data(reader *r, node_read *node, const char *data, int length, const struct Stat *stat) {
    core_assert_held(&r->base.lock);
    node->stat = *stat;
    node->length = -1;
    if (data == NULL || length < 0) return 0;
    node->data = arena_copy(&r->memory, data, (size_t)length);
    node->length = length;
    return (size_t)length;
}

void reader_keep_acl(reader *r, node_read *node, const struct ACL_vector *acl, const struct Stat *stat) {
    core_assert_held(&r->base.lock);
    struct ACL *entries = arena_alloc(&r->memory, sizeof *entries * (size_t)acl->count);
    for (int32_t i = 0; i < acl->count; i++) {
        const struct Id *id = &acl->data[i].id;
        entries[i].perms = acl->data[i].perms;
        entries[i].id.scheme = arena_copy(&r->memory, id->scheme, strlen(id->scheme));
        entries[i].id.id = arena_copy(&r->memory, id->id, strlen(id->id));
    }
    node->stat = *stat;
    node->entries = entries;
    node->length = acl->count;
}

void reader_note_zxid(reader *r, int64_t zxid) {
    core_assert_held(&r->base.lock);
    if (r->lowest_zxid == 0 || zxid < r->lowest_zxid) r->lowest_zxid = zxid;
}

void reader_answered(reader *r, const read_item *items, int count) {
    core_assert_held(&r->base.lock);
    r->base.done += count;
    if (r->answered) r->answered(r, items, count);
}

void reader_repeat(reader *r, const read_item *items, int count) {
    core_assert_held(&r->base.lock);
    r->repeat = core_resize(r->repeat, sizeof *items * (size_t)(r->repeat_count + count));
    memcpy(r->repeat + r->repeat_count, items, sizeof *items * (size_t)count);
    r->repeat_count += count;
}

/* Bytes that a read takes in a request. */
long reader_read_size(const reader *r, const read_item *item) {
    return (long)strlen(r->base.handle->chroot) + (long)strlen(item->node->path) + 14;
}

int reader_take(reader *r, read_item *items, int room, int bytes) {
    core_assert_held(&r->base.lock);
    if (r->repeat_count == 0) return r->next_reads(r, items, room, bytes);
    int count = 0;
    while (count < room && bytes > 0 && r->repeat_count > 0) {
        items[count] = r->repeat[--r->repeat_count];
        bytes -= (int)reader_read_size(r, &items[count++]);
    }
    return count;
}

void reader_clear(reader *r) {
    arena_free(&r->memory);
    free(r->repeat);
}
