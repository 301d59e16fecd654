/* Requests that the C client's API does not offer, on the C client's own session.
 *
 * ZooKeeper's protocol has operations that make tree work fast (MultiRead, op 22) and that the C
 * client never sends. A second connection of our own would be another session: reads would no longer
 * be ordered after our writes, and ACLs, ephemerals and watches would be another one's. So the
 * request travels on the C client's session, in disguise:
 *
 *   - `zoo_awget(zh, "/", ...)` is called. It numbers a request (xid), writes header and body into a
 *     buffer, puts it into the send queue, and remembers the completion.
 *   - The C client writes header and body by `serialize_RequestHeader` and `serialize_GetDataRequest`,
 *     functions of another object file. The linker's --wrap makes those calls ours. While
 *     `sending` is set, a thread-local, we write our operation number and our body instead.
 *   - The answer comes back by its xid. The C client reads its header by `deserialize_ReplyHeader`
 *     and its body by `deserialize_GetDataResponse`; both are wrapped too. If the xid is one of ours,
 *     we read the body, and hand an empty one to the C client.
 *   - It reads all of an answer by an archive of its buffer, which `create_buffer_iarchive` makes. That is
 *     wrapped as well, so that a long body can be read where it lies (`raw_request_body`).
 *   - The C client then calls the completion of its supposed get, and so ours.
 *
 * Everything else (queueing, reconnecting, failing requests on connection loss, expiry) is the C
 * client's usual work. All functions named have prototypes in its installed headers. Should a
 * different build of the C client not make these calls through the linker, `written` stays 0 and the
 * request ends with ZUNIMPLEMENTED: what went out was a harmless get of the root.
 *
 * Threads: `write` runs on the thread that sends, under handle.submit; `read_answer` and `finished`
 * run on the C client's I/O thread (completions.c), or `finished` on the one that closes the handle.
 */
#include "handle.h"
#include "raw_request.h"

#include <string.h>

int __real_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v);
int __real_deserialize_GetDataResponse(struct iarchive *in, const char *tag, struct GetDataResponse *v);
int __wrap_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v);
int __real_serialize_ExistsRequest(struct oarchive *out, const char *tag, struct ExistsRequest *v);
int __wrap_serialize_ExistsRequest(struct oarchive *out, const char *tag, struct ExistsRequest *v);
int __real_serialize_GetChildren2Request(struct oarchive *out, const char *tag, struct GetChildren2Request *v);
int __wrap_serialize_GetChildren2Request(struct oarchive *out, const char *tag, struct GetChildren2Request *v);
int __wrap_deserialize_GetDataResponse(struct iarchive *in, const char *tag, struct GetDataResponse *v);
struct iarchive *__real_create_buffer_iarchive(char *buffer, int size);
struct iarchive *__wrap_create_buffer_iarchive(char *buffer, int size);

#define HEADER_BYTES 16 /* of an answer: xid, zxid, error */

/* The answer that this thread reads, in the C client's buffer: its functions copy each part of it twice. */
static __thread struct opened {
    const struct iarchive *in;
    const char *bytes;
    int size;
} opened;

static __thread raw_request *sending;
static __thread int without_watch;
static __thread struct ReplyHeader reply;

/* Requests on their way, of all handles: the C client counts xids for the whole process. There are
 * rarely more than a dozen; where there are thousands, answers come in their order. */
static core_mutex travelling_lock = CORE_MUTEX(LOCK_RAW_REQUESTS);
static raw_request *travelling, **travelling_end = &travelling;

void raw_request_after_fork(void) {
    core_mutex_init(&travelling_lock, LOCK_RAW_REQUESTS);
    travelling = NULL;
    travelling_end = &travelling;
    sending = NULL;
}

static void note_travelling(raw_request *request) {
    core_lock(&travelling_lock);
    request->next = NULL;
    *travelling_end = request;
    travelling_end = &request->next;
    core_unlock(&travelling_lock);
}

static void forget_travelling(raw_request *request) {
    core_lock(&travelling_lock);
    for (raw_request **link = &travelling; *link; link = &(*link)->next)
        if (*link == request) {
            *link = request->next;
            if (travelling_end == &request->next) travelling_end = link;
            break;
        }
    core_unlock(&travelling_lock);
}

static raw_request *find_travelling(int32_t xid) {
    core_lock(&travelling_lock);
    raw_request *request = travelling;
    while (request && request->xid != xid) request = request->next;
    core_unlock(&travelling_lock);
    return request;
}

int raw_request_replaces(struct RequestHeader *header) {
    if (sending == NULL) return 0;
    sending->xid = header->xid;
    header->type = sending->op;
    return 1;
}

int __wrap_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v) {
    if (sending == NULL || sending->xid == 0) {
        struct GetDataRequest request = {v->path, v->watch && !without_watch};
        return __real_serialize_GetDataRequest(out, tag, &request);
    }
    core_assert_held(&sending->handle->submit);
    sending->written = 1;
    /* Known from here on, as the answer may come before zoo_awget returns. */
    note_travelling(sending);
    return sending->write(sending, out);
}

void raw_request_without_watch(int yes) { without_watch = yes; }

int __wrap_serialize_ExistsRequest(struct oarchive *out, const char *tag, struct ExistsRequest *v) {
    struct ExistsRequest request = {v->path, v->watch && !without_watch};
    return __real_serialize_ExistsRequest(out, tag, &request);
}

int __wrap_serialize_GetChildren2Request(struct oarchive *out, const char *tag, struct GetChildren2Request *v) {
    struct GetChildren2Request request = {v->path, v->watch && !without_watch};
    return __real_serialize_GetChildren2Request(out, tag, &request);
}

void raw_request_note_answer(const struct ReplyHeader *header) { reply = *header; }

int __wrap_deserialize_GetDataResponse(struct iarchive *in, const char *tag, struct GetDataResponse *v) {
    raw_request *request = find_travelling(reply.xid);
    if (request == NULL) return __real_deserialize_GetDataResponse(in, tag, v);
    memset(v, 0, sizeof *v);
    request->answer_code = request->read_answer(request, in, reply.zxid) < 0 ? ZMARSHALLINGERROR : ZOK;
    return 0;
}

static raw_request *raw_request_of(pending *p) {
    return (raw_request *)((char *)p - offsetof(raw_request, request));
}

static void finish_raw_request(raw_request *request, int code) {
    forget_travelling(request);
    service_trust(request->handle);
    request->finished(request, code);
}

/* As request.c has it. */
static void finish_at_close(pending *p, int code) {
    raw_request *request = raw_request_of(p);
    request->may_be_sent = 1;
    finish_raw_request(request, code);
}

int raw_request_never_sent(const raw_request *request, int code) {
    return code == ZCONNECTIONLOSS && !request->may_be_sent &&
           request->handle->connections == request->sent.connection;
}

static void get_done(int code, const char *value, int length, const struct Stat *stat, const void *data) {
    (void)value, (void)length, (void)stat;
    raw_request *request = (raw_request *)data;
    pending_done(request->handle, &request->request);
    if (code == ZOK) code = request->written ? request->answer_code : ZUNIMPLEMENTED;
    finish_raw_request(request, pending_code(request->handle, code));
}

int raw_request_send(zk_handle *handle, raw_request *request) {
    request->handle = handle;
    request->xid = 0;
    request->written = 0;
    request->answer_code = ZMARSHALLINGERROR;
    int code = pending_begin(handle, &request->request, finish_at_close);
    if (code != ZOK) return code;
    service_note_dispatch(handle, &request->sent);
    request->may_be_sent = request->sent.was_connected || zoo_state(handle->zh) == ZOO_READONLY_STATE;
    sending = request;
    code = zoo_awget(handle->zh, "/", NULL, NULL, get_done, request);
    sending = NULL;
    if (code != ZOK && request->written) forget_travelling(request);
    if (code == ZOK) service_doubt(handle);
    return pending_sent(handle, &request->request, code);
}

struct iarchive *__wrap_create_buffer_iarchive(char *buffer, int size) {
    struct iarchive *in = __real_create_buffer_iarchive(buffer, size);
    opened = (struct opened){in, buffer, size};
    return in;
}

const char *raw_request_body(const struct iarchive *in, size_t *size) {
    if (in != opened.in || opened.size < HEADER_BYTES) return NULL;
    *size = (size_t)opened.size - HEADER_BYTES;
    return opened.bytes + HEADER_BYTES;
}

int64_t raw_request_answer_zxid(void) { return reply.zxid; }
