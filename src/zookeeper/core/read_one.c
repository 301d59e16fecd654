/* Reads one by one, many at a time (pipelined), for servers that do not know MultiRead (service.c), and
 * of what it does not have, which is ACLs. */
#include "codes.h"
#include "handle.h"
#include "raw_request.h"
#include "reader.h"
#include "request.h"

#include <stdlib.h>

#define PIPELINED_IN_FLIGHT 1000

typedef struct {
    reader *reader;
    read_item item;
} single_read;

static void keep_answer(reader *r, const read_item *item, call *c) {
    core_assert_held(&r->base.lock);
    item->node->code = c->code;
    if (c->code == ZOK && item->op == OP_GET_DATA)
        reader_keep_data(r, item->node, c->value, c->length, &c->stat);
    else if (c->code == ZOK && item->op == OP_GET_ACL)
        reader_keep_acl(r, item->node, &c->acl, &c->stat);
    else if (c->code == ZOK)
        reader_keep_names(r, item->node, &c->names);
    reader_note_zxid(r, raw_request_answer_zxid());
    reader_answered(r, item, 1);
}

/* A server that does not know MultiRead may say so and hang up. Reads that went out behind it are lost
 * then, and are sent once more, as the MultiRead would have been: it counts only if it was sent by that
 * connection. */
static int is_lost_with_the_refusal(const reader *r, const call *c) {
    return c->code == ZCONNECTIONLOSS && r->refused_on && c->sent.was_connected &&
           c->sent.connection == r->refused_on;
}

static void read_ended(call *c) {
    single_read *single = c->owner;
    reader *r = single->reader;
    bulk *b = &r->base;
    core_lock(&b->lock);
    b->outstanding--;
    if (!code_is_fatal(c->code) || c->code == ZBADARGUMENTS)
        keep_answer(r, &single->item, c);
    else if (b->code == ZOK && is_lost_with_the_refusal(r, c))
        reader_repeat(r, &single->item, 1);
    else if (b->code == ZOK)
        b->code = c->code;
    bulk_advance(b);
    core_unlock(&b->lock);
    free(single);
    bulk_release(b);
}

/* Send the read of one node. */
static int send_read(reader *r, const read_item *item) {
    single_read *single = core_zeroed(1, sizeof *single);
    single->reader = r;
    single->item = *item;
    operation look = {.op = item->op == OP_GET_CHILDREN ? OP_GET_CHILDREN2 : item->op, .path = item->node->path};
    int code = bulk_submit(&r->base, &look, 0, read_ended, single);
    if (code != ZOK) free(single);
    return code;
}

void read_one_by_one(reader *r) {
    bulk *b = &r->base;
    core_assert_held(&b->lock);
    read_item item;
    while (b->code == ZOK && b->outstanding < PIPELINED_IN_FLIGHT && reader_take(r, &item, 1, PIECE_BYTES)) {
        int code = send_read(r, &item);
        if (code == ZBADARGUMENTS) {
            item.node->code = code;
            reader_answered(r, &item, 1);
        } else if (code != ZOK) {
            b->code = code;
        }
    }
}
