/* Many watches at once, by SetWatches (op 101).
 *
 * The C client sends this operation by itself after a reconnect, to set its watches again on the new
 * server (reconnect.c). Here thousands of watches are set in one request. Each carries "the last change
 * I know of", a zxid, and the server fires at once where a node has changed since: a read before and a
 * SetWatches after leave no gap. The C client must know of the watches too, or it drops their events;
 * `activateWatcher`, its own function for that, puts them into its tables.
 *
 * Where the server does not know the operation (service.c), watches are set one by one (watch_one.c).
 * So are those that a watch which stays covers (standing.c), as this operation would end it.
 *
 * Watches that stay are set again by SetWatches2 (op 105), which has two lists more. Where it is not
 * known, AddWatch sets each of them, as it did before the reconnect.
 *
 * All of this needs the C client to be the build that setup.py expects: the functions and the
 * structure declared below are its own, and in no installed header.
 */
#include "codes.h"
#include "handle.h"
#include "memory.h"
#include "path.h"
#include "raw_request.h"
#include "set_watches.h"
#include "standing.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_IN_FLIGHT 4

/* Of the C client, src/zk_hashtable.h and src/mt_adaptor.c of 3.4 to 3.9. */
typedef struct _zk_hashtable zk_hashtable;
typedef struct _watcher_registration {
    watcher_fn watcher;
    void *context;
    zk_hashtable *(*checker)(zhandle_t *, int code);
    const char *path;
} watcher_registration_t;
void activateWatcher(zhandle_t *zh, watcher_registration_t *registration, int code);
/* From 3.5 on; takes out all where there is no watcher. */
void removeWatchers(zhandle_t *zh, const char *path, ZooWatcherType type, watcher_fn watcher, void *context);
/* Which table a watch goes into: that of existing nodes for ZOK, of missing ones for ZNONODE. */
zk_hashtable *exists_result_checker(zhandle_t *zh, int code);
zk_hashtable *child_result_checker(zhandle_t *zh, int code);
int lock_watchers(zhandle_t *zh);
int unlock_watchers(zhandle_t *zh);

int __real_serialize_SetWatches(struct oarchive *out, const char *tag, struct SetWatches *v);

void set_watches_add_path(set_watches *s, int which, char *path) {
    watch_list *list = &s->lists[which];
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->paths = core_resize(list->paths, sizeof *list->paths * (size_t)list->capacity);
    }
    list->paths[list->count++] = path;
}

void set_watches_add(set_watches *s, int list, const char *path) {
    set_watches_add_path(s, list, path_with_chroot(s->base.handle->chroot, path));
}

void set_watches_activate(set_watches *s) {
    zk_handle *handle = s->base.handle;
    core_lock(&handle->submit);
    if (!handle->shut) {
        lock_watchers(handle->zh);
        for (int list = 0; list < ONE_TIME_LISTS; list++)
            for (long i = 0; i < s->lists[list].count; i++) {
                watcher_registration_t registration = {
                    queue_node_event, NULL,
                    list == WATCH_LIST_CHILDREN ? child_result_checker : exists_result_checker,
                    s->lists[list].paths[i]};
                activateWatcher(handle->zh, &registration, list == WATCH_LIST_EXISTS ? ZNONODE : ZOK);
            }
        unlock_watchers(handle->zh);
    }
    core_unlock(&handle->submit);
}

void set_watches_forget(zk_handle *handle, const char *path, int kinds) {
    char *server_path = path_with_chroot(handle->chroot, path);
    core_lock(&handle->submit);
    if (!handle->shut) {
        lock_watchers(handle->zh);
        removeWatchers(handle->zh, server_path, (ZooWatcherType)kinds, NULL, NULL);
        unlock_watchers(handle->zh);
    }
    core_unlock(&handle->submit);
    free(server_path);
}

/* One request of the operation. */
typedef struct {
    raw_request raw;
    set_watches *owner;
    long first[WATCH_LISTS], count[WATCH_LISTS];
    int is_unwanted; /* nothing of it was left to set when it was to be written */
} piece;

static piece *piece_of(raw_request *raw) { return (piece *)((char *)raw - offsetof(piece, raw)); }

static int is_standing(const set_watches *s) {
    return s->lists[WATCH_LIST_PERSISTENT].count || s->lists[WATCH_LIST_RECURSIVE].count;
}

static int32_t op_for(const set_watches *s) {
    if (!is_standing(s)) return OP_SET_WATCHES;
    return service_refuses(s->base.handle, KNOWS_SET_WATCHES2) ? OP_ADD_WATCH : OP_SET_WATCHES2;
}

static ability ability_of(const piece *p) {
    switch (p->raw.op) {
    case OP_ADD_WATCH: return KNOWS_STANDING_WATCHES;
    case OP_SET_WATCHES2: return KNOWS_SET_WATCHES2;
    default: return KNOWS_SET_WATCHES;
    }
}

static void note_covered(set_watches *s, int list, const char *path) {
    core_assert_held(&s->base.lock);
    s->covered = core_resize(s->covered, sizeof *s->covered * (size_t)(s->covered_count + 1));
    s->covered[s->covered_count++] = (covered_watch){list, path};
}

/* The paths of a list that the server is to be given. */
static struct String_vector part(const piece *p, int list) {
    zk_handle *handle = p->raw.handle;
    core_assert_held(&handle->submit);
    char **paths = p->owner->lists[list].paths + p->first[list];
    struct String_vector strings = {0, core_alloc(sizeof *paths * (size_t)(p->count[list] + 1))};
    for (long i = 0; i < p->count[list]; i++) {
        if (list < ONE_TIME_LISTS && standing_covers(handle, paths[i], list == WATCH_LIST_CHILDREN))
            note_covered(p->owner, list, paths[i]);
        else if (list < ONE_TIME_LISTS || standing_renew(handle, paths[i], list - WATCH_LIST_PERSISTENT))
            strings.data[strings.count++] = paths[i];
    }
    return strings;
}

static int write_piece(raw_request *raw, struct oarchive *out) {
    piece *p = piece_of(raw);
    struct String_vector parts[WATCH_LISTS];
    for (int list = 0; list < WATCH_LISTS; list++) parts[list] = part(p, list);
    struct SetWatches request = {p->owner->zxid, parts[WATCH_LIST_DATA], parts[WATCH_LIST_EXISTS],
                                 parts[WATCH_LIST_CHILDREN]};
    int result = __real_serialize_SetWatches(out, "request", &request);
    for (int list = ONE_TIME_LISTS; list < WATCH_LISTS && result >= 0 && is_standing(p->owner); list++)
        result = serialize_String_vector(out, "paths", &parts[list]);
    for (int list = 0; list < WATCH_LISTS; list++) free(parts[list].data);
    return result;
}

/* AddWatch, of a piece of one path. Where a request behind the reconnect has ended that watch, or changed
 * its mode, nothing is to be sent: the C client takes it for a fault. */
static int write_single(raw_request *raw, struct oarchive *out) {
    piece *p = piece_of(raw);
    zk_handle *handle = raw->handle;
    core_assert_held(&handle->submit);
    int list = p->count[WATCH_LIST_RECURSIVE] ? WATCH_LIST_RECURSIVE : WATCH_LIST_PERSISTENT;
    char *path = p->owner->lists[list].paths[p->first[list]];
    int32_t mode = list - WATCH_LIST_PERSISTENT;
    p->is_unwanted = !standing_renew(handle, path, mode);
    if (p->is_unwanted) return -1;
    int result = out->serialize_String(out, "path", &path);
    return result < 0 ? result : out->serialize_Int(out, "mode", &mode);
}

static int read_nothing(raw_request *raw, struct iarchive *in, int64_t zxid) {
    (void)raw, (void)in, (void)zxid;
    return 0;
}

static void send_piece_again(const piece *p) {
    core_assert_held(&p->owner->base.lock);
    for (int i = 0; i < WATCH_LISTS; i++) {
        watch_list *list = &p->owner->lists[i];
        if (p->count[i] && p->first[i] < list->next) list->next = p->first[i];
    }
}

/* The next connection sets those that stay, all of them. */
static void standing_refused(const piece *p, int code) {
    bulk *b = &p->owner->base;
    core_assert_held(&b->lock);
    b->code = code;
    if (code == ZUNIMPLEMENTED && p->raw.op == OP_ADD_WATCH)
        standing_give_up(b->handle);
    else if (!code_is_of_the_session(code))
        standing_begin_anew(b->handle);
}

/* Whether a refusal says as much as the end of the connection, which follows: that of what belongs to a
 * reconnect. A server that has too much to do, and says so, would have more to do without the operation. */
static int refusal_ends(const piece *p, int code) {
    if (code == ZUNIMPLEMENTED || code_is_of_a_client(code)) return 0;
    return p->owner->ended || (p->raw.op == OP_SET_WATCHES2 && code != ZTHROTTLEDOP);
}

static void piece_done(raw_request *raw, int code) {
    piece *p = piece_of(raw);
    bulk *b = &p->owner->base;
    core_lock(&b->lock);
    b->outstanding--;
    if (code == ZOK) {
        service_answered(b->handle, ability_of(p), raw->sent.bytes);
        for (int list = 0; list < WATCH_LISTS; list++) b->done += p->count[list];
    } else if (b->code == ZOK) {
        /* Each request that was sent after it is lost as well, or set twice, which is no harm. The C
         * client sets what it knows on a new connection, too, but with a newer zxid. A refusal of what
         * belongs to a reconnect ends the connection (reconnect.c). */
        int ends = refusal_ends(p, code);
        int again = service_lost(b->handle, ability_of(p), raw->sent, ends ? ZCONNECTIONLOSS : code);
        if (is_standing(p->owner))
            standing_refused(p, code);
        else if (again && !ends)
            send_piece_again(p);
        else
            b->code = code;
    }
    free(p);
    bulk_advance(b);
    core_unlock(&b->lock);
    bulk_release(b);
}

/* Under the lock, or where no other thread has it yet. */
static int all_watches_sent(bulk *b) {
    set_watches *s = (set_watches *)b;
    for (int list = 0; list < WATCH_LISTS; list++)
        if (s->lists[list].next < s->lists[list].count) return 0;
    return 1;
}

static void pump_watches(bulk *b) {
    core_assert_held(&b->lock);
    set_watches *s = (set_watches *)b;
    if (!is_standing(s) && service_refuses(b->handle, KNOWS_SET_WATCHES)) {
        watch_one_by_one(s);
        return;
    }
    int32_t op = op_for(s);
    long most_bytes = op == OP_ADD_WATCH ? 1 : service_piece_bytes(b->handle);
    /* Those that stay tell nothing of what came before them: all have to be sent before their watchers
     * hear of the new connection, and read. */
    int in_flight = is_standing(s) ? INT_MAX : service_is_proven(b->handle, KNOWS_SET_WATCHES) ? REQUESTS_IN_FLIGHT : 1;
    while (b->code == ZOK && b->outstanding < in_flight && !all_watches_sent(b)) {
        piece *p = core_zeroed(1, sizeof *p);
        p->owner = s;
        long bytes = 0;
        for (int i = 0; i < WATCH_LISTS; i++) {
            watch_list *list = &s->lists[i];
            p->first[i] = list->next;
            for (; list->next < list->count && bytes < most_bytes; list->next++)
                bytes += (long)strlen(list->paths[list->next]) + 4;
            p->count[i] = list->next - p->first[i];
        }
        p->raw.sent.bytes = bytes;
        p->raw.op = op;
        p->raw.write = op == OP_ADD_WATCH ? write_single : write_piece;
        p->raw.read_answer = read_nothing;
        p->raw.finished = piece_done;
        bulk_retain(b);
        b->outstanding++;
        int code = raw_request_send(b->handle, &p->raw);
        if (code != ZOK) {
            b->outstanding--;
            if (!p->is_unwanted) b->code = code;
            free(p);
            bulk_release(b);
        }
    }
    watch_covered(s);
}

static void dispose_watches(bulk *b) {
    set_watches *s = (set_watches *)b;
    if (s->ended && b->over) s->ended(b->handle, s->generation, b->code);
    for (int list = 0; list < WATCH_LISTS; list++) {
        for (long i = 0; i < s->lists[list].count; i++) free(s->lists[list].paths[i]);
        free(s->lists[list].paths);
    }
    free(s->covered);
    free(s);
}

set_watches *set_watches_new(zk_handle *handle, int64_t zxid) {
    set_watches *s = core_zeroed(1, sizeof *s);
    bulk_init(&s->base, handle, pump_watches, all_watches_sent, dispose_watches);
    s->zxid = zxid;
    return s;
}
