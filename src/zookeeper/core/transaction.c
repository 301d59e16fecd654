/* Transactions ("multi", op 14) of any operations that change nodes, all or nothing.
 *
 * They are written by raw_request.c's means and not by zoo_amulti, which knows neither create2 nor
 * containers nor TTLs, wants room for every result beforehand, and reports a bad path as a
 * marshalling error of nothing in particular.
 */
#include "handle.h"
#include "path.h"
#include "transaction.h"

#include <stdlib.h>
#include <string.h>

static transaction *transaction_of(raw_request *raw) {
    return (transaction *)((char *)raw - offsetof(transaction, raw));
}

long operation_size(const zk_handle *handle, const operation *op) {
    if (op->size) return op->size;
    long size = 9 /* MultiHeader */ + 4 + (long)strlen(handle->chroot) + (long)strlen(op->path);
    switch (op->op) {
    case OP_DELETE:
    case OP_CHECK:
        return size + 4;
    case OP_SET_DATA:
        return size + 4 + (op->length > 0 ? op->length : 0) + 4;
    default:
        size += 4 + (op->length > 0 ? op->length : 0) + 4 /* flags */ + 8 /* ttl */ + 4 /* acl count */;
        for (int i = 0; i < op->acl->count; i++)
            size += 12 + (long)strlen(op->acl->data[i].id.scheme) + (long)strlen(op->acl->data[i].id.id);
        return size;
    }
}

static int write_operation(struct oarchive *out, const operation *op, char *path) {
    struct buffer data = {op->length, (char *)op->data};
    switch (op->op) {
    case OP_DELETE: {
        struct DeleteRequest request = {path, op->version};
        return serialize_DeleteRequest(out, "request", &request);
    }
    case OP_CHECK: {
        struct CheckVersionRequest request = {path, op->version};
        return serialize_CheckVersionRequest(out, "request", &request);
    }
    case OP_SET_DATA: {
        struct SetDataRequest request = {path, data, op->version};
        return serialize_SetDataRequest(out, "request", &request);
    }
    case OP_CREATE_TTL: {
        struct CreateTTLRequest request = {path, data, *op->acl, op->flags, op->ttl};
        return serialize_CreateTTLRequest(out, "request", &request);
    }
    default: {
        struct CreateRequest request = {path, data, *op->acl, op->flags};
        return serialize_CreateRequest(out, "request", &request);
    }
    }
}

static int write_ops(raw_request *raw, struct oarchive *out) {
    transaction *t = transaction_of(raw);
    for (int i = 0; i < t->count; i++) {
        t->results[i].op = t->ops[i].op; /* the operations themselves may be gone when the answer comes */
        struct MultiHeader header = {t->ops[i].op, 0, -1};
        if (serialize_MultiHeader(out, "header", &header) < 0) return -1;
        char *path = path_with_chroot(raw->handle->chroot, t->ops[i].path);
        int result = write_operation(out, &t->ops[i], path);
        free(path);
        if (result < 0) return -1;
    }
    struct MultiHeader end = {-1, 1, -1};
    return serialize_MultiHeader(out, "header", &end);
}

static void keep_path(transaction *t, write_result *result, const char *path) {
    if (path == NULL) return;
    path = path_without_chroot(t->raw.handle->chroot, path);
    result->path = arena_copy(t->memory, path, strlen(path));
}

/* Servers answer the several ways to create a node by one another's types. */
static int creates(int32_t op) {
    return op == OP_CREATE || op == OP_CREATE2 || op == OP_CREATE_CONTAINER || op == OP_CREATE_TTL;
}

/* An operation is answered as what it is, or by an error. */
static int read_result(transaction *t, int i, int32_t type, struct iarchive *in) {
    write_result *result = &t->results[i];
    if (type != OP_ERROR && type != result->op && !(creates(type) && creates(result->op))) return -1;
    result->code = ZOK;
    switch (type) {
    case OP_ERROR: {
        struct ErrorResponse answer = {0};
        if (deserialize_ErrorResponse(in, "result", &answer) < 0) return -1;
        result->code = answer.err;
        if (t->code == ZOK) t->code = answer.err;
        return 0;
    }
    case OP_CREATE: {
        struct CreateResponse answer = {0};
        int code = deserialize_CreateResponse(in, "result", &answer);
        if (code >= 0) keep_path(t, result, answer.path);
        deallocate_CreateResponse(&answer);
        return code;
    }
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL: {
        struct Create2Response answer;
        memset(&answer, 0, sizeof answer);
        int code = deserialize_Create2Response(in, "result", &answer);
        if (code >= 0) {
            keep_path(t, result, answer.path);
            result->stat = answer.stat;
            result->has_stat = 1;
        }
        deallocate_Create2Response(&answer);
        return code;
    }
    case OP_SET_DATA: {
        struct SetDataResponse answer;
        memset(&answer, 0, sizeof answer);
        int code = deserialize_SetDataResponse(in, "result", &answer);
        result->stat = answer.stat;
        result->has_stat = code >= 0;
        return code;
    }
    case OP_DELETE:
    case OP_CHECK:
        return 0;
    default:
        return -1;
    }
}

static int read_results(raw_request *raw, struct iarchive *in, int64_t zxid) {
    (void)zxid;
    transaction *t = transaction_of(raw);
    int has_error = 0; /* where one operation failed, all are answered by errors, some by "ok" */
    for (int i = 0;; i++) {
        struct MultiHeader header = {0, 0, 0};
        if (deserialize_MultiHeader(in, "header", &header) < 0) return -1;
        if (header.done) return i == t->count && !(t->code == ZOK && has_error) ? 0 : -1;
        if (i == t->count || read_result(t, i, header.type, in) < 0) return -1;
        if (header.type == OP_ERROR) has_error = 1;
    }
}

static void transaction_finished(raw_request *raw, int code) {
    transaction *t = transaction_of(raw);
    /* It is not sent again here: a transaction that was lost may have been done. */
    if (code == ZOK)
        service_answered(raw->handle, KNOWS_TRANSACTIONS, raw->sent.bytes);
    else
        service_lost(raw->handle, KNOWS_TRANSACTIONS, raw->sent, code);
    t->failure = code;
    if (code != ZOK) t->code = code;
    /* Operations before the one that failed are undone, and say "ok". */
    for (int i = 0; t->code != ZOK && i < t->count; i++) {
        if (code != ZOK) {
            t->results[i].code = code;
            t->results[i].never_sent = raw_request_never_sent(raw, code);
        } else if (t->results[i].code == ZOK) {
            t->results[i].code = ZRUNTIMEINCONSISTENCY;
        }
    }
    t->ended(t);
}

transaction *transaction_new(const operation *ops, write_result *results, int count, arena *memory) {
    transaction *t = core_zeroed(1, sizeof *t);
    t->ops = ops;
    t->results = results;
    t->count = count;
    t->memory = memory;
    return t;
}

int transaction_send(zk_handle *handle, transaction *t) {
    for (int i = 0; i < t->count; i++) t->raw.sent.bytes += operation_size(handle, &t->ops[i]);
    if (service_refuses(handle, KNOWS_TRANSACTIONS)) return ZUNIMPLEMENTED;
    if (service_hangs_up_at(handle, t->raw.sent.bytes)) return ZBADARGUMENTS;
    t->raw.op = OP_MULTI;
    t->raw.write = write_ops;
    t->raw.read_answer = read_results;
    t->raw.finished = transaction_finished;
    return raw_request_send(handle, &t->raw);
}

static void queue_it(transaction *t) {
    if (t->answers == NULL || !completion_queue_push(t->answers, &t->item)) queue_push(t->raw.handle, &t->item);
}

int transaction_submit(zk_handle *handle, const operation *ops, int count, void *context,
                       completion_queue *answers) {
    arena *memory = core_zeroed(1, sizeof *memory);
    write_result *results = core_zeroed((size_t)count, sizeof *results);
    transaction *t = transaction_new(ops, results, count, memory);
    t->item.kind = ITEM_TRANSACTION;
    t->ended = queue_it;
    t->answers = answers;
    t->owner = context;
    int code = transaction_send(handle, t);
    if (code != ZOK) transaction_free(t);
    return code;
}

void transaction_free(transaction *t) {
    arena_free(t->memory);
    free(t->memory);
    free(t->results);
    free(t);
}
