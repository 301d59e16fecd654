# Watches that stay. The core knows which of them the server has (core/standing.c), the registry whom they
# are for (_watchers.pxi).

cdef int checked_mode(mode, path) except -1:
    if integer(mode, "a mode") not in (constants.PERSISTENT, constants.PERSISTENT_RECURSIVE):
        raise errors.error(constants.BADARGUMENTS, path, f"no such mode of watch: {mode}")
    return RECURSIVE_KIND if mode == constants.PERSISTENT_RECURSIVE else PERSISTENT_KIND


cdef int choose_mode(WatcherRegistry registry, str path, Request request) except -1:
    """Choose the mode for all watchers of a path. Runs no Python."""
    request.op.flags = registry.mode(path)
    request.op.children_too = path in registry.children_waiting or path in registry.children_expected
    registry.at_server[path] = request.op.flags
    return 0


cdef int sweep(Handle handle, str path) except -1:
    """Remove a watch that stays when nobody at its path needs it.

    Runs no Python once it has decided.
    """
    cdef WatcherRegistry registry = handle.registry
    cdef Request request
    cdef call *c
    if path not in registry.at_server:
        return 0
    # All objects are made first: to make one may start the garbage collector, and so run Python.
    request = request_of(OP_REMOVE_STANDING, path)
    c = new_call(handle, False, None)
    if not standing_keep(handle.c, request.op.path, registry.mode(path)):
        if registry.mode(path) < 0:
            del registry.at_server[path]
    elif not registry.present(path):
        del registry.at_server[path]
        raw_call_submit(c, &request.op)
    call_release(c)
    return 0


def add_watch(h, path, mode, watcher, *, timeout=None):
    """Watch a path for good, with or without a node, and return OK.

    mode: PERSISTENT, for events of the node and of its children's names, or PERSISTENT_RECURSIVE, for
    those of the node and of all nodes below.
    watcher: called for each event, `(handle, type, state, path)`, until `remove_watches` or the end of the
    session. A recursive one gets the path of the node that has changed, and no CHILD_EVENT: the
    CREATED_EVENT or DELETED_EVENT of the child says the same.

    Servers tell nothing of changes that they made while there was no connection. After a session event
    of CONNECTED_STATE the watch is set again, and nodes that are read then are watched. If no server
    knows how to set it, the watcher is told so by a NOTWATCHING_EVENT, and not called any more.

    Raises UnimplementedException with servers before 3.6. `event_zxid` has the zxid of an event.
    """
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_ADD_WATCH, path)
    answer(handle, request, no_results, standing_context(path, mode, watcher), timeout)
    return constants.OK


def aadd_watch(h, path, mode, watcher, completion=None):
    """Do as add_watch does, and call `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_ADD_WATCH, path)
    cdef Context context = completion_context(standing_context(path, mode, watcher), completion, no_results)
    return ask_later(handle, request, context)


cdef Context standing_context(path, mode, watcher):
    cdef int kind = checked_mode(mode, path)
    if watcher is None:
        raise TypeError("a watcher is needed")
    return watch_context(path, watcher, kind)


def event_zxid(h):
    """Return the zxid of the change that the calling watcher is told of.

    None where the server does not send it, as servers before 3.9, and in other threads than that of
    the handle's events.
    """
    cdef Handle handle = find(h)
    if handle.zxid < 0 or handle.thread is not threading.current_thread():
        return None
    return handle.zxid
