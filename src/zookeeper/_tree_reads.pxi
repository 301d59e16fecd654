# Reading a node and everything below it, now or later.

@cython.final
@cython.internal
cdef class TreeRead(BulkWork):
    cdef bytes where
    cdef subtree *tree
    cdef Nesting nesting    # or None
    cdef Handing handing    # or None

    cdef bint look(self) except -1:
        if self.nesting is not None:
            self.nesting.take(self.tree)
        return self.handing is not None and self.handing.hand_out(self.tree)

    cdef bint looks_meanwhile(self) noexcept:
        return self.nesting is not None or self.handing is not None

    cdef bint next_stage(self) except -1:
        if self.tree is NULL:
            self.tree = subtree_new(self.handle.c, self.where)
            self.begin(&self.tree.reader.base)
            return True
        self.is_missing = subtree_node(self.tree, 0).read.code == ZNONODE
        return False

    cdef object results(self):
        if self.is_missing:
            raise errors.error(constants.NONODE, self.path, self.fault())
        self.handle.has_root = True
        cdef Subtree result = new_subtree(self.tree)
        result.count_nodes()
        result.nesting = self.nesting
        if self.handing is not None:
            result.handed_out = self.handing.count
        if self.nesting is None:
            result.arrange()
        return result

    cdef object done(self):
        return self.tree.count


cdef TreeRead tree_read(h, path, timeout, progress, nested, nodes):
    cdef TreeRead work = TreeRead.__new__(TreeRead)
    work.handle = find(h)
    work.seconds = seconds_of(timeout)
    work.where = encoded_path(path)
    work.path = path
    checked_callable(progress, "progress")
    work.progress = progress
    check_size(work.handle, path, len(work.where))
    if nested:
        work.nesting = Nesting()
    if nodes is not None:
        work.handing = Handing(nodes)
    return work


def read_tree(h, path, *, progress=None, timeout=None, nested=False, nodes=None):
    """Read a node and everything below it, and return a Subtree.

    progress: called `(done, None)` a few times a second; may raise to give up.
    timeout: seconds for all; by default, it fails when nothing has come for the session timeout.
    nested: make what the result's method `nested` returns while nodes come, which hides its time.
    nodes: its method `take` is called with lists of nodes while more of them come, hundreds at a time, not
    of all nodes as a rule. They come depth first as far as they are there, others once many are, as the
    result's `arrivals` tell; those that have vanished have a NoNodeException as `error`. It is not called
    again when it has returned False. An exception of its own is raised, and ends the operation.

    A node that may not be read is in the result with its `error` set and nothing below it; nodes that
    vanish meanwhile are left out. Raises NoNodeException if there is no such node, and what concerns
    all: ConnectionLossException and the like.
    """
    return tree_read(h, path, timeout, progress, nested, nodes).wait()


def aread_tree(h, path, completion=None, *, progress=None, timeout=None, nested=False, nodes=None):
    """Do as read_tree does, and call `completion(handle, code, tree)`.

    Arguments and result are those of aget_many; `nested` and `nodes` are as for read_tree. An exception
    of `nodes` is logged.
    """
    return tree_read(h, path, timeout, progress, nested, nodes).later(completion)
