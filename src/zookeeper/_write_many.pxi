# Many writes: transactions in a row.

# Servers put up with a thousand requests from all clients together.
MAX_IN_FLIGHT = 100

cdef enum:
    # So many operations are written down between two offers of the processor to others: in 50 microseconds, or so.
    WRITTEN_AT_ONCE = 64


cdef bulk_write *new_writes(Handle handle, WriteOps ops, Py_ssize_t count, long batch, long batch_bytes,
                              int in_flight, long serial, bint stop, bint divisible) except NULL:
    """Make a bulk write, which sends as bulk_write_ready tells of operations.

    The caller gives it up (`give_up`), before `ops` go.
    """
    cdef bulk_write *w = bulk_write_new(
        handle.c, ops.ops, count, batch, batch_bytes, in_flight, serial, stop, divisible
    )
    if w is NULL:
        raise MemoryError(f"{count} operations")
    return w


cdef inline bint ends_transaction(const bulk_write *w, Py_ssize_t count) noexcept:
    """Return whether so many operations may be whole transactions."""
    cdef Py_ssize_t behind = count - w.serial
    return behind % w.batch == 0 if behind >= 0 else count % w.batch == 0


cdef object write_as_they_come(bulk_write *w, WriteOps ops, iterator, Py_ssize_t count):
    """Take operations from an iterator while the first ones are under way."""
    cdef bint goes_on = True
    cdef yields turns
    cdef CreateRow row
    cdef NextRow next_row = next_row_of(iterator)
    ops.owned.append(iterator)  # the rows are its own
    turns.next_at = 0
    while goes_on:
        if next_row is not NULL and ops.count < count and next_row(<PyObject *>iterator, &row):
            add_row(ops, &row)
        else:
            try:
                operation = next(iterator)
            except StopIteration:
                break
            if ops.count == count:
                raise too_many_or_few(count, f"{count + 1} or more")
            ops.add(operation)
        if ops.count % WRITTEN_AT_ONCE == 0:
            # The servers work at the first ones. The GIL stays here: another thread might keep it for milliseconds.
            yields_offer(&turns)
        if ends_transaction(w, ops.count) or ops.count == count:
            with nogil:
                goes_on = bulk_write_ready(w, ops.count)
    if goes_on and ops.count < count:
        raise too_many_or_few(count, ops.count)


cdef object lost_write(const write_result *result, int code, path):
    """Make the exception for an operation that has failed, or was lost."""
    return unsent(code, path) if result.never_sent else error_of(code, path)


cdef object unsent_write(Handle handle, WriteOps ops, Py_ssize_t index, int code):
    """Make the exception for an operation that was not sent, with its size."""
    cdef long size
    path = ops.path_of(index)
    # One without a reason may not have been taken from its iterator.
    if code != ZBADARGUMENTS:
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


@cython.final
@cython.internal
cdef class ManyWrites(BulkWork):
    cdef WriteOps ops
    cdef object iterator    # operations that are written down while the first ones are under way; or None
    cdef long batch
    cdef int in_flight
    cdef long serial
    cdef bint stops
    cdef bulk_write *writes

    cdef bint next_stage(self) except -1:
        if self.begun:
            return False
        cdef long batch_bytes = min(500000, self.handle.max_request - 64)
        self.writes = new_writes(
            self.handle,
            self.ops,
            self.total,
            self.batch,
            batch_bytes,
            self.in_flight,
            self.serial,
            self.stops,
            True,
        )
        if self.iterator is None:
            self.writes.ready = self.ops.count
        self.begin(&self.writes.base)
        if self.iterator is not None:
            write_as_they_come(self.writes, self.ops, self.iterator, self.total)
        return True

    cdef int code(self) noexcept:
        # Why writes were not done is told for each, if there was time for that.
        return self.last().code if self.last().abandoned else ZOK

    cdef object results(self):
        cdef Py_ssize_t i
        cdef bulk_write *writes = self.writes
        cdef WriteOps ops = self.ops
        return [
            write_result_of(&writes.results[i], ops.kinds[i])
            if writes.results[i].code == ZOK
            else lost_write(&writes.results[i], writes.results[i].code, ops.path_of(i)) if i < writes.next
            else unsent_write(self.handle, ops, i, writes.results[i].code)
            for i in range(ops.count if self.iterator is None else self.total)
        ]


cdef ManyWrites many_writes(h, ops, count, batch, in_flight, serial, stop, progress, timeout):
    """Check the arguments, and operations that are not to be taken later."""
    cdef ManyWrites work = ManyWrites.__new__(ManyWrites)
    cdef Handle handle = find(h)
    work.handle = handle
    work.seconds = seconds_of(timeout)
    work.stops = bool(stop)
    checked_callable(progress, "progress")
    work.progress = progress
    if integer(batch, "batch") < 1:
        raise errors.error(constants.BADARGUMENTS, None, f"batch must be at least 1: {batch}")
    if not 1 <= integer(in_flight, "in_flight") <= MAX_IN_FLIGHT:
        raise errors.error(
            constants.BADARGUMENTS, None, f"in_flight must be from 1 to {MAX_IN_FLIGHT}: {in_flight}"
        )
    if count is None:
        work.ops = all_of(handle, ops)
        work.total = work.ops.count
    else:
        work.total = integer(count, "count")
        if work.total < 0:
            raise errors.error(constants.BADARGUMENTS, None, f"count must not be negative: {count}")
        work.iterator = iter(ops)
        work.ops = WriteOps(handle, work.total)
    if not 0 <= integer(serial, "serial") <= work.total:
        raise errors.error(constants.BADARGUMENTS, None, f"serial must be from 0 to {work.total}: {serial}")
    work.batch, work.in_flight, work.serial = batch, in_flight, serial
    return work


def check_operations(h, ops):
    """Raise what write_many would about operations, and send nothing.

    The server may still refuse them: this is about their form, paths, ACLs and size.
    """
    all_of(find(h), ops)


def write_many(
    h, ops, *, count=None, batch=500, in_flight=4, serial=0, stop=True, progress=None, timeout=None
):
    """Do many operations, in order, as transactions with several in flight.

    ops: as for multi, and `("set_acl", path, acl, version=-1)`, with the ACL version, which is a request of
    its own between the transactions before and behind it. batch: how many operations a transaction holds at most (500 KB at most, too).
    count: how many operations `ops` gives, an iterator then, which is taken from while the first
    transactions are on their way. An exception of the iterator, or a fault of an operation, ends the
    work in the middle: it is for operations that are known to be good.
    in_flight: how many transactions, or changes of ACLs, may be under way at once. With 1 each is sent when the one before
    it has been done, so that with `stop` nothing is changed any more after a failure.
    serial: so many of the first operations are sent one transaction after the other, in transactions of their own.
    The others are sent when all of these are done, and with `stop` only if none of these has failed.
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
    return many_writes(h, ops, count, batch, in_flight, serial, stop, progress, timeout).wait()


def awrite_many(
    h, ops, completion=None, *, batch=500, in_flight=4, serial=0, stop=True, progress=None, timeout=None
):
    """Do as write_many does, and call `completion(handle, code, results)`.

    The code is OK also if some operations failed: the results tell. Otherwise it is OPERATIONTIMEOUT, or
    NOTHING, and any of the operations may have been done.

    Arguments are those of write_many, and all is checked before anything is sent. Returns an object whose
    `cancel()` gives it up, as of aget_many.
    """
    return many_writes(h, ops, None, batch, in_flight, serial, stop, progress, timeout).later(completion)
