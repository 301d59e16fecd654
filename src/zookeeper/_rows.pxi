# Nodes of a subtree for C: what makes text of thousands makes no objects of their names and data.

cdef struct NodeRow:
    # `zc.zk._speedups` has the same structure. Zeros are behind path, name and data.
    const char *path
    const char *name
    const char *data
    int64_t owner
    Py_ssize_t path_length, name_length
    Py_ssize_t length  # of the data; -1: null data
    Py_ssize_t depth


cdef int look_at_node(void *znode, NodeRow *row) noexcept:
    """Fill in a Znode's row, which lasts as long as that; 1 if it has an error."""
    cdef const tree_node *node = (<Znode>znode).node
    if node is NULL or node.read.code != ZOK:
        return 1
    row.path = node.read.path
    row.path_length = node.path_length
    row.name_length = name_length_of(node)
    row.name = node.read.path + node.path_length - row.name_length
    row.data = node.read.data
    row.length = node.read.length
    row.depth = node.depth
    row.owner = node.read.stat.ephemeralOwner
    return 0
