/* The headers of requests and answers as they pass, on the C client's way to its own functions.
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
int __real_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);
int __wrap_deserialize_ReplyHeader(struct iarchive *in, const char *tag, struct ReplyHeader *v);

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
        reconnect_note_answer(handle, v);
    }
    return result;
}
