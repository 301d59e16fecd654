# The making of an outline, line by line, until there is one that only the parser reads.

cdef struct Level:
    # Lines with that indentation belong to `node`, whose youngest child is `last`.
    Py_ssize_t indent, node, last


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
                line.start = line.end + 1
                if not self.go_on(&line):
                    return False
                continue
            elif not is_skipped(&line):
                return False
            line.start = line.end + 1
        return True

    cdef inline bint go_on(self, Line *line) except -1:
        """Take in the usual properties in the lines that come next; False if the text is to be parsed."""
        cdef const char *text = <const char *>line.data
        cdef const char *last = SPACES
        cdef Names *names = &self.names
        cdef Outline outline = self.outline
        cdef Outlined *node = &outline.nodes[outline.count - 1]
        cdef Py_ssize_t indent = self.levels[self.depth].indent, limit, nested = 1
        cdef Py_ssize_t count, before = names.count
        cdef Span value
        cdef Translation translation
        limit = line.length - 5 * BLOCK - indent
        if line.start >= limit:
            return True
        if before:
            last = text + names.starts[before - 1] - indent
        else:
            limit -= BLOCK
            count = count_blank(text, line.start)
            if count <= indent or count == BLOCK:
                return True
            indent = count
            outline.make_room_for_lines()
        # Behind the only property of a node comes another node.
        if text[line.start + indent] == c"/":
            return True
        while nested:
            count = names.count
            nested = note_usual_lines(
                text,
                last,
                &node.end,
                limit,
                <int>indent,
                node.type_length > 0,
                outline.lines + outline.line_count,
                names,
            )
            outline.line_count += names.count - count
            if nested:
                place(&value, line, nested, node.end - 1)
                if not translate(&translation, &value, True):
                    return False
                last = text + names.starts[names.count - 1] - indent
        if not before and names.count:
            self.push(indent, self.newest)
            self.newest = NO_NODE
        line.start = node.end
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
        if not self.names.count:
            self.outline.make_room_for_lines()
        if not add_name(&self.names, line):
            return False
        note_line(&self.outline.lines[self.outline.line_count], line, not self.names.last_is_behind)
        self.outline.line_count += 1
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
