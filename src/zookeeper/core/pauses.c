/* The pauses between one connection and the next.
 *
 * A server that accepts connections and ends them at once, such as a load balancer with nothing
 * behind it, would be connected to thousands of times a second: the C client pauses only when it
 * could connect to none of its servers, and then any request that is submitted wakes it up again.
 *
 * The connection that follows a good one comes at once, and so does one more, since another server
 * may take over. After that pauses double (backoff), each made shorter at random (jitter) so that
 * clients do not come in step. On a bad network connections are short and good for something: they
 * cost a short pause at the most. All stay well below the session timeout: a session must find the
 * servers again before it ends. Credentials that are refused (SASL) have no session that could end, and
 * their pauses grow to half a minute.
 */
#include "memory.h"
#include "pauses.h"

#include <unistd.h>

#define FIRST_PAUSE_NS 100000000
#define MAX_PAUSE_NS 5000000000
#define MAX_SERVED 3 /* failures, after a connection on which requests were answered */
#define SESSION_PARTS 6 /* the longest pause is that part of the session timeout */
#define MIN_PAUSE_NS 20000000
#define SETTLED_NS 1000000000 /* a session served for that long was no failed attempt */

void pauses_init(pauses *p) { p->random = (uint64_t)core_now() ^ ((uint64_t)getpid() << 32) ^ (uintptr_t)p; }

/* A number from 0 to below 1 (xorshift). */
static double some_part(pauses *p) {
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (double)(p->random >> 11) / (double)(UINT64_C(1) << 53);
}

int64_t pauses_longest(int session_timeout) {
    int64_t part = (int64_t)session_timeout * 1000000 / SESSION_PARTS;
    if (part < FIRST_PAUSE_NS) return FIRST_PAUSE_NS;
    return part < MAX_PAUSE_NS ? part : MAX_PAUSE_NS;
}

int pauses_lost(pauses *p, int64_t welcomed_at, int served, int64_t now, int64_t most) {
    if (welcomed_at && now - welcomed_at >= SETTLED_NS) {
        p->failures = 0;
        return 0;
    }
    if (served && p->failures >= MAX_SERVED) p->failures = MAX_SERVED - 1;
    if (++p->failures < 2) return 0;
    int64_t pause = FIRST_PAUSE_NS;
    for (int i = 2; i < p->failures && pause < most; i++) pause *= 2;
    if (pause > most) pause = most;
    p->until = now + pause / 2 + (int64_t)((double)(pause / 2) * some_part(p));
    return p->failures == 3;
}

void pauses_no_socket(pauses *p, int64_t now, int64_t pause) {
    int64_t until = now + (pause > MIN_PAUSE_NS ? pause : MIN_PAUSE_NS);
    if (until > p->until) p->until = until;
}

int64_t pauses_left(const pauses *p, int64_t now) { return p->until > now ? p->until - now : 0; }
