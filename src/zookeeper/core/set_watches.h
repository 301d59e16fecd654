/* Many watches at once. */
#ifndef ZOOKEEPER_SET_WATCHES_H
#define ZOOKEEPER_SET_WATCHES_H

#include "bulk.h"

/* Watches of one time, and those that stay, which a set has by itself: SetWatches and SetWatches2. */
enum {
    WATCH_LIST_DATA,
    WATCH_LIST_EXISTS,
    WATCH_LIST_CHILDREN,
    WATCH_LIST_PERSISTENT,
    WATCH_LIST_RECURSIVE,
    WATCH_LISTS,
    ONE_TIME_LISTS = WATCH_LIST_PERSISTENT
};

typedef struct {
    char **paths; /* ours, as the server knows them: with the chroot; NULL: none yet */
    long count, capacity;
    long next;    /* the first not yet sent */
} watch_list;

typedef struct {
    int list;
    const char *path;
} covered_watch;

typedef struct set_watches {
    bulk base;
    int64_t zxid; /* a node changed after it fires at once */
    watch_list lists[WATCH_LISTS];
    /* Of a reconnect: its number, and what is told of the end (reconnect.c). A call of ours has NULL. */
    long generation;
    void (*ended)(zk_handle *handle, long generation, int code);
    /* Guarded by the lock of `base`: those of one time that a watch which stays covers. */
    covered_watch *covered; /* ours, their paths are those of the lists; NULL: none yet */
    long covered_count;
} set_watches;

/* To be released (bulk_release). */
set_watches *set_watches_new(zk_handle *handle, int64_t zxid);
/* Before bulk_start; copies the path. */
void set_watches_add(set_watches *s, int list, const char *path);
/* The same for a path as the server knows it, to be freed: it is ours from here on. */
void set_watches_add_path(set_watches *s, int list, char *path);
/* Tell the C client of the watches, so that it delivers and keeps them. Before bulk_start. */
void set_watches_activate(set_watches *s);
/* Have the C client set no watch of these kinds (ZooWatcherType) again at a path: nobody waits for one. */
void set_watches_forget(zk_handle *handle, const char *path, int kinds);

/* watch_one.c, for servers that do not know SetWatches: sends what may be sent. With the lock held. */
void watch_one_by_one(set_watches *s);
/* The same for those that are covered. With the lock held. */
void watch_covered(set_watches *s);

#endif
