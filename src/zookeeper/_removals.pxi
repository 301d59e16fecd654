# Removing watches: here, and at the server when no other watcher here needs them.

cdef int checked_kinds(kind, path) except -1:
    if not constants.WATCH_CHILDREN <= integer(kind, "a kind of watch") <= constants.WATCH_PERSISTENT_RECURSIVE:
        raise errors.error(constants.BADARGUMENTS, path, f"no such kind of watch: {kind}")
    return kinds_of(kind)


cdef Context forgetting(path, kind, watcher, local, completion):
    cdef Context context = completion_context(None, completion, no_results)
    context.forget = True
    context.path = exact(path)
    context.watch_kind = checked_kinds(kind, path)
    context.watcher = watcher
    context.local = bool(local)
    return context


cdef int send_removal(Handle handle, call *c, Request request) except? -32000:
    """Ask the server to drop its watch.

    REMOVED_HERE: it was not asked, as another watcher here still needs that watch.
    """
    cdef Context context = <Context>c.context
    cdef int code
    cdef Removal removal
    cdef Comparison ours
    if context.watcher is not None:
        ours = comparison(context.watcher)
        removal = handle.registry.removal(context.watch_kind, context.path, ours)
        while not removal.is_done():
            removal = handle.registry.removal(context.watch_kind, context.path, ours)
        if not removal.found:
            return NO_WATCHER
        if not removal.last:
            return REMOVED_HERE
        context.watch_kind = removal.last
    if not choose_removal(handle.registry, context, request):
        return NO_WATCHER
    code = submit(c, &request.op)  # at once: see _watchers.pxi
    if code == ZOK:
        handle.removals += 1
    elif removal_code(context, code) == ZOK:
        handle.registry.forget(context.watch_kind, context.path, context.watcher)
        forget_unneeded(handle, context.path)
        sweep(handle, context.path)
        return REMOVED_HERE
    return code


cdef bint choose_removal(WatcherRegistry registry, Context context, Request request) noexcept:
    """Choose what the server is asked for, or return False.

    There is no watch to remove then. Runs no Python.
    """
    cdef int left
    context.watch_kind = registry.removable(context.path, context.watch_kind)
    request.op.flags = context.watch_kind
    if context.path not in registry.at_server:
        return context.watch_kind != 0
    context.carried = True
    # It has one watch for all of these, and would remove it for all.
    left = registry.present(context.path) & ~context.watch_kind
    if context.watch_kind & RECURSIVE_KIND and left & PERSISTENT_KIND:
        request.op.op = OP_ADD_WATCH
        request.op.flags = constants.PERSISTENT
        registry.at_server[context.path] = constants.PERSISTENT
    elif left:
        request.op.op = OP_EXISTS
    else:
        request.op.op = OP_REMOVE_STANDING
    return context.watch_kind != 0


cdef int forget_unneeded(Handle handle, str path) except -1:
    """Have the C client set no watch at a path again that nobody waits for.

    It forgets a one-time watch when its event comes, and when a server has done a removal of its own; not
    where another watch did for it, or where the server had none. Runs no Python once it has decided.
    """
    cdef bytes where = encoded_path(path)
    cdef int unneeded = ONE_TIME & ~handle.registry.present(path)
    if unneeded:
        set_watches_forget(handle.c, where, unneeded)
    return 0


cdef int removal_code(Context context, int code) noexcept:
    """Take a local removal for done even if the server could not be asked.

    The event of its watch will then have no watcher.
    """
    if context.carried and code in (ZNONODE, ZNOWATCHER):
        return ZOK
    return ZOK if context.local and code != NO_WATCHER else code


def remove_watches(h, path, kind=3, watcher=None, local=False, *, timeout=None):
    """Stop waiting for events at a path.

    kind: WATCH_CHILDREN, WATCH_DATA (get and exists), WATCH_PERSISTENT, WATCH_PERSISTENT_RECURSIVE, or
    WATCH_ANY for all of these.
    watcher: the one to remove; all by default. The server keeps its watch while others need it.
    local: also if the server cannot be asked to drop its watch.

    Raises NoWatcherException where there is none. Returns OK.
    """
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_REMOVE_WATCHES, path)
    cdef Context context = forgetting(path, kind, watcher, local, None)
    cdef call *c = ask(handle, request, context, timeout)
    cdef int code = removal_code(context, c.code)
    call_release(c)
    if code != ZOK:
        raise refusal(handle, code, path)
    return constants.OK


def aremove_watches(h, path, kind=3, watcher=None, local=False, completion=None):
    """Do as remove_watches does, and call `completion(handle, code)`."""
    cdef Handle handle = find(h)
    cdef Request request = request_of(OP_REMOVE_WATCHES, path)
    if ask_later(handle, request, forgetting(path, kind, watcher, local, completion)) == REMOVED_HERE:
        # The server need not be asked; a sync gives the completion its place in the order.
        return async_(h, path, None if completion is None else lambda h, code, path: completion(h, code))
    return constants.OK
