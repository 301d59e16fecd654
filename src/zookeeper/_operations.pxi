# Operations that change nodes, as tuples of Python and as the C core wants them.

cdef enum:
    GIVES_NOTHING, GIVES_PATH, GIVES_PATH_AND_STAT, GIVES_STAT

cdef enum:
    REQUEST_BYTES = 32  # of a transaction, besides its operations, or a few more


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
    cdef c_operation *ops
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
        self.ops = <c_operation *>calloc(max(room, 1), sizeof(c_operation))
        if self.ops is NULL:
            raise MemoryError

    cdef int make_room(self, Py_ssize_t room) except -1:
        """Make room for more operations, before any is sent."""
        cdef c_operation *ops = <c_operation *>realloc(self.ops, room * sizeof(c_operation))
        if ops is NULL:
            raise MemoryError
        memset(ops + self.count, 0, (room - self.count) * sizeof(c_operation))
        self.ops = ops
        self.kinds.extend(bytes(room - len(self.kinds)))
        return 0

    cdef int add(self, operation) except -1:
        """Write down one more operation, for which there has to be room."""
        cdef c_operation *op = &self.ops[self.count]
        try:
            self.kinds[self.count] = self.convert(op, operation)
        except errors.ZooKeeperException as problem:
            problem.args = (f"{problem.args[0]} (operation {self.count})",)
            raise
        except TypeError as problem:
            raise TypeError(f"{problem} (operation {self.count})") from None
        self.take_size(op)
        self.count += 1
        return 0

    cdef int take_size(self, c_operation *op) except -1:
        """Note the size of an operation, unless it is more than a request can hold."""
        cdef long size = operation_size(self.handle.c, op)
        if size + REQUEST_BYTES > self.handle.max_request:
            raise self.too_large(size + REQUEST_BYTES, self.path_of_op(op))
        op.size = <int32_t>size
        return 0

    def __dealloc__(self):
        free(self.ops)

    cdef int convert(self, c_operation *op, operation) except -1:
        """Fill in `op`, and return the kind of its result."""
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
        if name == "set_acl":
            check_arguments(name, operation, 1, 2)
            op.op = OP_SET_ACL
            op.path = self.own_path(path, False)
            op.version = integer(operation[3], "a version") if count > 3 else -1
            self.own_acl(op, operation[2], path)
            return GIVES_NOTHING
        raise errors.error(constants.BADARGUMENTS, None, f"no such operation: {name!r}")

    cdef int convert_create(self, c_operation *op, path, data, acl, int flags, ttl) except -1:
        self.own_acl(op, acl, path)
        op.path = self.own_path(path, is_sequential(flags))
        self.own_data(op, data, path)
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

    cdef int own_acl(self, c_operation *op, acl, path) except -1:
        if acl is not self.acl or self.vector is None:
            self.vector = self.acls.get(id(acl))
            self.acl = acl
        if self.vector is None or not self.vector.is_of(acl):
            self.vector = self.acls[id(acl)] = AclVector(acl, path)
            self.owned.append((acl, self.vector))  # nothing else may get its id; operations point to it
        op.acl = &self.vector.vector
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

    cdef int own_data(self, c_operation *op, data, path) except -1:
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
        """Refuse data that no request can hold, before its length becomes a C int."""
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

    cdef path_of_op(self, const c_operation *op):
        return text_of(op.path, strlen(op.path))


cdef WriteOps all_of(Handle handle, operations):
    """Write down operations as they come.

    The lists in one may have changed by the time of the next one.
    """
    cdef Py_ssize_t room = len(operations) if isinstance(operations, (list, tuple)) else 16
    cdef WriteOps ops = WriteOps(handle, room)
    for operation in operations:
        if ops.count == room:
            room = 2 * room + 16
            ops.make_room(room)
        ops.add(operation)
    return ops
