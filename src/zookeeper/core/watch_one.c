/* Watches that are set one by one, for servers that do not know SetWatches (service.c), and for those
 * that need no watch of their own (standing.c).
 *
 * Each node is asked with a watch, many requests at a time. The server's part in "the last change I
 * know of" is done here: a node that has changed since gets its event at once. The watch that is
 * left at the server then has no watcher, or one that has come meanwhile.
 */
#include "codes.h"
#include "handle.h"
#include "memory.h"
#include "path.h"
#include "request.h"
#include "set_watches.h"

#include <stdlib.h>

#define IN_FLIGHT 1000

typedef struct {
    set_watches *owner;
    int list;
    const char *path; /* as the C client takes it: without the chroot; the owner's */
} single_watch;

/* The event that a node deserves that was found like this, or 0. */
static int event_of(const single_watch *w, int code, const struct Stat *stat) {
    int64_t known = w->owner->zxid;
    if (w->list == WATCH_LIST_EXISTS) return code != ZNONODE ? ZOO_CREATED_EVENT : 0;
    if (code == ZNONODE) return ZOO_DELETED_EVENT;
    /* Where it is refused there is no watch, so have a look. */
    if (w->list == WATCH_LIST_DATA) return code != ZOK || stat->mzxid > known ? ZOO_CHANGED_EVENT : 0;
    return code != ZOK || stat->pzxid > known ? ZOO_CHILD_EVENT : 0;
}

static void watch_ended(call *c) {
    single_watch *w = c->owner;
    bulk *b = &w->owner->base;
    core_lock(&b->lock);
    b->outstanding--;
    if (code_is_of_the_session(c->code)) {
        if (b->code == ZOK) b->code = c->code;
    } else {
        b->done++;
        int type = event_of(w, c->code, &c->stat);
        if (type) queue_push_event(b->handle, type, ZOO_CONNECTED_STATE, w->path);
    }
    bulk_advance(b);
    core_unlock(&b->lock);
    free(w);
    bulk_release(b);
}

static int send_one(set_watches *s, int list, const char *path) {
    bulk *b = &s->base;
    core_assert_held(&b->lock);
    single_watch *w = core_zeroed(1, sizeof *w);
    w->owner = s;
    w->list = list;
    w->path = path_without_chroot(b->handle->chroot, path);
    operation look = {.op = list == WATCH_LIST_CHILDREN ? OP_GET_CHILDREN2 : OP_EXISTS, .path = w->path};
    int code = bulk_submit(b, &look, 1, watch_ended, w);
    if (code != ZOK) free(w);
    return code;
}

void watch_one_by_one(set_watches *s) {
    bulk *b = &s->base;
    core_assert_held(&b->lock);
    for (int i = 0; i < ONE_TIME_LISTS; i++) {
        watch_list *list = &s->lists[i];
        while (b->code == ZOK && b->outstanding < IN_FLIGHT && list->next < list->count)
            b->code = send_one(s, i, list->paths[list->next++]);
    }
}

void watch_covered(set_watches *s) {
    bulk *b = &s->base;
    core_assert_held(&b->lock);
    while (b->code == ZOK && s->covered_count) {
        s->covered_count--;
        b->code = send_one(s, s->covered[s->covered_count].list, s->covered[s->covered_count].path);
    }
}
