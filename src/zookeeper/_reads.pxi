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


cdef read_many *start_reads(Handle handle, list encoded_paths, int op) except NULL:
    """Send the reads of many paths; the caller gives them up (`give_up`)."""
    cdef read_many *reads = read_many_new(handle.c, op, len(encoded_paths))
    cdef Py_ssize_t i
    for i in range(len(encoded_paths)):
        read_many_path(reads, i, <bytes>encoded_paths[i])
    with nogil:
        bulk_start(&reads.reader.base)
    return reads


cdef void finish_reads(Handle handle, read_many *reads, double seconds, progress) except *:
    wait_for_bulk(handle, &reads.reader.base, seconds, progress, reads.count)
    if reads.reader.base.code != ZOK:
        raise error_of(reads.reader.base.code, None)
    if progress is not None:
        progress(reads.count, reads.count)


cdef list read_results(Handle handle, read_many *reads, list paths, int op):
    cdef Py_ssize_t i
    cdef int j
    cdef node_read *node
    cdef list results = []
    cdef object fault = None
    cdef bint is_asked = False
    for i in range(reads.count):
        if reads.nodes[i].code == ZOK:
            handle.has_root = True
            break
    for i in range(reads.count):
        node = &reads.nodes[i]
        if node.code != ZOK:
            if node.code == ZNONODE and not is_asked:
                is_asked = True
                fault = root_fault(handle)
            results.append(errors.error(node.code, paths[i], fault if node.code == ZNONODE else None))
        elif op == OP_GET_DATA:
            results.append((data_of(node.data, node.length), stat_of(&node.stat)))
        else:
            results.append([text_of(node.names[j], strlen(node.names[j])) for j in range(node.names_count)])
    return results


cdef object read_all(h, paths, int op, timeout, progress):
    cdef Handle handle = find(h)
    cdef double seconds = seconds_of(timeout)
    checked_callable(progress, "progress")
    paths = list_of_paths(paths)
    cdef read_many *reads = start_reads(handle, encoded_paths(handle, paths, {}), op)
    try:
        finish_reads(handle, reads, seconds, progress)
        answers = Answers(read_results(handle, reads, paths, op))
        answers.zxid = reads.reader.lowest_zxid
        return answers
    finally:
        give_up(&reads.reader.base)


def get_many(h, paths, *, progress=None, timeout=None):
    """Read many nodes in a few round trips.

    Returns a list with `(data, stat)` for each path, or the exception that it gave. It is an `Answers`, whose `zxid` says how new they are.

    progress: called `(done, total)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    Raises what concerns all of them: bad paths, ConnectionLossException and the like.
    """
    return read_all(h, paths, OP_GET_DATA, timeout, progress)


def get_children_many(h, paths, *, progress=None, timeout=None):
    """Read the children of many nodes in a few round trips.

    Returns a list with a list of names for each path, or the exception that it gave.

    Arguments, the kind of list and exceptions are those of get_many.
    """
    return read_all(h, paths, OP_GET_CHILDREN, timeout, progress)
