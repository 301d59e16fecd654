/* Limits that a service has turned out to have: operations, and sizes of requests.
 *
 * A server that does not know an operation may say so (UNIMPLEMENTED), hang up, or not answer. A
 * request over its jute.maxbuffer makes it hang up, too. To send the same again after each reconnect
 * would be an attack on the servers, by each of their clients. So a lost connection is a *strike*
 * against the operation that waited for an answer on it, and an answer clears the operation. From
 * the second strike in a row the request is made smaller (sizes.c), and when it is small already, or no
 * larger than others that were answered, the operation is left out: its work is done node by node.
 *
 * An operation that has been answered within the hour is never left out for lost connections: they are the
 * network's fault, or that of a server that dies. Its callers get errors. But the watches that a reconnect
 * sets again have no caller, and connections that end because of them would do so for the hour. They are
 * set one by one for a minute.
 *
 * A request that a server just does not answer would wait for the session timeout, with everything
 * that comes after it: answers come in order, so the C client waits as for a hung server. After a
 * part of the timeout a probe is sent behind it. If the probe is answered first, the C client finds
 * the order wrong and ends the connection, which is a strike. A server that is merely slow answers
 * both, in order.
 *
 * One strike is nothing, as networks fail. A strike counts only if the request can have reached a
 * server, once for each connection, and if the request went out after the strike before: what many
 * handles wait for is lost together when a network fails. It is taken back if the same server cannot be
 * reached at once: that one dies, or is started anew. (Other requests that are lost with it say nothing: a
 * server ends the connection as it reads the length of one that is too large, and answers none of those
 * before it.)
 *
 * Where nothing takes an operation's place, programs would get
 * errors for a bad network: it takes more strikes there, and the verdict holds for a minute. After it
 * one strike renews the verdict, so that a server that does hang up loses one connection a minute.
 *
 * The knowledge belongs to the servers and not to a handle: a server that never resumes sessions
 * gets a new handle after each loss. All handles of a connection string share it, those to come
 * included. Servers get upgraded: what was learned an hour ago is tried anew by the next handle.
 */
#include "handle.h"
#include "locks.h"
#include "log.h"
#include "memory.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

/* Strikes in a row after which an operation is left out: of one that has worked before, or that nothing
 * replaces, more. */
#define STRIKES 2
#define MORE_STRIKES 4

/* The part of a session timeout after which a request is probed for. */
#define DOUBT_PARTS 4

#define BELIEVED_NS (3600 * INT64_C(1000000000))

/* So long a broken connection speaks against what nothing replaces. */
#define DOUBTED_NS (60 * INT64_C(1000000000))

/* Services that no handle uses any more are forgotten beyond so many. */
#define MAX_SERVICES 100

static const struct {
    const char *operation, *instead;
    int is_missed;  /* nothing takes its place */
    int is_unasked; /* a reconnect sends it by itself */
} words[ABILITIES] = {
    {"MultiRead", "nodes are read one by one", 0, 0},
    {"SetWatches", "watches are set one by one", 0, 1},
    {"transactions", "bulk writes are done node by node", 0, 0},
    {"RemoveWatches", "watches stay until they fire", 0, 0},
    {"AddWatch", "no watch can stay", 1, 0},
    {"SetWatches2", "watches that stay are set again one by one", 0, 1},
    {"GetEphemerals", "it is not asked", 1, 0},
    {"GetAllChildrenNumber", "it is not asked", 1, 0},
    {"WhoAmI", "it is not asked", 1, 0},
};

static core_mutex services_lock = CORE_MUTEX(LOCK_SERVICES);
static service *services;

/* Whether that was not long ago. */
static int is_believed(int64_t at) { return at && core_now() <= at + BELIEVED_NS; }

/* Answers of late stay known. */
static void begin_anew(service *s) {
    s->learned = 0;
    sizes_begin_anew(&s->sizes);
    for (int i = 0; i < ABILITIES; i++) {
        s->abilities[i].strikes = 0;
        if (!is_believed(s->abilities[i].answered_at)) s->abilities[i].answered_at = 0;
        s->abilities[i].refused_until = s->abilities[i].struck_at = 0;
    }
}

/* The unused one that was added first goes, if there are many. With the lock held. */
static void forget_one(void) {
    core_assert_held(&services_lock);
    int count = 0;
    service **oldest = NULL;
    for (service **link = &services; *link; link = &(*link)->next) {
        count++;
        if ((*link)->handles == 0) oldest = link;
    }
    if (count < MAX_SERVICES || oldest == NULL) return;
    service *gone = *oldest;
    *oldest = gone->next;
    free(gone);
}

service *service_of(const char *hosts) {
    core_lock(&services_lock);
    service *s = services;
    while (s && strcmp(s->hosts, hosts) != 0) s = s->next;
    if (s == NULL) {
        forget_one();
        size_t size = strlen(hosts) + 1;
        s = core_zeroed(1, sizeof *s + size);
        memcpy(s->hosts, hosts, size);
        begin_anew(s);
        s->next = services;
        services = s;
    } else if (s->learned && !is_believed(s->learned)) {
        begin_anew(s);
    }
    s->handles++;
    core_unlock(&services_lock);
    return s;
}

void service_release(service *s) {
    if (s == NULL) return;
    core_lock(&services_lock);
    s->handles--;
    core_unlock(&services_lock);
}

void service_after_fork(void) { core_mutex_init(&services_lock, LOCK_SERVICES); }

int service_refuses(const zk_handle *handle, ability which) {
    int64_t until = handle->service->abilities[which].refused_until;
    return until && core_now() < until;
}

int service_is_proven(const zk_handle *handle, ability which) {
    service *s = handle->service;
    return s->abilities[which].answered_at && s->abilities[which].strikes == 0;
}

long service_piece_bytes(const zk_handle *handle) { return handle->service->sizes.piece; }

int service_hangs_up_at(const zk_handle *handle, long bytes) {
    long limit = handle->service->sizes.hung_up_at;
    return limit && bytes >= limit;
}

void service_took(zk_handle *handle, long bytes) {
    if (bytes <= SMALL_REQUEST) return;
    request_sizes *sizes = &handle->service->sizes;
    int64_t now = core_now();
    if (!sizes_is_news(sizes, bytes, now)) return;
    core_lock(&services_lock);
    sizes_note_answer(sizes, bytes, now);
    core_unlock(&services_lock);
}

void service_answered(zk_handle *handle, ability which, long bytes) {
    service *s = handle->service;
    s->abilities[which].answered_at = core_now();
    s->abilities[which].strikes = 0;
    service_took(handle, bytes);
}

static void refuse(service *s, ability which, const char *evidence) {
    if (s->abilities[which].refused_until == INT64_MAX) return;
    s->abilities[which].refused_until = INT64_MAX;
    s->learned = core_now();
    log_say(ZOO_LOG_LEVEL_WARN, "service", "%.100s: the server does not know %s (%s), so %s", s->hosts,
            words[which].operation, evidence, words[which].instead);
}

/* For a while. */
static void refuse_in_doubt(service *s, ability which) {
    s->abilities[which].refused_until = core_now() + DOUBTED_NS;
    log_say(ZOO_LOG_LEVEL_WARN, "service", "%.100s: the connection breaks at each %s, so %s for a minute", s->hosts,
            words[which].operation, words[which].instead);
}

static void say_of_sizes(const service *s, ability which, long bytes) {
    log_say(ZOO_LOG_LEVEL_WARN, "service",
            "%.100s: the server hangs up at %s of %ld bytes (its jute.maxbuffer?), so requests are cut at %ld",
            s->hosts, words[which].operation, bytes, (long)s->sizes.piece);
}

void service_unknown(zk_handle *handle, ability which, const char *evidence) {
    refuse(handle->service, which, evidence);
}

/* A connection has ended at the request: whether to try it again, with what follows from that. */
static int strike(zk_handle *handle, ability which, long bytes, int is_sure) {
    core_assert_held(&services_lock);
    service *s = handle->service;
    int strikes = ++s->abilities[which].strikes;
    int64_t answered_at = s->abilities[which].answered_at, now = core_now();
    if (sizes_may_be_limited(&s->sizes, bytes, now)) {
        handle->struck_large = handle->connections;
        if (!sizes_note_loss(&s->sizes, bytes, now, is_sure, which == KNOWS_TRANSACTIONS)) return !answered_at;
        s->learned = now;
        say_of_sizes(s, which, bytes);
    } else if (strikes < STRIKES) {
        return !answered_at;
    } else if (is_believed(answered_at)) {
        if (strikes < MORE_STRIKES || !words[which].is_unasked) return 0;
        refuse_in_doubt(s, which);
    } else if (words[which].is_missed) {
        if (strikes < MORE_STRIKES || answered_at) return 0;
        refuse_in_doubt(s, which);
    } else {
        if (strikes < (answered_at ? MORE_STRIKES : STRIKES)) return 0;
        refuse(s, which, "the connection breaks each time");
    }
    return 1;
}

int service_lost(zk_handle *handle, ability which, dispatch sent, int code) {
    service *s = handle->service;
    if (code == ZUNIMPLEMENTED) {
        service_unknown(handle, which, "it says so");
        return 1;
    }
    long connection = handle->connections, sent_on = sent.connection + !sent.was_connected;
    if (code != ZCONNECTIONLOSS || !(sent.was_connected || connection != sent.connection)) return 0;
    core_lock(&services_lock);
    int again = 1, is_refused = service_refuses(handle, which);
    int counts = handle->struck[which] != connection && handle->excused < sent_on;
    if (!is_refused && counts && sent.at > s->abilities[which].struck_at) {
        handle->struck[which] = connection;
        s->abilities[which].struck_at = core_now();
        again = strike(handle, which, sent.bytes, handle->alive_on >= sent_on);
    } else if (!is_refused && s->abilities[which].strikes < STRIKES) {
        again = !s->abilities[which].answered_at;
    }
    core_unlock(&services_lock);
    return again;
}

void service_excuse(zk_handle *handle) {
    service *s = handle->service;
    long connection = handle->connections;
    core_lock(&services_lock);
    if (handle->excused < connection) {
        handle->excused = connection;
        for (int i = 0; i < ABILITIES; i++)
            if (handle->struck[i] == connection && s->abilities[i].strikes) s->abilities[i].strikes--;
        if (handle->struck_large == connection) sizes_excuse(&s->sizes);
    }
    core_unlock(&services_lock);
}

void service_note_alive(zk_handle *handle) {
    if (handle->alive_on != handle->connections) handle->alive_on = handle->connections;
}

void service_note_dispatch(const zk_handle *handle, dispatch *sent) {
    core_assert_held(&handle->submit);
    sent->at = core_now();
    sent->connection = handle->connections;
    sent->was_connected = zoo_state(handle->zh) == ZOO_CONNECTED_STATE;
}

void service_doubt(zk_handle *handle) {
    if (handle->doubtful++ == 0) handle->doubted_at = core_now();
}

void service_trust(zk_handle *handle) {
    handle->doubted_at = core_now();
    handle->doubtful--;
}

int service_wants_probe(zk_handle *handle, int64_t *left) {
    *left = 0;
    if (handle->doubtful == 0 || zoo_state(handle->zh) != ZOO_CONNECTED_STATE) return 0;
    int64_t patience = (int64_t)handle->session_timeout * 1000000 / DOUBT_PARTS;
    *left = handle->doubted_at + patience - core_now();
    if (*left > 0) return 0;
    handle->doubted_at = core_now();
    *left = patience;
    return 1;
}
