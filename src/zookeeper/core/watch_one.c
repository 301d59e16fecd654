/* Watches that are set one by one, for servers that do not know SetWatches (service.c).
 *
 * Each node is asked with a watch, many requests at a time. What the server would do with "the last
 * change I know of" is done here: a node that has changed since gets its event at once. The watch
 * that is left at the server then is for nobody, or for a reader that has come meanwhile.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT 1000

typedef struct {
    pending request;
    set_watches *owner;
    int list;
    const char *path; /* as the C client takes it: without the chroot */
} single_watch;

static void push_event(zk_handle *handle, int type, const char *path) {
    event_item *event = core_zeroed(1, sizeof *event + strlen(path) + 1);
    event->item.kind = ITEM_EVENT;
    event->type = type;
    event->state = ZOO_CONNECTED_STATE;
    strcpy(event->path, path);
    queue_push(handle, &event->item);
}

/* The event that a node deserves that was found like this, or 0. */
static int event_of(const single_watch *w, int code, const struct Stat *stat) {
    int64_t known = w->owner->zxid;
    if (w->list == WATCH_LIST_EXISTS) return code == ZOK ? ZOO_CREATED_EVENT : 0;
    if (code == ZNONODE) return ZOO_DELETED_EVENT;
    if (w->list == WATCH_LIST_DATA) return code == ZOK && stat->mzxid > known ? ZOO_CHANGED_EVENT : 0;
    /* Children that may not be read any more: there is no watch, so have a look. */
    return code != ZOK || stat->pzxid > known ? ZOO_CHILD_EVENT : 0;
}

static void watch_ended(single_watch *w, int code, const struct Stat *stat) {
    bulk *b = &w->owner->base;
    code = request_code(b->handle, code);
    pthread_mutex_lock(&b->lock);
    b->outstanding--;
    if (code_is_fatal(code)) {
        if (b->code == ZOK) b->code = code;
    } else {
        b->done++;
        int type = event_of(w, code, stat);
        if (type) push_event(b->handle, type, w->path);
    }
    bulk_advance(b);
    pthread_mutex_unlock(&b->lock);
    free(w);
    bulk_release(b);
}

static void finish_watch(pending *p, int code) {
    watch_ended((single_watch *)((char *)p - offsetof(single_watch, request)), code, NULL);
}

static void watch_stat_done(int code, const struct Stat *stat, const void *data) {
    single_watch *w = (single_watch *)data;
    request_done(w->owner->base.handle, &w->request);
    watch_ended(w, code, stat);
}

static void watch_names_done(int code, const struct String_vector *names, const struct Stat *stat, const void *data) {
    (void)names;
    watch_stat_done(code, stat, data);
}

static int send_one(set_watches *s, int list, const char *path) {
    zk_handle *handle = s->base.handle;
    single_watch *w = core_zeroed(1, sizeof *w);
    w->owner = s;
    w->list = list;
    w->path = chroot_client_path(handle, path);
    bulk_retain(&s->base);
    s->base.outstanding++;
    int code = request_begin(handle, &w->request, finish_watch);
    if (code == ZOK)
        code = request_sent(handle, &w->request,
                            list == WATCH_LIST_CHILDREN
                                ? zoo_awget_children2(handle->zh, w->path, handle_event, NULL, watch_names_done, w)
                                : zoo_awexists(handle->zh, w->path, handle_event, NULL, watch_stat_done, w));
    if (code != ZOK) {
        s->base.outstanding--;
        free(w);
        bulk_release(&s->base); /* never the last one: our caller has its own */
    }
    return code;
}

void watch_one_by_one(set_watches *s) {
    bulk *b = &s->base;
    for (int i = 0; i < WATCH_LISTS; i++) {
        watch_list *list = &s->lists[i];
        while (b->code == ZOK && b->outstanding < IN_FLIGHT && list->next < list->count)
            b->code = send_one(s, i, list->paths[list->next++]);
    }
}
