/* Credentials (add_auth): each is given to the C client once, which sends it first whenever it connects.
 *
 * The C client's own ways with them are dangerous. It calls their completions with its lock held, when
 * a connection is lost: ours take `submit`, under which others take that lock. It refuses them between
 * two attempts to connect, although the session goes on. It keeps what it is given as often as it is
 * given, and sends all of it each time. And it tells of one answer only, be it that the connection was
 * lost.
 *
 * So it is given no completions. Credentials that it will not take yet are kept here until it does;
 * the same one is given once. After each round of the I/O thread (completions.c) calls that wait for an
 * answer hear of it: the answer, which headers.c sees passing, or the loss of the connection.
 * After a loss the credential is still sent with the next connection; a caller that wants
 * to hear of that adds it again, which is idempotent.
 */
#include "credentials.h"
#include "handle.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct credential {
    struct credential *next;
    int given;    /* the C client has it */
    int accepted; /* by the server of the connection that there is */
    int length;
    char *scheme;
    char secret[];
} credential;

/* All of these are guarded by submit, and none of it is done with a lock of the C client held. */

static credential *known(zk_handle *handle, const char *scheme, const char *secret, int length) {
    core_assert_held(&handle->submit);
    for (credential *k = handle->credentials; k; k = k->next)
        if (k->length == length && strcmp(k->scheme, scheme) == 0 && memcmp(k->secret, secret, (size_t)length) == 0)
            return k;
    return NULL;
}

static credential *keep(zk_handle *handle, const char *scheme, const char *secret, int length) {
    core_assert_held(&handle->submit);
    credential *k = core_zeroed(1, sizeof *k + (size_t)length + 1);
    k->length = length;
    memcpy(k->secret, secret, (size_t)length);
    k->scheme = core_alloc(strlen(scheme) + 1);
    strcpy(k->scheme, scheme);
    credential **last = &handle->credentials;
    while (*last) last = &(*last)->next;
    *last = k;
    handle->credentials_count++;
    handle->credentials_kept++;
    return k;
}

/* Whether a part of a request is on its way, with the lock `sending`. */
static int is_within_request(const connection *c) { return c->fd >= 0 && c->frames.asked.sent; }

/* The C client puts a credential in front of all that it has yet to send, also of the rest of a request: the
 * secret would become data of a node. So it gets one between two requests, while nobody sends. Otherwise the
 * next round of the I/O thread tries again. */
static void give(zk_handle *handle, zhandle_t *zh, credential *k) {
    core_assert_held(&handle->submit);
    if (!transport_try_enter(handle)) return;
    int code = ZINVALIDSTATE;
    if (!is_within_request(&handle->connection))
        code = zoo_add_auth(zh, k->scheme, k->secret, k->length, NULL, NULL);
    transport_leave();
    /* Another error is about the sending: the C client has it by then, and sends it as it connects. */
    if (code == ZINVALIDSTATE || code == ZSYSTEMERROR) return;
    k->given = 1;
    handle->credentials_kept--;
}

/* Of the I/O thread: whether it has seen an answer to a credential since it last looked, and which: the
 * first that is an error, or ZOK. */
static __thread struct {
    int seen, code;
} auth_answer;

void credentials_note_answer(int code) {
    auth_answer.seen = 1;
    if (auth_answer.code == ZOK) auth_answer.code = code;
}

static int take_auth_answer(int *code) {
    int seen = auth_answer.seen;
    *code = auth_answer.code;
    auth_answer.seen = 0;
    auth_answer.code = ZOK;
    return seen;
}

int credential_add(call *c, const char *scheme, const char *secret, int length) {
    zk_handle *handle = c->handle;
    core_assert_held(&handle->submit);
    if (zoo_state(handle->zh) < 0) return ZINVALIDSTATE;
    credential *k = known(handle, scheme, secret, length);
    if (k == NULL) k = keep(handle, scheme, secret, length);
    if (!k->given) give(handle, handle->zh, k);
    if (!k->given) wakeups_call(&handle->wakeups);
    if (k->accepted) {
        pending_unlist(handle, &c->request);
        call_ended(c, ZOK);
    } else {
        c->credential = k;
        c->next_waiting = handle->credentials_waiting;
        handle->credentials_waiting = c;
    }
    return ZOK;
}

static int has_auths_under_way(zk_handle *handle) {
    core_lock(&handle->sending);
    long count = handle->connection.frames.asked.auths;
    core_unlock(&handle->sending);
    return count != 0;
}

/* Whether a round of the I/O thread has brought an end, and the code of it. */
static int has_ended(zk_handle *handle, int state, int code, int *end) {
    connection *c = &handle->connection;
    int answer;
    int answered = take_auth_answer(&answer);
    int lost = c->ends != handle->credentials_ends;
    handle->credentials_ends = c->ends;
    *end = ZOK;
    if (answered && answer != ZOK)
        *end = answer;
    else if (state < 0)
        *end = state == ZOO_AUTH_FAILED_STATE ? ZAUTHFAILED : ZSESSIONEXPIRED;
    else if (lost)
        *end = code < 0 ? code : ZCONNECTIONLOSS;
    else
        /* Of several that are under way one may still be refused. */
        return answered && !has_auths_under_way(handle);
    return 1;
}

void credentials_attend(zk_handle *handle, zhandle_t *zh, int code) {
    int state = zoo_state(zh), end;
    int ended = has_ended(handle, state, code, &end);
    if (handle->credentials_count == 0 || !(ended || (handle->credentials_kept && state > 0))) return;
    call *over = NULL;
    core_lock(&handle->submit);
    if (ended) {
        for (credential *k = handle->credentials; k; k = k->next) k->accepted = k->given && end == ZOK;
        for (call **link = &handle->credentials_waiting, *c; (c = *link);) {
            if (!c->credential->given && state >= 0) {
                link = &c->next_waiting;
                continue;
            }
            *link = c->next_waiting;
            pending_unlist(handle, &c->request);
            c->next_waiting = over;
            over = c;
        }
    }
    if (!handle->shut && state > 0)
        for (credential *k = handle->credentials; k; k = k->next)
            if (!k->given) give(handle, zh, k);
    core_unlock(&handle->submit);
    /* The last in the list has waited longest and comes first. */
    while (over) {
        call *next = over->next_waiting;
        call_ended(over, end);
        over = next;
    }
}

void credentials_clear(zk_handle *handle) {
    while (handle->credentials) {
        credential *k = handle->credentials;
        handle->credentials = k->next;
        core_wipe(k->secret, (size_t)k->length);
        free(k->scheme);
        free(k);
    }
}
