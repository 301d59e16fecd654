# Many reads in a few round trips, and many watches.

cdef list list_of_paths(paths):
    if isinstance(paths, str):
        raise TypeError(f"a list of paths is needed, not one path: {paths!r}")
    return [exact(path) for path in paths]


cdef list encoded_paths(Handle handle, list paths, dict known):
    """Encode paths. `known` has those that were met before, to be checked once."""
    cdef list result = []
    cdef bytes where
    for path in paths:
        where = known.get(path) if isinstance(path, str) else None
        if where is None:
            where = encoded_path(path)
            check_size(handle, path, len(where))
            known[path] = where
        result.append(where)
    return result


cdef read_many *new_reads(Handle handle, list encoded_paths, int op) except NULL:
    """Make the reads of many paths."""
    cdef read_many *reads = read_many_new(handle.c, op, len(encoded_paths))
    cdef Py_ssize_t i
    for i in range(len(encoded_paths)):
        read_many_path(reads, i, <bytes>encoded_paths[i])
    return reads


cdef bint look_for_missing(Handle handle, read_many *reads) noexcept:
    """Tell whether nodes are missing; any other one shows that there is a root."""
    cdef Py_ssize_t i
    cdef bint is_missing = False
    for i in range(reads.count):
        if reads.nodes[i].code == ZOK:
            handle.has_root = True
        elif reads.nodes[i].code == ZNONODE:
            is_missing = True
    return is_missing


cdef list read_results(read_many *reads, list paths, int op, fault, Py_ssize_t packed=0):
    """Make the results. `fault` says why nodes may be missing, or is None.

    packed: of so many nodes, the first ones, stats are bytes.
    """
    cdef Py_ssize_t i
    cdef list results
    # Results are no garbage, and there may be very many: nobody looks for any meanwhile. No Python runs,
    # which could switch the collector.
    cdef bint collects = PyGC_Disable()
    try:
        results = [answer_of(&reads.nodes[i], op, i < packed) for i in range(reads.count)]
    finally:
        if collects:
            PyGC_Enable()
    for i in range(reads.count):
        if reads.nodes[i].code != ZOK:
            results[i] = errors.error(
                reads.nodes[i].code, paths[i], fault if reads.nodes[i].code == ZNONODE else None
            )
    return results


cdef object answer_of(const node_read *node, int op, bint packed):
    """Make the result of one read; None of one that was refused."""
    cdef int j
    if node.code != ZOK:
        return None
    if op == OP_GET_DATA:
        stat = packed_stat_of(&node.stat) if packed else stat_of(&node.stat)
        result = data_of(node.data, node.length), stat
        if packed:
            # Text and bytes refer to nothing: the collector need not find that out.
            PyObject_GC_UnTrack(<void *>result)
        return result
    if op == OP_GET_ACL:
        return stat_of(&node.stat), entries_of(node.entries, node.length)
    return [text_of(node.names[j], strlen(node.names[j])) for j in range(node.names_count)]


@cython.final
@cython.internal
cdef class ManyReads(BulkWork):
    cdef list paths
    cdef read_many *reads
    cdef int op

    cdef bint next_stage(self) except -1:
        if self.reads is NULL:
            self.reads = new_reads(self.handle, encoded_paths(self.handle, self.paths, {}), self.op)
            self.begin(&self.reads.reader.base)
            return True
        self.is_missing = look_for_missing(self.handle, self.reads)
        return False

    cdef object results(self):
        answers = Answers(read_results(self.reads, self.paths, self.op, self.fault()))
        answers.zxid = self.reads.reader.lowest_zxid
        return answers


cdef ManyReads many_reads(h, paths, int op, timeout, progress):
    cdef ManyReads work = ManyReads.__new__(ManyReads)
    work.handle = find(h)
    work.seconds = seconds_of(timeout)
    checked_callable(progress, "progress")
    work.progress = progress
    work.paths = list_of_paths(paths)
    work.total = len(work.paths)
    work.op = op
    return work


def get_many(h, paths, *, progress=None, timeout=None):
    """Read many nodes in a few round trips.

    Returns a list with `(data, stat)` for each path, or the exception that it gave. It is an `Answers`, whose `zxid` says how new they are.

    progress: called `(done, total)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    Raises what concerns all of them: bad paths, ConnectionLossException and the like.
    """
    return many_reads(h, paths, OP_GET_DATA, timeout, progress).wait()


def aget_many(h, paths, completion=None, *, progress=None, timeout=None):
    """Do as get_many does, and call `completion(handle, code, answers)`.

    Returns an object whose `cancel()` gives it up: nothing more is sent, and the code is NOTHING.

    progress: called where the completion is; if it raises, that is logged, and the code is NOTHING.
    """
    return many_reads(h, paths, OP_GET_DATA, timeout, progress).later(completion)


def get_children_many(h, paths, *, progress=None, timeout=None):
    """Read the children of many nodes in a few round trips.

    Returns a list with a list of names for each path, or the exception that it gave.

    Arguments, the kind of list and exceptions are those of get_many.
    """
    return many_reads(h, paths, OP_GET_CHILDREN, timeout, progress).wait()


def aget_children_many(h, paths, completion=None, *, progress=None, timeout=None):
    """Do as get_children_many does, and call `completion(handle, code, answers)`.

    Arguments and result are those of aget_many.
    """
    return many_reads(h, paths, OP_GET_CHILDREN, timeout, progress).later(completion)


def get_acl_many(h, paths, *, progress=None, timeout=None):
    """Read the access control lists of many nodes, many requests at a time.

    Returns a list with `(stat, acl)` for each path, or the exception that it gave.

    Arguments, the kind of list and exceptions are those of get_many.
    """
    return many_reads(h, paths, OP_GET_ACL, timeout, progress).wait()


def aget_acl_many(h, paths, completion=None, *, progress=None, timeout=None):
    """Do as get_acl_many does, and call `completion(handle, code, answers)`.

    Arguments and result are those of aget_many.
    """
    return many_reads(h, paths, OP_GET_ACL, timeout, progress).later(completion)
