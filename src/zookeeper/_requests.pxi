# Requests for one node: made from Python's values, sent, and waited for or passed to a completion.
#
# The functions of the module are two for each operation. Both make the same Request, and both know the
# same way from the answer to Python's values (a results_function). One waits (`answer`), the other
# (a...) has its completion called on the handle's event thread (`ask_later`).

@cython.final
@cython.internal
@cython.freelist(16)
cdef class Request:
    """One operation on one node, and what its strings belong to."""

    cdef c_operation op
    cdef object path  # for exceptions; None where the request is about no node
    cdef bytes where
    cdef bytes data
    cdef bytes members
    cdef AclVector acl


cdef Request request_of(int op, path, bint sequential=False):
    """Make a request that needs nothing but a path."""
    cdef Request request = Request.__new__(Request)
    request.path = path
    request.where = encoded_path(path, sequential)
    request.op.op = op
    request.op.path = request.where
    return request


cdef Request versioned_request(int op, path, version):
    cdef int wanted = integer(version, "a version")
    cdef Request request = request_of(op, path)
    request.op.version = wanted
    return request


cdef int add_data(Request request, data) except -1:
    request.data = encoded_data(data, request.path)
    request.op.data = data_pointer(request.data)
    request.op.length = data_length(request.data)
    return 0


cdef int add_acl(Request request, acl) except -1:
    request.acl = AclVector(acl, request.path)
    request.op.acl = &request.acl.vector
    return 0


# ---- watchers and completions ------------------------------------------------------------------

cdef Context watch_context(path, watcher, int kind, bint missing_too=False):
    if watcher is None:
        return None
    checked_callable(watcher, "a watcher")
    hash(watcher)  # raises TypeError: the registry compares watchers
    cdef Context context = Context.__new__(Context)
    context.watcher = watcher
    context.watch_kind = kind
    context.path = exact(path)
    context.missing_too = missing_too
    return context


cdef Context completion_context(Context context, completion, results_function results):
    checked_callable(completion, "a completion")
    if context is None:
        context = Context.__new__(Context)
    choose_place(context, completion)
    context.results = results
    return context


# ---- checked before anything is sent -----------------------------------------------------------

cdef double seconds_of(timeout) except? -2:
    """Check a timeout, before anything is sent; -1 stands for none."""
    cdef double seconds
    if timeout is None:
        return -1
    try:
        seconds = timeout
    except OverflowError:
        seconds = -1
    if not 0 <= seconds < 1e9:
        raise errors.error(constants.BADARGUMENTS, None, f"timeout must be a number of seconds from 0 to 1e9: {timeout!r}")
    return seconds


cdef int64_t deadline_of(Handle handle, timeout) except? -1:
    """Return the moment until which to wait, by default a session timeout."""
    cdef double seconds = seconds_of(timeout)
    if seconds < 0:
        return core_now() + <int64_t>handle.c.session_timeout * 1000000
    return core_now() + <int64_t>(seconds * 1e9)


cdef int check_size(Handle handle, path, Py_ssize_t size) except -1:
    """Refuse a request that is over the server's limit.

    size: bytes without the header.

    The server would close the connection over it, and fail everything in flight. A credential would be
    sent with each connection, and have each closed, for ever. A larger length is no C int, either.
    """
    size += 64
    if path is not None:
        size += strlen(handle.c.chroot)
    if size > handle.max_request:
        what = "credential" if path is None else "request"
        raise errors.error(
            constants.BADARGUMENTS,
            path,
            f"a {what} of {size} bytes is over the limit of {handle.max_request} (jute.maxbuffer)",
        )
    return 0


cdef Py_ssize_t size_of(Request request):
    cdef Py_ssize_t size = data_size(request.where) + data_size(request.data) + data_size(request.members)
    if request.acl is not None:
        for text in request.acl.strings:
            size += len(text) + 8
    return size


# ---- sending -----------------------------------------------------------------------------------

cdef enum:
    NO_WATCHER = -121
    REMOVED_HERE = 1


cdef call *new_call(Handle handle, bint waiting, Context context) except NULL:
    cdef call *c
    cdef bint watched
    if context is None:
        return call_new(handle.c, waiting, NULL, False)
    Py_INCREF(context)
    context.number = handle.number
    # A removal leaves no watch, also where it is a read that tells when it is its turn.
    watched = context.watcher is not None and not context.forget
    c = call_new(handle.c, waiting, <void *>context, watched)
    # The event thread has more to do for a removal before its completion hears of it.
    if not context.forget:
        c.answers = context.answers()
    return c


cdef int submit(call *c, const c_operation *op) noexcept nogil:
    return raw_call_submit(c, op) if raw_call_knows(op) else call_submit(c, op)


cdef int send(Handle handle, call *c, Request request) except? -32000:
    """Send a request; a watch that it asks for is expected from then on.

    Returns ZOK, REMOVED_HERE for a removal that no server need hear of, or why it was not sent. After
    an exception the call is gone.
    """
    cdef Context context
    cdef int code
    if c.context is NULL:
        return submit(c, &request.op)
    context = <Context>c.context
    try:
        if context.forget:
            return send_removal(handle, c, request)
        if context.watcher is not None:
            handle.registry.expect(context.watch_kind, (context.path,), context.watcher)
            if context.watch_kind & STANDING:
                choose_mode(handle.registry, context.path, request)
    except:
        drop(c)
        raise
    code = submit(c, &request.op)  # at once: see _watchers.pxi
    if code != ZOK and context.watcher is not None:
        handle.registry.settle(context.watch_kind, (context.path,), context.watcher, False)
        sweep(handle, context.path)
    return code


cdef void drop_context(call *c) noexcept:
    """Let go of the context of a call that has not been sent."""
    if c.context is not NULL:
        Py_DECREF(<object>c.context)
        c.context = NULL


cdef void drop(call *c) noexcept:
    """Let go of a call that has not been sent."""
    drop_context(c)
    call_release(c)


cdef void abandon(call *c) noexcept:
    """Stop waiting; the request lets go of the call when it is over."""
    c.abandoned = 1
    call_release(c)


cdef call *ask(Handle handle, Request request, Context context, timeout) except NULL:
    """Send a request and wait for its answer; the caller releases the call."""
    cdef int code
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, request.path, size_of(request))
    cdef call *c = new_call(handle, True, context)
    if context is None:
        with nogil:
            code = submit(c, &request.op)
            if code == ZOK:
                status = leader_wait(c, deadline)
    else:
        code = send(handle, c, request)
        if code == REMOVED_HERE:
            drop_context(c)
            return c
        if code == ZOK:
            with nogil:
                status = leader_wait(c, deadline)
    if code != ZOK:
        drop(c)
        raise unsent(code, request.path, lack(request.op.op))
    while status:
        if status == EINTR:
            try:
                PyErr_CheckSignals()
            except:
                abandon(c)
                raise
        else:
            abandon(c)
            raise errors.error(constants.OPERATIONTIMEOUT, request.path, "no answer within the time given")
        with nogil:
            status = leader_wait(c, deadline)
    return c


cdef bint needs_root(int op) noexcept:
    """Tell whether the answer shows that there is a root of all paths."""
    return op not in (
        OP_SYNC, OP_GET_CONFIG, OP_RECONFIG, OP_ADD_WATCH, OP_GET_EPHEMERALS, OP_WHO_AM_I
    )


cdef tuple answer(Handle handle, Request request, results_function results, Context context, timeout,
                  bint missing_too=False):
    """Send a request, wait, and return what a completion gets after the code.

    Raises what the server says; with `missing_too` a node that is missing gives None.
    """
    cdef call *c = ask(handle, request, context, timeout)
    cdef int code = c.code
    cdef bint never_sent = c.never_sent
    try:
        if code == ZOK:
            if needs_root(request.op.op):
                handle.has_root = True
            return results(c)
    finally:
        call_release(c)
    if missing_too and code == ZNONODE:
        return None
    if never_sent:
        raise unsent(code, request.path)
    if code == ZUNIMPLEMENTED:
        raise errors.error(code, request.path, lack(request.op.op))
    raise refusal(handle, code, request.path)


cdef int ask_later(Handle handle, Request request, Context context) except? -32000:
    """Send a request whose answer is for a completion. ZOK or REMOVED_HERE."""
    check_size(handle, request.path, size_of(request))
    cdef call *c = new_call(handle, False, context)
    cdef int code = send(handle, c, request)
    if code == ZOK:
        call_release(c)
        return code
    drop(c)
    if code == REMOVED_HERE:
        return code
    raise unsent(code, request.path, lack(request.op.op))
