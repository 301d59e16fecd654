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

    cdef readonly int parts  # in which it was read; 0 for at once
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

    cdef const char *characters(self) noexcept:
        return <const char *>PyUnicode_1BYTE_DATA(self.text)

    cdef str data(self, Py_ssize_t number):
        cdef InOrder made
        cdef str data
        if not self.note_in_order(number, &made):
            return self.difficult_data(number)
        data = PyUnicode_New(made.length, 127)
        merge(&made, <char *>PyUnicode_1BYTE_DATA(data))
        return data

    cdef int put(self, Memory memory, Py_ssize_t number, CreateRow *row) except -1:
        """Note the data in a row."""
        cdef InOrder made
        cdef str data
        cdef char *to
        cdef const Outlined *node = &self.nodes[number]
        row.length = 0
        row.data = b""
        if not node.type_length and node.end == self.start(node):
            return 0
        if self.note_in_order(number, &made):
            row.length = made.length
            row.data = to = memory.space(row.length)
            merge(&made, to)
            return 0
        data = self.difficult_data(number)
        row.length = len(data)
        row.data = to = memory.space(row.length)
        memcpy(to, PyUnicode_1BYTE_DATA(data), row.length)
        return 0

    cdef inline bint note_in_order(self, Py_ssize_t number, InOrder *made) except -1:
        """Write the node's properties, to be merged; False if another way has to be taken."""
        cdef const Outlined *node = &self.nodes[number]
        cdef Py_ssize_t next_node = number + 1
        cdef Py_ssize_t last = self.nodes[next_node].lines if next_node < self.count else self.line_count
        if last == node.lines or node.type_length:
            return False
        return note_properties(
            made, self.text, self.lines + node.lines, last - node.lines, self.start(node), node.end
        )

    cdef str difficult_data(self, Py_ssize_t number):
        cdef const Outlined *node = &self.nodes[number]
        cdef Py_ssize_t start = self.start(node)
        cdef Span node_type
        part_of(&node_type, PyUnicode_1BYTE_DATA(self.text), start - 1 - node.type_length, start - 1)
        return json_of_lines(self.text, &node_type, start, node.end, None, None)

    cdef bint may_wait(self, Py_ssize_t number) noexcept:
        cdef const Outlined *node = &self.nodes[number]
        return node.end - self.start(node) <= MAX_WAITING_AS_IT_IS and node.name_length <= MAX_NAME_WAITING

    cdef Outlined *add(self) noexcept nogil:
        """Add a node; NULL without memory."""
        cdef Py_ssize_t room
        if self.count == self.room:
            room = max(64, 2 * self.room)
            nodes = <Outlined *>realloc(self.nodes, room * sizeof(Outlined))
            if nodes is NULL:
                return NULL
            self.nodes = nodes
            self.room = room
        self.nodes[self.count].lines = self.line_count
        self.count += 1
        return &self.nodes[self.count - 1]

    cdef bint append(self, Outline other):
        """Put another one of the same text behind this one; False without memory."""
        cdef Py_ssize_t i, count = self.count + other.count
        cdef Py_ssize_t line_count = self.line_count + other.line_count
        cdef Outlined *node
        nodes = <Outlined *>realloc(self.nodes, count * sizeof(Outlined))
        if nodes is not NULL:
            self.nodes, self.room = nodes, count
        lines = <outlined_line *>realloc(self.lines, (line_count + 1) * sizeof(outlined_line))
        if lines is not NULL:
            self.lines, self.line_room = lines, line_count + 1
        if nodes is NULL or lines is NULL:
            return False
        if other.line_count:
            memcpy(lines + self.line_count, other.lines, other.line_count * sizeof(outlined_line))
        for i in range(other.count):
            node = &nodes[self.count + i]
            node[0] = other.nodes[i]
            node.lines += self.line_count
            if node.parent >= 0:
                node.parent += self.count
        self.count, self.line_count = count, line_count
        return True

    cdef bint make_room_for_lines(self) noexcept nogil:
        """Have room for all properties of a node; False without memory."""
        cdef Py_ssize_t room = max(256, 2 * self.line_room)
        if self.line_count + MAX_PROPERTIES <= self.line_room:
            return True
        lines = <outlined_line *>realloc(self.lines, room * sizeof(outlined_line))
        if lines is NULL:
            return False
        self.lines = lines
        self.line_room = room
        return True


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
