/* Limits that a service has turned out to have: operations, and sizes of requests.
 *
 * A server that does not know an operation may say so (UNIMPLEMENTED), hang up, or not answer. A
 * request over its jute.maxbuffer makes it hang up, too. To send the same again after each reconnect
 * would be an attack on the servers, by each of their clients. So a lost connection is a *strike*
 * against the operation that waited for an answer on it, and an answer clears the operation. From
 * the second strike in a row the request is made smaller, and when it is small already the operation
 * is left out: its work is done node by node.
 *
 * A request that a server just does not answer would wait for the session timeout, with everything
 * that comes after it: answers come in order, so the C client waits as for a hung server. After a
 * part of the timeout a probe is sent behind it. If the probe is answered first, the C client finds
 * the order wrong and ends the connection, which is a strike. A server that is merely slow answers
 * both, in order.
 *
 * One strike is nothing, as networks fail. A strike counts only if the request can have reached a
 * server, once for each connection, and if the request went out after the strike before: what many
 * handles wait for is lost together when a network fails. Where nothing takes an operation's place, programs would get
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

/* A request of so many bytes is not what a server finds too large. */
#define SMALL_REQUEST 4000
#define SHRINK 4

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
    int is_missed; /* nothing takes its place */
} words[ABILITIES] = {
    {"MultiRead", "nodes are read one by one", 0},
    {"SetWatches", "watches are set one by one", 0},
    {"transactions", "bulk writes are done node by node", 0},
    {"RemoveWatches", "watches stay until they fire", 0},
    {"AddWatch", "no watch can stay", 1},
    {"SetWatches2", "watches that stay are set again one by one", 0},
    {"GetEphemerals", "it is not asked", 1},
    {"GetAllChildrenNumber", "it is not asked", 1},
    {"WhoAmI", "it is not asked", 1},
};

static core_mutex services_lock = CORE_MUTEX(LOCK_SERVICES);
static service *services;

static void begin_anew(service *s) {
    s->learned = 0;
    s->piece_bytes = PIECE_BYTES;
    s->hung_up_at = 0;
    for (int i = 0; i < ABILITIES; i++) {
        s->abilities[i].strikes = s->abilities[i].works = 0;
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
    } else if (s->learned && core_now() > s->learned + BELIEVED_NS) {
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
    return s->abilities[which].works && s->abilities[which].strikes == 0;
}

long service_piece_bytes(const zk_handle *handle) { return handle->service->piece_bytes; }

int service_hangs_up_at(const zk_handle *handle, long bytes) {
    long limit = handle->service->hung_up_at;
    return limit && bytes >= limit;
}

void service_answered(zk_handle *handle, ability which) {
    service *s = handle->service;
    s->abilities[which].works = 1;
    s->abilities[which].strikes = 0;
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

static void shrink(service *s, ability which, long bytes) {
    long smaller = (bytes < s->piece_bytes ? bytes : s->piece_bytes) / SHRINK;
    if (s->hung_up_at == 0 || bytes < s->hung_up_at) s->hung_up_at = bytes;
    s->piece_bytes = smaller > SMALL_REQUEST ? smaller : SMALL_REQUEST;
    s->learned = core_now();
    log_say(ZOO_LOG_LEVEL_WARN, "service",
            "%.100s: the server hangs up at %s of %ld bytes (its jute.maxbuffer?), so requests are cut at %ld",
            s->hosts, words[which].operation, bytes, s->piece_bytes);
}

void service_unknown(zk_handle *handle, ability which, const char *evidence) {
    refuse(handle->service, which, evidence);
}

int service_lost(zk_handle *handle, ability which, dispatch sent, int code) {
    service *s = handle->service;
    if (code == ZUNIMPLEMENTED) {
        service_unknown(handle, which, "it says so");
        return 1;
    }
    long connection = handle->connections;
    if (code != ZCONNECTIONLOSS || !(sent.was_connected || connection != sent.connection)) return 0;
    core_lock(&services_lock);
    int again = 1, is_refused = service_refuses(handle, which);
    if (!is_refused && handle->struck[which] != connection && sent.at > s->abilities[which].struck_at) {
        handle->struck[which] = connection;
        s->abilities[which].struck_at = core_now();
        int strikes = ++s->abilities[which].strikes;
        int works = s->abilities[which].works, is_missed = words[which].is_missed;
        if (strikes < STRIKES)
            again = !works;
        else if (sent.bytes > SMALL_REQUEST)
            shrink(s, which, sent.bytes);
        else if (strikes < (works || is_missed ? MORE_STRIKES : STRIKES) || (works && is_missed))
            again = 0;
        else if (is_missed)
            refuse_in_doubt(s, which);
        else
            refuse(s, which, "the connection breaks each time");
    } else if (!is_refused && s->abilities[which].strikes < STRIKES) {
        again = !s->abilities[which].works;
    }
    core_unlock(&services_lock);
    return again;
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
