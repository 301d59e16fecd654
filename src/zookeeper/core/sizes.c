/* Sizes of requests that a service takes: what its servers' jute.maxbuffer may be.
 *
 * A server hangs up at a request over it, and says nothing. A bad network does the same to any request, and more
 * often to a large one, which is under way for longer. So nothing follows from one loss, and nothing ever from the
 * loss of a request that is no larger than one that was answered. From the second one on pieces are made smaller,
 * which costs little. That a request is not even sent any more is an error for programs. It takes two losses, and
 * that the last connection had answered something before; or four, as some programs ask for nothing else, or
 * where a size that is hardly smaller was answered. Pieces are never made smaller than what was answered.
 *
 * An answer counts for an hour or two. Servers of an ensemble may have several limits: what one of them takes
 * is not refused because of another one, as a connection that is lost leads to the next server. A service whose limit
 * is made smaller meanwhile ends connections until then, at the larger requests, and each of these gets an error.
 */
#include "sizes.h"

#define SHRINK 4

#define LOSSES 2
#define MORE_LOSSES 4

/* A request that is larger by less than this part than one that was answered is hardly the first one too large. */
#define CLOSE_PART 8

#define PERIOD_NS (3600 * INT64_C(1000000000))

void sizes_begin_anew(request_sizes *s) {
    s->piece = PIECE_BYTES;
    s->hung_up_at = 0;
    s->shrunk_at = s->lost_bytes = 0;
    s->losses = 0;
}

static long largest_answered(const request_sizes *s, int64_t now) {
    int64_t age = now - s->period;
    if (age >= 2 * PERIOD_NS) return 0;
    if (age >= PERIOD_NS || s->answered > s->answered_before) return s->answered;
    return s->answered_before;
}

int sizes_may_be_limited(const request_sizes *s, long bytes, int64_t now) {
    return bytes > SMALL_REQUEST && bytes > largest_answered(s, now);
}

int sizes_is_news(const request_sizes *s, long bytes, int64_t now) {
    return bytes > s->answered || now - s->period >= PERIOD_NS;
}

/* Bulk writes rely on it that a piece is below what is refused, and below PIECE_BYTES while anything is. */
static long largest_piece(long bytes) { return bytes < PIECE_BYTES ? bytes : PIECE_BYTES - 1; }

void sizes_note_answer(request_sizes *s, long bytes, int64_t now) {
    int64_t age = now - s->period;
    if (age >= PERIOD_NS) {
        s->answered_before = age < 2 * PERIOD_NS ? s->answered : 0;
        s->answered = 0;
        s->period = now;
    }
    if (bytes > s->answered) s->answered = bytes;
    if (bytes >= s->lost_bytes) s->losses = 0, s->lost_bytes = 0;
    if (s->hung_up_at && bytes >= s->hung_up_at) s->hung_up_at = 0;
    if (s->shrunk_at && bytes >= s->shrunk_at) s->shrunk_at = s->hung_up_at;
    if (s->shrunk_at == 0)
        s->piece = PIECE_BYTES;
    else if (bytes > s->piece)
        s->piece = largest_piece(bytes);
}

int sizes_note_loss(request_sizes *s, long bytes, int64_t now, int is_sure, int is_whole) {
    if (bytes > s->lost_bytes) s->lost_bytes = bytes;
    if (++s->losses < LOSSES) return 0;
    if (s->shrunk_at == 0 || bytes < s->shrunk_at) s->shrunk_at = bytes;
    long smaller = (bytes < s->piece ? bytes : s->piece) / SHRINK, known = largest_answered(s, now);
    if (smaller < SMALL_REQUEST) smaller = SMALL_REQUEST;
    s->piece = smaller < known ? largest_piece(known) : smaller;
    if (bytes - known < known / CLOSE_PART) is_sure = 0;
    if (is_whole && (is_sure || s->losses >= MORE_LOSSES)) {
        /* The others were as large at most: so many losses speak against this size. */
        if (s->hung_up_at == 0 || s->lost_bytes < s->hung_up_at) s->hung_up_at = s->lost_bytes;
        s->losses = 0;
        s->lost_bytes = 0;
    }
    return 1;
}

void sizes_excuse(request_sizes *s) {
    if (s->losses && --s->losses == 0) s->lost_bytes = 0;
}
