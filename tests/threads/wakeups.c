/* Producers wake a consumer by core/wakeups.c, which sleeps as a handle's I/O thread does. It prints how many
   bytes that took, and ends with 1 where a wake-up is lost. */

#include "wakeups.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PRODUCERS = 3 };

static wakeups waking;
static pthread_mutex_t submit = PTHREAD_MUTEX_INITIALIZER, queue = PTHREAD_MUTEX_INITIALIZER;
static long queued, taken, items;

static long take(void) {
    pthread_mutex_lock(&queue);
    long count = queued;
    queued = 0;
    taken += count;
    pthread_mutex_unlock(&queue);
    return count;
}

static int is_taken(void) {
    pthread_mutex_lock(&queue);
    int is_empty = queued == 0;
    pthread_mutex_unlock(&queue);
    return is_empty;
}

static void *produce(void *argument) {
    unsigned random = (unsigned)(size_t)argument;
    for (long i = 0; i < items; i++) {
        pthread_mutex_lock(&submit);
        pthread_mutex_lock(&queue);
        queued++;
        pthread_mutex_unlock(&queue);
        wakeups_call(&waking);
        pthread_mutex_unlock(&submit);
        /* Now and then the consumer gets so far that it falls asleep, or nearly. */
        random = random * 1103515245 + 12345;
        if (random >> 16 & 1)
            while (!is_taken()) sched_yield();
        for (unsigned n = random >> 20 & 63; n; n--) __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

int main(int argc, char **argv) {
    int ends[2];
    pthread_t producers[PRODUCERS];
    if (argc != 3 || pipe(ends)) return 2;
    items = atol(argv[1]);
    wakeups_init(&waking);
    wakeups_by(&waking, ends[0], ends[1]);
    for (size_t i = 0; i < PRODUCERS; i++) pthread_create(&producers[i], NULL, produce, (void *)(i + 1));
    long bytes = 0;
    while (taken < items * PRODUCERS) {
        wakeups_begin_turn(&waking);
        take();
        if (taken == items * PRODUCERS) break;
        struct pollfd watched = {.fd = ends[0], .events = POLLIN};
        int may_sleep = wakeups_begin_sleep(&waking);
        int ready = poll(&watched, 1, may_sleep ? atoi(argv[2]) : 0);
        wakeups_end_sleep(&waking);
        if (ready == 0 && may_sleep) {
            fprintf(stderr, "a wake-up is lost: %ld items wait\n", take());
            return 1;
        }
        char unread[128];
        if (ready > 0) bytes += read(ends[0], unread, sizeof unread);
    }
    for (size_t i = 0; i < PRODUCERS; i++) pthread_join(producers[i], NULL);
    printf("%ld\n", bytes);
    return 0;
}
