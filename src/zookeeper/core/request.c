/* The operations of the C client's API, each an asynchronous request of it.
 *
 * To add one: a case in `hand_over`, and if its answer is of a new shape a completion that keeps it in
 * the call. The number of the operation is in client.h, and the shape of its answer in answers.c,
 * which checks the answer before the C client reads it.
 */
#include "credentials.h"
#include "handle.h"
#include "memory.h"
#include "raw_request.h"
#include "request.h"
#include "standing.h"

#include <string.h>

/* The handle is closed, so news of a connection may still be on their way: it may have been sent. */
static void finish_call(pending *p, int code) {
    call *c = (call *)((char *)p - offsetof(call, request));
    c->may_be_sent = 1;
    call_ended(c, code);
}

/* ---- the C client's completions: on its I/O thread (completions.c) or a leader, once for each request ---- */

static void keep_stat(call *c, const struct Stat *stat) {
    if (stat == NULL) return;
    c->stat = *stat;
    c->has_stat = 1;
}

static void keep_value(call *c, const char *value, size_t length) {
    c->value = core_alloc(length + 1);
    memcpy(c->value, value, length);
    c->value[length] = 0;
    c->length = (int)length;
}

static call *call_answered(const void *data) {
    call *c = (call *)data;
    pending_done(c->handle, &c->request);
    return c;
}

static void call_void_done(int code, const void *data) { call_ended(call_answered(data), code); }

static void call_stat_done(int code, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) keep_stat(c, stat);
    call_ended(c, code);
}

static void call_data_done(int code, const char *value, int length, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) {
        if (value && length >= 0) keep_value(c, value, (size_t)length);
        keep_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_path_stat_done(int code, const char *path, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) {
        if (path) keep_value(c, path, strlen(path));
        keep_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_path_done(int code, const char *path, const void *data) {
    call_path_stat_done(code, path, NULL, data);
}

static void call_names_done(int code, const struct String_vector *names, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK && names) {
        allocate_String_vector(&c->names, names->count);
        for (int i = 0; i < names->count; i++) c->names.data[i] = core_copy(names->data[i]);
        keep_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_acl_done(int code, struct ACL_vector *acl, struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK && acl) {
        allocate_ACL_vector(&c->acl, acl->count);
        for (int i = 0; i < acl->count; i++) {
            const struct ACL *entry = &acl->data[i];
            c->acl.data[i].perms = entry->perms;
            c->acl.data[i].id.scheme = core_copy(entry->id.scheme ? entry->id.scheme : "");
            c->acl.data[i].id.id = core_copy(entry->id.id ? entry->id.id : "");
        }
        keep_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_removal_done(int code, const void *data) {
    call *c = call_answered(data);
    service_trust(c->handle);
    if (code == ZOK || code == ZNOWATCHER)
        service_answered(c->handle, KNOWS_REMOVE_WATCHES, 0);
    else
        service_lost(c->handle, KNOWS_REMOVE_WATCHES, c->sent, pending_code(c->handle, code));
    call_ended(c, code);
}

/* ---- sending ----------------------------------------------------------------------------------- */

static int remove_watches(call *c, const operation *op) {
    if (service_refuses(c->handle, KNOWS_REMOVE_WATCHES)) return ZUNIMPLEMENTED;
    /* Not zoo_aremove_watches: with a watcher it only asks the server whether there is a watch. And
     * never its local form: it takes our call for a structure of its own and writes to it. */
    int code = zoo_aremove_all_watches(c->handle->zh, op->path, (ZooWatcherType)op->flags, 0,
                                       (void_completion_t *)call_removal_done, c);
    if (code == ZOK) service_doubt(c->handle);
    return code;
}

/* Call the C client's function for the operation, with `submit` held. */
static int hand_over(call *c, const operation *op) {
    core_assert_held(&c->handle->submit);
    zhandle_t *zh = c->handle->zh;
    watcher_fn watcher = c->watched ? queue_node_event : NULL;
    switch (op->op) {
    case OP_CREATE:
        return zoo_acreate_ttl(zh, op->path, op->data, op->length, op->acl, op->flags, op->ttl, call_path_done, c);
    case OP_CREATE2:
        return zoo_acreate2_ttl(zh, op->path, op->data, op->length, op->acl, op->flags, op->ttl,
                                call_path_stat_done, c);
    case OP_DELETE: return zoo_adelete(zh, op->path, op->version, call_void_done, c);
    case OP_EXISTS: return zoo_awexists(zh, op->path, watcher, NULL, call_stat_done, c);
    case OP_GET_DATA: return zoo_awget(zh, op->path, watcher, NULL, call_data_done, c);
    case OP_GET_CONFIG: return zoo_awgetconfig(zh, watcher, NULL, call_data_done, c);
    case OP_SET_DATA: return zoo_aset(zh, op->path, op->data, op->length, op->version, call_stat_done, c);
    case OP_GET_CHILDREN2: return zoo_awget_children2(zh, op->path, watcher, NULL, call_names_done, c);
    case OP_GET_ACL: return zoo_aget_acl(zh, op->path, call_acl_done, c);
    /* Its prototype is not const here; it only reads. */
    case OP_SET_ACL:
        return zoo_aset_acl(zh, op->path, op->version, (struct ACL_vector *)op->acl, call_void_done, c);
    case OP_SYNC: return zoo_async(zh, op->path, call_path_done, c);
    case OP_AUTH: return credential_add(c, op->scheme, op->data, op->length);
    case OP_REMOVE_WATCHES: return remove_watches(c, op);
    case OP_RECONFIG:
        return zoo_areconfig(zh, op->joining, op->leaving, op->members, op->config, call_data_done, c);
    default: return ZUNIMPLEMENTED;
    }
}

/* The I/O thread has nothing to do with a plain call before its answer comes. It has a part in the others: a
 * probe (service.c), the end of credentials, deadlines (bulk.c). */
static sends_itself offer_of(const call *c, const operation *op) {
    if (c->ended || op->op == OP_AUTH || op->op == OP_REMOVE_WATCHES) return SENDS_NONE;
    return c->waiting ? SENDS_ALL : SENDS_ALONE;
}

int call_submit(call *c, const operation *op) {
    int code = pending_begin(c->handle, &c->request, finish_call);
    if (code != ZOK) return code;
    c->references++;
    service_note_dispatch(c->handle, &c->sent);
    c->sent.bytes = op->length;
    c->may_be_sent = c->sent.was_connected || zoo_state(c->handle->zh) == ZOO_READONLY_STATE;
    if (c->watched) c->covered = standing_cover(c->handle, op->op, op->path);
    raw_request_without_watch(c->covered != 0);
    wakeups_offer(offer_of(c, op));
    code = hand_over(c, op);
    wakeups_offer(SENDS_NONE);
    c->lead = rests_lead();
    raw_request_without_watch(0);
    code = pending_sent(c->handle, &c->request, code);
    if (code != ZOK) call_release(c);
    return code;
}
