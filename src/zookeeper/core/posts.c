/* A semaphore on a futex, with the monotonic clock.
 *
 * Posts and waiting threads are counted in one word. So posting touches it once: what is posted about is
 * often freed by the thread that waited, which sees the post before the posting thread goes on. Waking
 * by an address that is not there any more harms nobody. */
#include "posts.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ONE_POST 1u
#define ONE_WAITING (1u << 24)
#define POSTED(state) ((state) & (ONE_WAITING - 1))

/* The kernel's, whatever libc makes of time_t. */
typedef struct {
    long seconds, nanoseconds;
} moment;

/* Thirty years of uptime, and few enough seconds for any `long`. */
#define MAX_DEADLINE INT64_C(1000000000000000000)

static int sleep_while(posts *p, uint32_t state, int64_t deadline) {
    if (deadline > MAX_DEADLINE) deadline = MAX_DEADLINE;
    if (deadline < 0) deadline = 0;
    moment until = {(long)(deadline / 1000000000), (long)(deadline % 1000000000)};
    int operation = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
    long woken = syscall(SYS_futex, &p->state, operation, state, &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return woken == 0 || errno == EAGAIN ? 0 : errno;
}

void posts_add(posts *p) {
    uint32_t *word = (uint32_t *)&p->state;
    if (atomic_fetch_add(&p->state, ONE_POST) >= ONE_WAITING)
        syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

int posts_wait(posts *p, int64_t deadline) {
    int problem = 0;
    uint32_t seen = atomic_load(&p->state);
    while (POSTED(seen) || problem == 0) {
        if (POSTED(seen)) {
            if (atomic_compare_exchange_weak(&p->state, &seen, seen - ONE_POST)) return 0;
        } else if (atomic_compare_exchange_weak(&p->state, &seen, seen + ONE_WAITING)) {
            problem = sleep_while(p, seen + ONE_WAITING, deadline);
            seen = atomic_fetch_sub(&p->state, ONE_WAITING) - ONE_WAITING;
        }
    }
    return problem;
}
