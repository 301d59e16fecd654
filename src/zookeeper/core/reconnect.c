/* The C client's own SetWatches after a reconnect, on its I/O thread.
 *
 * It sends all watches in one request; over about 1 MB (40,000 watches) the server closes the
 * connection, and the client tries again for ever (ZOOKEEPER-706). So it sends the first piece alone,
 * and the rest is sent when it is connected (set_watches.c).
 *
 * The library relies on this: after a reconnect it reads what fires, and nothing else. So until the
 * server has confirmed all of it, a further reconnect must not use a newer zxid, though answers to
 * other requests have come; and where the server refuses a part of it, the connection is ended, as no
 * program would hear that its watches are gone.
 *
 * Watches that stay are not the C client's (standing.c). They are set behind its own request, which
 * would end them otherwise, and before anything else that a watcher asks for on the new connection.
 *
 * Where the server does not know the operation (service.c), the C client's request becomes a ping, and
 * all of its watches are the rest.
 */
#include "codes.h"
#include "handle.h"
#include "log.h"
#include "memory.h"
#include "reconnect.h"
#include "set_watches.h"
#include "standing.h"

#include <string.h>
#include <sys/socket.h>

/* For `set_watches_refused`: the connection has been ended because of it. */
#define ENDED 1

int __real_lock_watchers(zhandle_t *zh);
int __wrap_lock_watchers(zhandle_t *zh);
int __real_serialize_SetWatches(struct oarchive *out, const char *tag, struct SetWatches *v);
int __wrap_serialize_SetWatches(struct oarchive *out, const char *tag, struct SetWatches *v);

/* It locks its watches right before it collects and writes them: so we learn whose they are. */
static __thread zhandle_t *locked_by_this_thread;

int __wrap_lock_watchers(zhandle_t *zh) {
    locked_by_this_thread = zh;
    return __real_lock_watchers(zh);
}

/* A part of the watches of that reconnect is set again, or why not. */
static void part_ended(zk_handle *handle, long generation, int code) {
    core_lock(&handle->set_watches_lock);
    if (handle->set_watches_generation == generation) {
        if (code == ZOK) {
            if (--handle->set_watches_unconfirmed == 0) handle->set_watches_zxid = 0;
        } else if (!code_is_of_a_client(code)) {
            handle->set_watches_refused = code;
        }
    }
    core_unlock(&handle->set_watches_lock);
}

/* Keeps of `all` what fits into a request and copies the others to `rest`; those of the children also
 * where a recursive watch, which is set in between, would end them. */
static struct String_vector cut(zk_handle *handle, const struct String_vector *all, long *room, set_watches *rest, int list) {
    core_assert_held(&handle->submit);
    struct String_vector first = {0, all->data};
    while (first.count < all->count && *room > 0) *room -= (long)strlen(all->data[first.count++]) + 4;
    for (int32_t i = 0; i < all->count; i++)
        if (i >= first.count || (list == WATCH_LIST_CHILDREN && standing_is_recursive(handle, all->data[i])))
            set_watches_add_path(rest, list, core_copy(all->data[i]));
    return first;
}

static __thread int leaving_out;

int reconnect_leave_out(void) {
    zk_handle *handle = (zk_handle *)zoo_get_context(locked_by_this_thread);
    leaving_out = service_refuses(handle, KNOWS_SET_WATCHES);
    return leaving_out;
}

static long copy_paths(set_watches *s, int list, const struct String_vector *paths) {
    long bytes = 0;
    for (int32_t i = 0; i < paths->count; i++) {
        char *path = core_copy(paths->data[i]);
        set_watches_add_path(s, list, path);
        bytes += (long)strlen(path) + 4;
    }
    return bytes;
}

/* Until it is known that the service knows the operation, what was asked for is kept. With the lock
 * held; what was kept before, to be released without it. */
static set_watches *keep_sent(zk_handle *handle, const struct SetWatches *request) {
    core_assert_held(&handle->set_watches_lock);
    set_watches *before = handle->set_watches_sent;
    set_watches *sent = set_watches_new(handle, request->relativeZxid);
    long bytes = copy_paths(sent, WATCH_LIST_DATA, &request->dataWatches);
    bytes += copy_paths(sent, WATCH_LIST_EXISTS, &request->existWatches);
    bytes += copy_paths(sent, WATCH_LIST_CHILDREN, &request->childWatches);
    sent->generation = handle->set_watches_generation;
    sent->ended = part_ended;
    handle->set_watches_sent = sent;
    if (handle->set_watches_unanswered == 0) service_doubt(handle);
    handle->set_watches_unanswered = bytes;
    handle->set_watches_at = core_now();
    return before;
}

static int has_paths(const set_watches *s) {
    for (int list = 0; list < ONE_TIME_LISTS; list++)
        if (s->lists[list].count) return 1;
    return 0;
}

int __wrap_serialize_SetWatches(struct oarchive *out, const char *tag, struct SetWatches *all) {
    zk_handle *handle = (zk_handle *)zoo_get_context(locked_by_this_thread);
    core_lock(&handle->submit);
    core_lock(&handle->set_watches_lock);
    set_watches *superseded = handle->set_watches_rest;
    set_watches *sent_before = NULL;
    handle->set_watches_rest = NULL;
    struct SetWatches request = *all;
    if (handle->set_watches_zxid && handle->set_watches_zxid < request.relativeZxid)
        request.relativeZxid = handle->set_watches_zxid;
    set_watches *rest = set_watches_new(handle, request.relativeZxid);
    long room = leaving_out ? 0 : service_piece_bytes(handle);
    request.dataWatches = cut(handle, &all->dataWatches, &room, rest, WATCH_LIST_DATA);
    request.existWatches = cut(handle, &all->existWatches, &room, rest, WATCH_LIST_EXISTS);
    request.childWatches = cut(handle, &all->childWatches, &room, rest, WATCH_LIST_CHILDREN);
    handle->set_watches_generation++;
    handle->set_watches_refused = 0;
    handle->set_watches_zxid = request.relativeZxid;
    int left = has_paths(rest);
    if (left) {
        rest->generation = handle->set_watches_generation;
        rest->ended = part_ended;
        handle->set_watches_rest = rest;
    }
    handle->set_watches_unconfirmed = !leaving_out + left;
    if (!leaving_out) sent_before = keep_sent(handle, &request);
    core_unlock(&handle->set_watches_lock);
    core_unlock(&handle->submit);
    if (!left) bulk_release(&rest->base);
    if (superseded) bulk_release(&superseded->base);
    if (sent_before) bulk_release(&sent_before->base);
    return leaving_out ? 0 : __real_serialize_SetWatches(out, tag, &request);
}

static set_watches *take_sent(zk_handle *handle) {
    core_lock(&handle->set_watches_lock);
    set_watches *sent = handle->set_watches_sent;
    handle->set_watches_sent = NULL;
    if (handle->set_watches_unanswered) service_trust(handle);
    handle->set_watches_unanswered = 0;
    handle->set_watches_redo = 0;
    core_unlock(&handle->set_watches_lock);
    return sent;
}

void reconnect_note_lost(zk_handle *handle) {
    handle->set_watches_refused = 0;
    if (handle->set_watches_unanswered == 0) return;
    dispatch sent = {handle->connections, 1, handle->set_watches_unanswered, handle->set_watches_at};
    service_lost(handle, KNOWS_SET_WATCHES, sent, pending_code(handle, ZCONNECTIONLOSS));
    set_watches *lost = take_sent(handle);
    if (lost) bulk_release(&lost->base);
}

/* It is the first request on its connection, save for credentials, and answers come in order: any
 * other request's answer says that there will be none. */
void reconnect_note_answer(zk_handle *handle, const struct ReplyHeader *header) {
    if (handle->set_watches_unanswered == 0 || handle->set_watches_refused) return;
    if (header->xid == XID_SET_WATCHES && header->err == ZOK) {
        service_answered(handle, KNOWS_SET_WATCHES, handle->set_watches_unanswered);
        set_watches *sent = take_sent(handle);
        if (sent == NULL) return;
        part_ended(handle, sent->generation, ZOK);
        bulk_release(&sent->base);
    } else if (header->xid == XID_SET_WATCHES && header->err == ZUNIMPLEMENTED) {
        service_unknown(handle, KNOWS_SET_WATCHES, "it says so");
        handle->set_watches_redo = 1;
    } else if (header->xid == XID_SET_WATCHES && header->err != ZSESSIONCLOSEDREQUIRESASLAUTH) {
        /* At that one the server hangs up. The end is a strike: a server that refuses it each time is
         * asked for the watches one by one. */
        handle->set_watches_refused = header->err;
    } else if (header->xid > 0 && header->zxid > 0) {
        service_unknown(handle, KNOWS_SET_WATCHES, "it answers what comes after");
        handle->set_watches_redo = 1;
    }
}

void reconnect_attend(zk_handle *handle) {
    int code = handle->set_watches_refused;
    if (code < 0 && handle->connection.fd >= 0) {
        log_say(ZOO_LOG_LEVEL_WARN, "reconnect",
                "the server does not set the watches again (%s): the connection is ended", zerror(code));
        handle->set_watches_refused = ENDED;
        shutdown(handle->connection.fd, SHUT_RDWR);
    }
    if (code || !handle->set_watches_redo) return;
    set_watches *sent = take_sent(handle);
    if (sent == NULL) return;
    bulk_start(&sent->base);
    bulk_release(&sent->base);
}

static void add_standing(const char *server_path, int32_t mode, void *context) {
    set_watches_add_path(context, WATCH_LIST_PERSISTENT + mode, core_copy(server_path));
}

void reconnect_send_standing(zk_handle *handle) {
    set_watches *all = NULL;
    core_lock(&handle->submit);
    if (handle->standing) {
        all = set_watches_new(handle, 0);
        standing_each(handle, add_standing, all);
    }
    core_unlock(&handle->submit);
    if (all == NULL) return;
    if (service_refuses(handle, KNOWS_STANDING_WATCHES))
        standing_give_up(handle);
    else
        bulk_start(&all->base);
    bulk_release(&all->base);
}

void reconnect_send_rest(zk_handle *handle) {
    core_lock(&handle->set_watches_lock);
    set_watches *rest = handle->set_watches_rest;
    handle->set_watches_rest = NULL;
    core_unlock(&handle->set_watches_lock);
    if (rest == NULL) return;
    bulk_start(&rest->base);
    bulk_release(&rest->base);
}

void reconnect_clear(zk_handle *handle) {
    if (handle->set_watches_rest) bulk_release(&handle->set_watches_rest->base);
    handle->set_watches_rest = NULL;
    if (handle->set_watches_sent) bulk_release(&handle->set_watches_sent->base);
    handle->set_watches_sent = NULL;
}
