# The nodes of a subtree, handed out while more of them come.

# So many at a time: other threads and signals wait meanwhile.
cdef enum: HANDED_OUT = 500


@cython.final
@cython.internal
cdef class Handing:
    """Hands out nodes as they lie in memory: parents first, siblings together."""

    cdef object take        # called with lists of them
    cdef Subtree tree       # that they are of; None: there is none yet
    cdef int64_t following  # the one that is next
    cdef bint is_over       # it takes no more
    cdef tree_node **blocks

    def __init__(self, taker):
        self.take = getattr(taker, "take", None)
        if not callable(self.take):
            raise TypeError(f"nodes must have a method take: {taker!r}")

    def __dealloc__(self):
        free(self.blocks)

    cdef bint hand_out(self, subtree *s) except -1:
        """Hand out some of the nodes that are complete; say whether there are more."""
        cdef long known
        cdef int64_t index, end
        if self.is_over:
            return False
        with nogil:
            known = subtree_complete(s, &self.blocks)
        if self.tree is None:
            self.tree = new_subtree(s)
        end = min(known, self.following + HANDED_OUT)
        if end > self.following:
            nodes = [
                znode_of(self.tree, subtree_node_in(self.blocks, index))
                for index in range(self.following, end)
            ]
            self.following = end
            self.is_over = self.take(nodes) is False
        return known > end and not self.is_over
