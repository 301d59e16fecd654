/* The headers of requests and answers as they pass, and the numbers in them, on the C client's way to its own functions.
 *
 * The C client writes and reads them by functions of another object file, whose calls the linker's
 * --wrap makes ours. Several parts of the core want to see a header go by; here it is shown to each.
 */
#include "completions.h"
#include "credentials.h"
#include "handle.h"
#include "raw_request.h"
#include "reconnect.h"

int __real_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v);
int __wrap_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v);
int32_t __real_get_xid(void);
int32_t __wrap_get_xid(void);
int __real_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);
int __wrap_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);

/* The C client counts requests, of the whole process, from the time in seconds on and through all numbers of
 * 32 bits. Negative ones are not for requests: the answer to -8, -4, -2 or -1 is taken for that to
 * SetWatches, Auth, a ping or an event, and the caller waits in vain. 0 is none to raw_request.c. */
int32_t __wrap_get_xid(void) {
    int32_t xid;
    do {
        xid = __real_get_xid() & INT32_MAX;
    } while (xid == 0);
    return xid;
}

int __wrap_serialize_RequestHeader(struct oarchive *out, const char *tag, struct RequestHeader *v) {
    struct RequestHeader header = *v;
    if (!raw_request_replaces(&header) && header.type == OP_SET_WATCHES && reconnect_leave_out())
        header = (struct RequestHeader){XID_PING, OP_PING};
    return __real_serialize_RequestHeader(out, tag, &header);
}

int __wrap_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v) {
    int result = __real_deserialize_ReplyHeader(in, tag, v);
    raw_request_note_answer(v);
    if (result >= 0 && v->xid == XID_AUTH) credentials_note_answer(v->err);
    zk_handle *handle = completions_whose();
    if (handle) {
        handle->turned_away = v->err == ZSESSIONCLOSEDREQUIRESASLAUTH;
        if (v->xid > 0 && v->zxid > 0) handle->last_zxid = v->zxid;
        service_note_alive(handle);
        reconnect_note_answer(handle, v);
    }
    return result;
}
