# Answers of the server: the exception for a refusal, and the values that a completion is given.

cdef object refusal(Handle handle, int code, path):
    """Make the exception for an answer, which knows of a missing root."""
    return errors.error(code, path, root_fault(handle) if code == ZNONODE else None)


cdef object root_fault(Handle handle):
    """Say what is wrong with the root of all paths, or None.

    This asks the servers until the root has been there once, which most handles see by themselves.
    """
    if not may_lack_root(handle):
        return None
    try:
        handle.has_root = exists(handle.number, "/", timeout=ROOT_LOOK) is not None
    except errors.ZooKeeperException:
        return None
    return None if handle.has_root else missing_root(handle)


# How long (seconds) to look whether the root of all paths is there, to tell why a node is missing.
cdef double ROOT_LOOK = 1.0


cdef bint may_lack_root(Handle handle) noexcept:
    return handle.c.chroot[0] != 0 and not handle.has_root


cdef str missing_root(Handle handle):
    root = handle.c.chroot.decode("utf-8", "surrogateescape")
    return f"the root {root} does not exist"


cdef str lack(int op):
    """Say which servers lack an operation, or None."""
    if op in (OP_ADD_WATCH, OP_REMOVE_STANDING):
        return "the server has no watches that stay; they came with ZooKeeper 3.6"
    if op in (OP_GET_EPHEMERALS, OP_GET_ALL_CHILDREN_NUMBER):
        return "the server does not know this operation, which came with ZooKeeper 3.6"
    if op == OP_WHO_AM_I:
        return "the server does not know this operation, which came with ZooKeeper 3.7"
    if op == OP_RECONFIG:
        return "the server is alone, or older than ZooKeeper 3.5"
    return None


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
