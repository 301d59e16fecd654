/* Waking the I/O thread of a handle, where it sleeps. */
#ifndef ZOOKEEPER_WAKEUPS_H
#define ZOOKEEPER_WAKEUPS_H

typedef struct {
    _Atomic int is_asleep; /* it polls, or is about to, and has not been woken */
    _Atomic int is_called; /* something has been queued since its turn began */
    _Atomic int read_fd, write_fd; /* the C client's pipe; -1: none */
} wakeups;

void wakeups_init(wakeups *w);
/* The C client has made its pipe, and no thread yet. */
void wakeups_by(wakeups *w, int read_fd, int write_fd);
/* Something has been queued: have the I/O thread look. */
void wakeups_call(wakeups *w);
int wakeups_is_asleep(const wakeups *w);
/* Whether that is the end of the pipe that the I/O thread polls. */
int wakeups_is_waited_for(const wakeups *w, int fd);

/* On the I/O thread. Its turn begins: it looks at everything that has been queued before. */
void wakeups_begin_turn(wakeups *w);
/* Something has been queued since. */
int wakeups_is_called(const wakeups *w);
/* It is about to poll: whether it may sleep. And it has done so. */
int wakeups_begin_sleep(wakeups *w);
void wakeups_end_sleep(wakeups *w);

/* Which requests of the C client this thread offers to send itself, instead of waking the other one. */
typedef enum { SENDS_NONE, SENDS_ALONE /* where no other is under way */, SENDS_ALL } sends_itself;
void wakeups_offer(sends_itself offer);
sends_itself wakeups_offered(void);

#endif
