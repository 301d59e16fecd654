# Nodes of the binding as they lie in memory: no object is made of a node's name and data.

cdef struct NodeRow:
    # The binding has the same structure. Zeros are behind path, name and data.
    const char *path
    const char *name
    const char *data
    int64_t owner
    Py_ssize_t path_length, name_length
    Py_ssize_t length  # of the data; -1: null data
    Py_ssize_t depth


# Fills in a row, which lasts as long as the node; not 0 if the node has an error.
ctypedef int (*LookAt)(PyObject *node, NodeRow *row) noexcept


cdef LookAt look_of(node_type) except? NULL:
    """Return what looks at nodes of a type; NULL if only their attributes tell."""
    cdef const char *name = b"zookeeper.NodeRow"
    found = getattr(node_type, "_look_at", None)
    if not PyCapsule_IsValid(found, name):
        return NULL
    return <LookAt>PyCapsule_GetPointer(found, name)


cdef inline bint is_row_at_or_below(const NodeRow *row, str other) except -1:
    """Return whether a node is at the path `other`, or below it."""
    cdef Py_ssize_t length
    cdef const char *path = PyUnicode_AsUTF8AndSize(other, &length)
    if row.path_length < length or memcmp(row.path, path, length) != 0:
        return False
    return row.path_length == length or row.path[length] == c"/"
