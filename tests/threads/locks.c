/* Shows how locks.h reacts to a mistake: locks WHAT. */
#include "locks.h"

#include <stdio.h>
#include <string.h>

static core_mutex bulk = CORE_MUTEX(LOCK_BULK), other_bulk = CORE_MUTEX(LOCK_BULK);
static core_mutex submit = CORE_MUTEX(LOCK_SUBMIT);

static void in_order(void) {
    core_lock(&bulk);
    core_lock(&submit);
    core_assert_held(&bulk);
    core_assert_held(&submit);
    core_unlock(&bulk);
    core_unlock(&submit);
    core_lock(&other_bulk);
    core_unlock(&other_bulk);
}

static void out_of_order(void) {
    core_lock(&submit);
    core_lock(&bulk);
}

static void of_one_rank(void) {
    core_lock(&bulk);
    core_lock(&other_bulk);
}

static void without(void) { core_assert_held(&submit); }

static void *hold(void *argument) {
    (void)argument;
    core_lock(&submit);
    return NULL;
}

static void of_another_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, hold, NULL);
    pthread_join(thread, NULL);
    core_assert_held(&submit);
}

static void waiting(void) {
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec past = {0, 0};
    core_lock(&bulk);
    core_cond_wait(&never, &bulk, &past);
    core_assert_held(&bulk);
    core_unlock(&bulk);
}

int main(int count, char **arguments) {
    const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {{"in order", in_order},
                {"out of order", out_of_order},
                {"of one rank", of_one_rank},
                {"without", without},
                {"of another thread", of_another_thread},
                {"waiting", waiting}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (count == 2 && strcmp(arguments[1], ways[i].name) == 0) {
            ways[i].run();
            return 0;
        }
    return 2;
}
