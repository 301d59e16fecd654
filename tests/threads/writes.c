/* Many writes to a service of which another thread learns something in the middle of a transaction's making.
 *
 * Standard input: how many operations there are, each of 100 bytes. The argument is what is learned when the second
 * transaction is about to be sent: `small` (transactions of 1,000 bytes make the servers hang up), `none` (they know
 * no transactions), or `tiny` (they hang up at one operation). Printed is how many operations each transaction has,
 * `1` for each that goes alone, and the code in the end. */
#include "handle.h"
#include "write_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 100 };

static const char *learned;
static int sends, refuses_all;
static long piece = PIECE_BYTES, limit = PIECE_BYTES;

int service_refuses(const zk_handle *handle, ability which) {
    (void)handle, (void)which;
    return refuses_all;
}

long service_piece_bytes(const zk_handle *handle) {
    (void)handle;
    return piece;
}

long operation_size(const zk_handle *handle, const operation *op) {
    (void)handle, (void)op;
    return SIZE;
}

transaction *transaction_new(const operation *ops, write_result *results, int count, arena *memory) {
    transaction *t = core_zeroed(1, sizeof *t);
    t->ops = ops, t->results = results, t->count = count, t->memory = memory;
    return t;
}

/* It is done at once. */
int transaction_send(zk_handle *handle, transaction *t) {
    (void)handle;
    if (++sends == 2) {
        refuses_all = strcmp(learned, "none") == 0;
        piece = strcmp(learned, "tiny") ? 900 : SIZE / 2;
        limit = strcmp(learned, "tiny") ? 1000 : SIZE;
    }
    if (refuses_all) return ZUNIMPLEMENTED;
    if (t->count * SIZE >= limit) return ZBADARGUMENTS;
    printf("%d ", t->count);
    bulk *b = &((bulk_write *)t->owner)->base;
    b->outstanding--;
    b->done += t->count;
    free(t);
    return ZOK;
}

int write_alone(bulk_write *w) {
    w->next++;
    printf("1 ");
    return ZOK;
}

void write_one_by_one(bulk_write *w) {
    while (w->next < w->ready) write_alone(w);
}

void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *), void (*dispose)(bulk *)) {
    b->handle = handle, b->pump = pump, b->complete = complete, b->dispose = dispose;
    core_mutex_init(&b->lock, LOCK_BULK);
}

void bulk_retain(bulk *b) { (void)b; }
void bulk_release(bulk *b) { (void)b; }
void bulk_advance(bulk *b) { b->pump(b); }

int main(int count, char **arguments) {
    learned = arguments[count - 1];
    long total = 0;
    if (scanf("%ld", &total) != 1) return 2;
    operation *ops = core_zeroed((size_t)total, sizeof *ops);
    for (long i = 0; i < total; i++) ops[i].op = OP_CREATE;
    bulk_write *w = bulk_write_new(NULL, ops, total, 50, PIECE_BYTES, 4, 0, 1, 1);
    bulk_write_ready(w, total);
    printf("code %d\n", w->base.code);
    w->base.dispose(&w->base);
    free(ops);
    return 0;
}
