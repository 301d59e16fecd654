# Many watches in a few round trips.

def _begin_watches(registry, watches, watcher):
    """Have a watcher wait at paths: the watches are about to be set."""
    for kind, paths in watches:
        (<WatcherRegistry>registry).settle(kind, paths, watcher, True)


cdef enum:
    READING_DATA = 1
    READING_CHILDREN
    BEHIND_REMOVALS
    WATCHING


@cython.final
@cython.internal
cdef class ManyWatches(BulkWork):
    """Reads of nodes, then of children, then the watches of those found."""

    cdef list data, children, exists
    cdef object watcher
    cdef dict encoded       # paths as bytes
    cdef int stage
    cdef list nodes         # data and exists: both are read
    cdef list parents       # of children, those that may have some
    cdef object leaves      # the others
    cdef read_many *data_reads
    cdef read_many *children_reads
    cdef set_watches *request  # not yet begun; NULL: none
    cdef list watches       # (kind, paths)
    cdef object beginning   # has the event thread begin them
    cdef bint are_expected
    cdef list data_results
    cdef bint packed        # stats of data are bytes

    cdef bint next_stage(self) except -1:
        self.stage += 1
        if self.stage == READING_DATA:
            self.read_data()
        elif self.stage == READING_CHILDREN:
            self.read_children()
        elif self.stage == BEHIND_REMOVALS:
            self.make_watches()
            self.expect_watches()
            if not self.handle.removals:
                return self.next_stage()
            # The C client forgets all it has at a path when the answer to a removal comes, which may
            # have been sent when none of this was expected. Answers come in the order of requests.
            self.begin(&new_reads(self.handle, [b"/"], OP_GET_DATA).reader.base)
        elif self.stage == WATCHING:
            self.send_watches()
        else:
            return False
        return True

    cdef int read_data(self) except -1:
        # All paths before the reads are made, which nobody would free if one is no path.
        paths = encoded_paths(self.handle, self.nodes, self.encoded)
        encoded_paths(self.handle, self.children, self.encoded)
        self.data_reads = new_reads(self.handle, paths, OP_GET_DATA)
        self.begin(&self.data_reads.reader.base)
        return 0

    cdef int read_children(self) except -1:
        cdef Py_ssize_t i
        # Most nodes of most trees are leaves: their stat says so, and they need not be asked.
        self.leaves = {
            self.data[i]
            for i in range(len(self.data))
            if self.data_reads.nodes[i].code == ZOK and self.data_reads.nodes[i].stat.numChildren == 0
        }
        self.parents = [path for path in self.children if path not in self.leaves]
        self.children_reads = new_reads(
            self.handle, [self.encoded[path] for path in self.parents], OP_GET_CHILDREN
        )
        self.begin(&self.children_reads.reader.base)
        # Answers are made into Python's objects while the next ones are on their way.
        self.is_missing = look_for_missing(self.handle, self.data_reads)
        if not self.is_missing or not may_lack_root(self.handle):
            self.data_results = self.read_data_results(None)
        return 0

    cdef int make_watches(self) except -1:
        """Make the request, and all objects that are needed from then on."""
        cdef Py_ssize_t i
        cdef Py_ssize_t there = len(self.data)
        cdef node_read *found = self.data_reads.nodes
        cdef int64_t data_zxid = self.data_reads.reader.lowest_zxid
        cdef int64_t children_zxid = self.children_reads.reader.lowest_zxid
        self.is_missing |= look_for_missing(self.handle, self.children_reads)
        readable = {
            self.parents[i] for i in range(len(self.parents)) if self.children_reads.nodes[i].code == ZOK
        }
        data = [self.nodes[i] for i in range(there) if found[i].code == ZOK]
        exists = [self.nodes[i] for i in range(there, len(self.nodes)) if found[i].code == ZOK]
        missing = [self.nodes[i] for i in range(there, len(self.nodes)) if found[i].code == ZNONODE]
        children = [path for path in self.children if path in self.leaves or path in readable]
        self.request = set_watches_new(
            self.handle.c, min([zxid for zxid in (data_zxid, children_zxid) if zxid] or [0])
        )
        self.add(WATCH_LIST_DATA, data + exists)
        self.add(WATCH_LIST_EXISTS, missing)
        self.add(WATCH_LIST_CHILDREN, children)
        self.watches = [(constants.WATCH_DATA, data + exists + missing), (constants.WATCH_CHILDREN, children)]
        self.beginning = (_begin_watches, (self.handle.registry, self.watches, self.watcher))
        return 0

    cdef int add(self, int which, list paths) except -1:
        for path in paths:
            set_watches_add(self.request, which, <bytes>self.encoded[path])
        return 0

    cdef int expect_watches(self) except -1:
        self.are_expected = True
        for kind, paths in self.watches:
            self.handle.registry.expect(kind, paths, self.watcher)
        return 0

    cdef int send_watches(self) except -1:
        """Send them at once: see _watchers.pxi."""
        cdef set_watches *request = self.request
        # The event thread knows of the watches before the first of their events can be queued.
        Py_INCREF(self.beginning)
        if queue_push_object(self.handle.c, <void *>self.beginning):
            self.are_expected = False
        else:
            Py_DECREF(self.beginning)
        set_watches_activate(request)
        self.request = NULL
        self.begin(&request.base, True)
        return 0

    cdef int stop(self) except -1:
        if self.request is not NULL:
            give_up(&self.request.base)
            self.request = NULL
        if self.are_expected:
            self.are_expected = False
            for kind, paths in self.watches:
                self.handle.registry.settle(kind, paths, self.watcher, False)
        return 0

    cdef list read_data_results(self, fault):
        cdef Py_ssize_t packed = len(self.data) if self.packed else 0
        return read_results(self.data_reads, self.nodes, OP_GET_DATA, fault, packed)

    cdef list children_results(self, fault):
        # As `read_results` has it: no garbage, and no Python.
        names = iter(read_results(self.children_reads, self.parents, OP_GET_CHILDREN, fault))
        cdef bint collects = PyGC_Disable()
        try:
            return [[] if path in self.leaves else next(names) for path in self.children]
        finally:
            if collects:
                PyGC_Enable()

    cdef object results(self):
        cdef Py_ssize_t there = len(self.data)
        fault = self.fault()
        if self.data_results is None:
            self.data_results = self.read_data_results(fault)
        exists_results = [
            None if isinstance(result, errors.NoNodeException)
            else result if isinstance(result, errors.ZooKeeperException)
            else result[1]
            for result in self.data_results[there:]
        ]
        return self.data_results[:there], self.children_results(fault), exists_results


cdef ManyWatches many_watches(h, data, children, exists, watcher, packed, timeout):
    cdef ManyWatches work = ManyWatches.__new__(ManyWatches)
    work.handle = find(h)
    work.seconds = seconds_of(timeout)
    if watcher is None:
        raise TypeError("a watcher is needed")
    checked_callable(watcher, "a watcher")
    hash(watcher)
    work.watcher = watcher
    work.packed = packed
    work.data, work.children, work.exists = list_of_paths(data), list_of_paths(children), list_of_paths(exists)
    work.nodes = work.data + work.exists
    work.encoded = {}
    return work


def watch_many(h, data=(), children=(), exists=(), watcher=None, *, packed=False, timeout=None):
    """Read many nodes and leave a watch at each, in a few round trips.

    data: paths to read and watch for changes. children: paths whose children to read and watch.
    exists: paths to watch for creation, changes and deletion.
    watcher: called once for each, `(handle, type, state, path)`; a change after the read is never missed.
    packed: the stats of data are bytes, as `Znode.packed_stat`, which takes less time and memory.
    timeout: seconds for each of the three steps (two reads, the watches); by default, a step fails when
    nothing has come for the session timeout.

    Returns three lists: `(data, stat)` or an exception for each path in data, a list of names or an
    exception for each in children, a stat or None or an exception for each in exists. A path that gave
    an exception (no node, no permission) has no watch. Raises what concerns all: ConnectionLossException
    and the like; then any of the watches may have been set.
    """
    return many_watches(h, data, children, exists, watcher, packed, timeout).wait()


def awatch_many(
    h, data=(), children=(), exists=(), watcher=None, completion=None, *, packed=False, timeout=None
):
    """Do as watch_many does, and call `completion(handle, code, results)`.

    The results are a tuple of the three lists. Returns an object whose `cancel()` gives it up: the code
    is NOTHING then, and any of the watches may have been set.
    """
    return many_watches(h, data, children, exists, watcher, packed, timeout).later(completion)
