# Many writes: transactions, alone or in a row.

# Servers put up with a thousand requests from all clients together.
MAX_IN_FLIGHT = 100



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
        size += operation_size(handle.c, &ops.ops[i])
    if size > handle.max_request:
        raise errors.error(
            constants.BADARGUMENTS,
            None,
            f"a transaction of {ops.count} operations and {size} bytes is over the limit of"
            f" {handle.max_request} (jute.maxbuffer)",
        )
    return size


def multi(h, ops, *, timeout=None):
    """Do several operations as one transaction: all or none.

    ops: tuples `("create", path, data, acl, flags=0, ttl=None)`, `("create2", ...)`,
    `("set", path, data, version=-1)`, `("delete", path, version=-1)`, `("check", path, version=-1)`.

    Returns a list with each operation's result: the path, `(path, stat)` (the stat None from servers
    that do not tell it), the stat, None, None.
    Raises UnimplementedException where the server turns out to know no transactions; otherwise
    the exception of the first operation that failed; its `index` is that operation's place, its
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
    cdef bulk_write *w = start_writes(handle, operations, operations.count, operations.count, handle.max_request, 1, True, False)
    try:
        with nogil:
            bulk_write_ready(w, operations.count)
        wait_for_bulk(handle, &w.base, seconds, None, None)
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
        raise unsent(code, None)
    return constants.OK


cdef bulk_write *start_writes(Handle handle, WriteOps ops, Py_ssize_t count, long batch, long batch_bytes,
                              int in_flight, bint stop, bint divisible) except NULL:
    """Make a bulk write, which sends as bulk_write_ready tells of operations.

    The caller gives it up (`give_up`), before `ops` go.
    """
    cdef bulk_write *w = bulk_write_new(handle.c, ops.ops, count, batch, batch_bytes, in_flight, stop, divisible)
    if w is NULL:
        raise MemoryError(f"{count} operations")
    return w


cdef object write_as_they_come(bulk_write *w, WriteOps ops, iterator, Py_ssize_t count, long batch):
    """Take operations from an iterator while the first ones are under way."""
    cdef bint goes_on = True
    with nogil:
        bulk_write_ready(w, 0)
    for operation in iterator:
        if ops.count == count:
            raise too_many_or_few(count, f"{count + 1} or more")
        ops.add(operation)
        if ops.count % batch == 0 or ops.count == count:
            with nogil:
                goes_on = bulk_write_ready(w, ops.count)
            if not goes_on:
                return
    if ops.count < count:
        raise too_many_or_few(count, ops.count)


cdef object lost_write(const write_result *result, int code, path):
    """Make the exception for an operation that has failed, or was lost."""
    return unsent(code, path) if result.never_sent else error_of(code, path)


cdef object unsent_write(Handle handle, WriteOps ops, Py_ssize_t index, int code):
    """Make the exception for an operation that was not sent, with its size."""
    cdef long size
    path = ops.path_of(index)
    # One without a reason may not have been taken from its iterator.
    if code != ZUNIMPLEMENTED:
        return unsent(code, path)
    size = operation_size(handle.c, &ops.ops[index])
    if not service_hangs_up_at(handle.c, size):
        return unsent(code, path)
    return errors.error(
        constants.BADARGUMENTS,
        path,
        f"the servers hang up at a request of {size} bytes (their jute.maxbuffer)",
        may_have_happened=False,
    )


cdef object too_many_or_few(Py_ssize_t announced, came):
    return ValueError(f"count is {announced}, but the iterator gave {came} operations")


def check_operations(h, ops):
    """Raise what write_many would about operations, and send nothing.

    The server may still refuse them: this is about their form, paths, ACLs and size.
    """
    all_of(find(h), ops)


def write_many(h, ops, *, count=None, batch=500, in_flight=4, stop=True, progress=None, timeout=None):
    """Do many operations, in order, as transactions with several in flight.

    ops: as for multi. batch: how many operations a transaction holds at most (500 KB at most, too).
    count: how many operations `ops` gives, an iterator then, which is taken from while the first
    transactions are on their way. An exception of the iterator, or a fault of an operation, ends the
    work in the middle: it is for operations that are known to be good.
    in_flight: how many transactions may be under way at once. With 1 each is sent when the one before
    it has been done, so that with `stop` nothing is changed any more after a failure.
    stop: after a transaction that failed, send no more. Those that are under way may be done all the same.
    Where the server turns out to know no transactions, each operation is one of its own.
    progress: called `(done, total)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    Returns a list with, for each operation, its result as of multi, or an exception: the operation's
    own; RuntimeInconsistencyException if another one of its transaction failed; ConnectionLossException
    or OperationTimeoutException if it may or may not have happened; NothingException if it was not
    sent, the first of which has the reason if there was one (such as ClosingException). Raises only what concerns
    all of them: bad arguments (without `count` before anything is sent), OperationTimeoutException.
    """
    cdef Handle handle = find(h)
    cdef WriteOps operations
    cdef Py_ssize_t i, total
    cdef long batch_bytes = min(500000, handle.max_request - 64)
    cdef bulk_write *w
    cdef double seconds = seconds_of(timeout)
    cdef bint stops = bool(stop)
    checked_callable(progress, "progress")
    if integer(batch, "batch") < 1:
        raise errors.error(constants.BADARGUMENTS, None, f"batch must be at least 1: {batch}")
    if not 1 <= integer(in_flight, "in_flight") <= MAX_IN_FLIGHT:
        raise errors.error(
            constants.BADARGUMENTS, None, f"in_flight must be from 1 to {MAX_IN_FLIGHT}: {in_flight}"
        )
    if count is None:
        operations = all_of(handle, ops)
        total = operations.count
        iterator = None
    else:
        total = integer(count, "count")
        if total < 0:
            raise errors.error(constants.BADARGUMENTS, None, f"count must not be negative: {count}")
        iterator = iter(ops)
        operations = WriteOps(handle, total)
    w = start_writes(handle, operations, total, batch, batch_bytes, in_flight, stops, True)
    try:
        if iterator is None:
            with nogil:
                bulk_write_ready(w, total)
        else:
            write_as_they_come(w, operations, iterator, total, batch)
        wait_for_bulk(handle, &w.base, seconds, progress, total)
        if progress is not None:
            progress(total, total)
        return [
            write_result_of(&w.results[i], operations.kinds[i])
            if w.results[i].code == ZOK
            else lost_write(&w.results[i], w.results[i].code, operations.path_of(i)) if i < w.next
            else unsent_write(handle, operations, i, w.results[i].code)
            for i in range(total)
        ]
    finally:
        give_up(&w.base)
