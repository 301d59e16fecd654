/* Rests of the I/O thread, in which the threads that call read the answers themselves. */
#ifndef ZOOKEEPER_RESTS_H
#define ZOOKEEPER_RESTS_H

#include "client.h"

#include <poll.h>

/* A call whose caller is to read the answer (leader.c): `number` is 0 where it is not. */
typedef struct {
    unsigned number;
    int fd; /* the connection's socket when it was sent */
} lead;

typedef struct {
    _Atomic unsigned lonely; /* calls sent by threads that wait for the answer, with nothing else under way */
    /* Guarded by `sending`. */
    int is_resting;     /* the I/O thread sleeps, and does not look at the socket */
    unsigned leader;    /* the number of the call whose caller looks at it in its stead; 0: none */
    unsigned last;      /* number */
    int is_shut;        /* the handle is being closed */
    _Atomic int64_t not_before; /* the next rest */
    /* Of the I/O thread: since when it has counted, and how many there were then. */
    int64_t since;
    unsigned counted;
} rests;

/* The I/O thread is about to wait for the pipe and the socket. If it rests, as poll of the first alone;
 * `is_resting` says whether it has. */
int rests_poll(zk_handle *handle, struct pollfd *fds, int timeout, int *is_resting);
/* Something else has come than a leader's answer as a whole: do not rest for a while. */
void rests_hindered(rests *r);
/* The handle is being closed: no thread reads in the I/O thread's stead any more. */
void rests_shut(zk_handle *handle);

/* This thread has sent what was queued, with `sending` held: whether the answers are read without the I/O
 * thread being woken. */
int rests_sent(zk_handle *handle);
/* The call that this thread has just sent: whether it is to read the answer. Asked once. */
lead rests_lead(void);

/* For tests: rest as soon as so many such calls have been sent within so many nanoseconds; and how many
 * answers have been left to their callers. */
void rests_after(unsigned calls, int64_t nanoseconds);
unsigned rests_leads(zk_handle *handle);

#endif
