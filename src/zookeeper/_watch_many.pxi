# Many watches in a few round trips.

cdef set_watches *start_watches(Handle handle, list data, list exists, list children, dict encoded,
                                int64_t zxid, watcher, double seconds) except NULL:
    """Send the watches of paths, whose bytes are in `encoded`.

    The caller gives them up (`give_up`).
    """
    cdef set_watches *s = set_watches_new(handle.c, zxid)
    try:
        for path in data:
            set_watches_add(s, WATCH_LIST_DATA, <bytes>encoded[path])
        for path in exists:
            set_watches_add(s, WATCH_LIST_EXISTS, <bytes>encoded[path])
        for path in children:
            set_watches_add(s, WATCH_LIST_CHILDREN, <bytes>encoded[path])
        watches = [(constants.WATCH_DATA, data + exists), (constants.WATCH_CHILDREN, children)]
        context = (watches, watcher)
        for kind, paths in watches:
            handle.registry.expect(kind, paths, watcher)
        if handle.removals:
            # The C client forgets all it has at a path when the answer to a removal comes, which may
            # have been sent when none of this was expected. Answers come in the order of requests.
            try:
                call_release(ask(handle, request_of(OP_EXISTS, "/"), None, None if seconds < 0 else seconds))
            except:
                for kind, paths in watches:
                    handle.registry.settle(kind, paths, watcher, False)
                raise
        # At once: see _watchers.pxi. The event thread knows of the watches before the first of their
        # events can be queued.
        Py_INCREF(context)
        if not queue_push_watches(handle.c, <void *>context):
            Py_DECREF(context)
        set_watches_activate(s)
        bulk_start(&s.base)
    except:
        give_up(&s.base)
        raise
    return s


def watch_many(h, data=(), children=(), exists=(), watcher=None, *, timeout=None):
    """Read many nodes and leave a watch at each, in a few round trips.

    data: paths to read and watch for changes. children: paths whose children to read and watch.
    exists: paths to watch for creation, changes and deletion.
    watcher: called once for each, `(handle, type, state, path)`; a change after the read is never missed.
    timeout: seconds for each of the three steps (two reads, the watches); by default, a step fails when
    nothing has come for the session timeout.

    Returns three lists: `(data, stat)` or an exception for each path in data, a list of names or an
    exception for each in children, a stat or None or an exception for each in exists. A path that gave
    an exception (no node, no permission) has no watch. Raises what concerns all: ConnectionLossException
    and the like; then any of the watches may have been set.
    """
    cdef Handle handle = find(h)
    cdef read_many *data_reads = NULL
    cdef read_many *children_reads = NULL
    cdef set_watches *watches = NULL
    cdef dict encoded = {}
    cdef Py_ssize_t i
    cdef int64_t zxid
    cdef double seconds = seconds_of(timeout)
    if watcher is None:
        raise TypeError("a watcher is needed")
    checked_callable(watcher, "a watcher")
    hash(watcher)
    data, children, exists = list_of_paths(data), list_of_paths(children), list_of_paths(exists)
    cdef list nodes = data + exists
    cdef list encoded_nodes = encoded_paths(handle, nodes, encoded)
    encoded_paths(handle, children, encoded)
    # Answers are made into Python's objects while the next ones are on their way.
    try:
        data_reads = start_reads(handle, encoded_nodes, OP_GET_DATA)
        finish_reads(handle, data_reads, seconds, None)
        # Most nodes of most trees are leaves: their stat says so, and they need not be asked.
        leaves = {
            data[i]
            for i in range(len(data))
            if data_reads.nodes[i].code == ZOK and data_reads.nodes[i].stat.numChildren == 0
        }
        parents = [path for path in children if path not in leaves]
        children_reads = start_reads(handle, [encoded[path] for path in parents], OP_GET_CHILDREN)
        data_results = read_results(handle, data_reads, nodes, OP_GET_DATA)
        finish_reads(handle, children_reads, seconds, None)
        zxid = min(
            [z for z in (data_reads.reader.lowest_zxid, children_reads.reader.lowest_zxid) if z] or [0]
        )
        readable = {parents[i] for i in range(len(parents)) if children_reads.nodes[i].code == ZOK}
        watches = start_watches(
            handle,
            [nodes[i] for i in range(len(nodes)) if data_reads.nodes[i].code == ZOK],
            [nodes[i] for i in range(len(data), len(nodes)) if data_reads.nodes[i].code == ZNONODE],
            [path for path in children if path in leaves or path in readable],
            encoded,
            zxid,
            watcher,
            seconds,
        )
        names = iter(read_results(handle, children_reads, parents, OP_GET_CHILDREN))
        children_results = [[] if path in leaves else next(names) for path in children]
        wait_for_bulk(handle, &watches.base, seconds, None, None)
        if watches.base.code != ZOK:
            raise error_of(watches.base.code, None)
    finally:
        give_up(&data_reads.reader.base if data_reads is not NULL else NULL)
        give_up(&children_reads.reader.base if children_reads is not NULL else NULL)
        give_up(&watches.base if watches is not NULL else NULL)
    exists_results = [
        None if isinstance(result, errors.NoNodeException)
        else result if isinstance(result, errors.ZooKeeperException)
        else result[1]
        for result in data_results[len(data):]
    ]
    return data_results[:len(data)], children_results, exists_results
