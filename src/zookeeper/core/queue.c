/* The queue between the C client's threads and the Python thread of a handle. */
#include "handle.h"
#include "memory.h"
#include "path.h"
#include "queue.h"

#include <stdlib.h>
#include <string.h>

/* The handles whose Python thread may be woken for a log line. */
static core_mutex open_lock = CORE_MUTEX(LOCK_OPEN_QUEUES);
static zk_handle *open_handles;

static void append_item(zk_handle *handle, queue_item *item) {
    core_assert_held(&handle->queue_lock);
    item->next = NULL;
    if (handle->queue_last)
        handle->queue_last->next = item;
    else
        handle->queue_first = item;
    handle->queue_last = item;
    pthread_cond_signal(&handle->queue_filled);
}

void queue_push(zk_handle *handle, queue_item *item) {
    core_lock(&handle->queue_lock);
    append_item(handle, item);
    core_unlock(&handle->queue_lock);
}

static event_item *new_event(int type, int state, const char *path) {
    size_t size = path ? strlen(path) + 1 : 1;
    event_item *event = core_zeroed(1, sizeof *event + size);
    event->item.kind = ITEM_EVENT;
    event->type = type;
    event->state = state;
    event->zxid = -1;
    if (path) memcpy(event->path, path, size);
    return event;
}

void queue_push_event(zk_handle *handle, int type, int state, const char *path) {
    queue_push(handle, &new_event(type, state, path)->item);
}

void queue_push_change(zk_handle *handle, int type, int state, const char *server_path, int64_t zxid) {
    const char *path = path_without_chroot(handle->chroot, server_path);
    event_item *event = new_event(type, state, path);
    event->zxid = zxid;
    event->outside = handle->chroot[0] && path == server_path;
    queue_push(handle, &event->item);
}

void queue_node_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
    (void)zh, (void)type, (void)state, (void)path, (void)context;
}

object_item *queue_object(void *object) {
    object_item *item = core_zeroed(1, sizeof *item);
    item->item.kind = ITEM_OBJECT;
    item->object = object;
    return item;
}

int queue_push_object(zk_handle *handle, void *object) {
    object_item *item = queue_object(object);
    /* Unlike an answer, this may come when the handle is closed and its event thread has ended. */
    core_lock(&handle->queue_lock);
    int stopped = handle->queue_stop;
    if (!stopped) append_item(handle, &item->item);
    core_unlock(&handle->queue_lock);
    if (stopped) free(item);
    return !stopped;
}

void queue_open(zk_handle *handle) {
    core_lock(&handle->queue_lock);
    handle->queue_opened = 1;
    pthread_cond_signal(&handle->queue_filled);
    core_unlock(&handle->queue_lock);
}

/* An event may be there before the handle can be used, and its watcher would try to. */
static int has_items(const zk_handle *handle) {
    core_assert_held(&handle->queue_lock);
    return handle->queue_first && handle->queue_opened;
}

queue_item *queue_take(zk_handle *handle) {
    core_lock(&handle->queue_lock);
    while (!has_items(handle) && !handle->queue_stop && !handle->queue_poked) {
        handle->queue_idle = 1;
        core_cond_wait(&handle->queue_filled, &handle->queue_lock, NULL);
    }
    handle->queue_idle = 0;
    handle->queue_poked = 0;
    queue_item *items = NULL;
    if (has_items(handle)) {
        items = handle->queue_first;
        handle->queue_first = handle->queue_last = NULL;
    }
    core_unlock(&handle->queue_lock);
    return items;
}

/* Have the Python thread look for log lines; says whether it is going to at once. */
static int poke(zk_handle *handle) {
    core_lock(&handle->queue_lock);
    int idle = handle->queue_idle;
    handle->queue_poked = 1;
    pthread_cond_signal(&handle->queue_filled);
    core_unlock(&handle->queue_lock);
    return idle;
}

void queue_poke(void) {
    core_lock(&open_lock);
    /* One that has nothing else to do; while all are busy, the first that is done: a callback may
     * keep any of them for as long as it likes. */
    for (zk_handle *handle = open_handles; handle; handle = handle->next_open)
        if (poke(handle)) break;
    core_unlock(&open_lock);
}

void queue_list(zk_handle *handle) {
    core_lock(&open_lock);
    handle->next_open = open_handles;
    open_handles = handle;
    core_unlock(&open_lock);
}

void queue_unlist(zk_handle *handle) {
    core_lock(&open_lock);
    for (zk_handle **link = &open_handles; *link; link = &(*link)->next_open)
        if (*link == handle) {
            *link = handle->next_open;
            break;
        }
    core_unlock(&open_lock);
}

void queue_after_fork(void) {
    /* In the child the parent's handles are out of bounds, and the lock may have been held. */
    core_mutex_init(&open_lock, LOCK_OPEN_QUEUES);
    open_handles = NULL;
}

void queue_stop(zk_handle *handle) {
    core_lock(&handle->queue_lock);
    handle->queue_stop = 1;
    pthread_cond_signal(&handle->queue_filled);
    core_unlock(&handle->queue_lock);
}

int queue_stopped(zk_handle *handle) {
    core_lock(&handle->queue_lock);
    int stopped = handle->queue_stop && !has_items(handle);
    core_unlock(&handle->queue_lock);
    return stopped;
}
