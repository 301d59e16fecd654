/* Whether the bytes of an answer are what its request asks for (pure).
 *
 * The C client's functions that read answers leave what they cannot read uninitialised, allocate what
 * they are told to, and their results are ignored. They can read an answer that has passed here.
 * More bytes than needed are fine: later servers may add to an answer.
 */
#include "answers.h"
#include "client.h"
#include "codes.h"

#include <arpa/inet.h>
#include <string.h>

#define STAT_BYTES 68

typedef struct {
    const char *at, *end;
    int is_bad;
} cursor;

static int skip(cursor *c, size_t count) {
    if (c->is_bad || (size_t)(c->end - c->at) < count) {
        c->is_bad = 1;
        return 0;
    }
    c->at += count;
    return 1;
}

static int32_t take_int(cursor *c) {
    uint32_t value = 0;
    if (skip(c, sizeof value)) memcpy(&value, c->at - sizeof value, sizeof value);
    return (int32_t)ntohl(value);
}

static void take_stat(cursor *c) { skip(c, STAT_BYTES); }

/* Data may be null, which has a length of -1. */
static void take_data(cursor *c) {
    int32_t length = take_int(c);
    if (length < -1)
        c->is_bad = 1;
    else if (length > 0)
        skip(c, (size_t)length);
}

/* Text may not: the C client cannot read it, nor tell a null character from the end. */
static void take_text(cursor *c) {
    int32_t length = take_int(c);
    if (length < 0)
        c->is_bad = 1;
    else if (skip(c, (size_t)length) && memchr(c->at - length, 0, (size_t)length))
        c->is_bad = 1;
}

static void take_path(cursor *c) {
    const char *start = c->at;
    take_text(c);
    if (!c->is_bad && (c->at - start < 5 || start[4] != '/')) c->is_bad = 1;
}

/* A child has a name, and one without a slash: it would be another node's path. */
static void take_name(cursor *c) {
    const char *start = c->at;
    take_text(c);
    if (c->is_bad) return;
    start += 4;
    if (c->at == start || memchr(start, '/', (size_t)(c->at - start))) c->is_bad = 1;
}

static void take_vector(cursor *c, void (*take)(cursor *)) {
    int32_t count = take_int(c);
    if (count < 0) c->is_bad = 1;
    for (int32_t i = 0; i < count && !c->is_bad; i++) take(c);
}

static void take_identity(cursor *c) {
    take_text(c);
    take_text(c);
}

static void take_acl_entry(cursor *c) {
    take_int(c);
    take_identity(c);
}

static void take_answer(cursor *c, int32_t op);

/* A MultiHeader before each result, and a last one that says so. */
static void take_results(cursor *c) {
    while (!c->is_bad) {
        int32_t type = take_int(c);
        int is_end = skip(c, 1) && c->at[-1];
        take_int(c);
        if (c->is_bad || is_end) return;
        if (type == OP_ERROR)
            c->is_bad |= code_is_of_a_client(take_int(c));
        else if (type == OP_MULTI || type == OP_MULTI_READ)
            c->is_bad = 1;
        else
            take_answer(c, type);
    }
}

static void take_answer(cursor *c, int32_t op) {
    switch (op) {
    case OP_CREATE:
    case OP_SYNC:
        take_path(c);
        break;
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL:
        take_path(c);
        take_stat(c);
        break;
    case OP_EXISTS:
    case OP_SET_DATA:
        take_stat(c);
        break;
    case OP_GET_DATA:
        take_data(c);
        take_stat(c);
        break;
    case OP_GET_ACL:
        take_vector(c, take_acl_entry);
        take_stat(c);
        break;
    case OP_GET_CHILDREN:
        take_vector(c, take_name);
        break;
    case OP_GET_CHILDREN2:
        take_vector(c, take_name);
        take_stat(c);
        break;
    case OP_RECONFIG:
        take_data(c);
        take_stat(c);
        break;
    case OP_GET_EPHEMERALS:
        take_vector(c, take_path);
        break;
    case OP_GET_ALL_CHILDREN_NUMBER:
        take_int(c);
        break;
    case OP_WHO_AM_I:
        take_vector(c, take_identity);
        break;
    case OP_MULTI:
    case OP_MULTI_READ:
        take_results(c);
        break;
    }
}

int answer_fits(int32_t op, const char *body, size_t size) {
    cursor c = {body, body + size, 0};
    take_answer(&c, op);
    return !c.is_bad;
}

int event_fits(const char *body, size_t size) {
    cursor c = {body, body + size, 0};
    take_int(&c); /* type */
    take_int(&c); /* state */
    take_text(&c);
    return !c.is_bad;
}
