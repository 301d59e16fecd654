/* The locks of the core, and the one order in which they may be taken together.
 *
 * A thread that holds a lock may take only locks further down. Two of one rank are never held
 * together. The C client's own locks (its watchers, its queues, its list of servers) lie where the
 * table says: they are taken under `submit`, and the C client calls us with them held. So nothing
 * that it calls then may take a lock above them; its completions and watchers it calls with none.
 *
 *     rank               the mutex                            guards
 *     LOCK_SENDING       zk_handle.sending                    working for a handle's connection: its socket,
 *                                                             what is sent and read
 *     LOCK_COMPLETIONS   zk_handle.completions_lock           which thread calls completions; held
 *                                                             while they are called
 *     LOCK_BULK          bulk.lock                            one operation on many nodes
 *     LOCK_TIMED         zk_handle.timed_lock                 operations on many nodes that have a deadline
 *     LOCK_SUBMIT        zk_handle.submit                     handing requests to the C client, the
 *                                                             requests under way, credentials
 *     (the C client's own locks)
 *     LOCK_SET_WATCHES   zk_handle.set_watches_lock           a reconnect's watches
 *     LOCK_RAW_REQUESTS  travelling_lock (raw_request.c)      raw requests under way
 *     LOCK_SERVICES      services_lock (service.c)            what services do not know
 *     LOCK_NAMES         names_lock (names.c)                 hosts, and their addresses
 *     LOCK_LOG           lines_lock (log.c)                   log lines that wait
 *     LOCK_OPEN_QUEUES   open_lock (queue.c)                  the queues that a log line may wake
 *     LOCK_QUEUE         zk_handle.queue_lock                 what waits for a handle's Python thread
 *     LOCK_LOOP_QUEUES   loop_queues_lock (completion_queue.c)  which queues of event loops there are
 *     LOCK_LOOP_QUEUE    completion_queue.lock                what waits for an event loop
 *     LOCK_LAYER         layer.lock                           why TLS failed
 *     LOCK_SASL          sasl_steps.lock (steps.c)            a mechanism's steps, and why SASL failed
 *     LOCK_CLOSING       closing_many.lock (close_many.c)     handles that are closed side by side
 *
 * `sending` is also tried (core_trylock) by threads that have `submit`: such a thread never waits for it.
 *
 * The TLS extension has one more, layer_config.lock (configuration.c): a leaf, under which OpenSSL is
 * called and nothing of the core. No lock is held while a thread waits for anything but a lock, and none
 * while Python runs. Everything else that threads share is _Atomic, or belongs to one thread (the
 * handle's I/O thread: attempt, layer, sasl, and the connection but for what is sent, unless that thread rests;
 * until it has ended, and then the closing one).
 *
 * With CORE_CHECKS, which is on in the build that tests use and under the sanitizers, each lock is
 * checked for its rank, and `core_assert_held` ends the process where a function runs without the
 * lock that it needs. Wheels are built without.
 */
#ifndef ZOOKEEPER_LOCKS_H
#define ZOOKEEPER_LOCKS_H

#include <pthread.h>
#include <time.h>

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
#ifndef CORE_CHECKS
#define CORE_CHECKS
#endif
#endif

typedef enum {
    LOCK_SENDING,
    LOCK_COMPLETIONS,
    LOCK_BULK,
    LOCK_TIMED,
    LOCK_SUBMIT,
    LOCK_SET_WATCHES,
    LOCK_RAW_REQUESTS,
    LOCK_SERVICES,
    LOCK_NAMES,
    LOCK_LOG,
    LOCK_OPEN_QUEUES,
    LOCK_QUEUE,
    LOCK_LOOP_QUEUES,
    LOCK_LOOP_QUEUE,
    LOCK_LAYER,
    LOCK_SASL,
    LOCK_CLOSING,
} lock_rank;

#ifdef CORE_CHECKS

typedef struct {
    pthread_mutex_t mutex;
    lock_rank rank;
    const void *_Atomic owner; /* stands for the thread that holds it; NULL: none */
} core_mutex;

#define CORE_MUTEX(rank) {PTHREAD_MUTEX_INITIALIZER, rank, NULL}

void core_mutex_init(core_mutex *m, lock_rank rank);
void core_mutex_destroy(core_mutex *m);
void core_lock(core_mutex *m);
/* Whether it was free, and is held now. Not waiting, it may be tried out of order. */
int core_trylock(core_mutex *m);
void core_unlock(core_mutex *m);
/* As pthread_cond_timedwait, or pthread_cond_wait where `until` is NULL. */
int core_cond_wait(pthread_cond_t *condition, core_mutex *m, const struct timespec *until);
void core_check_held(const core_mutex *m, const char *function);
#define core_assert_held(m) core_check_held(m, __func__)

#else

typedef struct {
    pthread_mutex_t mutex;
} core_mutex;

#define CORE_MUTEX(rank) {PTHREAD_MUTEX_INITIALIZER}

static inline void core_mutex_init(core_mutex *m, lock_rank rank) {
    (void)rank;
    pthread_mutex_init(&m->mutex, NULL);
}
static inline void core_mutex_destroy(core_mutex *m) { pthread_mutex_destroy(&m->mutex); }
static inline void core_lock(core_mutex *m) { pthread_mutex_lock(&m->mutex); }
static inline int core_trylock(core_mutex *m) { return pthread_mutex_trylock(&m->mutex) == 0; }
static inline void core_unlock(core_mutex *m) { pthread_mutex_unlock(&m->mutex); }
static inline int core_cond_wait(pthread_cond_t *condition, core_mutex *m, const struct timespec *until) {
    if (until) return pthread_cond_timedwait(condition, &m->mutex, until);
    return pthread_cond_wait(condition, &m->mutex);
}
#define core_assert_held(m) ((void)(m))

#endif
#endif
