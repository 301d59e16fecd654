# Operations on many nodes, in a few round trips: transactions, reads, subtrees, watches.

# How often (nanoseconds) a waiting thread looks for progress, signals and stalls.
cdef int64_t LOOK_AGAIN = 100000000


cdef object wait_for_bulk(Handle handle, bulk *b, double seconds, progress, total):
    """Wait until a bulk operation that has been started is over.

    Without a timeout (seconds < 0) it is given up when nothing has happened for the session timeout.
    Whatever it raises, the operation may go on: `give_up` it.
    """
    cdef int status
    cdef long done, told
    cdef long last_done = -1
    cdef int64_t now = core_now()
    cdef int64_t stalled_at = now
    cdef int64_t deadline = 0 if seconds < 0 else now + <int64_t>(seconds * 1e9)
    cdef int64_t slice
    while True:
        slice = now + LOOK_AGAIN
        if deadline and slice > deadline:
            slice = deadline
        with nogil:
            status = bulk_wait(b, slice)
        if status == 0:
            return
        PyErr_CheckSignals()
        now = core_now()
        done = bulk_progress(b, &told)
        if done != last_done:
            last_done = done
            if progress is not None:
                progress(told, total)
            stalled_at = now = core_now()
        if not deadline and now > stalled_at + <int64_t>handle.c.session_timeout * 1000000:
            raise errors.error(constants.OPERATIONTIMEOUT, None, "nothing came for the session timeout")
        if deadline and now >= deadline:
            raise errors.error(constants.OPERATIONTIMEOUT, None, "not finished within the time given")


cdef void give_up(bulk *b) noexcept:
    """Let go of a bulk operation, which may not be over: it sends nothing more, and reads nothing of ours.

    That is the only end that it has: there is no telling what raises while the I/O thread works for it.
    """
    if b is not NULL:
        with nogil:
            bulk_abandon(b)
            bulk_release(b)


# Servers put up with a thousand requests from all clients together.
MOST_IN_FLIGHT = 100


# ---- transactions ----------------------------------------------------------------------------

cdef enum:
    GIVES_NOTHING, GIVES_PATH, GIVES_PATH_AND_STAT, GIVES_STAT


cdef int check_arguments(name, operation, Py_ssize_t least, Py_ssize_t most) except -1:
    cdef Py_ssize_t count = len(operation) - 2
    if not least <= count <= most:
        raise TypeError(f"{name} takes {least} to {most} arguments after the path, not {count}")
    return 0


@cython.final
@cython.internal
cdef class WriteOps:
    """Operations as the C core wants them, and what their strings belong to."""

    cdef Handle handle
    cdef write_op *ops
    cdef Py_ssize_t count  # of those that are written down
    cdef list owned
    cdef dict acls    # id of the list -> AclVector: usually one for all
    cdef object acl   # the last one that there was, and its AclVector
    cdef AclVector vector
    cdef bytearray kinds

    def __cinit__(self, Handle handle not None, Py_ssize_t room):
        self.handle = handle
        self.owned = []
        self.acls = {}
        self.kinds = bytearray(room)
        self.ops = <write_op *>calloc(max(room, 1), sizeof(write_op))
        if self.ops is NULL:
            raise MemoryError

    cdef int make_room(self, Py_ssize_t room) except -1:
        """For more operations; before any is sent."""
        cdef write_op *ops = <write_op *>realloc(self.ops, room * sizeof(write_op))
        if ops is NULL:
            raise MemoryError
        memset(ops + self.count, 0, (room - self.count) * sizeof(write_op))
        self.ops = ops
        self.kinds.extend(bytes(room - len(self.kinds)))
        return 0

    cdef int add(self, operation) except -1:
        """Write down one more, for which there has to be room."""
        cdef write_op *op = &self.ops[self.count]
        cdef long size
        try:
            self.kinds[self.count] = self.convert(op, operation)
        except errors.ZooKeeperException as problem:
            problem.args = (f"{problem.args[0]} (operation {self.count})",)
            raise
        except TypeError as problem:
            raise TypeError(f"{problem} (operation {self.count})") from None
        size = write_op_size(self.handle.c, op)
        if size + 32 > self.handle.max_request:
            raise self.too_large(size, self.path_of_op(op))
        self.count += 1
        return 0

    def __dealloc__(self):
        free(self.ops)

    cdef int convert(self, write_op *op, operation) except -1:
        """Fill in `op`; says what the operation gives."""
        cdef Py_ssize_t count
        if isinstance(operation, list):
            operation = tuple(operation)  # it stays as it is while it is looked at
        if not isinstance(operation, tuple) or len(operation) < 2:
            raise TypeError(f"an operation is a tuple of its name, a path and more: {operation!r}")
        name = operation[0]
        path = operation[1]
        count = len(operation)
        if name == "create" or name == "create2":
            check_arguments(name, operation, 2, 4)
            self.convert_create(
                op,
                path,
                operation[2],
                operation[3],
                node_kind(operation[4], path) if count > 4 else 0,
                operation[5] if count > 5 else None,
            )
            if name == "create":
                return GIVES_PATH
            if op.op == OP_CREATE:
                op.op = OP_CREATE2
            return GIVES_PATH_AND_STAT
        if name == "set":
            check_arguments(name, operation, 1, 2)
            op.op = OP_SET_DATA
            op.path = self.own_path(path, False)
            self.own_data(op, operation[2], path)
            op.version = integer(operation[3], "a version") if count > 3 else -1
            return GIVES_STAT
        if name == "delete" or name == "check":
            check_arguments(name, operation, 0, 1)
            op.op = OP_DELETE if name == "delete" else OP_CHECK
            op.path = self.own_path(path, False)
            op.version = integer(operation[2], "a version") if count > 2 else -1
            return GIVES_NOTHING
        raise errors.error(constants.BADARGUMENTS, None, f"no such operation: {name!r}")

    cdef int convert_create(self, write_op *op, path, data, acl, int flags, ttl) except -1:
        if acl is not self.acl or self.vector is None:
            self.vector = self.acls.get(id(acl))
            self.acl = acl
        if self.vector is None or not self.vector.is_of(acl):
            self.vector = self.acls[id(acl)] = AclVector(acl, path)
            self.owned.append((acl, self.vector))  # nothing else may get its id; operations point to it
        op.path = self.own_path(path, is_sequential(flags))
        self.own_data(op, data, path)
        op.acl = &self.vector.vector
        op.flags = flags
        op.op = OP_CREATE
        op.ttl = -1
        if flags or ttl is not None:
            op.ttl = ttl_of(flags, ttl, path)
            if flags == constants.CONTAINER:
                op.op = OP_CREATE_CONTAINER
            elif op.ttl >= 0:
                op.op = OP_CREATE_TTL
        return 0

    cdef const char *own_path(self, path, bint sequential) except NULL:
        cdef bytes where
        cdef uint32_t character
        cdef Py_ssize_t length
        cdef const char *text
        if is_ascii_text(path):
            text = PyUnicode_AsUTF8AndSize(path, &length)
            if path_fault(text, length, sequential, &character) is NULL:
                self.owned.append(path)
                return text
        where = encoded_path(path, sequential)
        self.owned.append(where)
        return PyBytes_AS_STRING(where)

    cdef int own_data(self, write_op *op, data, path) except -1:
        cdef bytes value
        cdef Py_ssize_t length
        if is_ascii_text(data):
            op.data = PyUnicode_AsUTF8AndSize(data, &length)
            self.check_length(length, path)
            op.length = <int>length
            self.owned.append(data)
            return 0
        value = encoded_data(data, path)
        self.owned.append(value)
        self.check_length(data_size(value), path)
        op.data = data_pointer(value)
        op.length = data_length(value)
        return 0

    cdef int check_length(self, Py_ssize_t length, path) except -1:
        """Data of more than a request has is not to be made a C int of."""
        if length > self.handle.max_request:
            raise self.too_large(length, path)
        return 0

    cdef too_large(self, Py_ssize_t size, path):
        return errors.error(
            constants.BADARGUMENTS,
            path,
            f"operation {self.count} of {size} bytes is over the limit of"
            f" {self.handle.max_request} (jute.maxbuffer)",
        )

    cdef path_of(self, Py_ssize_t i):
        return self.path_of_op(&self.ops[i]) if i < self.count else None

    cdef path_of_op(self, const write_op *op):
        return text_of(op.path, strlen(op.path))


cdef WriteOps all_of(Handle handle, operations):
    """Each is written down as it comes: its lists may be others by the time of the next one."""
    cdef Py_ssize_t room = len(operations) if isinstance(operations, (list, tuple)) else 16
    cdef WriteOps ops = WriteOps(handle, room)
    for operation in operations:
        if ops.count == room:
            room = 2 * room + 16
            ops.make_room(room)
        ops.add(operation)
    return ops


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
    """A completion's results: values if all went well, else codes, else (no answer) None."""
    cdef int i
    if t.failure != ZOK:
        return None
    if t.code != ZOK:
        # The server's own convention: what was undone is OK, what was not reached is not.
        return codes_of(t.results, t.count)
    return [write_result_of(&t.results[i], kinds[i]) for i in range(t.count)]


cdef list codes_of(const write_result *results, Py_ssize_t count):
    """Codes as the server gave them: 0 for operations before the one that failed, -2 after it."""
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
        size += write_op_size(handle.c, &ops.ops[i])
    if size > handle.max_request:
        raise errors.error(
            constants.BADARGUMENTS,
            None,
            f"a transaction of {ops.count} operations and {size} bytes is over the limit of"
            f" {handle.max_request} (jute.maxbuffer)",
        )
    return size


def multi(h, ops, *, timeout=None):
    """Do several operations as one transaction: all of them or none.

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
            raise error_of(w.base.code, None)
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
    """Like multi; `completion(handle, code, results)`.

    code is that of the first operation that failed; then results are the codes of all. Where there was
    no answer, results are None.
    """
    cdef Handle handle = find(h)
    cdef WriteOps operations = all_of(handle, ops)
    checked_callable(completion, "a completion")
    size_of_all(handle, operations)
    context = (completion, bytes(operations.kinds))
    Py_INCREF(context)
    cdef int code = transaction_submit(handle.c, operations.ops, <int>operations.count, <void *>context)
    if code != ZOK:
        Py_DECREF(context)
        raise unsent(code, None)
    return constants.OK


cdef bulk_write *start_writes(Handle handle, WriteOps ops, Py_ssize_t count, long batch, long batch_bytes,
                              int in_flight, bint stop, bint divisible) except NULL:
    """Operations that are sent as bulk_write_ready tells of them. To be given up, before `ops` go."""
    cdef bulk_write *w = bulk_write_new(handle.c, ops.ops, count, batch, batch_bytes, in_flight, stop, divisible)
    if w is NULL:
        raise MemoryError(f"{count} operations")
    return w


cdef object write_as_they_come(bulk_write *w, WriteOps ops, iterator, Py_ssize_t count, long batch):
    """Take operations from an iterator while the first ones are on their way."""
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


cdef object too_many_or_few(Py_ssize_t announced, came):
    return ValueError(f"count is {announced}, but the iterator gave {came} operations")


def check_operations(h, ops):
    """Raise what write_many would about operations that cannot be sent; send nothing.

    The server may still refuse them: this is about their form, paths, ACLs and size.
    """
    all_of(find(h), ops)


def write_many(h, ops, *, count=None, batch=500, in_flight=4, stop=True, progress=None, timeout=None):
    """Do many operations, in order, as a sequence of transactions, several of them in flight.

    ops: as for multi. batch: how many operations a transaction holds at most (500 KB at most, too).
    count: how many operations `ops` gives, an iterator then, which is taken from while the first
    transactions are on their way. What it raises, and what is wrong with its operations, ends the
    work in the middle: it is for operations that are known to be good.
    in_flight: how many transactions may be under way at once. With 1 each is sent when the one before
    it has been done, so that with `stop` nothing is changed any more after a failure.
    stop: after a transaction that failed, send no more. Those that are under way may be done all the same.
    Where the server turns out to know no transactions, each operation is one of its own.
    progress: called `(done, total)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    Returns a list with, for each operation, its result as of multi, or an exception: the operation's
    own; RuntimeInconsistencyException if another one of its transaction failed; ConnectionLossException
    or OperationTimeoutException if it may or may not have happened; NothingException if it was not sent, the first of which has the
    reason if there was one (such as ClosingException). Raises only what concerns
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
    if not 1 <= integer(in_flight, "in_flight") <= MOST_IN_FLIGHT:
        raise errors.error(
            constants.BADARGUMENTS, None, f"in_flight must be from 1 to {MOST_IN_FLIGHT}: {in_flight}"
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
            else error_of(w.results[i].code, operations.path_of(i)) if i < w.next
            else unsent(w.results[i].code, operations.path_of(i))
            for i in range(total)
        ]
    finally:
        give_up(&w.base)


# ---- reads -----------------------------------------------------------------------------------

cdef list list_of_paths(paths):
    if isinstance(paths, str):
        raise TypeError(f"a list of paths is needed, not one path: {paths!r}")
    return [exact(path) for path in paths]


cdef list encoded_paths(Handle handle, list paths, dict known):
    """Paths as bytes. `known` has those that were met before, which need no second look."""
    cdef list result = []
    cdef bytes where
    for path in paths:
        where = known.get(path) if isinstance(path, str) else None
        if where is None:
            where = encoded_path(path)
            check_size(handle, where, 0)
            known[path] = where
        result.append(where)
    return result


cdef read_many *start_reads(Handle handle, list encoded_paths, int op) except NULL:
    """Send the reads of many paths. To be given up."""
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
    """Read many nodes: a list with `(data, stat)` for each path, or the exception that it gave.

    The list is an `Answers`, whose `zxid` says how new they are.

    progress: called `(done, total)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    Raises what concerns all of them: bad paths, ConnectionLossException and the like.
    """
    return read_all(h, paths, OP_GET_DATA, timeout, progress)


def get_children_many(h, paths, *, progress=None, timeout=None):
    """The children of many nodes: a list with a list of names for each path, or the exception it gave.

    Arguments, the kind of list and exceptions are those of get_many.
    """
    return read_all(h, paths, OP_GET_CHILDREN, timeout, progress)


# ---- subtrees --------------------------------------------------------------------------------

@cython.final
@cython.freelist(64)
cdef class Znode:
    """One node of a Subtree; its attributes are converted when they are asked for."""

    cdef Subtree tree
    cdef tree_node *node

    def __init__(self):
        raise TypeError("a Znode comes from read_tree")

    cdef tree_node *its(self) except NULL:
        """The node, which one made by `Znode.__new__` has not."""
        if self.node is NULL:
            raise TypeError("a Znode comes from read_tree")
        return self.node

    @property
    def path(self):
        """The whole path."""
        return text_of(self.its().read.path, self.its().path_length)

    @property
    def name(self):
        """The last part of the path; '' for '/'."""
        cdef const char *path = self.its().read.path
        cdef Py_ssize_t start = self.its().path_length
        while start > 0 and path[start - 1] != b"/":
            start -= 1
        return text_of(path + start, self.its().path_length - start)

    @property
    def depth(self):
        """How many levels below the subtree's root."""
        return self.its().depth

    @property
    def data(self):
        """The data as text, None for null data and for nodes that could not be read."""
        return data_of(self.its().read.data, self.its().read.length)

    @property
    def error(self):
        """Why the node could not be read (NoAuthException, as a rule), or None."""
        return None if self.its().read.code == ZOK else error_of(self.its().read.code, self.path)

    @property
    def stat(self):
        """The stat as a dict, None for nodes that could not be read."""
        return stat_of(&self.its().read.stat) if self.its().read.code == ZOK else None

    @property
    def version(self):
        """The data version."""
        return self.its().read.stat.version

    @property
    def ephemeralOwner(self):
        """The session that an ephemeral node lives with; 0 for others."""
        return self.its().read.stat.ephemeralOwner

    @property
    def numChildren(self):
        """How many children the node had when its data was read."""
        return self.its().read.stat.numChildren

    def __repr__(self):
        return f"<Znode {self.path}>"


@cython.final
cdef class Subtree:
    """A node and everything below it: a sequence of Znode, depth first, siblings by name."""

    cdef subtree *tree
    cdef int64_t *order
    cdef readonly Py_ssize_t count  # 0 unless read_tree has read it

    def __init__(self):
        raise TypeError("a Subtree comes from read_tree")

    def __dealloc__(self):
        free(self.order)
        if self.tree is not NULL:
            give_up(&self.tree.reader.base)

    cdef int arrange(self) except -1:
        """Find the order; nodes that vanished while they were read are left out."""
        cdef int64_t *stack = <int64_t *>calloc(self.tree.count, sizeof(int64_t))
        cdef int64_t height = 1
        cdef int64_t index
        cdef int32_t i
        cdef tree_node *node
        self.order = <int64_t *>calloc(self.tree.count, sizeof(int64_t))
        if stack is NULL or self.order is NULL:
            free(stack)
            raise MemoryError
        with nogil:
            while height:
                height -= 1
                index = stack[height]
                node = subtree_node(self.tree, index)
                if node.read.code == ZNONODE:
                    continue
                self.order[self.count] = index
                self.count += 1
                for i in range(node.children, 0, -1):
                    stack[height] = node.first_child + i - 1
                    height += 1
            free(stack)
        return 0

    @property
    def zxid(self):
        """The last change that the server knew of when it was asked first, as in Answers."""
        if self.tree is NULL:
            raise TypeError("a Subtree comes from read_tree")
        return self.tree.reader.lowest_zxid

    cdef Znode znode(self, Py_ssize_t place):
        cdef Znode result = Znode.__new__(Znode)
        result.tree = self
        result.node = subtree_node(self.tree, self.order[place])
        return result

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self.znode(i) for i in range(*place.indices(self.count))]
        cdef Py_ssize_t i = place
        if i < 0:
            i += self.count
        if not 0 <= i < self.count:
            raise IndexError(place)
        return self.znode(i)

    def __iter__(self):
        cdef Py_ssize_t i
        for i in range(self.count):
            yield self.znode(i)


def read_tree(h, path, *, progress=None, timeout=None):
    """Read a node and everything below it: a Subtree.

    progress: called `(done, None)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.

    A node that may not be read is in the result with its `error` set and nothing below it; nodes that
    vanish meanwhile are left out. Raises NoNodeException if there is no such node, and what concerns
    all: ConnectionLossException and the like.
    """
    cdef Handle handle = find(h)
    cdef double seconds = seconds_of(timeout)
    cdef bytes where = encoded_path(path)
    checked_callable(progress, "progress")
    check_size(handle, where, 0)
    # Until it is there, and after whatever is raised here, its end is that of the Subtree.
    cdef Subtree result = Subtree.__new__(Subtree)
    result.tree = subtree_new(handle.c, where)
    with nogil:
        bulk_start(&result.tree.reader.base)
    wait_for_bulk(handle, &result.tree.reader.base, seconds, progress, None)
    cdef int code = result.tree.reader.base.code
    if code != ZOK:
        raise error_of(code, path)
    if subtree_node(result.tree, 0).read.code == ZNONODE:
        raise refusal(handle, ZNONODE, path)
    handle.has_root = True
    result.arrange()
    if progress is not None:
        progress(result.tree.count, None)
    return result


# ---- watches ---------------------------------------------------------------------------------

cdef set_watches *start_watches(Handle handle, list data, list exists, list children, dict encoded,
                                int64_t zxid, watcher, double seconds) except NULL:
    """Send the watches of paths, whose bytes are in `encoded`. To be given up."""
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
            # have been sent when nobody expected this. Answers come in the order of requests.
            try:
                call_release(ask(handle, "/", b"/", call_exists, None, None if seconds < 0 else seconds))
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
    # What has come is made into Python's objects while the next answers are on their way.
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
