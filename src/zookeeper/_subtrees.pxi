# Reading a node and everything below it.


cdef inline Py_ssize_t name_length_of(const tree_node *node) noexcept:
    """Return the length of a path's last part, which ends it; 0 for '/'."""
    cdef const char *path = node.read.path
    cdef Py_ssize_t start = node.path_length
    while start > 0 and path[start - 1] != b"/":
        start -= 1
    return node.path_length - start


cdef str name_of(const tree_node *node):
    cdef Py_ssize_t length = name_length_of(node)
    return text_of(node.read.path + node.path_length - length, length)


@cython.final
@cython.freelist(64)
cdef class Znode:
    """One node of a Subtree; its attributes are converted on demand."""

    cdef Subtree tree
    cdef tree_node *node
    _look_at = PyCapsule_New(<void *>look_at_node, "zookeeper.NodeRow", NULL)

    def __init__(self):
        raise TypeError("a Znode comes from read_tree")

    cdef tree_node *its(self) except NULL:
        """Return the node, which a Znode made by `Znode.__new__` does not have."""
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
        return name_of(self.its())

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
    def packed_stat(self):
        """The stat as bytes, which `struct` reads by '@4q3iq2iq'; None like it."""
        return packed_stat_of_node(self.its())

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


cdef inline Znode znode_of(Subtree tree, tree_node *node):
    cdef Znode result = Znode.__new__(Znode)
    result.tree = tree
    result.node = node
    return result


cdef Subtree new_subtree(subtree *s):
    """Make the subtree of what is read, or still is to be, without a node."""
    cdef Subtree result = Subtree.__new__(Subtree)
    bulk_retain(&s.reader.base)
    result.tree = s
    return result


@cython.final
cdef class Subtree:
    """A node and everything below it, as a sequence of Znode.

    It goes depth first, and siblings by name.
    """

    cdef subtree *tree
    cdef int64_t *order             # NULL: not found yet
    cdef int64_t handed_out         # how many of its nodes while it was read
    cdef Nesting nesting            # what was made while it was read, or None
    cdef readonly Py_ssize_t count  # 0 unless read_tree has read it

    def __init__(self):
        raise TypeError("a Subtree comes from read_tree")

    def __dealloc__(self):
        free(self.order)
        if self.tree is not NULL:
            give_up(&self.tree.reader.base)

    cdef void count_nodes(self) noexcept nogil:
        """Count those that have not vanished while they were read."""
        cdef int64_t index
        self.count = 0
        for index in range(self.tree.count):
            self.count += subtree_node(self.tree, index).read.code != ZNONODE

    cdef int arrange(self) except -1:
        """Find the order, if that has not been done."""
        if self.order is not NULL or self.tree is NULL:
            return 0
        cdef int64_t *stack = <int64_t *>calloc(self.tree.count, sizeof(int64_t))
        cdef int64_t height = 1
        cdef int64_t index
        cdef int64_t count = 0
        cdef int32_t i
        cdef tree_node *node
        cdef int64_t *order = <int64_t *>calloc(self.tree.count, sizeof(int64_t))
        if stack is NULL or order is NULL:
            free(stack)
            free(order)
            raise MemoryError
        with nogil:
            while height:
                height -= 1
                index = stack[height]
                node = subtree_node(self.tree, index)
                if node.read.code == ZNONODE:
                    continue
                order[count] = index
                count += 1
                for i in range(node.children, 0, -1):
                    stack[height] = node.first_child + i - 1
                    height += 1
            free(stack)
        if self.order is NULL:
            self.order = order
        else:
            free(order)  # another thread was quicker
        return 0

    @property
    def zxid(self):
        """The last change that the server knew of at first, as in Answers."""
        if self.tree is NULL:
            raise TypeError("a Subtree comes from read_tree")
        return self.tree.reader.lowest_zxid

    @property
    def arrivals(self):
        """For each node how many came before it, as packed int64; see read_tree.

        Those that were not handed out have come behind all others.
        """
        self.arrange()
        if not self.count:
            return b""
        cdef bytes packed = PyBytes_FromStringAndSize(<const char *>self.order, self.count * sizeof(int64_t))
        cdef int64_t *numbers = <int64_t *><char *>packed  # nobody else has it
        cdef tree_node *node
        cdef Py_ssize_t i
        if self.handed_out:
            for i in range(self.count):
                node = subtree_node(self.tree, numbers[i])
                numbers[i] = node.index + (0 if node.is_handed_out else self.handed_out)
        return packed

    @property
    def unreadable(self):
        """The paths of nodes that could not be read."""
        cdef Py_ssize_t i
        if not self.has_unreadable():
            return []
        self.arrange()
        return [
            self.znode(i).path
            for i in range(self.count)
            if subtree_node(self.tree, self.order[i]).read.code != ZOK
        ]

    cdef bint has_unreadable(self) noexcept:
        """Say so, as quickly as memory can be looked through."""
        cdef int64_t index
        cdef int code
        for index in range(0 if self.tree is NULL else self.tree.count):
            code = subtree_node(self.tree, index).read.code
            if code != ZOK and code != ZNONODE:
                return True
        return False

    cdef Znode znode(self, Py_ssize_t place):
        return znode_of(self, subtree_node(self.tree, self.order[place]))

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        self.arrange()
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
        self.arrange()
        for i in range(self.count):
            yield self.znode(i)

    def nested(self):
        """Return all nodes as nested tuples: (data, stat or error, children).

        The stat is packed. The children are a dict of such tuples by name, None if there were none. For a
        node at a time there are the attributes of Znode; this is for all of a million nodes.
        """
        if self.tree is NULL:
            raise TypeError("a Subtree comes from read_tree")
        cdef Nesting nesting = Nesting() if self.nesting is None else self.nesting
        self.nesting = None  # what is made of it is the caller's
        nesting.take(self.tree)
        return nesting.top
