# Plain text of new nodes: where in the text each one stands, without objects for them.
#
# A text with an outline has no fault, and neither marks nor data that are difficult to make: all
# lines are plain ASCII, children are in order, as exports have them, and so are the properties
# behind their node. Any other text is parsed.

cdef struct Outlined:
    # In the text: the node's name, and the end of its own lines.
    Py_ssize_t name, end
    Py_ssize_t parent  # its number; NO_NODE at the top
    int32_t name_length, type_length

cdef enum:
    NO_NODE = -1


cdef struct Level:
    # Lines with that indentation belong to `node`, whose youngest child is `last`.
    Py_ssize_t indent, node, last


@cython.final
@cython.no_gc
cdef class Outline:
    """The nodes of a text in order, parents first. All of their data may wait."""

    cdef str text
    cdef Outlined *nodes
    cdef Py_ssize_t count, room

    def __dealloc__(self):
        free(self.nodes)

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
        self.count += 1
        return &self.nodes[self.count - 1]


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


def outline_of(str text):
    """Return the outline of a text; None if it has none, and is to be parsed."""
    cdef Reading reading
    if not PyUnicode_IS_ASCII(text):
        return None
    reading = Reading()
    reading.outline = Outline()
    reading.outline.text = text
    return reading.outline if reading.read_all(text) else None


@cython.final
@cython.no_gc
cdef class Reading:
    """The making of an outline: the levels of indentation, and the node that lines may be about."""

    cdef Outline outline
    cdef Level *levels
    cdef Py_ssize_t depth, room  # of levels: of the last one, and for how many
    cdef Py_ssize_t newest  # the node of the line before; NO_NODE behind a property
    cdef Names names  # of the newest node's properties

    def __dealloc__(self):
        free(self.levels)

    cdef bint read_all(self, str text) except -1:
        cdef Line line
        line.start = 0
        look_into(&line, text)
        self.depth = -1
        self.push(0, NO_NODE)
        self.newest = NO_NODE
        while line.start < line.length:
            if look_as(<const uint8_t *>line.data, &line):
                if not self.read(&line):
                    return False
            elif not is_skipped(&line):
                return False
            line.start = line.end + 1
        return True

    cdef inline bint read(self, const Line *line) except -1:
        """Take in a plain line; False if the text is to be parsed."""
        cdef Py_ssize_t indent = line.content - line.start
        if indent != self.levels[self.depth].indent and not self.find(indent):
            return False
        if indent and character(line.kind, line, line.start) != c" ":
            return False
        if line.value_kind == NODE or line.value_kind == TYPED_NODE:
            return self.read_node(line)
        return self.read_property(line)

    cdef bint find(self, Py_ssize_t indent) except -1:
        """Go to the level of an indentation, as the parser does."""
        if indent > self.levels[self.depth].indent:
            if self.newest == NO_NODE:
                return False
            self.push(indent, self.newest)
            return True
        while self.depth and self.levels[self.depth].indent > indent:
            self.depth -= 1
        return self.levels[self.depth].indent == indent

    cdef int push(self, Py_ssize_t indent, Py_ssize_t node) except -1:
        cdef Level *level
        cdef Py_ssize_t room
        if self.depth + 1 == self.room:
            room = max(16, 2 * self.room)
            levels = <Level *>realloc(self.levels, room * sizeof(Level))
            if levels is NULL:
                raise MemoryError
            self.levels = levels
            self.room = room
        self.depth += 1
        level = &self.levels[self.depth]
        level.indent, level.node, level.last = indent, node, NO_NODE
        return 0

    cdef inline bint read_node(self, const Line *line) except -1:
        cdef Level *level = &self.levels[self.depth]
        cdef const unsigned char *text = <const unsigned char *>line.data
        cdef const Outlined *last
        cdef Outlined *node
        if line.name_end - line.name > MAX_NAME:
            return False
        if level.last != NO_NODE:
            last = &self.outline.nodes[level.last]
            if not precedes(
                text, last.name, last.name + last.name_length, line.name, line.name_end
            ):
                return False
        node = self.outline.add()
        node.name = line.name
        node.name_length = <int32_t>(line.name_end - line.name)
        node.type_length = 0
        if line.value_kind == TYPED_NODE:
            if line.value_end - line.value > MAX_NAME:
                return False
            node.type_length = <int32_t>(line.value_end - line.value)
        node.parent = level.node
        node.end = line.end + 1
        level.last = self.newest = self.outline.count - 1
        clear_names(&self.names)
        return True

    cdef inline bint read_property(self, const Line *line) except -1:
        cdef Py_ssize_t number = self.levels[self.depth].node
        cdef Outlined *node
        if number == NO_NODE or number != self.outline.count - 1:
            return False
        node = &self.outline.nodes[number]
        if line.start != node.end or line.value_kind == LITERAL:
            return False
        if line.value_kind == STRING and not line.is_plain:
            return False
        if is_name(line, b"string_value") or (node.type_length and is_name(line, b"type")):
            return False
        if not add_name(&self.names, line):
            return False
        node.end = line.end + 1
        self.newest = NO_NODE
        return True


cdef enum:
    # Longer names are the parser's.
    MAX_NAME = 1000000


cdef bint is_skipped(Line *line) noexcept:
    """Return whether a line is blank, or a comment, and find its end."""
    cdef Py_ssize_t at = line.start
    while character(line.kind, line, at) == c" ":
        at += 1
    line.end = at
    if character(line.kind, line, at) == c"#":
        line.end = end_of_line(line, at)
    return character(line.kind, line, line.end) == c"\n"


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
