/* Many reads in one request: MultiRead (op 22, servers from 3.6), pipelined single reads elsewhere.
 *
 * A server that does not know the operation drops the connection as a rule, which looks like any
 * connection loss (service.c). So a MultiRead goes out alone until one has been answered. If the
 * connection is lost under it, it is sent once more.
 *
 * Answers have no size limit, and the server builds each in memory. The number of reads in a request
 * therefore shrinks when nodes turn out to be large.
 */
#include "bytes.h"
#include "handle.h"
#include "memory.h"
#include "multi_read.h"
#include "path.h"
#include "raw_request.h"

#include <stdlib.h>
#include <string.h>

#define MAX_READS 500        /* in one request */
#define FIRST_READS 50        /* in one request, before the size of answers is known */
#define REQUESTS_IN_FLIGHT 8
#define STAT_BYTES 68
#define HEADER_BYTES 9        /* in front of one read's answer: its type, whether that is none but the end, an error */
#define HEAD_BYTES 80         /* of one read's answer, but for data or names */

typedef struct {
    raw_request raw;
    reader *reader;
    int count;
    int read;         /* how many have been answered */
    int64_t zxid;
    int measured;     /* how many reads the next figure is of */
    size_t bytes;     /* of their answers */
    read_item items[];
} read_batch;

static read_batch *batch_of(raw_request *raw) { return (read_batch *)((char *)raw - offsetof(read_batch, raw)); }

static int write_batch(raw_request *raw, struct oarchive *out) {
    read_batch *batch = batch_of(raw);
    int32_t watch = 0;
    for (int i = 0; i < batch->count; i++) {
        struct MultiHeader header = {batch->items[i].op, 0, -1};
        if (serialize_MultiHeader(out, "header", &header) < 0) return -1;
        if (path_write(raw->handle->chroot, out, batch->items[i].node->path) < 0) return -1;
        if (out->serialize_Bool(out, "watch", &watch) < 0) return -1;
    }
    struct MultiHeader end = {-1, 1, -1};
    return serialize_MultiHeader(out, "header", &end);
}

/* The part of an answer's body that is left. */
typedef struct {
    const char *at, *end;
} unread;

/* The next so many bytes; NULL: there are fewer. */
static const char *take(unread *in, size_t size) {
    const char *start = in->at;
    if ((size_t)(in->end - start) < size) return NULL;
    in->at += size;
    return start;
}

/* A length, and what it says to follow, which nothing does for -1; NULL: there is less. */
static const char *take_counted(unread *in, int32_t *length) {
    const char *at = take(in, 4);
    if (at == NULL) return NULL;
    *length = int_at(at);
    return *length < -1 ? NULL : take(in, *length > 0 ? (size_t)*length : 0);
}

static void read_stat(struct Stat *stat, const char *at) {
    memset(stat, 0, sizeof *stat); /* between its fields as well: it is handed out as bytes */
    stat->czxid = long_at(at);
    stat->mzxid = long_at(at + 8);
    stat->ctime = long_at(at + 16);
    stat->mtime = long_at(at + 24);
    stat->version = int_at(at + 32);
    stat->cversion = int_at(at + 36);
    stat->aversion = int_at(at + 40);
    stat->ephemeralOwner = long_at(at + 44);
    stat->dataLength = int_at(at + 52);
    stat->numChildren = int_at(at + 56);
    stat->pzxid = long_at(at + 60);
}

static int read_data(read_batch *batch, node_read *node, unread *in) {
    int32_t length;
    struct Stat stat;
    const char *data = take_counted(in, &length), *at = take(in, STAT_BYTES);
    if (data == NULL || at == NULL) return -1;
    read_stat(&stat, at);
    batch->bytes += reader_keep_data(batch->reader, node, data, length, &stat);
    return 0;
}

static int read_names(read_batch *batch, node_read *node, unread *in) {
    core_assert_held(&batch->reader->base.lock);
    const char *at = take(in, 4);
    int32_t count = at ? int_at(at) : -1, length;
    if (count < 0 || (in->end - in->at) / 4 < count) return -1;
    const char *first = in->at;
    for (int32_t i = 0; i < count; i++)
        if (take_counted(in, &length) == NULL || length < 0) return -1;
    node->names = reader_room_for_names(batch->reader, count, (size_t)(in->at - first));
    node->names_count = count;
    unread names = {first, in->at};
    char *to = (char *)(node->names + count);
    for (int32_t i = 0; i < count; i++) {
        const char *name = take_counted(&names, &length);
        node->names[i] = memcpy(to, name, (size_t)length);
        to[length] = 0;
        to += length + 1;
    }
    /* Where it is foreseen how many names come, they make no other reads fewer: those of one wide node would. */
    if (batch->reader->takes_names) {
        batch->measured--;
        batch->bytes -= HEAD_BYTES;
    } else {
        batch->bytes += (size_t)(in->at - first);
    }
    return 0;
}

/* The answers of one request, one by one. Called with the lock held. */
static int read_answers(read_batch *batch, unread *in) {
    core_assert_held(&batch->reader->base.lock);
    for (;;) {
        const char *header = take(in, HEADER_BYTES);
        if (header == NULL) return -1;
        int32_t type = int_at(header);
        if (header[4]) return batch->read == batch->count ? 0 : -1;
        if (batch->read == batch->count) return -1;
        int place = batch->read++, code = ZOK;
        read_item *item = &batch->items[place];
        batch->measured++;
        batch->bytes += HEAD_BYTES;
        if (type == OP_ERROR) {
            const char *at = take(in, 4);
            /* One that is none would pass for a node without data, or without children. */
            if (at == NULL || (code = int_at(at)) == ZOK) return -1;
        } else if (type == OP_GET_DATA && item->op == OP_GET_DATA) {
            if (read_data(batch, item->node, in) < 0) return -1;
        } else if (type == OP_GET_CHILDREN && item->op == OP_GET_CHILDREN) {
            if (read_names(batch, item->node, in) < 0) return -1;
        } else {
            return -1;
        }
        /* A node that vanishes or comes between its two reads is what the first one says it is, or gone. */
        if (reader_is_second(batch->items, place) && item->node->code != ZOK) continue;
        item->node->code = code;
    }
}

static int read_batch_answer(raw_request *raw, struct iarchive *in, int64_t zxid) {
    read_batch *batch = batch_of(raw);
    size_t size;
    const char *body = raw_request_body(in, &size);
    if (body == NULL) return -1;
    unread left = {body, body + size};
    core_lock(&batch->reader->base.lock);
    batch->zxid = zxid;
    int result = read_answers(batch, &left);
    core_unlock(&batch->reader->base.lock);
    return result;
}

static void note_size(reader *r, const read_batch *batch) {
    core_assert_held(&r->base.lock);
    if (batch->measured == 0) return;
    double mean = (double)batch->bytes / batch->measured;
    r->answer_bytes = r->answer_bytes > mean ? (r->answer_bytes * 3 + mean) / 4 : mean;
}

static void batch_done(raw_request *raw, int code) {
    read_batch *batch = batch_of(raw);
    reader *r = batch->reader;
    bulk *b = &r->base;
    core_lock(&b->lock);
    b->outstanding--;
    if (code != ZOK) reader_forget_names(r, batch->items, batch->count);
    if (code == ZOK) {
        service_answered(b->handle, KNOWS_MULTI_READ, raw->sent.bytes);
        reader_note_zxid(r, batch->zxid);
        note_size(r, batch);
        reader_answered(r, batch->items, batch->count);
    } else if (b->code == ZOK) {
        if (code == ZUNIMPLEMENTED) r->refused_on = b->handle->connections;
        if (service_lost(b->handle, KNOWS_MULTI_READ, raw->sent, code))
            reader_repeat(r, batch->items, batch->count);
        else
            b->code = code;
    }
    bulk_advance(b);
    core_unlock(&b->lock);
    free(batch);
    bulk_release(b);
}

static int reads_in_a_request(const reader *r) {
    if (r->answer_bytes == 0) return FIRST_READS;
    double fits = ANSWER_BYTES / r->answer_bytes;
    return fits < 1 ? 1 : fits > MAX_READS ? MAX_READS : (int)fits;
}

static void pump_batches(reader *r) {
    bulk *b = &r->base;
    int in_flight = service_is_proven(b->handle, KNOWS_MULTI_READ) ? REQUESTS_IN_FLIGHT : 1;
    while (b->code == ZOK && b->outstanding < in_flight) {
        int most = reads_in_a_request(r);
        read_batch *batch = core_zeroed(1, sizeof *batch + sizeof(read_item) * (size_t)most);
        batch->count = reader_take(r, batch->items, most, (int)service_piece_bytes(b->handle));
        if (batch->count == 0) {
            free(batch);
            break;
        }
        batch->raw.op = OP_MULTI_READ;
        batch->raw.write = write_batch;
        batch->raw.read_answer = read_batch_answer;
        batch->raw.finished = batch_done;
        batch->reader = r;
        for (int i = 0; i < batch->count; i++) batch->raw.sent.bytes += reader_read_size(r, &batch->items[i]);
        bulk_retain(b);
        b->outstanding++;
        int code = raw_request_send(b->handle, &batch->raw);
        if (code != ZOK) {
            b->outstanding--;
            b->code = code;
            free(batch);
            bulk_release(b); /* never the last one: our caller has its own */
        }
    }
}

static void pump_reads(bulk *b) {
    core_assert_held(&b->lock);
    reader *r = (reader *)b;
    if (r->alone || service_refuses(b->handle, KNOWS_MULTI_READ))
        read_one_by_one(r);
    else
        pump_batches(r);
}

void reader_init(reader *r, zk_handle *handle, int (*complete)(bulk *), void (*dispose)(bulk *)) {
    bulk_init(&r->base, handle, pump_reads, complete, dispose);
}
