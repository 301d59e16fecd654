/* The common part of all reads of many nodes: which are next, and the results. */
#include "handle.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

char **reader_room_for_names(reader *r, int count, size_t bytes) {
    core_assert_held(&r->base.lock);
    size_t size = sizeof(char *) * (size_t)count + bytes + 1;
    return r->takes_names ? core_alloc(size) : arena_alloc(&r->memory, size);
}

void reader_keep_names(reader *r, node_read *node, const struct String_vector *names) {
    core_assert_held(&r->base.lock);
    int count = names->count > 0 ? names->count : 0;
    size_t bytes = 0;
    for (int i = 0; i < count; i++) bytes += strlen(names->data[i]) + 1;
    node->names = reader_room_for_names(r, count, bytes);
    node->names_count = count;
    char *to = (char *)(node->names + count);
    for (int i = 0; i < count; i++) {
        size_t size = strlen(names->data[i]) + 1;
        node->names[i] = memcpy(to, names->data[i], size);
        to += size;
    }
}

void reader_forget_names(reader *r, const read_item *items, int count) {
    core_assert_held(&r->base.lock);
    if (!r->takes_names) return;
    for (int i = 0; i < count; i++) {
        node_read *node = items[i].node;
        free(node->names);
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
    for (int i = 0; i < count; i++)
        if (!reader_is_second(items, i)) r->repeat[r->repeat_count++] = items[i];
}

int reader_is_second(const read_item *items, int place) {
    return place > 0 && items[place].node == items[place - 1].node;
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
