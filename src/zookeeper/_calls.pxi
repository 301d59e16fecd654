# The operations on one node. To add one: a function that makes its request, and the two that send it.

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


cdef Request create_request(int op, path, data, acl, flags, ttl):
    cdef int kind = node_kind(flags, path)
    cdef Request request = request_of(op, path, is_sequential(kind))
    add_data(request, data)
    add_acl(request, acl)
    request.op.flags = kind
    request.op.ttl = ttl_of(kind, ttl, path)
    return request


def create(h, path, data, acl, flags=0, *, ttl=None, timeout=None):
    """Create a node and return its path.

    data: text (written as UTF-8), bytes, or None for null data.
    acl: a list of dicts with `perms`, `scheme` and `id`.
    flags: EPHEMERAL, SEQUENCE, both, CONTAINER, PERSISTENT_WITH_TTL or PERSISTENT_SEQUENTIAL_WITH_TTL.
    ttl: milliseconds, for the kinds with a TTL.
    timeout: seconds to wait for the answer; the session timeout by default.

    The path returned has the sequence number, if any, and not the chroot.
    """
    cdef Handle handle = find(h)
    return answer(handle, create_request(OP_CREATE, path, data, acl, flags, ttl), path_results, None, timeout)[0]


def create2(h, path, data, acl, flags=0, *, ttl=None, timeout=None):
    """Do as create does, and return the path and the stat of the new node."""
    cdef Handle handle = find(h)
    return answer(handle, create_request(OP_CREATE2, path, data, acl, flags, ttl), path_stat_results, None, timeout)


def acreate(h, path, data, acl, flags=0, completion=None, *, ttl=None):
    """Do as create does, and call `completion(handle, code, path)`."""
    cdef Handle handle = find(h)
    cdef Request request = create_request(OP_CREATE, path, data, acl, flags, ttl)
    return ask_later(handle, request, completion_context(None, completion, path_results))


def acreate2(h, path, data, acl, flags=0, completion=None, *, ttl=None):
    """Do as create2 does, and call `completion(handle, code, path, stat)`."""
    cdef Handle handle = find(h)
    cdef Request request = create_request(OP_CREATE2, path, data, acl, flags, ttl)
    return ask_later(handle, request, completion_context(None, completion, path_stat_results))


# ---- delete, set -----------------------------------------------------------------------------

def delete(h, path, version=-1, *, timeout=None):
    """Delete a node that has no children, and return OK.

    version: the data version that the node must have; -1 for any.
    """
    cdef Handle handle = find(h)
    answer(handle, versioned_request(OP_DELETE, path, version), no_results, None, timeout)
    return constants.OK


def adelete(h, path, version=-1, completion=None):
    """Do as delete does, and call `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef Request request = versioned_request(OP_DELETE, path, version)
    return ask_later(handle, request, completion_context(None, completion, no_results))


cdef Request set_request(path, data, version):
    cdef Request request = versioned_request(OP_SET_DATA, path, version)
    add_data(request, data)
    return request


def set2(h, path, data, version=-1, *, timeout=None):
    """Replace a node's data, and return the new stat.

    version: the data version that the node must have; -1 for any.
    """
    cdef Handle handle = find(h)
    return answer(handle, set_request(path, data, version), stat_results, None, timeout)[0]


def set(h, path, data, version=-1, *, timeout=None):
    """Replace a node's data, and return OK.

    version: the data version that the node must have; -1 for any.
    """
    set2(h, path, data, version, timeout=timeout)
    return constants.OK


def aset(h, path, data, version=-1, completion=None):
    """Do as set does, and call `completion(handle, code, stat)`."""
    cdef Handle handle = find(h)
    cdef Request request = set_request(path, data, version)
    return ask_later(handle, request, completion_context(None, completion, stat_results))


# ---- exists, get, get_children ---------------------------------------------------------------

def exists(h, path, watcher=None, *, timeout=None):
    """Return a node's stat, or None where there is no node.

    watcher: called once, `(handle, type, state, path)`, when the node is created, changed or deleted.
    """
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_EXISTS, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA, True)
    found = answer(handle, request, stat_results, context, timeout, missing_too=True)
    return None if found is None else found[0]


def aexists(h, path, watcher=None, completion=None):
    """Do as exists does, and call `completion(handle, code, stat)`.

    The code is NONODE where there is no node.
    """
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_EXISTS, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA, True)
    return ask_later(handle, request, completion_context(context, completion, stat_results))


def get(h, path, watcher=None, bufferlen=None, *, timeout=None):
    """Return a node's data (None: null) and stat.

    watcher: called once, `(handle, type, state, path)`, when the node is changed or deleted.
    bufferlen: ignored, as data is read whatever its length. zkpython needed to be told how much.
    """
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_DATA, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA)
    return answer(handle, request, data_results, context, timeout)


def aget(h, path, watcher=None, completion=None):
    """Do as get does, and call `completion(handle, code, data, stat)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_DATA, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_DATA)
    return ask_later(handle, request, completion_context(context, completion, data_results))


def get_children(h, path, watcher=None, *, timeout=None):
    """Return the names of a node's children, in the server's order.

    watcher: called once, `(handle, type, state, path)`, when a child comes or goes or the node goes.
    """
    return get_children2(h, path, watcher, timeout=timeout)[0]


def get_children2(h, path, watcher=None, *, timeout=None):
    """Do as get_children does, and return the names and the node's stat."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_CHILDREN2, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    return answer(handle, request, names_stat_results, context, timeout)


def aget_children(h, path, watcher=None, completion=None):
    """Do as get_children does, and call `completion(handle, code, names)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_CHILDREN2, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    return ask_later(handle, request, completion_context(context, completion, names_results))


def aget_children2(h, path, watcher=None, completion=None):
    """Do as get_children2 does, and call `completion(handle, code, names, stat)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_CHILDREN2, path)
    cdef Context context = watch_context(path, watcher, constants.WATCH_CHILDREN)
    return ask_later(handle, request, completion_context(context, completion, names_stat_results))


# ---- sync, configuration ---------------------------------------------------------------------

def sync(h, path, *, timeout=None):
    """Wait until the server has seen every earlier change; return the path.

    A read after it sees what any client has written before it.
    """
    cdef Handle handle = find(h)
    return answer(handle, request_of(OP_SYNC, path), path_results, None, timeout)[0]


def async_(h, path, completion=None):
    """Do as sync does, and call `completion(handle, code, path)`.

    It is there under zkpython's name `async`, too.
    """
    cdef Handle handle = find(h)
    return ask_later(handle, request_of(OP_SYNC, path), completion_context(None, completion, path_results))


cdef str CONFIG_NODE = "/zookeeper/config"


def get_config(h, watcher=None, *, timeout=None):
    """Return the ensemble's configuration, as text, and its node's stat."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_CONFIG, CONFIG_NODE)
    cdef Context context = watch_context(CONFIG_NODE, watcher, constants.WATCH_DATA)
    return answer(handle, request, data_results, context, timeout)


def aget_config(h, watcher=None, completion=None):
    """Do as get_config does, and call `completion(handle, code, data, stat)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_GET_CONFIG, CONFIG_NODE)
    cdef Context context = watch_context(CONFIG_NODE, watcher, constants.WATCH_DATA)
    return ask_later(handle, request, completion_context(context, completion, data_results))
