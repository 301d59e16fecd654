# A subtree as nested tuples, for all of a million nodes, made while they are read.

cdef bytes packed_stat_of_node(const tree_node *node):
    """Return the stat as bytes; None of an error."""
    return packed_stat_of(&node.read.stat) if node.read.code == ZOK else None


cdef bint has_family(const tree_node *node) noexcept:
    """Say whether a node has, or may have, children."""
    return node.read.code != ZNONODE and node.read.stat.numChildren != 0


@cython.final
@cython.internal
cdef class Nesting:
    """The nodes of a subtree as nested tuples, made while more nodes come.

    Parents come in the order in which they lie in memory, where siblings are together and by name. Families
    need not be in the order of their parents: where few nodes are left, their names come first.
    """

    cdef tuple top
    cdef dict families      # those to be filled, by the place of the node that has each
    cdef int64_t following  # the node whose children are next
    cdef tree_node **blocks

    def __cinit__(self):
        self.families = {}

    def __dealloc__(self):
        free(self.blocks)

    cdef int take(self, subtree *tree) except -1:
        """Make tuples of the nodes that are complete. No garbage is looked for."""
        cdef long known
        with nogil:
            known = subtree_complete(tree, &self.blocks)
        cdef bint collects = PyGC_Disable()
        try:
            self.take_all(known)
        finally:
            if collects:
                PyGC_Enable()
        return 0

    cdef int take_all(self, long known) except -1:
        cdef tree_node *parent
        if self.top is None and known:
            self.top = self.entry(subtree_node_in(self.blocks, 0), 0)
        while self.following < known:
            parent = subtree_node_in(self.blocks, self.following)
            if has_family(parent):
                if parent.first_child + parent.children > known:
                    break
                self.fill(parent, <dict>self.families.pop(self.following))
            self.following += 1
        return 0

    cdef int fill(self, const tree_node *parent, dict family) except -1:
        cdef Py_ssize_t start = 1 if parent.path_length == 1 else parent.path_length + 1
        cdef int64_t index
        cdef tree_node *node
        for index in range(parent.first_child, parent.first_child + parent.children):
            node = subtree_node_in(self.blocks, index)
            if node.read.code != ZNONODE:
                family[text_of(node.read.path + start, node.path_length - start)] = self.entry(node, index)
        return 0

    cdef tuple entry(self, const tree_node *node, int64_t place):
        """Return a node with a dict for its children, which is noted."""
        cdef dict family = None
        known = packed_stat_of_node(node)
        if known is None:
            known = error_of(node.read.code, text_of(node.read.path, node.path_length))
        if has_family(node):
            family = {}
            self.families[place] = family
        return data_of(node.read.data, node.read.length), known, family
