/* The checks of locks.h: ranks and owners. */
#include "locks.h"

#ifdef CORE_CHECKS

#include <stdio.h>
#include <stdlib.h>

/* The ranks that this thread holds, a bit each. Its address stands for the thread. */
static __thread unsigned held_ranks;

static void end_process(const char *what, const char *function, lock_rank rank) {
    fprintf(stderr, "zookeeper: %s (%s, lock of rank %d, ranks held: %#x)\n", what, function, rank, held_ranks);
    abort();
}

static void take_rank(core_mutex *m) {
    held_ranks |= 1u << m->rank;
    m->owner = &held_ranks;
}

static void give_rank(core_mutex *m) {
    core_check_held(m, __func__);
    held_ranks &= ~(1u << m->rank);
    m->owner = NULL;
}

void core_mutex_init(core_mutex *m, lock_rank rank) {
    pthread_mutex_init(&m->mutex, NULL);
    m->rank = rank;
    m->owner = NULL;
}

void core_mutex_destroy(core_mutex *m) {
    if (m->owner) end_process("a lock is destroyed that is held", __func__, m->rank);
    pthread_mutex_destroy(&m->mutex);
}

void core_lock(core_mutex *m) {
    /* Before it could come to a deadlock. */
    if (held_ranks >> m->rank) end_process("a lock is taken out of order", __func__, m->rank);
    pthread_mutex_lock(&m->mutex);
    take_rank(m);
}

int core_trylock(core_mutex *m) {
    if (pthread_mutex_trylock(&m->mutex)) return 0;
    take_rank(m);
    return 1;
}

void core_unlock(core_mutex *m) {
    give_rank(m);
    pthread_mutex_unlock(&m->mutex);
}

int core_cond_wait(pthread_cond_t *condition, core_mutex *m, const struct timespec *until) {
    give_rank(m);
    int code = until ? pthread_cond_timedwait(condition, &m->mutex, until) : pthread_cond_wait(condition, &m->mutex);
    take_rank(m);
    return code;
}

void core_check_held(const core_mutex *m, const char *function) {
    if (m->owner != &held_ranks) end_process("a lock is not held", function, m->rank);
}

#endif
