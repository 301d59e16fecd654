# The operations on one node. Each has two forms that send the same request: one waits for the answer,
# the other (a...) has it passed to a completion on the handle's event thread.

cdef tuple no_results(call *c):
    return ()


cdef tuple stat_results(call *c):
    return (stat_of(&c.stat) if c.has_stat else None,)


cdef tuple data_results(call *c):
    if c.code != ZOK:
        return (None, None)
    return (data_of(c.value, c.length), stat_of(&c.stat))


cdef tuple names_results(call *c):
    return (names_of(&c.names) if c.code == ZOK else None,)


cdef tuple names_stat_results(call *c):
    return (*names_results(c), *stat_results(c))


cdef tuple path_results(call *c):
    return (data_of(c.value, c.length) if c.code == ZOK else None,)


cdef tuple path_stat_results(call *c):
    return (*path_results(c), *stat_results(c))


cdef tuple acl_results(call *c):
    return (acl_of(&c.acl) if c.code == ZOK else None, *stat_results(c))


# ---- sending and waiting ---------------------------------------------------------------------

cdef call *new_call(Handle handle, bint waiting, Context context) except NULL:
    cdef bint watched = context is not None and context.watcher is not None
    if context is not None:
        Py_INCREF(context)
    return call_new(handle.c, waiting, <void *>context if context is not None else NULL, watched)


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
    context.completion = completion
    context.results = results
    return context


cdef double seconds_of(timeout) except? -2:
    """A timeout, checked; -1 for none. To be called before anything is sent."""
    cdef double seconds
    if timeout is None:
        return -1
    try:
        seconds = timeout
    except OverflowError:
        seconds = -1
    if not 0 <= seconds < 1e9:
        raise errors.error(constants.BADARGUMENTS, None, f"timeout must be a number of seconds: {timeout!r}")
    return seconds


cdef int64_t deadline_of(Handle handle, timeout) except? -1:
    """The moment until which to wait: `timeout` seconds from now, or the session's timeout."""
    cdef double seconds = seconds_of(timeout)
    if seconds < 0:
        return core_now() + <int64_t>handle.c.session_timeout * 1000000
    return core_now() + <int64_t>(seconds * 1e9)


cdef int settle(Handle handle, call *c, int code, int status, int64_t deadline, path) except -1:
    """Wait until a call that has been sent is over.

    After an exception the call is gone. Otherwise it is the caller's to release.
    """
    if code != ZOK:
        drop(c)
        raise unsent(code, path)
    while status:
        if status == EINTR:
            try:
                PyErr_CheckSignals()
            except:
                abandon(c)
                raise
        else:
            abandon(c)
            raise errors.error(constants.OPERATIONTIMEOUT, path, "no answer within the time given")
        with nogil:
            status = call_wait(c, deadline)
    return 0


cdef void abandon(call *c) noexcept:
    """Nobody waits any more; the request lets go of the call when it is over."""
    c.abandoned = 1
    call_release(c)


cdef void check(Handle handle, call *c, path) except *:
    """An answer that says no: the call is gone."""
    cdef int code = c.code
    if code != ZOK:
        call_release(c)
        raise refusal(handle, code, path)
    handle.has_root = True


cdef object refusal(Handle handle, int code, path):
    """The exception for an answer. What is missing may be the root of all paths: then it says so."""
    return errors.error(code, path, root_fault(handle) if code == ZNONODE else None)


cdef object root_fault(Handle handle):
    """What is wrong with the root of all paths, or None.

    Asks the servers until the root has been there once, which most handles see by themselves.
    """
    if handle.c.chroot[0] == 0 or handle.has_root:
        return None
    root = handle.c.chroot.decode("utf-8", "surrogateescape")
    try:
        handle.has_root = exists(handle.number, "/", timeout=1.0) is not None
    except errors.ZooKeeperException:
        return None
    return None if handle.has_root else f"the root {root} does not exist"


cdef void drop(call *c) noexcept:
    """A call that has not been sent."""
    if c.context is not NULL:
        Py_DECREF(<object>c.context)
    call_release(c)


cdef int submitted(call *c, int code, path) except? -1:
    """The end of an asynchronous call: it has been sent, or it could not be."""
    if code != ZOK:
        drop(c)
        raise unsent(code, path)
    call_release(c)
    return 0


cdef int check_size(Handle handle, bytes where, Py_ssize_t size) except -1:
    """The server would close the connection over a larger request, and fail everything in flight.

    And a larger length is not to be made a C int of.
    """
    size += 64 + len(where) + strlen(handle.c.chroot)
    if size > handle.max_request:
        raise errors.error(
            constants.BADARGUMENTS,
            text_of(where, len(where)),
            f"a request of {size} bytes is over the limit of {handle.max_request} (jute.maxbuffer)",
        )
    return 0


cdef int check_credential(Handle handle, Py_ssize_t size) except -1:
    """It would be sent at each connection, and each would be closed by the server, for ever."""
    size += 64
    if size > handle.max_request:
        raise errors.error(
            constants.BADARGUMENTS,
            None,
            f"a credential of {size} bytes is over the limit of {handle.max_request} (jute.maxbuffer)",
        )
    return 0


cdef Py_ssize_t acl_size(AclVector acl):
    cdef Py_ssize_t size = 0
    for text in acl.strings:
        size += len(text) + 8
    return size


# A request that needs nothing but a path.
ctypedef int (*path_request)(call *, const char *) noexcept nogil


cdef int send_watched(Handle handle, call *c, const char *p, path_request send) except? -32000:
    """Send a request that may set a watch; the watch is expected from then on."""
    cdef Context context = <Context>c.context
    cdef int code = ZOK
    if context.watcher is None:
        return send(c, p)
    try:
        handle.registry.expect(context.watch_kind, (context.path,), context.watcher)
    except:
        drop(c)
        raise
    code = send(c, p)  # at once: see _watchers.pxi
    if code != ZOK:
        handle.registry.settle(context.watch_kind, (context.path,), context.watcher, False)
    return code


cdef call *ask(Handle handle, path, bytes where, path_request send, Context context, timeout) except NULL:
    """Send a request and wait for its answer: a call for the caller to release."""
    cdef const char *p = where
    cdef int code
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, True, context)
    if context is None:
        with nogil:
            code = send(c, p)
            if code == ZOK:
                status = call_wait(c, deadline)
    else:
        code = send_watched(handle, c, p, send)
        if code == ZOK:
            with nogil:
                status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    return c


cdef object ask_later(Handle handle, path, bytes where, path_request send, Context context):
    """Send a request whose answer goes to the context's completion."""
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, False, context)
    return submitted(c, send_watched(handle, c, where, send), path)


# ---- create ----------------------------------------------------------------------------------

cdef int64_t ttl_of(int flags, ttl, path) except? -2:
    with_ttl = flags in (constants.PERSISTENT_WITH_TTL, constants.PERSISTENT_SEQUENTIAL_WITH_TTL)
    if with_ttl != (ttl is not None):
        raise errors.error(constants.BADARGUMENTS, path, "a ttl (milliseconds) goes with the _WITH_TTL flags and needs them")
    if not with_ttl:
        return -1
    if not isinstance(ttl, int) or not 0 < ttl <= 0x00FFFFFFFFFF:
        raise errors.error(constants.BADARGUMENTS, path, f"not a ttl in milliseconds: {ttl!r}")
    return ttl


cdef bint is_sequential(int flags):
    return flags in (2, 3, constants.PERSISTENT_SEQUENTIAL_WITH_TTL)


cdef int node_kind(flags, path) except -1:
    cdef int kind = integer(flags, "flags")
    if not 0 <= kind <= 6:
        raise errors.error(constants.BADARGUMENTS, path, f"no such kind of node: flags={flags}")
    return kind


cdef object create_call(h, path, data, acl, flags, ttl, timeout, bint with_stat, bint wait, completion):
    cdef Handle handle = find(h)
    cdef int kind = node_kind(flags, path)
    cdef bytes where = encoded_path(path, is_sequential(kind))
    cdef bytes value = encoded_data(data, path)
    cdef AclVector vector = AclVector(acl, path)
    cdef int64_t lifetime = ttl_of(kind, ttl, path)
    cdef const char *p = where
    cdef const char *d = data_pointer(value)
    cdef int n = data_length(value)
    cdef int code
    cdef int status = 0
    cdef int64_t deadline
    cdef call *c
    check_size(handle, where, data_size(value) + acl_size(vector))
    if not wait:
        c = new_call(handle, False, completion_context(None, completion, path_stat_results if with_stat else path_results))
        return submitted(c, call_create(c, p, d, n, &vector.vector, kind, lifetime, with_stat), path)
    deadline = deadline_of(handle, timeout)
    c = new_call(handle, True, None)
    with nogil:
        code = call_create(c, p, d, n, &vector.vector, kind, lifetime, with_stat)
        if code == ZOK:
            status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    check(handle, c, path)
    try:
        return path_stat_results(c) if with_stat else data_of(c.value, c.length)
    finally:
        call_release(c)


def create(h, path, data, acl, flags=0, *, ttl=None, timeout=None):
    """Create a node and return its path.

    data: text (written as UTF-8), bytes, or None for null data.
    acl: a list of dicts with `perms`, `scheme` and `id`.
    flags: EPHEMERAL, SEQUENCE, both, CONTAINER, PERSISTENT_WITH_TTL or PERSISTENT_SEQUENTIAL_WITH_TTL.
    ttl: milliseconds, for the kinds with a TTL.
    timeout: seconds to wait for the answer; the session timeout by default.

    The path returned has the sequence number, if any, and not the chroot.
    """
    return create_call(h, path, data, acl, flags, ttl, timeout, False, True, None)


def create2(h, path, data, acl, flags=0, *, ttl=None, timeout=None):
    """Like create, and return the path and the stat of the new node."""
    return create_call(h, path, data, acl, flags, ttl, timeout, True, True, None)


def acreate(h, path, data, acl, flags=0, completion=None, *, ttl=None):
    """Like create; `completion(handle, code, path)`."""
    return create_call(h, path, data, acl, flags, ttl, None, False, False, completion)


def acreate2(h, path, data, acl, flags=0, completion=None, *, ttl=None):
    """Like create2; `completion(handle, code, path, stat)`."""
    return create_call(h, path, data, acl, flags, ttl, None, True, False, completion)


# ---- delete, set -----------------------------------------------------------------------------

def delete(h, path, version=-1, *, timeout=None):
    """Delete a node that has no children, if it has that data version (-1: any). Returns OK."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    cdef const char *p = where
    cdef int code
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, True, None)
    with nogil:
        code = call_delete(c, p, wanted)
        if code == ZOK:
            status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    check(handle, c, path)
    call_release(c)
    return constants.OK


def adelete(h, path, version=-1, completion=None):
    """Like delete; `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, False, completion_context(None, completion, no_results))
    return submitted(c, call_delete(c, where, wanted), path)


def set2(h, path, data, version=-1, *, timeout=None):
    """Replace a node's data, if it has that data version (-1: any), and return the new stat."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    cdef bytes value = encoded_data(data, path)
    cdef const char *p = where
    cdef const char *d = data_pointer(value)
    cdef int n = data_length(value)
    cdef int code
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, where, data_size(value))
    cdef call *c = new_call(handle, True, None)
    with nogil:
        code = call_set(c, p, d, n, wanted)
        if code == ZOK:
            status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    check(handle, c, path)
    try:
        return stat_of(&c.stat)
    finally:
        call_release(c)


def set(h, path, data, version=-1, *, timeout=None):
    """Replace a node's data, if it has that data version (-1: any). Returns OK."""
    set2(h, path, data, version, timeout=timeout)
    return constants.OK


def aset(h, path, data, version=-1, completion=None):
    """Like set; `completion(handle, code, stat)`."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    cdef bytes value = encoded_data(data, path)
    check_size(handle, where, data_size(value))
    cdef call *c = new_call(handle, False, completion_context(None, completion, stat_results))
    return submitted(c, call_set(c, where, data_pointer(value), data_length(value), wanted), path)


# ---- exists, get, get_children ---------------------------------------------------------------

def exists(h, path, watcher=None, *, timeout=None):
    """The node's stat, or None where there is no node.

    watcher: called once, `(handle, type, state, path)`, when the node is created, changed or deleted.
    """
    cdef Handle handle = find(h)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA, True)
    cdef call *c = ask(handle, path, encoded_path(path), call_exists, context, timeout)
    if c.code != ZNONODE:
        check(handle, c, path)
    try:
        return stat_of(&c.stat) if c.code == ZOK else None
    finally:
        call_release(c)


def aexists(h, path, watcher=None, completion=None):
    """Like exists; `completion(handle, code, stat)` with the code NONODE where there is no node."""
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA, True)
    context = completion_context(context, completion, stat_results)
    return ask_later(find(h), path, encoded_path(path), call_exists, context)


def get(h, path, watcher=None, bufferlen=None, *, timeout=None):
    """A node's data (None: null) and stat.

    watcher: called once, `(handle, type, state, path)`, when the node is changed or deleted.
    bufferlen: not looked at: data is read as long as it is. zkpython needed to be told how much.
    """
    cdef Handle handle = find(h)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA)
    cdef call *c = ask(handle, path, encoded_path(path), call_get, context, timeout)
    check(handle, c, path)
    try:
        return data_results(c)
    finally:
        call_release(c)


def aget(h, path, watcher=None, completion=None):
    """Like get; `completion(handle, code, data, stat)`."""
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA)
    context = completion_context(context, completion, data_results)
    return ask_later(find(h), path, encoded_path(path), call_get, context)


def get_children(h, path, watcher=None, *, timeout=None):
    """The names of a node's children, in the server's order.

    watcher: called once, `(handle, type, state, path)`, when a child comes or goes or the node goes.
    """
    return get_children2(h, path, watcher, timeout=timeout)[0]


def get_children2(h, path, watcher=None, *, timeout=None):
    """Like get_children, and return the names and the node's stat."""
    cdef Handle handle = find(h)
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    cdef call *c = ask(handle, path, encoded_path(path), call_get_children, context, timeout)
    check(handle, c, path)
    try:
        return names_stat_results(c)
    finally:
        call_release(c)


def aget_children(h, path, watcher=None, completion=None):
    """Like get_children; `completion(handle, code, names)`."""
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    context = completion_context(context, completion, names_results)
    return ask_later(find(h), path, encoded_path(path), call_get_children, context)


def aget_children2(h, path, watcher=None, completion=None):
    """Like get_children2; `completion(handle, code, names, stat)`."""
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    context = completion_context(context, completion, names_stat_results)
    return ask_later(find(h), path, encoded_path(path), call_get_children, context)


# ---- access control --------------------------------------------------------------------------

def get_acl(h, path, *, timeout=None):
    """A node's stat and access control list."""
    cdef Handle handle = find(h)
    cdef call *c = ask(handle, path, encoded_path(path), call_get_acl, None, timeout)
    check(handle, c, path)
    try:
        return stat_of(&c.stat), acl_of(&c.acl)
    finally:
        call_release(c)


def aget_acl(h, path, completion=None):
    """Like get_acl; `completion(handle, code, acl, stat)`."""
    cdef Context context = completion_context(None, completion, acl_results)
    return ask_later(find(h), path, encoded_path(path), call_get_acl, context)


def set_acl(h, path, version, acl, *, timeout=None):
    """Replace a node's access control list, if it has that ACL version (-1: any). Returns OK."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    cdef AclVector vector = AclVector(acl, path)
    cdef const char *p = where
    cdef int code
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, where, acl_size(vector))
    cdef call *c = new_call(handle, True, None)
    with nogil:
        code = call_set_acl(c, p, wanted, &vector.vector)
        if code == ZOK:
            status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    check(handle, c, path)
    call_release(c)
    return constants.OK


def aset_acl(h, path, version, acl, completion=None):
    """Like set_acl; `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef int wanted = integer(version, "a version")
    cdef bytes where = encoded_path(path)
    cdef AclVector vector = AclVector(acl, path)
    check_size(handle, where, acl_size(vector))
    cdef call *c = new_call(handle, False, completion_context(None, completion, no_results))
    return submitted(c, call_set_acl(c, where, wanted, &vector.vector), path)


def add_auth(h, scheme, credential, completion=None):
    """Authenticate the session, now and after each reconnect; `completion(handle, code)`.

    scheme: such as `digest`; credential: for it, `user:password`, as text or bytes.

    It is sent at once, or with the next connection. A connection that is lost before the answer is
    told as CONNECTIONLOSS: the credential is sent with the next one all the same, and who adds it
    again, which costs nothing, hears of the answer.
    """
    cdef Handle handle = find(h)
    cdef bytes kind = encoded(scheme, "a scheme", None)
    cdef bytes secret = encoded(credential, "a credential", None)
    if b"\0" in kind:
        raise errors.error(constants.BADARGUMENTS, None, "a scheme must not hold a null character")
    check_credential(handle, len(kind) + len(secret))
    cdef call *c = new_call(handle, False, completion_context(None, completion, no_results))
    return submitted(c, call_add_auth(c, kind, PyBytes_AS_STRING(secret), <int>len(secret)), None)


# ---- sync, configuration, watches ------------------------------------------------------------

def sync(h, path, *, timeout=None):
    """Wait until the server has seen every change made before at that path; returns the path."""
    cdef Handle handle = find(h)
    cdef call *c = ask(handle, path, encoded_path(path), call_sync, None, timeout)
    check(handle, c, path)
    try:
        return data_of(c.value, c.length)
    finally:
        call_release(c)


def async_(h, path, completion=None):
    """Like sync; `completion(handle, code, path)`. Also under zkpython's name `async`."""
    cdef Context context = completion_context(None, completion, path_results)
    return ask_later(find(h), path, encoded_path(path), call_sync, context)


cdef str CONFIG_NODE = "/zookeeper/config"


def get_config(h, watcher=None, *, timeout=None):
    """The ensemble's configuration, as text, and its node's stat."""
    cdef Handle handle = find(h)
    cdef Context context = watch_context(CONFIG_NODE, watcher, constants.WATCH_DATA)
    cdef call *c = ask(handle, CONFIG_NODE, b"", call_get_config, context, timeout)
    check(handle, c, CONFIG_NODE)
    try:
        return data_results(c)
    finally:
        call_release(c)


def aget_config(h, watcher=None, completion=None):
    """Like get_config; `completion(handle, code, data, stat)`."""
    cdef Context context = watch_context(CONFIG_NODE, watcher, constants.WATCH_DATA)
    context = completion_context(context, completion, data_results)
    return ask_later(find(h), CONFIG_NODE, b"", call_get_config, context)


cdef int checked_kind(kind, path) except -1:
    if integer(kind, "a kind of watch") not in (constants.WATCH_CHILDREN, constants.WATCH_DATA, constants.WATCH_ANY):
        raise errors.error(constants.BADARGUMENTS, path, f"no such kind of watch: {kind}")
    return kind


cdef int send_removal(Handle handle, call *c, const char *p) except? -32000:
    """Ask the server to drop its watch, unless somebody else here still needs it: REMOVED_HERE."""
    cdef Context context = <Context>c.context
    cdef int code = ZOK
    cdef Removal removal
    cdef Comparison ours
    if context.watcher is None:
        code = call_remove_watches(c, p, context.watch_kind)
    else:
        try:
            ours = comparison(context.watcher)
            removal = handle.registry.removal(context.watch_kind, context.path, ours)
            while not removal.is_done():
                removal = handle.registry.removal(context.watch_kind, context.path, ours)
        except:
            drop(c)
            raise
        if not removal.found:
            return NO_WATCHER
        if not removal.last:
            return REMOVED_HERE
        context.watch_kind = removal.last
        code = call_remove_watches(c, p, context.watch_kind)  # at once: see _watchers.pxi
    if code == ZOK:
        handle.removals += 1
    if code != ZOK and removal_code(context, code) == ZOK:
        handle.registry.forget(context.watch_kind, context.path, context.watcher)
        return REMOVED_HERE
    return code


cdef int removal_code(Context context, int code) noexcept:
    """A local removal is good even if the server could not be asked: its event will be for nobody."""
    return ZOK if context.local and code != NO_WATCHER else code


cdef enum:
    NO_WATCHER = -121
    REMOVED_HERE = 1


cdef Context forgetting(path, kind, watcher, local, completion):
    cdef Context context = completion_context(None, completion, no_results)
    context.forget = True
    context.path = exact(path)
    context.watch_kind = checked_kind(kind, path)
    context.watcher = watcher
    context.local = bool(local)
    return context


def remove_watches(h, path, kind=3, watcher=None, local=False, *, timeout=None):
    """Stop waiting for events at a path.

    kind: WATCH_CHILDREN, WATCH_DATA (get and exists) or WATCH_ANY.
    watcher: the one to remove; all by default. The server keeps its watch while others need it.
    local: also if the server cannot be asked to drop its watch.

    Raises NoWatcherException where there is none. Returns OK.
    """
    cdef Handle handle = find(h)
    cdef bytes where = encoded_path(path)
    cdef int status = 0
    cdef int64_t deadline = deadline_of(handle, timeout)
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, True, forgetting(path, kind, watcher, local, None))
    cdef int code = send_removal(handle, c, where)
    if code == REMOVED_HERE:
        drop(c)
        return constants.OK
    if code == ZOK:
        with nogil:
            status = call_wait(c, deadline)
    settle(handle, c, code, status, deadline, path)
    if not local or c.code == NO_WATCHER:
        check(handle, c, path)
    call_release(c)
    return constants.OK


def aremove_watches(h, path, kind=3, watcher=None, local=False, completion=None):
    """Like remove_watches; `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef bytes where = encoded_path(path)
    check_size(handle, where, 0)
    cdef call *c = new_call(handle, False, forgetting(path, kind, watcher, local, completion))
    cdef int code = send_removal(handle, c, where)
    if code == REMOVED_HERE:
        drop(c)
        # The server need not be asked; a sync gives the completion its place in the order.
        return async_(h, path, None if completion is None else lambda h, code, path: completion(h, code))
    return submitted(c, code, path)
