/* Requests that the C client's API does not offer, on the C client's own session.
 *
 * ZooKeeper's protocol has operations that make tree work fast (MultiRead, op 22) and that the C
 * client never sends. A second connection of our own would be another session: reads would no longer
 * be ordered after our writes, and ACLs, ephemerals and watches would be somebody else's. So the
 * request travels on the C client's session, in disguise:
 *
 *   - `zoo_awget(zh, "/", ...)` is called. It numbers a request (xid), writes header and body into a
 *     buffer, puts it into the send queue, and remembers who waits for the answer.
 *   - The C client writes header and body by `serialize_RequestHeader` and `serialize_GetDataRequest`,
 *     functions of another object file. The linker's --wrap makes those calls ours. While
 *     `sending` is set, a thread-local, we write our operation number and our body instead.
 *   - The answer comes back by its xid. The C client reads its header by `deserialize_ReplyHeader`
 *     and its body by `deserialize_GetDataResponse`; both are wrapped too. If the xid is one of ours,
 *     we read the body, and hand an empty one to the C client.
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
#include "core.h"

#include <stdlib.h>
#include <string.h>

int __real_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v);
int __real_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v);
int __real_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);
int __real_deserialize_GetDataResponse(struct iarchive *in, const char *tag, struct GetDataResponse *v);
int __wrap_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v);
int __wrap_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v);
int __wrap_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);
int __wrap_deserialize_GetDataResponse(struct iarchive *in, const char *tag, struct GetDataResponse *v);

static __thread raw_request *sending;
static __thread struct ReplyHeader reply;
static __thread struct {
    int seen, code;
} auth_answer;

/* Requests on their way, of all handles: the C client counts xids for the whole process. There are
 * rarely more than a dozen. */
static pthread_mutex_t travelling_lock = PTHREAD_MUTEX_INITIALIZER;
static raw_request *travelling;

void raw_request_after_fork(void) {
    pthread_mutex_init(&travelling_lock, NULL);
    travelling = NULL;
    sending = NULL;
}

static void note_travelling(raw_request *request) {
    pthread_mutex_lock(&travelling_lock);
    request->next = travelling;
    travelling = request;
    pthread_mutex_unlock(&travelling_lock);
}

static void forget_travelling(raw_request *request) {
    pthread_mutex_lock(&travelling_lock);
    for (raw_request **link = &travelling; *link; link = &(*link)->next)
        if (*link == request) {
            *link = request->next;
            break;
        }
    pthread_mutex_unlock(&travelling_lock);
}

static raw_request *find_travelling(int32_t xid) {
    pthread_mutex_lock(&travelling_lock);
    raw_request *request = travelling;
    while (request && request->xid != xid) request = request->next;
    pthread_mutex_unlock(&travelling_lock);
    return request;
}

int __wrap_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v) {
    if (sending == NULL && v->type == OP_SET_WATCHES && set_watches_leaves_out()) {
        struct RequestHeader ping = {XID_PING, OP_PING};
        return __real_serialize_RequestHeader(out, tag, &ping);
    }
    if (sending == NULL) return __real_serialize_RequestHeader(out, tag, v);
    struct RequestHeader header = {v->xid, sending->op};
    sending->xid = v->xid;
    return __real_serialize_RequestHeader(out, tag, &header);
}

int __wrap_serialize_GetDataRequest(struct oarchive *out, const char *tag, struct GetDataRequest *v) {
    if (sending == NULL || sending->xid == 0) return __real_serialize_GetDataRequest(out, tag, v);
    sending->written = 1;
    /* Known from here on, as the answer may come before zoo_awget returns. */
    note_travelling(sending);
    return sending->write(sending, out);
}

int __wrap_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v) {
    int result = __real_deserialize_ReplyHeader(in, tag, v);
    reply = *v;
    if (result >= 0 && v->xid == XID_AUTH) {
        auth_answer.seen = 1;
        if (auth_answer.code == ZOK) auth_answer.code = v->err;
    }
    zk_handle *handle = completions_whose();
    if (handle) {
        handle->turned_away = v->err == ZSESSIONCLOSEDREQUIRESASLAUTH;
        set_watches_note_answer(handle, v);
    }
    return result;
}

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

static void finish_raw_request(pending *p, int code) {
    raw_request *request = raw_request_of(p);
    forget_travelling(request);
    service_trust(request->handle);
    request->finished(request, code);
}

static void get_done(int code, const char *value, int length, const struct Stat *stat, const void *data) {
    (void)value, (void)length, (void)stat;
    raw_request *request = (raw_request *)data;
    request_done(request->handle, &request->request);
    if (code == ZOK) code = request->written ? request->answer_code : ZUNIMPLEMENTED;
    finish_raw_request(&request->request, request_code(request->handle, code));
}

int raw_request_send(zk_handle *handle, raw_request *request) {
    request->handle = handle;
    request->xid = 0;
    request->written = 0;
    request->answer_code = ZMARSHALLINGERROR;
    int code = request_begin(handle, &request->request, finish_raw_request);
    if (code != ZOK) return code;
    request->sent.connection = handle->connections;
    request->sent.was_connected = zoo_state(handle->zh) == ZOO_CONNECTED_STATE;
    sending = request;
    code = zoo_awget(handle->zh, "/", NULL, NULL, get_done, request);
    sending = NULL;
    if (code != ZOK && request->written) forget_travelling(request);
    if (code == ZOK) service_doubt(handle);
    return request_sent(handle, &request->request, code);
}

int raw_request_read_data(struct iarchive *in, struct GetDataResponse *v) {
    return __real_deserialize_GetDataResponse(in, "answer", v);
}

int raw_request_auth_answer(int *code) {
    int seen = auth_answer.seen;
    *code = auth_answer.code;
    auth_answer.seen = 0;
    auth_answer.code = ZOK;
    return seen;
}

int64_t raw_request_answer_zxid(void) { return reply.zxid; }

char *chroot_server_path(zk_handle *handle, const char *path) {
    size_t chroot = strlen(handle->chroot);
    size_t length = chroot && path[1] == 0 ? 0 : strlen(path);
    char *full = core_alloc(chroot + length + 1);
    memcpy(full, handle->chroot, chroot);
    memcpy(full + chroot, path, length);
    full[chroot + length] = 0;
    return full;
}

int chroot_put_path(zk_handle *handle, struct oarchive *out, const char *path) {
    if (handle->chroot[0] == 0) return out->serialize_String(out, "path", (char **)&path);
    char *full = chroot_server_path(handle, path);
    int result = out->serialize_String(out, "path", &full);
    free(full);
    return result;
}

const char *chroot_client_path(zk_handle *handle, const char *path) {
    size_t chroot = strlen(handle->chroot);
    if (chroot == 0 || strncmp(path, handle->chroot, chroot) != 0) return path;
    return path[chroot] ? path + chroot : "/";
}
