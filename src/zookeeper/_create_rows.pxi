# New nodes from C: what writes the data of thousands makes no tuple and no text of each.

cdef struct CreateRow:
    # `zc.zk._speedups` has the same structure: the creation of a permanent node, in ASCII. A zero is
    # behind the path, and all lasts as long as the iterator.
    const char *path
    const char *data
    Py_ssize_t path_length, length
    PyObject *acl


# Fills in the row of an iterator's next operation; 0 if that gives a tuple for it, or ends.
ctypedef int (*NextRow)(PyObject *iterator, CreateRow *row) except -1


cdef NextRow next_row_of(iterator) except? NULL:
    """Return what gives rows for an iterator's operations, or NULL."""
    cdef const char *name = b"zookeeper.CreateRow"
    found = getattr(type(iterator), "_next_row", None)
    if not PyCapsule_IsValid(found, name):
        return NULL
    return <NextRow>PyCapsule_GetPointer(found, name)


cdef int add_row(WriteOps ops, const CreateRow *row) except -1:
    """Write down one more creation, for which there has to be room.

    Its result is None.
    """
    cdef c_operation *op = &ops.ops[ops.count]
    cdef uint32_t character
    if path_fault(row.path, row.path_length, False, &character) is not NULL or row.length > ops.handle.max_request:
        return ops.add(
            ("create", text_of(row.path, row.path_length), text_of(row.data, row.length), <object>row.acl, 0)
        )
    # Lists of ACLs may change between tuples, and are compared; rows have what it was at the first one.
    if ops.acl is not <object>row.acl or ops.vector is None:
        ops.own_acl(op, <object>row.acl, None)
    op.acl = &ops.vector.vector
    op.op = OP_CREATE
    op.path = row.path
    op.data = row.data
    op.length = <int>row.length
    op.flags = 0
    op.ttl = -1
    ops.take_size(op)
    ops.kinds[ops.count] = GIVES_NOTHING
    ops.count += 1
    return 0
