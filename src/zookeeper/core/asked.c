/* Requests on one connection.
 *
 * The bytes that are sent are followed, frame by frame, so that frames.c knows which requests are under
 * way, and of which operation.
 */
#include "asked.h"
#include "bytes.h"
#include "client.h"
#include "memory.h"
#include "write_count.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 4
#define REQUEST_HEAD (LENGTH_BYTES + 8) /* with xid and operation */
#define ANSWER_HEADER 16                /* xid, zxid and error */

void asked_clear(asked *a) {
    free(a->ring);
    a->ring = NULL;
    a->room = a->count = 0;
}

void asked_begin(asked *a) {
    asked_clear(a);
    a->greeted = 0;
    a->sent = 0;
    a->session = 0;
    a->pings = a->auths = a->set_watches = 0;
}

static void ask(asked *a, int32_t xid, int32_t op) {
    if (xid == XID_PING) {
        a->pings++;
    } else if (xid == XID_AUTH) {
        a->auths++;
    } else if (xid == XID_SET_WATCHES) {
        a->set_watches++;
    } else {
        if (a->count == a->room) {
            size_t room = a->room ? a->room * 2 : 64;
            asked_request *larger = core_alloc(room * sizeof *larger);
            for (size_t i = 0; i < a->count; i++) larger[i] = a->ring[(a->first + i) % a->room];
            free(a->ring);
            a->ring = larger;
            a->room = room;
            a->first = 0;
        }
        a->ring[(a->first + a->count++) % a->room] = (asked_request){xid, op};
        write_count_note(op);
    }
}

void asked_sent(asked *a, const char *bytes, size_t count) {
    while (count) {
        size_t wanted = a->greeted ? REQUEST_HEAD : GREETING_HEAD;
        if (a->sent < wanted) {
            size_t part = wanted - a->sent < count ? wanted - a->sent : count;
            memcpy(a->head + a->sent, bytes, part);
            a->sent += part;
            bytes += part;
            count -= part;
            if (a->sent < wanted) return;
            if (a->greeted)
                ask(a, int_at(a->head + LENGTH_BYTES), int_at(a->head + LENGTH_BYTES + 4));
            else
                a->session = long_at(a->head + GREETING_HEAD - 8);
        }
        size_t rest = LENGTH_BYTES + (size_t)int_at(a->head) - a->sent;
        size_t part = rest < count ? rest : count;
        a->sent += part;
        bytes += part;
        count -= part;
        if (part == rest) {
            a->sent = 0;
            a->greeted = 1;
        }
    }
}

static int one_of(long *outstanding) {
    if (*outstanding == 0) return 0;
    --*outstanding;
    return 1;
}

int asked_without_number(asked *a, int32_t xid) {
    switch (xid) {
    case XID_PING: return one_of(&a->pings);
    case XID_AUTH: return one_of(&a->auths);
    case XID_SET_WATCHES: return one_of(&a->set_watches);
    default: return 0;
    }
}

static int is_first(const asked *a, int32_t xid) { return a->count != 0 && a->ring[a->first].xid == xid; }

int asked_is_answered(const asked *a, const char *bytes, size_t count) {
    if (count < LENGTH_BYTES + ANSWER_HEADER) return 0;
    int32_t length = int_at(bytes);
    return length >= ANSWER_HEADER && (size_t)length <= count - LENGTH_BYTES && is_first(a, int_at(bytes + LENGTH_BYTES));
}

int asked_first(asked *a, int32_t xid, int32_t *op) {
    if (!is_first(a, xid)) return 0;
    *op = a->ring[a->first].op;
    a->first = (a->first + 1) % a->room;
    a->count--;
    write_count_note(*op);
    return 1;
}

int asked_later(const asked *a, int32_t xid) {
    for (size_t i = 0; i < a->count; i++)
        if (a->ring[(a->first + i) % a->room].xid == xid) return 1;
    return 0;
}
