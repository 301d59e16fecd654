/* Rests of the I/O thread, in which the threads that call read the answers themselves.
 *
 * A call that waits switches threads twice: to the I/O thread, which polls and reads the answer, and back.
 * Where calls follow each other closely, one at a time, that thread rests: it sleeps, and leaves the socket to
 * the callers (leader and follower; leader.c). It does so once it has seen a few such calls in two
 * milliseconds, for a millisecond, and for another one as long as there are more of them. So whatever comes
 * while nobody reads, as an event does, waits for a millisecond at most, and only beside such calls; and
 * what a leader does wrong, or leaves undone as its thread is stopped, ends with the rest. Where something has
 * waited so, or a leader has found anything but its answer as a whole, there is no other rest for a while:
 * programs that call when they hear of an event are to hear of the next one at once.
 *
 * It rests only while nothing is under way. A request that is sent during the rest has a reader: its caller,
 * or a leader that is there already and has the I/O thread woken when it leaves, or the I/O thread, which is
 * woken at once. All of that is decided with `sending` held. Servers that take longer, TLS, SASL, and many threads that
 * call side by side are read by the I/O thread as ever.
 */
#include "handle.h"
#include "memory.h"
#include "rests.h"

#define REST_MS 1
/* In a row, to go on with a rest. */
#define CALLS_TO_GO_ON 2
#define HINDERED_NS (50 * MILLISECOND)

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

/* By a server that takes up to half a millisecond: where it takes longer, a switch of threads is a small part. */
static unsigned calls_wanted = 4;
static int64_t window = 2 * MILLISECOND;

void rests_after(unsigned calls, int64_t nanoseconds) {
    calls_wanted = calls;
    window = nanoseconds;
}

static int is_due(rests *r) {
    int64_t now = core_now();
    unsigned lonely = r->lonely;
    int is_recent = now - r->since <= window, is_enough = lonely - r->counted >= calls_wanted;
    if (now < r->not_before || (is_recent && !is_enough)) return 0;
    r->since = now;
    r->counted = lonely;
    return is_recent && is_enough;
}

static int may_rest(const zk_handle *handle) {
    const connection *c = &handle->connection;
    const asked *a = &c->frames.asked;
    return handle->attempt.phase == ATTEMPT_NONE && handle->layer.functions == NULL && c->probe.fd < 0 &&
           frames_is_open(&c->frames) && !stream_is_held(&c->stream) && !stream_has_more(&c->stream) &&
           a->count == 0 && a->auths == 0 && a->set_watches == 0;
}

static int begin_rest(zk_handle *handle) {
    core_lock(&handle->sending);
    int is_resting = handle->rests.is_resting = !handle->rests.is_shut && may_rest(handle);
    core_unlock(&handle->sending);
    return is_resting;
}

/* A leader, which is returned, finds that it leads no more. */
static unsigned end_rest(zk_handle *handle) {
    rests *r = &handle->rests;
    core_lock(&handle->sending);
    unsigned leader = r->leader;
    r->is_resting = 0;
    r->leader = 0;
    core_unlock(&handle->sending);
    return leader;
}

void rests_hindered(rests *r) { r->not_before = core_now() + HINDERED_NS; }

int rests_poll(zk_handle *handle, struct pollfd *fds, int timeout, int *is_resting) {
    rests *r = &handle->rests;
    *is_resting = timeout > 0 && !(fds[1].events & POLLOUT) && is_due(r) && begin_rest(handle);
    if (!*is_resting) return 0;
    int ready;
    unsigned before;
    int64_t until = core_now() + (timeout - REST_MS) * MILLISECOND;
    do {
        before = r->lonely;
        ready = __real_poll(fds, 1, REST_MS);
    } while (ready == 0 && r->lonely - before >= CALLS_TO_GO_ON && core_now() <= until);
    unsigned leader = end_rest(handle);
    if (ready == 0 && leader == 0 && __real_poll(&fds[1], 1, 0) > 0) rests_hindered(r);
    fds[1].revents = 0;
    return ready;
}

void rests_shut(zk_handle *handle) {
    core_lock(&handle->sending);
    handle->rests.is_shut = 1;
    core_unlock(&handle->sending);
}

static __thread lead sent_last;

int rests_sent(zk_handle *handle) {
    core_assert_held(&handle->sending);
    rests *r = &handle->rests;
    int is_lonely = wakeups_offered() == SENDS_ALL && handle->connection.frames.asked.count == 1;
    if (is_lonely) r->lonely++;
    if (!r->is_resting || r->leader) return 1;
    if (!is_lonely || r->is_shut) return 0;
    if (++r->last == 0) r->last = 1;
    r->leader = r->last;
    sent_last = (lead){r->last, handle->connection.fd};
    return 1;
}

unsigned rests_leads(zk_handle *handle) {
    core_lock(&handle->sending);
    unsigned leads = handle->rests.last;
    core_unlock(&handle->sending);
    return leads;
}

lead rests_lead(void) {
    lead l = sent_last;
    sent_last.number = 0;
    return l;
}
