/* Waking the I/O thread of a handle.
 *
 * The C client writes a byte into a pipe for each request, though its I/O thread may be at work and about to
 * look: two system calls, and a third for the poll that returns at once. Here a byte is written where that
 * thread sleeps. No wake-up is lost:
 *
 *     a caller                         the I/O thread
 *     queues a request                 is_asleep = 1
 *     is_called = 1                    polls without waiting if is_called is 1, else sleeps
 *     writes a byte if is_asleep is 1
 *
 * All of these are sequentially consistent, so the two stores and the two loads have one order for both
 * threads. If the caller has found is_asleep to be 0, its store of is_called came before the store of
 * is_asleep, and so before the load behind that: the thread finds it to be 1, and does not sleep. Otherwise
 * there is a byte in the pipe, which is among what is polled. A turn sets is_called to 0 as it begins, before
 * it looks at the queue. A caller that comes later sets it again, and one that came before has its request in
 * the queue by then, as its store is what the exchange reads.
 *
 * The caller that writes the byte takes is_asleep away with it, for the others that come while the thread is
 * waking up: there is one byte. It has the lock `submit`, so none of them can be waiting for a byte that it is
 * still to write. At the beginning is_asleep is 1: nothing is known of the thread.
 */
#include "wakeups.h"

#include <stdatomic.h>
#include <unistd.h>

static __thread sends_itself offered;

void wakeups_init(wakeups *w) {
    w->is_asleep = 1;
    w->read_fd = w->write_fd = -1;
}

void wakeups_by(wakeups *w, int read_fd, int write_fd) {
    w->read_fd = read_fd;
    w->write_fd = write_fd;
}

void wakeups_call(wakeups *w) {
    w->is_called = 1;
    if (!w->is_asleep) return;
    w->is_asleep = 0;
    int fd = w->write_fd;
    if (fd < 0) return;
    ssize_t count = write(fd, "", 1);
    (void)count; /* a pipe that is full wakes as well */
}

int wakeups_is_asleep(const wakeups *w) { return w->is_asleep; }

int wakeups_is_waited_for(const wakeups *w, int fd) { return fd >= 0 && fd == w->read_fd; }

void wakeups_begin_turn(wakeups *w) {
    if (w->read_fd >= 0) w->is_asleep = 0;
    atomic_exchange(&w->is_called, 0);
}

int wakeups_is_called(const wakeups *w) { return w->is_called; }

int wakeups_begin_sleep(wakeups *w) {
    w->is_asleep = 1;
    return !w->is_called;
}

void wakeups_end_sleep(wakeups *w) { w->is_asleep = 0; }

void wakeups_offer(sends_itself offer) { offered = offer; }

sends_itself wakeups_offered(void) { return offered; }
