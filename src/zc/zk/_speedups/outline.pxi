# Plain text of new nodes: where in the text each one stands, without objects for them.
#
# A text with an outline has no fault, and neither marks nor data that are difficult to make: all
# lines are plain ASCII, children are in order, as exports have them, and so are the properties
# behind their node. Any other text is parsed.

cdef struct Outlined:
    # In the text: the node's name, and the end of its own lines.
    Py_ssize_t name, end
    Py_ssize_t parent  # its number; NO_NODE at the top
    Py_ssize_t lines  # of its properties, the first one's number
    int32_t name_length, type_length

cdef enum:
    NO_NODE = -1


@cython.final
@cython.no_gc
cdef class Outline:
    """The nodes of a text in order, parents first. All of their data may wait."""

    cdef str text
    cdef Outlined *nodes
    cdef Py_ssize_t count, room
    cdef outlined_line *lines  # of all properties
    cdef Py_ssize_t line_count, line_room

    def __dealloc__(self):
        free(self.nodes)
        free(self.lines)

    @property
    def names(self):
        """The names of the nodes at the top."""
        cdef Py_ssize_t i
        return [self.name(i) for i in range(self.count) if self.nodes[i].parent == NO_NODE]

    def new_nodes(self, str path, make):
        """Return items of a plan for all nodes below `path`, as `new_nodes` does."""
        cdef list made = []
        cdef Py_ssize_t i
        cdef OutlinedNode node
        for i in range(self.count):
            node = OutlinedNode.__new__(OutlinedNode)
            node.outline = self
            node.number = i
            if self.nodes[i].parent == NO_NODE:
                made.append(make(self.path(i, path), node if node.data_may_wait else node.data, False))
            elif node.data_may_wait:
                made.append(node)
            else:
                made.append(make(self.path(i, path), node.data, True))
        return made

    cdef str name(self, Py_ssize_t number):
        cdef const Outlined *node = &self.nodes[number]
        return PyUnicode_Substring(self.text, node.name, node.name + node.name_length)

    cdef str path(self, Py_ssize_t number, str path):
        cdef list names = []
        while number != NO_NODE:
            names.append(self.name(number))
            number = self.nodes[number].parent
        names.append("" if path == "/" else path)
        names.reverse()
        return "/".join(names)

    cdef Py_ssize_t start(self, const Outlined *node) noexcept:
        """Return where the lines of properties begin, behind the one of the node."""
        return node.name + node.name_length + (3 + node.type_length if node.type_length else 0) + 1

    cdef str data(self, Py_ssize_t number):
        cdef const Outlined *node = &self.nodes[number]
        cdef Py_ssize_t start = self.start(node)
        cdef Span node_type
        cdef Py_ssize_t last = self.nodes[number + 1].lines if number + 1 < self.count else self.line_count
        cdef str made
        if last > node.lines and not node.type_length:
            made = json_of_noted(self.text, self.lines + node.lines, last - node.lines, start, node.end)
            if made is not None:
                return made
        part_of(&node_type, PyUnicode_1BYTE_DATA(self.text), start - 1 - node.type_length, start - 1)
        return json_of_lines(self.text, &node_type, start, node.end, None, None)

    cdef bint may_wait(self, Py_ssize_t number) noexcept:
        cdef const Outlined *node = &self.nodes[number]
        return node.end - self.start(node) <= MAX_WAITING_AS_IT_IS

    cdef Outlined *add(self) except NULL:
        cdef Py_ssize_t room
        if self.count == self.room:
            room = max(64, 2 * self.room)
            nodes = <Outlined *>realloc(self.nodes, room * sizeof(Outlined))
            if nodes is NULL:
                raise MemoryError
            self.nodes = nodes
            self.room = room
        self.nodes[self.count].lines = self.line_count
        self.count += 1
        return &self.nodes[self.count - 1]

    cdef int make_room_for_lines(self) except -1:
        """Have room for all properties of a node."""
        cdef Py_ssize_t room = max(256, 2 * self.line_room)
        if self.line_count + MAX_PROPERTIES <= self.line_room:
            return 0
        lines = <outlined_line *>realloc(self.lines, room * sizeof(outlined_line))
        if lines is NULL:
            raise MemoryError
        self.lines = lines
        self.line_room = room
        return 0


@cython.final
@cython.no_gc
cdef class OutlinedNode:
    """A node of an outline, as an item of a plan: the collector of garbage need not know of it."""

    cdef Outline outline
    cdef Py_ssize_t number

    @property
    def data(self):
        return self.outline.data(self.number)

    @property
    def data_may_wait(self):
        return self.outline.may_wait(self.number)


@cython.final
@cython.no_gc
cdef class OutlinedPaths:
    """The paths of nodes of an outline below `path`, each made from that of the one before."""

    cdef str path
    cdef Outline outline
    cdef list above, starts  # numbers of nodes, one below the other, and what paths below begin with

    cdef str of(self, OutlinedNode item):
        cdef const Outlined *node = &item.outline.nodes[item.number]
        cdef Outline outline = item.outline
        cdef Py_ssize_t count = len(self.above) if outline is self.outline else 0
        cdef Py_ssize_t number = item.number
        cdef str where
        while count and <Py_ssize_t>self.above[count - 1] != node.parent:
            count -= 1
        if not count:
            self.outline = outline
            self.above = [node.parent]
            self.starts = [outline.path(node.parent, self.path).rstrip("/") + "/"]
            count = 1
        if count < len(self.above):
            del self.above[count:], self.starts[count:]
        where = <str>self.starts[count - 1] + outline.name(number)
        if number + 1 < outline.count and outline.nodes[number + 1].parent == number:
            self.above.append(number)
            self.starts.append(where + "/")
        return where
