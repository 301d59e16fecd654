/* Many writes: transactions of a few hundred operations, in order, several in flight.
 *
 * The server handles a session's requests in the order they were sent, so a transaction may rely on
 * the ones before it although their answers are not there yet. Later operations may even be written
 * down while the first ones are on their way.
 */
#include "handle.h"
#include "write_many.h"

#include <stdlib.h>

static void batch_written(transaction *t) {
    bulk_write *w = t->owner;
    bulk *b = &w->base;
    core_lock(&b->lock);
    b->outstanding--;
    if (t->failure == ZUNIMPLEMENTED && w->divisible) {
        /* None of it was done, nor of what is under way behind it: it is done in another way. */
        long first = t->ops - w->ops;
        if (first < w->next) w->next = first;
    } else {
        b->done += t->count;
        if (t->code != ZOK) w->failed = 1;
        if (t->failure != ZOK && b->code == ZOK) b->code = t->failure;
    }
    free(t);
    bulk_advance(b);
    core_unlock(&b->lock);
    bulk_release(b);
}

/* Whether the next operation is none of transactions, which no server has it in. */
static int is_single(const bulk_write *w, long index) { return w->ops[index].op == OP_SET_ACL; }

/* Where those of the next operation's kind end: no transaction has operations of the serial kind and others. */
static long end_of_kind(const bulk_write *w) { return w->next < w->serial ? w->serial : w->count; }

/* Where those end that are written down, of the next one's kind. */
static long end_of_ready(const bulk_write *w) {
    long end = end_of_kind(w);
    return w->ready < end ? w->ready : end;
}

/* Whether the next transaction can be told: it is full, or the last one of its kind. */
static int is_ready(const bulk_write *w) {
    long ready = end_of_ready(w);
    if (w->next >= ready) return 0;
    return is_single(w, w->next) || w->next + w->batch <= ready || ready == end_of_kind(w);
}

/* Whether nothing may be sent before one of those under way is answered. */
static int is_full(const bulk_write *w) {
    return w->base.done < w->serial ? w->base.outstanding > 0 : w->base.outstanding >= w->in_flight;
}

/* A server that hangs up at less gets less, unless it has to be one transaction. */
static long most_bytes(const bulk_write *w) {
    long piece = service_piece_bytes(w->base.handle);
    return w->divisible && piece < PIECE_BYTES && piece < w->batch_bytes ? piece : w->batch_bytes;
}

/* Send the next operations as a transaction. */
static int send_batch(bulk_write *w) {
    bulk *b = &w->base;
    long count = 0, bytes = 0, most = most_bytes(w), ready = end_of_ready(w);
    while (w->next + count < ready && count < w->batch && !is_single(w, w->next + count)) {
        bytes += operation_size(b->handle, &w->ops[w->next + count]);
        if (count && bytes > most) break;
        count++;
    }
    transaction *t = transaction_new(&w->ops[w->next], &w->results[w->next], (int)count, &w->memory);
    t->ended = batch_written;
    t->owner = w;
    bulk_retain(b);
    b->outstanding++;
    int code = transaction_send(b->handle, t);
    if (code == ZOK) {
        w->next += count;
        return ZOK;
    }
    b->outstanding--;
    free(t);
    bulk_release(b);
    /* Other threads, and other handles, learn of the service meanwhile: that it takes no transaction, or none as
     * large as it was when `most` was asked for. One operation is not made smaller. */
    if (w->divisible && (code == ZUNIMPLEMENTED || (code == ZBADARGUMENTS && count > 1))) return ZOK;
    b->code = code;
    w->results[w->next].code = code; /* it says why nothing was sent any more */
    return code;
}

static void pump_writes(bulk *b) {
    core_assert_held(&b->lock);
    bulk_write *w = (bulk_write *)b;
    int code = ZOK;
    while (code == ZOK) {
        if (w->divisible && service_refuses(b->handle, KNOWS_TRANSACTIONS)) {
            write_one_by_one(w);
            return;
        }
        if (b->code != ZOK || is_full(w) || !is_ready(w) || (w->stop && w->failed)) return;
        /* Those of the other kind are over first: what is behind a transaction may be done again. */
        if (is_single(w, w->next) ? b->outstanding > w->singles : w->singles > 0) return;
        code = is_single(w, w->next) ? write_alone(w) : send_batch(w);
    }
}

int bulk_write_ready(bulk_write *w, long count) {
    bulk *b = &w->base;
    core_lock(&b->lock);
    w->ready = count;
    bulk_advance(b);
    int is_over = b->over;
    core_unlock(&b->lock);
    return !is_over;
}

static int all_written(bulk *b) {
    bulk_write *w = (bulk_write *)b;
    return w->next == w->count || (w->stop && w->failed);
}

static void dispose_writes(bulk *b) {
    bulk_write *w = (bulk_write *)b;
    arena_free(&w->memory);
    free(w);
}

bulk_write *bulk_write_new(zk_handle *handle, const operation *ops, long count, long batch,
                           long batch_bytes, int in_flight, long serial, int stop, int divisible) {
    bulk_write *w = calloc(1, sizeof *w + sizeof(write_result) * (size_t)count);
    if (w == NULL) return NULL; /* the announced count is more than memory can hold */
    bulk_init(&w->base, handle, pump_writes, all_written, dispose_writes);
    w->ops = ops;
    w->count = count;
    w->batch = batch;
    w->batch_bytes = batch_bytes;
    w->in_flight = in_flight;
    w->serial = serial;
    w->divisible = divisible;
    w->stop = stop;
    for (long i = 0; i < count; i++) w->results[i].code = ZNOTHING;
    return w;
}
