# The operations of a plan: tuples, and nodes of an outline as they are wanted by C.

cdef struct CreateRow:
    # The binding has the same structure: the creation of a permanent node, in ASCII. A zero is behind
    # the path, and all lasts as long as the iterator.
    const char *path
    const char *data
    Py_ssize_t path_length, length
    PyObject *acl


@cython.final
cdef class Creations:
    """An iterator over the operations of a plan's items; `acl` is for new nodes.

    Nodes stand for their creation. Of those of an outline the binding may ask for a row instead of a
    tuple, and then no object is made of path and data.
    """

    _next_row = PyCapsule_New(<void *>next_row, "zookeeper.CreateRow", NULL)

    cdef list items
    cdef Py_ssize_t at
    cdef object acl
    cdef ParsedPaths parsed
    cdef OutlinedPaths outlined
    cdef bint has_rows
    cdef Memory memory

    def __iter__(self):
        return self

    def __next__(self):
        cdef Fields node
        while self.at < len(self.items):
            item = self.items[self.at]
            self.at += 1
            if isinstance(item, OutlinedNode):
                where = self.outlined.of(item)
                data = (<OutlinedNode>item).outline.data((<OutlinedNode>item).number)
                return ("create", where, data, self.acl, 0)
            if isinstance(item, Fields):
                node = item
                return ("create", self.parsed.of(node), data_of(node), self.acl, 0)
            operation = item.operation(self.acl)
            if operation is not None:
                return operation
        raise StopIteration


def creations(list items, Fields top, str path, acl):
    """Return an iterator over the operations of a plan's items, in order; `acl` is for new nodes.

    Nodes, which are below `top` at `path`, or of an outline there, stand for their creation as
    permanent ones.
    """
    cdef Creations made = Creations.__new__(Creations)
    made.items = items
    made.acl = acl
    made.parsed = ParsedPaths.__new__(ParsedPaths)
    made.parsed.top, made.parsed.path, made.parsed.above, made.parsed.starts = top, path, [], []
    made.outlined = OutlinedPaths.__new__(OutlinedPaths)
    made.outlined.path = "" if path == "/" else path
    made.has_rows = PyUnicode_IS_ASCII(path)
    made.memory = Memory.__new__(Memory)
    return made


cdef int next_row(PyObject *iterator, CreateRow *row) except -1:
    """Fill in the next operation's row; 0 if the iterator gives a tuple for it, or ends."""
    cdef Creations made = <Creations>iterator
    cdef OutlinedNode node
    if not made.has_rows or made.at >= len(made.items):
        return 0
    item = made.items[made.at]
    if type(item) is not OutlinedNode:
        return 0
    node = item
    made.outlined.put(made.memory, node, row)
    node.outline.put(made.memory, node.number, row)
    row.acl = <PyObject *>made.acl
    made.at += 1
    return 1


@cython.final
@cython.no_gc
cdef class ParsedPaths:
    """The paths of nodes below `top` at `path`, each made from that of the one before."""

    cdef Fields top
    cdef str path
    cdef list above, starts  # nodes, one below the other, and what paths below begin with

    cdef str of(self, Fields node):
        cdef Py_ssize_t count = len(self.above)
        cdef str where
        while count and self.above[count - 1] is not node.parent:
            count -= 1
        del self.above[count:], self.starts[count:]
        if not count:
            self.above.append(node.parent)
            self.starts.append(path_below(node.parent, self.top, self.path).rstrip("/") + "/")
            count = 1
        where = <str>self.starts[count - 1] + node.name
        if node._children:
            self.above.append(node)
            self.starts.append(where + "/")
        return where


cdef struct Above:
    # A node, and the length of what paths of its children begin with.
    Py_ssize_t number, length


@cython.final
@cython.no_gc
cdef class OutlinedPaths:
    """The paths of nodes of an outline below `path`, each made from that of the one before."""

    cdef str path  # '' for the root
    cdef Outline outline
    cdef char *text  # the path of the last node, without `path`
    cdef Py_ssize_t room
    cdef Above *above
    cdef Py_ssize_t count, above_room

    def __dealloc__(self):
        free(self.text)
        free(self.above)

    cdef str of(self, OutlinedNode item):
        cdef Py_ssize_t length = self.write(item)
        return self.path + PyUnicode_DecodeASCII(self.text, length, NULL)

    cdef int put(self, Memory memory, OutlinedNode item, CreateRow *row) except -1:
        """Note the path in a row, if `path` is ASCII."""
        cdef Py_ssize_t length = self.write(item), before = len(self.path)
        cdef char *to = memory.space(before + length + 1)
        row.path = to
        row.path_length = before + length
        memcpy(to, PyUnicode_1BYTE_DATA(self.path), before)
        memcpy(to + before, self.text, length)
        to[before + length] = 0
        return 0

    cdef Py_ssize_t write(self, OutlinedNode item) except -1:
        """Write the path without `path`, and return its length."""
        cdef Outline outline = item.outline
        cdef const Outlined *node = &outline.nodes[item.number]
        cdef Py_ssize_t start, length
        if outline is not self.outline:
            self.outline = outline
            self.count = 0
        while self.count and self.above[self.count - 1].number != node.parent:
            self.count -= 1
        if not self.count:
            self.begin_at(node.parent)
        start = self.above[self.count - 1].length
        length = start + node.name_length
        self.make_room(length + 1)
        memcpy(self.text + start, outline.characters() + node.name, node.name_length)
        if item.number + 1 < outline.count and outline.nodes[item.number + 1].parent == item.number:
            self.text[length] = c"/"
            self.push(item.number, length + 1)
        return length

    cdef int begin_at(self, Py_ssize_t number) except -1:
        """Begin with the path of a node, or that of none."""
        cdef str path = self.outline.path(number, "/").rstrip("/") + "/"
        self.make_room(len(path))
        memcpy(self.text, PyUnicode_1BYTE_DATA(path), len(path))
        self.push(number, len(path))
        return 0

    cdef int push(self, Py_ssize_t number, Py_ssize_t length) except -1:
        cdef Py_ssize_t room
        if self.count == self.above_room:
            room = 2 * self.above_room + 16
            above = <Above *>realloc(self.above, room * sizeof(Above))
            if above is NULL:
                raise MemoryError
            self.above, self.above_room = above, room
        self.above[self.count].number = number
        self.above[self.count].length = length
        self.count += 1
        return 0

    cdef int make_room(self, Py_ssize_t length) except -1:
        cdef Py_ssize_t room = max(256, 2 * length)
        if length <= self.room:
            return 0
        text = <char *>realloc(self.text, room)
        if text is NULL:
            raise MemoryError
        self.text, self.room = text, room
        return 0


cdef struct Chunk:
    Chunk *before


cdef enum:
    CHUNK = 1 << 18


@cython.final
@cython.no_gc
cdef class Memory:
    """Memory for many small things, which goes as a whole."""

    cdef Chunk *last
    cdef char *free
    cdef Py_ssize_t left

    def __dealloc__(self):
        cdef Chunk *before
        while self.last is not NULL:
            before = self.last.before
            free(self.last)
            self.last = before

    cdef char *space(self, Py_ssize_t size) except NULL:
        """Return room for so many characters."""
        cdef Py_ssize_t room = max(size, CHUNK - <Py_ssize_t>sizeof(Chunk))
        cdef char *start
        if size > self.left:
            chunk = <Chunk *>realloc(NULL, sizeof(Chunk) + room)
            if chunk is NULL:
                raise MemoryError
            chunk.before = self.last
            self.last = chunk
            self.free, self.left = <char *>(chunk + 1), room
        start = self.free
        self.free += size
        self.left -= size
        return start
