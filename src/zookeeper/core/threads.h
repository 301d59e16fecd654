/* Threads that block all signals, and those that the C client asks for. */
#ifndef ZOOKEEPER_THREADS_H
#define ZOOKEEPER_THREADS_H

#include <pthread.h>
#include <signal.h>

/* Make the threads that the C client is going to ask for in this thread. 0 or an errno. */
int threads_prepare(int count);
/* End those that it did not ask for. */
void threads_release(void);
/* Run a function on a detached thread that blocks all signals. 0 or an errno. */
int core_thread(void *(*run)(void *), void *argument);
/* Have this thread take no signals. */
void signals_block(sigset_t *former);
void signals_restore(const sigset_t *former);

#endif
