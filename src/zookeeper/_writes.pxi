# Transactions, and their results.

cdef object write_result_of(const write_result *result, int kind):
    if kind == GIVES_NOTHING:
        return None
    if kind == GIVES_STAT:
        return stat_of(&result.stat)
    path = text_of(result.path, strlen(result.path))
    if kind == GIVES_PATH:
        return path
    # A 3.8 server answers a create2 in a transaction as if it were a create: without a stat.
    return (path, stat_of(&result.stat) if result.has_stat else None)


cdef object transaction_results(transaction *t, kinds):
    """Return a completion's results: values, codes after a failure, or None.

    They are None where there was no answer.
    """
    cdef int i
    if t.failure != ZOK:
        return None
    if t.code != ZOK:
        # The server's own convention: what was undone is OK, what was not reached is not.
        return codes_of(t.results, t.count)
    return [write_result_of(&t.results[i], kinds[i]) for i in range(t.count)]


cdef list codes_of(const write_result *results, Py_ssize_t count):
    """Return codes as the server gave them.

    That is 0 for operations before the one that failed, and -2 after it.
    """
    cdef Py_ssize_t i
    cdef list codes = [results[i].code for i in range(count)]
    for i, code in enumerate(codes):
        if code != constants.RUNTIMEINCONSISTENCY:
            return [constants.OK] * i + codes[i:]
    return codes


cdef long size_of_all(Handle handle, WriteOps ops) except -1:
    cdef long size = 64
    cdef Py_ssize_t i
    for i in range(ops.count):
        if ops.ops[i].op == OP_SET_ACL:
            raise errors.error(
                constants.BADARGUMENTS,
                ops.path_of(i),
                f"servers set no ACLs in transactions (operation {i})",
            )
        size += operation_size(handle.c, &ops.ops[i])
    if size > handle.max_request:
        raise errors.error(
            constants.BADARGUMENTS,
            None,
            f"a transaction of {ops.count} operations and {size} bytes is over the limit of"
            f" {handle.max_request} (jute.maxbuffer)",
        )
    return size


cdef object unsent_transaction(Handle handle, WriteOps ops, int code):
    """Make the exception for a transaction that was not sent.

    Where the servers take none so large, `is_over_servers_limit` is set: smaller ones may do.
    """
    cdef long size = 0
    cdef Py_ssize_t i
    if code != ZBADARGUMENTS:
        return unsent(code, None)
    for i in range(ops.count):
        size += operation_size(handle.c, &ops.ops[i])
    problem = errors.error(
        constants.BADARGUMENTS,
        None,
        f"the servers hang up at a transaction of {ops.count} operations and {size} bytes (their jute.maxbuffer)",
        may_have_happened=False,
    )
    problem.is_over_servers_limit = True
    return problem


def multi(h, ops, *, timeout=None):
    """Do several operations as one transaction: all or none.

    ops: tuples `("create", path, data, acl, flags=0, ttl=None)`, `("create2", ...)`,
    `("set", path, data, version=-1)`, `("delete", path, version=-1)`, `("check", path, version=-1)`.

    Returns a list with each operation's result: the path, `(path, stat)` (the stat None from servers
    that do not tell it), the stat, None, None.
    Raises UnimplementedException where the server turns out to know no transactions, BadArgumentsException
    where it turns out to take none so large; otherwise the exception of the first operation that failed; its `index` is that operation's place, its
    `results` the list of codes: OK before it, RUNTIMEINCONSISTENCY after it.
    """
    cdef Handle handle = find(h)
    cdef double seconds = seconds_of(timeout)
    cdef WriteOps operations = all_of(handle, ops)
    cdef Py_ssize_t i
    if operations.count == 0:
        return []
    size_of_all(handle, operations)
    if seconds < 0:
        seconds = handle.c.session_timeout / 1000.0
    cdef bulk_write *w = new_writes(
        handle, operations, operations.count, operations.count, handle.max_request, 1, 0, True, False
    )
    try:
        with nogil:
            bulk_write_ready(w, operations.count)
        wait_for_bulk(handle, &w.base, seconds, None, None)
        if w.base.code == ZBADARGUMENTS and w.next == 0:
            raise unsent_transaction(handle, operations, ZBADARGUMENTS)
        if w.base.code != ZOK:
            raise lost_write(&w.results[0], w.base.code, None)
        codes = codes_of(w.results, operations.count)
        for i, code in enumerate(codes):
            if code != ZOK:
                problem = refusal(handle, code, operations.path_of(i))
                problem.index = i
                problem.results = codes
                raise problem
        return [write_result_of(&w.results[i], operations.kinds[i]) for i in range(operations.count)]
    finally:
        give_up(&w.base)


def amulti(h, ops, completion=None):
    """Do as multi does, and call `completion(handle, code, results)`.

    code is that of the first operation that failed; then results are the codes of all. Where there was
    no answer, results are None.
    """
    cdef Handle handle = find(h)
    cdef WriteOps operations = all_of(handle, ops)
    cdef Context context = completion_context(None, completion, NULL)
    size_of_all(handle, operations)
    context.kinds = bytes(operations.kinds)
    context.number = handle.number
    Py_INCREF(context)
    cdef int code = transaction_submit(
        handle.c, operations.ops, <int>operations.count, <void *>context, context.answers()
    )
    if code != ZOK:
        Py_DECREF(context)
        raise unsent_transaction(handle, operations, code)
    return constants.OK
