/* Calls of operations on one node that the C client lacks: AddWatch and its removal, and some reads.
 *
 * To add one: its ability (service.c), its request and its answer here, and its answer in answers.c.
 */
#include "handle.h"
#include "memory.h"
#include "path.h"
#include "raw_call.h"
#include "raw_request.h"
#include "set_watches.h"
#include "standing.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    raw_request raw;
    call *c;
    const operation *op; /* good until it has been written */
    ability needed;
    char *path;          /* as the server knows it; ours */
} raw_call;

static raw_call *raw_call_of(raw_request *raw) { return (raw_call *)((char *)raw - offsetof(raw_call, raw)); }

static int ability_for(int32_t op) {
    switch (op) {
    case OP_ADD_WATCH:
    case OP_REMOVE_STANDING: return KNOWS_STANDING_WATCHES;
    case OP_GET_EPHEMERALS: return KNOWS_EPHEMERALS;
    case OP_GET_ALL_CHILDREN_NUMBER: return KNOWS_CHILDREN_NUMBER;
    case OP_WHO_AM_I: return KNOWS_WHO_AM_I;
    default: return ABILITIES;
    }
}

int raw_call_knows(const operation *op) { return ability_for(op->op) != ABILITIES; }

static int write_path_and_number(const raw_call *r, struct oarchive *out, const char *name, int32_t number) {
    int result = out->serialize_String(out, "path", (char **)&r->path);
    return result < 0 ? result : out->serialize_Int(out, name, &number);
}

static int write_raw_call(raw_request *raw, struct oarchive *out) {
    raw_call *r = raw_call_of(raw);
    zk_handle *handle = raw->handle;
    r->c->sent = raw->sent;
    switch (r->op->op) {
    case OP_ADD_WATCH:
        standing_put(handle, r->op->path, r->op->flags);
        return write_path_and_number(r, out, "mode", r->op->flags);
    case OP_REMOVE_STANDING:
        standing_withdraw(handle, r->op->path);
        return write_path_and_number(r, out, "type", ZWATCHTYPE_ANY);
    case OP_WHO_AM_I: return 0;
    default: return out->serialize_String(out, "path", &r->path);
    }
}

static int is_at_or_below(const char *path, const char *root) {
    size_t length = strlen(root);
    return length == 1 || (strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/'));
}

/* The server compares characters, and so gives nodes whose names only begin alike, too. */
static int keep_ephemerals(const raw_call *r, struct iarchive *in) {
    struct GetEphemeralsResponse answer = {{0, NULL}};
    int result = deserialize_GetEphemeralsResponse(in, "answer", &answer);
    if (result >= 0) {
        struct String_vector *kept = &r->c->names;
        allocate_String_vector(kept, answer.ephemerals.count);
        kept->count = 0;
        for (int32_t i = 0; i < answer.ephemerals.count; i++) {
            const char *path = answer.ephemerals.data[i];
            if (is_at_or_below(path, r->path))
                kept->data[kept->count++] = core_copy(path_without_chroot(r->raw.handle->chroot, path));
        }
    }
    deallocate_GetEphemeralsResponse(&answer);
    return result;
}

static int keep_identities(const raw_call *r, struct iarchive *in) {
    struct WhoAmIResponse answer = {{0, NULL}};
    int result = deserialize_WhoAmIResponse(in, "answer", &answer);
    if (result >= 0) {
        allocate_ACL_vector(&r->c->acl, answer.clientInfo.count);
        for (int32_t i = 0; i < answer.clientInfo.count; i++) {
            r->c->acl.data[i].perms = 0;
            r->c->acl.data[i].id.scheme = core_copy(answer.clientInfo.data[i].authScheme);
            r->c->acl.data[i].id.id = core_copy(answer.clientInfo.data[i].user);
        }
    }
    deallocate_WhoAmIResponse(&answer);
    return result;
}

static int read_raw_call(raw_request *raw, struct iarchive *in, int64_t zxid) {
    (void)zxid;
    raw_call *r = raw_call_of(raw);
    switch (raw->op) {
    case OP_GET_EPHEMERALS: return keep_ephemerals(r, in);
    case OP_WHO_AM_I: return keep_identities(r, in);
    case OP_GET_ALL_CHILDREN_NUMBER: return in->deserialize_Int(in, "number", &r->c->number);
    default: return 0;
    }
}

static void raw_call_done(raw_request *raw, int code) {
    raw_call *r = raw_call_of(raw);
    zk_handle *handle = raw->handle;
    if (r->needed == KNOWS_STANDING_WATCHES && raw->op == OP_ADD_WATCH)
        standing_put_ended(handle, r->path, code);
    else if (r->needed == KNOWS_STANDING_WATCHES)
        standing_withdrawal_ended(handle, r->path, code);
    if (code == ZOK || code == ZNONODE || code == ZNOAUTH || code == ZNOWATCHER)
        service_answered(handle, r->needed, 0);
    else
        service_lost(handle, r->needed, raw->sent, code);
    r->c->may_be_sent = raw->may_be_sent;
    call_ended(r->c, code);
    free(r->path);
    free(r);
}

/* A recursive watch ends that of the children, which is needed: set it again behind the former. */
static void watch_children_again(zk_handle *handle, const char *path) {
    set_watches *again = set_watches_new(handle, handle->last_zxid);
    set_watches_add(again, WATCH_LIST_CHILDREN, path);
    bulk_start(&again->base);
    bulk_release(&again->base);
}

int raw_call_submit(call *c, const operation *op) {
    zk_handle *handle = c->handle;
    ability needed = (ability)ability_for(op->op);
    if (service_refuses(handle, needed)) return ZUNIMPLEMENTED;
    raw_call *r = core_zeroed(1, sizeof *r);
    r->c = c;
    r->op = op;
    r->needed = needed;
    r->path = op->path ? path_with_chroot(handle->chroot, op->path) : NULL;
    r->raw.op = op->op == OP_REMOVE_STANDING ? OP_REMOVE_WATCHES : op->op;
    r->raw.write = write_raw_call;
    r->raw.read_answer = read_raw_call;
    r->raw.finished = raw_call_done;
    c->references++;
    int code = raw_request_send(handle, &r->raw);
    if (code != ZOK) {
        free(r->path);
        free(r);
        call_release(c);
    } else if (op->op == OP_ADD_WATCH && op->flags == STANDING_RECURSIVE && op->children_too) {
        watch_children_again(handle, op->path);
    }
    return code;
}
