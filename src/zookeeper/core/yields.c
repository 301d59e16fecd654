/* Letting other threads have the processor, between pieces of long work.
 *
 * Work that goes on beside a server's may keep it waiting: a virtual processor that sleeps does not look
 * idle to Linux, which leaves a thread that wakes up where it ran last, behind one that computes, for the
 * rest of that one's turn (a millisecond and more). Each of a server's threads that a request goes through
 * may wait so.
 *
 * Among threads that always want to run, one that yields has nearly no time for itself. So it works, after
 * each time, for as long as that took.
 */
#include "memory.h"
#include "yields.h"

#include <sched.h>

void yields_offer(yields *y) {
    int64_t begun_at = core_now();
    if (begun_at < y->next_at) return;
    sched_yield();
    int64_t now = core_now();
    y->next_at = now + (now - begun_at);
}
