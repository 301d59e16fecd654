/* The queue between the C client's threads and the Python thread of a handle. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static void append_item(zk_handle *handle, queue_item *item) {
    item->next = NULL;
    if (handle->queue_last)
        handle->queue_last->next = item;
    else
        handle->queue_first = item;
    handle->queue_last = item;
    pthread_cond_signal(&handle->queue_filled);
}

void queue_push(zk_handle *handle, queue_item *item) {
    pthread_mutex_lock(&handle->queue_lock);
    append_item(handle, item);
    pthread_mutex_unlock(&handle->queue_lock);
}

int queue_push_watches(zk_handle *handle, void *watches) {
    watches_item *item = core_zeroed(1, sizeof *item);
    item->item.kind = ITEM_WATCHES;
    item->watches = watches;
    /* Unlike an answer, this may come when the handle is closed and its event thread has ended. */
    pthread_mutex_lock(&handle->queue_lock);
    int stopped = handle->queue_stop;
    if (!stopped) append_item(handle, &item->item);
    pthread_mutex_unlock(&handle->queue_lock);
    if (stopped) free(item);
    return !stopped;
}

void queue_open(zk_handle *handle) {
    pthread_mutex_lock(&handle->queue_lock);
    handle->queue_opened = 1;
    pthread_cond_signal(&handle->queue_filled);
    pthread_mutex_unlock(&handle->queue_lock);
}

/* An event may be there before the handle can be used: whoever is told of it would try. */
static int has_items(const zk_handle *handle) { return handle->queue_first && handle->queue_opened; }

queue_item *queue_take(zk_handle *handle) {
    pthread_mutex_lock(&handle->queue_lock);
    while (!has_items(handle) && !handle->queue_stop && !handle->queue_poked) {
        handle->queue_idle = 1;
        pthread_cond_wait(&handle->queue_filled, &handle->queue_lock);
    }
    handle->queue_idle = 0;
    handle->queue_poked = 0;
    queue_item *items = NULL;
    if (has_items(handle)) {
        items = handle->queue_first;
        handle->queue_first = handle->queue_last = NULL;
    }
    pthread_mutex_unlock(&handle->queue_lock);
    return items;
}

int queue_poke(zk_handle *handle) {
    pthread_mutex_lock(&handle->queue_lock);
    int idle = handle->queue_idle;
    handle->queue_poked = 1;
    pthread_cond_signal(&handle->queue_filled);
    pthread_mutex_unlock(&handle->queue_lock);
    return idle;
}

void queue_stop(zk_handle *handle) {
    pthread_mutex_lock(&handle->queue_lock);
    handle->queue_stop = 1;
    pthread_cond_signal(&handle->queue_filled);
    pthread_mutex_unlock(&handle->queue_lock);
}

int queue_stopped(zk_handle *handle) {
    pthread_mutex_lock(&handle->queue_lock);
    int stopped = handle->queue_stop && !has_items(handle);
    pthread_mutex_unlock(&handle->queue_lock);
    return stopped;
}
