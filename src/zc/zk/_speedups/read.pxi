# Plain lines of tree text into nodes.
#
# A node remembers where in the text its properties stand. They become Python objects when a program
# asks for them, which an import of new nodes does not: its data are made of the text.

def top_lines(str text):
    """Return where in a text the lines begin that begin with a slash."""
    cdef list starts = []
    cdef Py_ssize_t at = 0, length = len(text)
    cdef int kind = PyUnicode_KIND(text), count
    cdef const void *data = PyUnicode_DATA(text)
    if length and PyUnicode_READ(kind, data, 0) == c"/":
        starts.append(0)
    while kind == PyUnicode_1BYTE_KIND and at + BLOCK < length:
        count = count_to_top_line(data, at)
        if count == BLOCK:
            at += BLOCK
        else:
            at += count + 1
            starts.append(at)
    for at in range(at + 1, length):
        if PyUnicode_READ(kind, data, at) == c"/" and PyUnicode_READ(kind, data, at - 1) == c"\n":
            starts.append(at)
    return starts


cdef class Position:
    """The state of a parser between lines; see `zc.zk.tree.parse`, its subclass."""

    cdef public object node_class, root, node, indent, newest
    cdef public list outer
    cdef public Py_ssize_t position, number
    # Whether nodes may be made without calling their class.
    cdef public bint makes_plain_nodes
    # Writes a value that is not plain as JSON.
    cdef public object to_json
    cdef Source source


def read_lines(str text, Position parser):
    """Read plain lines of tree text, up to one that is not plain.

    They become nodes and properties as `parser` makes them, which is a `zc.zk.tree.parse._Parser`.
    Its `position` and `number` are then those of the line that comes next, or of the one that an
    exception is about.
    """
    cdef Line line
    cdef Owner owner
    cdef str name
    if parser.source is None:
        parser.source = Source()
        parser.source.text = text
        parser.source.names = {}
        parser.source.to_json = parser.to_json
    owner = Owner(parser)
    line.start = parser.position
    look_into(&line, text)
    try:
        while line.start < line.length and look(&line):
            if not owner.is_of(&line):
                owner.find(PyUnicode_Substring(text, line.start, line.content))
            if line.value_kind == NODE or line.value_kind == TYPED_NODE:
                name = PyUnicode_Substring(text, line.name, line.name_end)
                parser.newest = owner.add_node(
                    name, value_of(text, &line) if line.value_kind == TYPED_NODE else None
                )
            else:
                parser.newest = None
                value = (
                    parser.read_value(PyUnicode_Substring(text, line.value, line.value_end))
                    if line.value_kind == LITERAL
                    else None
                )
                owner.set_property(&line, value)
            line.start = line.end + 1
            parser.number += 1
    finally:
        parser.position = line.start


@cython.final
cdef class Owner:
    """The parser's `node`, to which lines with some indentation belong."""

    cdef Position parser
    cdef object node
    cdef Py_ssize_t indent
    cdef Py_UCS4 white
    # The node, if it has properties that are left in the text or none, and their names.
    cdef Fields plain
    cdef Names names

    def __init__(self, Position parser):
        self.parser = parser
        self.take(parser.node, parser.indent)

    cdef int take(self, node, str indent) except -1:
        self.node = node
        is_plain = isinstance(node, Fields) and (<Fields>node).source is not None
        self.plain = node if is_plain else None
        self.white = indent[0] if indent else c" "
        # One that begins with spaces and goes on with tabs, or is not known yet, is like no other.
        self.indent = len(indent) if indent is not None and is_even(indent) else -1
        return 0

    cdef inline bint is_of(self, const Line *line) noexcept:
        return line.content - line.start == self.indent and (
            not self.indent or character(line.kind, line, line.start) == self.white
        )

    cdef int find(self, str indent) except -1:
        """Go to the node that lines indented so belong to, as the parser does."""
        cdef Position parser = self.parser
        cdef list outer = parser.outer
        cdef str known = parser.indent
        cdef Py_ssize_t level = len(outer)
        if parser.newest is not None and known is not None and is_deeper(indent, known):
            outer.append((parser.node, known))
            parser.node, parser.indent = parser.newest, indent
            return self.take(parser.node, indent)
        while level and (<tuple>outer[level - 1])[1] != indent:
            level -= 1
        if level:
            parser.node, parser.indent = outer[level - 1]
            del outer[level - 1:]
        else:
            parser.find_owner(indent)
        return self.take(parser.node, indent)

    cdef object add_node(self, str name, str node_type):
        cdef Fields plain
        if not self.parser.makes_plain_nodes or name in self.node.children:
            return self.parser.add_node(name, node_type)
        plain = new_fields(self.parser.node_class)
        plain.name = name
        plain.parent = self.node
        plain.source = self.parser.source
        plain.node_type = node_type
        self.node.children[name] = plain
        return plain

    cdef inline int set_property(self, Line *line, value) except -1:
        """Take in a property; `value` is the one of a LITERAL line."""
        cdef str key
        if self.plain is not None:
            if self.leave(line, value):
                return 0
            self.plain = None
        if line.value_kind != LITERAL:
            value = value_of(self.parser.source.text, line)
        key = key_of(self.parser.source, line)
        properties = self.node.properties
        if (
            type(properties) is dict
            and not PyDict_Contains(properties, key)
            and self.node.raw is None
            and self.node is not self.parser.root
        ):
            PyDict_SetItem(properties, key, value)
        else:
            self.parser.set_property(key, value)
        return 0

    cdef inline bint leave(self, const Line *line, value) except -1:
        """Leave a property in the text, for the node; False if that is difficult."""
        cdef Fields node = self.plain
        cdef Py_ssize_t count = node.count
        if node.source is None or (count and line.start != node.end):
            return False
        if node.node_type is not None and is_name(line, b"type"):
            return False
        if not count:
            clear_names(&self.names)
            node.start = line.start
        if not add_name(&self.names, line):
            return False
        node.count = count + 1
        node.end = line.end + 1
        if line.value_kind == LITERAL:
            if node.values is None:
                node.values = []
            node.values.append(value)
        return True


cdef inline bint is_even(str indent) noexcept:
    """Return whether all characters are the same one."""
    cdef int size = PyUnicode_KIND(indent)
    cdef const char *text = <const char *>PyUnicode_DATA(indent)
    return len(indent) < 2 or memcmp(text, text + size, size * (len(indent) - 1)) == 0


cdef bint is_deeper(str indent, str known) except -1:
    return len(indent) > len(known) and indent.startswith(known)
