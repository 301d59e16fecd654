/* The C client's threads, made before it asks for them.
 *
 * It makes two for each handle, when the rest of the handle is there, and ends the process by an
 * assertion when the system has no more threads to give. So `handle_open` makes both first, where it
 * can still say no; they wait, and the C client's `pthread_create` (--wrap) gives them their work.
 *
 * They block all signals: these are for the program's own threads, and would only interrupt what the
 * C client waits for.
 */
#include "memory.h"
#include "posts.h"
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

typedef struct spare {
    struct spare *next;
    pthread_t thread;
    posts called;
    void *(*run)(void *); /* NULL: it is not needed */
    void *argument;
} spare;

/* Those that the handle which this thread is opening has not taken yet. */
static __thread spare *spares;

void signals_block(sigset_t *former) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, former);
}

void signals_restore(const sigset_t *former) { pthread_sigmask(SIG_SETMASK, former, NULL); }

static void *wait_for_work(void *argument) {
    spare *s = argument;
    while (posts_wait(&s->called, INT64_MAX)) continue;
    void *(*run)(void *) = s->run;
    argument = s->argument;
    free(s);
    return run ? run(argument) : NULL;
}

static void call_spare(void *(*run)(void *), void *argument) {
    spare *s = spares;
    spares = s->next;
    s->run = run;
    s->argument = argument;
    posts_add(&s->called);
}

/* Make a thread that takes no signals. */
static int make_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
    sigset_t former;
    signals_block(&former);
    int problem = __real_pthread_create(thread, NULL, run, argument);
    signals_restore(&former);
    return problem;
}

int core_thread(void *(*run)(void *), void *argument) {
    pthread_t thread;
    int problem = make_thread(&thread, run, argument);
    if (problem == 0) pthread_detach(thread);
    return problem;
}

int threads_prepare(int count) {
    while (count--) {
        spare *s = core_zeroed(1, sizeof *s);
        int problem = make_thread(&s->thread, wait_for_work, s);
        if (problem) {
            free(s);
            threads_release();
            return problem;
        }
        s->next = spares;
        spares = s;
    }
    return 0;
}

void threads_release(void) {
    while (spares) {
        pthread_t thread = spares->thread;
        call_spare(NULL, NULL);
        pthread_join(thread, NULL);
    }
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument) {
    if (spares == NULL) return __real_pthread_create(thread, attributes, run, argument);
    *thread = spares->thread;
    call_spare(run, argument);
    return 0;
}
