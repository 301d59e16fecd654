/* Bulk writes node by node, for servers that know no transactions (service.c), and of what transactions
 * do not have, which is ACLs.
 *
 * One operation is under way at a time: a later one may only be done when the ones before it have
 * not failed. A check is a look at the node, which says no more than that it was so a moment ago.
 */
#include "codes.h"
#include "handle.h"
#include "write_many.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    bulk_write *owner;
    write_result *result;
    int checked_version; /* of a check, -2: of anything else */
} single_write;

static void keep_result(bulk_write *w, write_result *result, const call *c) {
    core_assert_held(&w->base.lock);
    if (c->value) result->path = arena_copy(&w->memory, c->value, strlen(c->value));
    result->stat = c->stat;
    result->has_stat = c->has_stat;
}

static void write_ended(call *c) {
    single_write *single = c->owner;
    bulk_write *w = single->owner;
    bulk *b = &w->base;
    int code = c->code;
    core_lock(&b->lock);
    if (code == ZOK && single->checked_version >= 0 && c->stat.version != single->checked_version) code = ZBADVERSION;
    single->result->code = code;
    single->result->never_sent = c->never_sent;
    if (code == ZOK) keep_result(w, single->result, c);
    b->outstanding--;
    w->singles--;
    b->done++;
    if (code != ZOK) w->failed = 1;
    if (code_is_of_the_session(code) && b->code == ZOK) b->code = code;
    bulk_advance(b);
    core_unlock(&b->lock);
    free(single);
    bulk_release(b);
}

/* The operation that does alone what the other one does in a transaction. */
static operation alone(const operation *op) {
    operation result = *op;
    if (op->op == OP_CHECK) result.op = OP_EXISTS;
    if (op->op == OP_CREATE_CONTAINER || op->op == OP_CREATE_TTL) result.op = OP_CREATE2;
    return result;
}

int write_alone(bulk_write *w) {
    bulk *b = &w->base;
    core_assert_held(&b->lock);
    operation op = alone(&w->ops[w->next]);
    single_write *single = core_zeroed(1, sizeof *single);
    single->owner = w;
    single->result = &w->results[w->next];
    single->checked_version = w->ops[w->next].op == OP_CHECK ? op.version : -2;
    int code = bulk_submit(b, &op, 0, write_ended, single);
    if (code == ZOK) {
        w->next++;
        w->singles++;
    } else {
        b->code = code;
        single->result->code = code;
        free(single);
    }
    return code;
}

void write_one_by_one(bulk_write *w) {
    bulk *b = &w->base;
    core_assert_held(&b->lock);
    if (b->code != ZOK || b->outstanding || w->next == w->ready || (w->stop && w->failed)) return;
    write_alone(w);
}
