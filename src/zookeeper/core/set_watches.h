/* Many watches at once, of callers and of reconnects. */
#ifndef ZOOKEEPER_SET_WATCHES_H
#define ZOOKEEPER_SET_WATCHES_H

#include "bulk.h"

enum { WATCH_LIST_DATA, WATCH_LIST_EXISTS, WATCH_LIST_CHILDREN, WATCH_LISTS };

typedef struct {
    char **paths; /* ours, as the server knows them: with the chroot; NULL: none yet */
    long count, capacity;
    long next;    /* the first not yet sent */
} watch_list;

typedef struct set_watches {
    bulk base;
    int64_t zxid; /* a node changed after it fires at once */
    watch_list lists[WATCH_LISTS];
    long generation; /* of the reconnect it belongs to; 0: it belongs to a call of ours */
} set_watches;

/* To be released (bulk_release). */
set_watches *set_watches_new(zk_handle *handle, int64_t zxid);
/* Before bulk_start; copies the path. */
void set_watches_add(set_watches *s, int list, const char *path);
/* Tell the C client of the watches, so that it delivers and keeps them. Before bulk_start. */
void set_watches_activate(set_watches *s);

/* Of the C client's own SetWatches, on its I/O thread: send what it left over, on each connect. */
void set_watches_send_rest(zk_handle *handle);
/* The connection is lost; an answer came. */
void set_watches_note_lost(zk_handle *handle);
void set_watches_note_answer(zk_handle *handle, const struct ReplyHeader *header);
/* Do by other means what it has turned out not to do. */
void set_watches_attend(zk_handle *handle);
/* Whether the C client is about to send one to a service that does not know it. */
int set_watches_leave_out(void);
void set_watches_clear(zk_handle *handle);

/* watch_one.c, for servers that do not know SetWatches: sends what may be sent. With the lock held. */
void watch_one_by_one(set_watches *s);

#endif
