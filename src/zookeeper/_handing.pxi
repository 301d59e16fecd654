# The nodes of a subtree, handed out while more of them come.

cdef enum:
    # So many at a time: other threads and signals wait meanwhile.
    HANDED_OUT = 500
    # So many wait for those in front of them; what is made of nodes in their order need not be put in order.
    HELD_BACK = 500


cdef struct Siblings:
    # Those that are left of a family.
    int64_t following, end


@cython.final
@cython.internal
cdef class Handing:
    """Hands out nodes depth first, as far as they are there.

    Once there are many others, these go as they lie in memory: parents first, siblings together.
    """

    cdef object take        # called with lists of them
    cdef Subtree tree       # that they are of; None: there is none yet
    cdef int64_t count      # how many have been handed out
    cdef int64_t following  # in memory, those before this one have been
    cdef bint is_over       # it takes no more
    cdef tree_node **blocks
    # Where the walk depth first is: the next node is that of the last ones.
    cdef Siblings *stack
    cdef Py_ssize_t height, room

    def __init__(self, taker):
        self.take = getattr(taker, "take", None)
        if not callable(self.take):
            raise TypeError(f"nodes must have a method take: {taker!r}")
        self.push(0, 1)

    def __dealloc__(self):
        free(self.blocks)
        free(self.stack)

    cdef bint hand_out(self, subtree *s) except -1:
        """Hand out some of the nodes that are complete; say whether there are more."""
        cdef long known
        cdef list nodes = []
        if self.is_over:
            return False
        with nogil:
            known = subtree_complete(s, &self.blocks)
        if self.tree is None:
            self.tree = new_subtree(s)
        self.add_in_turn(nodes, known)
        self.add_others(nodes, known)
        if nodes:
            self.is_over = self.take(nodes) is False
        return not self.is_over and (
            known - self.count > HELD_BACK or self.height and self.stack[self.height - 1].following < known
        )

    cdef int add_in_turn(self, list nodes, long known) except -1:
        """Go on depth first up to a node that is not complete."""
        cdef Siblings *last
        cdef tree_node *node
        while self.height and len(nodes) < HANDED_OUT:
            last = &self.stack[self.height - 1]
            if last.following >= known:
                break
            node = subtree_node_in(self.blocks, last.following)
            last.following += 1
            if last.following == last.end:
                self.height -= 1
            if node.children and node.read.code != ZNONODE:
                self.push(node.first_child, node.first_child + node.children)
            self.add(nodes, node)
        return 0

    cdef int add_others(self, list nodes, long known) except -1:
        while known - self.count > HELD_BACK and len(nodes) < HANDED_OUT:
            self.add(nodes, subtree_node_in(self.blocks, self.following))
            self.following += 1
        return 0

    cdef int add(self, list nodes, tree_node *node) except -1:
        """Add a node, unless it has been handed out."""
        if not node.is_handed_out:
            nodes.append(znode_of(self.tree, node))
            node.is_handed_out = True
            node.index = self.count
            self.count += 1
        return 0

    cdef int push(self, int64_t first, int64_t end) except -1:
        cdef Py_ssize_t room = max(64, 2 * self.room)
        if self.height == self.room:
            stack = <Siblings *>realloc(self.stack, room * sizeof(Siblings))
            if stack is NULL:
                raise MemoryError
            self.stack, self.room = stack, room
        self.stack[self.height].following = first
        self.stack[self.height].end = end
        self.height += 1
        return 0
