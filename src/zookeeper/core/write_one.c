/* Bulk writes node by node, for servers that know no transactions (service.c).
 *
 * One operation is under way at a time: a later one may only be done when the ones before it have
 * not failed. A check is a look at the node, which says no more than that it was so a moment ago.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    pending request;
    bulk_write *owner;
    write_result *result;
    int checked_version; /* of a check, -2: of anything else */
} single_write;

static void write_ended(single_write *single, int code, const char *path, const struct Stat *stat) {
    bulk_write *w = single->owner;
    bulk *b = &w->base;
    write_result *result = single->result;
    code = request_code(b->handle, code);
    pthread_mutex_lock(&b->lock);
    if (code == ZOK && single->checked_version >= 0 && stat->version != single->checked_version) code = ZBADVERSION;
    result->code = code;
    if (code == ZOK && path) result->path = arena_copy(&w->memory, path, strlen(path));
    if (code == ZOK && stat) {
        result->stat = *stat;
        result->has_stat = 1;
    }
    b->outstanding--;
    b->done++;
    if (code != ZOK) w->failed = 1;
    if (code_is_of_the_session(code) && b->code == ZOK) b->code = code;
    bulk_advance(b);
    pthread_mutex_unlock(&b->lock);
    free(single);
    bulk_release(b);
}

static void finish_write(pending *p, int code) {
    write_ended((single_write *)((char *)p - offsetof(single_write, request)), code, NULL, NULL);
}

static single_write *write_answered(const void *data) {
    single_write *single = (single_write *)data;
    request_done(single->owner->base.handle, &single->request);
    return single;
}

static void write_path_done(int code, const char *path, const void *data) { write_ended(write_answered(data), code, path, NULL); }

static void write_path_stat_done(int code, const char *path, const struct Stat *stat, const void *data) {
    write_ended(write_answered(data), code, path, stat);
}

static void write_stat_done(int code, const struct Stat *stat, const void *data) {
    write_ended(write_answered(data), code, NULL, stat);
}

static void write_void_done(int code, const void *data) { write_ended(write_answered(data), code, NULL, NULL); }

static int hand_over(zhandle_t *zh, const write_op *op, single_write *single) {
    switch (op->op) {
    case OP_DELETE: return zoo_adelete(zh, op->path, op->version, write_void_done, single);
    case OP_CHECK: return zoo_aexists(zh, op->path, 0, write_stat_done, single);
    case OP_SET_DATA: return zoo_aset(zh, op->path, op->data, op->length, op->version, write_stat_done, single);
    case OP_CREATE:
        return zoo_acreate(zh, op->path, op->data, op->length, op->acl, op->flags, write_path_done, single);
    default:
        return zoo_acreate2_ttl(zh, op->path, op->data, op->length, op->acl, op->flags, op->ttl, write_path_stat_done,
                                single);
    }
}

void write_one_by_one(bulk_write *w) {
    bulk *b = &w->base;
    zk_handle *handle = b->handle;
    if (b->code != ZOK || b->outstanding || w->next == w->ready || (w->stop && w->failed)) return;
    const write_op *op = &w->ops[w->next];
    single_write *single = core_zeroed(1, sizeof *single);
    single->owner = w;
    single->result = &w->results[w->next];
    single->checked_version = op->op == OP_CHECK ? op->version : -2;
    bulk_retain(b);
    b->outstanding++;
    int code = request_begin(handle, &single->request, finish_write);
    if (code == ZOK) code = request_sent(handle, &single->request, hand_over(handle->zh, op, single));
    if (code == ZOK) {
        w->next++;
        return;
    }
    b->outstanding--;
    b->code = code;
    single->result->code = code;
    free(single);
    bulk_release(b); /* never the last one: our caller has its own */
}
