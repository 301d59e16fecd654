/* Events, as the C client calls its watchers.
 *
 * It reads each event twice: when the answers before it are put into its queue, and when the queue has
 * come to it. It calls those watchers alone that wait at the event's very path. Watches that stay
 * (standing.c) are not in its tables, and recursive ones are at other paths. So each event of a node
 * goes to Python's registry from here, in its place among the answers, whatever the C client does.
 */
#include "completions.h"
#include "handle.h"
#include "raw_request.h"

int __real_deserialize_WatcherEvent(struct iarchive *in, const char *tag, struct WatcherEvent *v);
int __wrap_deserialize_WatcherEvent(struct iarchive *in, const char *tag, struct WatcherEvent *v);

int __wrap_deserialize_WatcherEvent(struct iarchive *in, const char *tag, struct WatcherEvent *v) {
    int result = __real_deserialize_WatcherEvent(in, tag, v);
    zk_handle *handle = completions_calling();
    /* The session's are the C client's own, and that nobody watches is for standing.c to say. */
    int is_change = v->type >= ZOO_CREATED_EVENT && v->type <= ZOO_CHILD_EVENT;
    if (result >= 0 && handle && v->path && is_change)
        queue_push_change(handle, v->type, v->state, v->path, raw_request_answer_zxid());
    return result;
}
