# Access control: the lists of nodes, and credentials.

def get_acl(h, path, *, timeout=None):
    """Return a node's stat and access control list."""
    cdef Handle handle = find(h)
    acl, stat = answer(handle, request_of(OP_GET_ACL, path), acl_results, None, timeout)
    return stat, acl


def aget_acl(h, path, completion=None):
    """Do as get_acl does, and call `completion(handle, code, acl, stat)`."""
    cdef Handle handle = find(h)
    return ask_later(handle, request_of(OP_GET_ACL, path), completion_context(None, completion, acl_results))


cdef Request acl_request(path, version, acl):
    cdef Request request = versioned_request(OP_SET_ACL, path, version)
    add_acl(request, acl)
    return request


def set_acl(h, path, version, acl, *, timeout=None):
    """Replace a node's access control list, and return OK.

    version: the ACL version that the node must have; -1 for any.
    """
    cdef Handle handle = find(h)
    answer(handle, acl_request(path, version, acl), no_results, None, timeout)
    return constants.OK


def aset_acl(h, path, version, acl, completion=None):
    """Do as set_acl does, and call `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef Request request = acl_request(path, version, acl)
    return ask_later(handle, request, completion_context(None, completion, no_results))


cdef Request credential_request(scheme, credential):
    cdef Request request = Request.__new__(Request)
    request.where = encoded(scheme, "a scheme", None)
    request.data = encoded(credential, "a credential", None)
    if b"\0" in request.where:
        raise errors.error(constants.BADARGUMENTS, None, "a scheme must not hold a null character")
    request.op.op = OP_AUTH
    request.op.scheme = request.where
    request.op.data = data_pointer(request.data)
    request.op.length = data_length(request.data)
    return request


def add_auth(h, scheme, credential, completion=None):
    """Authenticate the session, and call `completion(handle, code)`.

    scheme: such as `digest`; credential: for it, `user:password`, as text or bytes.

    The credential is sent at once or with the next connection, and again after each reconnect. If the
    connection is lost before the answer, the code is CONNECTIONLOSS: the credential is sent with the
    next one all the same. To add it again is idempotent and costs nothing, and tells of that answer.
    """
    cdef Handle handle = find(h)
    cdef Request request = credential_request(scheme, credential)
    return ask_later(handle, request, completion_context(None, completion, no_results))
