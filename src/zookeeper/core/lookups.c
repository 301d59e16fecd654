/* Lookups of names, on detached threads.
 *
 *   - There is at most one lookup of a name under way in the process: one that hangs takes one thread, and
 *     holds up neither other lookups nor exit.
 *   - Lookups of a name are paced: its next one may start after a pause that grows and is spread at
 *     random (backoff, jitter), whatever the number of handles that want it.
 *
 * The lock of the table is never held during a lookup.
 */
#include "client.h"
#include "log.h"
#include "lookups.h"
#include "memory.h"
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_PAUSE (100 * MILLISECOND)
#define MAX_PAUSE (2000 * MILLISECOND)

/* Lookups under way in the process. With a name service that is silent each takes a thread for half a
 * minute. */
#define MAX_LOOKUPS 64

/* Both guarded by names_lock. */
static int lookups;
static uint64_t dice;

static int64_t spread(int64_t pause) {
    core_assert_held(&names_lock);
    if (dice == 0) dice = (uint64_t)core_now() ^ ((uint64_t)getpid() << 32) ^ 0x9e3779b97f4a7c15;
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return pause / 2 + (int64_t)(dice % (uint64_t)(pause / 2 + 1));
}

static void end_lookup(host_name *name, int code, server_address *addresses, int count) {
    core_lock(&names_lock);
    lookups--;
    name->is_busy = 0;
    name->ended++;
    name->code = code;
    if (code == 0) {
        free(name->addresses);
        name->addresses = addresses;
        name->count = count;
    }
    names_wake(name);
    names_forget_unused(name);
    core_unlock(&names_lock);
}

static void say_why(const char *name, int code) {
    log_say(ZOO_LOG_LEVEL_WARN, "lookup", "%.200s: %s", name, address_failure(code));
}

static void *lookup_thread(void *argument) {
    host_name *name = argument;
    server_address *addresses;
    int count;
    int code = address_look_up(name->text, 0, &addresses, &count);
    if (code != 0) say_why(name->text, code);
    end_lookup(name, code, addresses, count);
    return NULL;
}

/* With the lock held. */
static void begin_lookup(host_name *name, int64_t now) {
    core_assert_held(&names_lock);
    int is_rested = name->began == 0 || now - name->began > 2 * MAX_PAUSE;
    name->pause = is_rested ? FIRST_PAUSE : 2 * name->pause < MAX_PAUSE ? 2 * name->pause : MAX_PAUSE;
    name->began = now;
    name->due = now + spread(name->pause);
    int problem = core_thread(lookup_thread, name);
    if (problem == 0) {
        name->is_busy = 1;
        lookups++;
    } else {
        /* Out of threads: as if the name service had failed. */
        name->ended++;
        name->code = problem;
    }
}

int64_t lookups_refresh(server_names *list) {
    int64_t next = INT64_MAX;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++) {
        host_name *name = list->servers[i].name;
        if (name->is_numeric || name->is_busy) continue;
        int64_t now = core_now();
        if (name->due <= now && lookups < MAX_LOOKUPS) begin_lookup(name, now);
        if (!name->is_busy) {
            int64_t due = name->due > now ? name->due : now + FIRST_PAUSE;
            if (due < next) next = due;
        }
    }
    core_unlock(&names_lock);
    return next;
}

int64_t lookups_pause(server_names *list) {
    int64_t next = lookups_refresh(list);
    server_address any;
    if (names_known(list, &any, 1)) return 0;
    return core_clamp(MILLISECOND, next - core_now(), 1000 * MILLISECOND);
}

/* 0: some address is known; EAI_... or an errno: each lookup has ended, in vain; EAI_INPROGRESS: neither yet.
 * `is_open`: a name may still be found out. */
static int outcome(const server_names *list, int *is_open) {
    int code = 0, is_known = 0;
    *is_open = 0;
    core_lock(&names_lock);
    for (int i = 0; i < list->count; i++) {
        const host_name *name = list->servers[i].name;
        if (name->count)
            is_known = 1;
        else if (name->ended == list->servers[i].ended)
            *is_open = 1;
        else if (code == 0 || code == EAI_NONAME)
            code = name->code; /* what may pass says more than that there is no such name */
    }
    core_unlock(&names_lock);
    return is_known ? 0 : *is_open ? EAI_INPROGRESS : code;
}

int lookups_wait(server_names *list, int64_t deadline) {
    for (int is_known = 0, is_open;;) {
        int code = outcome(list, &is_open);
        if (code != EAI_INPROGRESS && !is_open) return code;
        if (code == 0 && !is_known) {
            /* The one that is known first must not have all clients: wait a little for the others. */
            is_known = 1;
            int64_t until = core_now() + FIRST_PAUSE;
            if (until < deadline) deadline = until;
        }
        /* One that failed lately for another handle may not be due yet. */
        int64_t next = lookups_refresh(list);
        int woken = posts_wait(&list->changed, next < deadline ? next : deadline);
        if (woken == EINTR) return EAI_INTR;
        if (woken != 0 && core_now() >= deadline) return outcome(list, &is_open);
    }
}

void lookups_after_fork(void) {
    /* The threads that look names up do not exist in the child, nor the one that may have held the
     * lock. */
    names_after_fork();
    lookups = 0;
    dice = 0;
}
