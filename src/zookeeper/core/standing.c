/* Watches that stay (AddWatch, op 106), which the C client does not know.
 *
 * A server before 3.9 has one watch for each path and connection, in two tables, of the node and of
 * its children; the latest request decides whether it stays and whether it is for the nodes below. So
 * a read that asks for a one-time watch at a path ends the one that stays there, silently. Hence:
 *
 *   - While a path has a watch that stays, no one-time watch is asked for there: its events come
 *     anyway, and Python's registry knows whom they are for. The read is *covered*.
 *   - A recursive watch sends no events of children, so reads of children are not covered by it: they
 *     turn the server's watch of the children into theirs. That of the node, which a recursive watch
 *     needs, stays as it is. Where the recursive watch is set later than that of the children, the
 *     latter is set again behind it (raw_call.c, reconnect.c).
 *   - One path has one mode: recursive if any of its watchers wants that.
 *
 * A covered read relies on the server having the watch, so it must come after AddWatch or SetWatches2 on
 * the same connection. Connections have numbers for that. A read that is answered on another one than
 * it was meant for counts as lost, as no server may have its watch.
 *
 * If one of these requests is refused on a connection that goes on (the server has too much to do, say),
 * it is not known which watches are left at the server: the connection is ended, and the next one sets
 * all of them, those of one time by the last zxid that was seen (reconnect.c).
 *
 * Everything here is guarded by `submit`, under which requests are sent in their order.
 */
#include "codes.h"
#include "handle.h"
#include "memory.h"
#include "path.h"
#include "standing.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
    char *path; /* the server's; ours */
    int32_t mode;
    long set_on;   /* the connection whose server has it, or has been asked; 0: none */
    int is_relied_on; /* a one-time watch is covered by it */
    int is_renewed;   /* it was there before AddWatch was sent again */
    int withdrawals; /* RemoveWatches under way */
    int is_wanted;   /* AddWatch came after them, or they have failed */
    int is_unneeded; /* no watcher is left */
} standing_watch;

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const standing_watch *)a)->path, ((const standing_watch *)b)->path);
}

static standing_watch *find_standing(const zk_handle *handle, const char *server_path) {
    standing_watch key = {.path = (char *)server_path};
    standing_watch *const *found = handle->standing ? tfind(&key, &handle->standing, compare_paths) : NULL;
    return found ? *found : NULL;
}

static void free_standing(void *watch) {
    free(((standing_watch *)watch)->path);
    free(watch);
}

static void drop_standing(zk_handle *handle, standing_watch *w) {
    core_assert_held(&handle->submit);
    tdelete(w, &handle->standing, compare_paths);
    free_standing(w);
}

void standing_disconnected(zk_handle *handle) {
    core_lock(&handle->submit);
    handle->standing_number++;
    core_unlock(&handle->submit);
}

void standing_put(zk_handle *handle, const char *path, int32_t mode) {
    core_assert_held(&handle->submit);
    char *server_path = path_with_chroot(handle->chroot, path);
    standing_watch *w = find_standing(handle, server_path);
    if (w) {
        free(server_path);
        w->is_renewed = 1;
    } else {
        w = core_zeroed(1, sizeof *w);
        w->path = server_path;
        if (tsearch(w, &handle->standing, compare_paths) == NULL) abort();
    }
    w->mode = mode;
    w->set_on = handle->standing_number;
    w->is_wanted = 1;
    w->is_unneeded = 0;
}

void standing_withdraw(zk_handle *handle, const char *path) {
    core_assert_held(&handle->submit);
    char *server_path = path_with_chroot(handle->chroot, path);
    standing_watch *w = find_standing(handle, server_path);
    if (w) {
        w->set_on = 0;
        w->is_wanted = 0;
        w->withdrawals++;
    }
    free(server_path);
}

int standing_renew(zk_handle *handle, const char *server_path, int32_t mode) {
    core_assert_held(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    if (w == NULL || !w->is_wanted || w->mode != mode) return 0;
    w->set_on = handle->standing_number;
    return 1;
}

void standing_put_ended(zk_handle *handle, const char *server_path, int code) {
    if (code == ZOK || code_is_of_the_session(code)) return;
    core_lock(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    int is_unclear = w && (w->is_relied_on || w->is_renewed);
    if (w) w->set_on = 0;
    core_unlock(&handle->submit);
    if (is_unclear) standing_begin_anew(handle);
}

void standing_withdrawal_ended(zk_handle *handle, const char *server_path, int code) {
    int is_unclear = 0;
    core_lock(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    if (w && w->withdrawals && --w->withdrawals == 0 && !w->is_wanted) {
        if (code == ZOK || code == ZNOWATCHER || w->is_unneeded)
            drop_standing(handle, w);
        else
            w->is_wanted = is_unclear = 1;
    }
    core_unlock(&handle->submit);
    if (is_unclear && !code_is_of_the_session(code)) standing_begin_anew(handle);
}

int standing_keep(zk_handle *handle, const char *path, int mode) {
    char *server_path = path_with_chroot(handle->chroot, path);
    core_lock(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    int may_be_there = w && w->set_on == handle->standing_number;
    if (w && mode >= 0) w->mode = mode;
    if (w && mode < 0) w->is_unneeded = 1;
    if (w && mode < 0 && !may_be_there && w->withdrawals == 0) drop_standing(handle, w);
    core_unlock(&handle->submit);
    free(server_path);
    return may_be_there && mode < 0;
}

static int is_there(const zk_handle *handle, const standing_watch *w) {
    int state = zoo_state(handle->zh);
    return w && w->set_on == handle->standing_number &&
           (state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE);
}

int standing_covers(const zk_handle *handle, const char *server_path, int children) {
    core_assert_held(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    if (!is_there(handle, w) || (children && w->mode == STANDING_RECURSIVE)) return 0;
    w->is_relied_on = 1;
    return 1;
}

long standing_cover(zk_handle *handle, int32_t op, const char *path) {
    core_assert_held(&handle->submit);
    if (handle->standing == NULL) return 0;
    char *server_path = path_with_chroot(op == OP_GET_CONFIG ? "" : handle->chroot, path);
    int covers = standing_covers(handle, server_path, op == OP_GET_CHILDREN2);
    free(server_path);
    return covers ? handle->standing_number : 0;
}

int standing_still_covers(const zk_handle *handle, long number) { return number == handle->standing_number; }

int standing_is_recursive(const zk_handle *handle, const char *server_path) {
    core_assert_held(&handle->submit);
    standing_watch *w = find_standing(handle, server_path);
    return w && w->mode == STANDING_RECURSIVE;
}

typedef struct {
    void (*each)(const char *server_path, int32_t mode, void *context);
    void *context;
} visit;

/* twalk passes nothing on to what it calls. twalk_r does, but has come late (glibc 2.30), and to glibc
 * alone. */
static _Thread_local const visit *visiting;

static void visit_wanted(const void *node, VISIT order, int depth) {
    const standing_watch *w = *(standing_watch *const *)node;
    (void)depth;
    if ((order == postorder || order == leaf) && w->is_wanted)
        visiting->each(w->path, w->mode, visiting->context);
}

void standing_each(const zk_handle *handle, void (*each)(const char *server_path, int32_t mode, void *context),
                   void *context) {
    core_assert_held(&handle->submit);
    const visit v = {each, context}, *outer = visiting;
    visiting = &v;
    twalk(handle->standing, visit_wanted);
    visiting = outer;
}

void standing_begin_anew(zk_handle *handle) {
    core_lock(&handle->submit);
    if (!handle->shut && handle->connection.fd >= 0) shutdown(handle->connection.fd, SHUT_RDWR);
    core_unlock(&handle->submit);
}

static void tell_not_watching(const char *server_path, int32_t mode, void *context) {
    zk_handle *handle = context;
    (void)mode;
    queue_push_event(handle, ZOO_NOTWATCHING_EVENT, zoo_state(handle->zh),
                     path_without_chroot(handle->chroot, server_path));
}

void standing_give_up(zk_handle *handle) {
    core_lock(&handle->submit);
    int was_there = handle->standing != NULL;
    standing_each(handle, tell_not_watching, handle);
    tdestroy(handle->standing, free_standing);
    handle->standing = NULL;
    handle->standing_number++; /* nothing is covered any more */
    core_unlock(&handle->submit);
    if (was_there) standing_begin_anew(handle);
}

void standing_clear(zk_handle *handle) { tdestroy(handle->standing, free_standing); }
