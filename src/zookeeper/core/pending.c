/* The list of a handle's requests that have not finished. */
#include "handle.h"
#include "pending.h"

int pending_begin(zk_handle *handle, pending *p, void (*finish)(pending *, int)) {
    core_lock(&handle->submit);
    if (handle->shut) {
        core_unlock(&handle->submit);
        return handle->farewell;
    }
    p->finish = finish;
    p->next = handle->requests.next;
    p->previous = &handle->requests;
    p->next->previous = p;
    handle->requests.next = p;
    return ZOK;
}

int pending_sent(zk_handle *handle, pending *p, int code) {
    if (code != ZOK) pending_unlist(handle, p);
    core_unlock(&handle->submit);
    return code;
}

void pending_done(zk_handle *handle, pending *p) {
    core_lock(&handle->submit);
    pending_unlist(handle, p);
    core_unlock(&handle->submit);
}

void pending_unlist(zk_handle *handle, pending *p) {
    core_assert_held(&handle->submit);
    p->previous->next = p->next;
    p->next->previous = p->previous;
    p->next = p->previous = NULL;
}

/* When answers do not come in the order of the requests, as servers let happen to a session that comes
 * back while its requests are under way, the C client breaks the connection and tells everybody
 * RUNTIMEINCONSISTENCY. That is a lost connection; in transactions the word means something else. A
 * server that wants another authentication says so once, and hangs up on all that is under way. */
int pending_code(const zk_handle *handle, int code) {
    if (code == ZCLOSING) return handle->farewell;
    if (code == ZRUNTIMEINCONSISTENCY) code = ZCONNECTIONLOSS;
    return code == ZCONNECTIONLOSS && handle->turned_away ? ZSESSIONCLOSEDREQUIRESASLAUTH : code;
}
