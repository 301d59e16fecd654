# The making of an outline, line by line, until there is one that only the parser reads.
#
# A long text is read in parts, by threads without the interpreter's lock (parts.pxi): nothing here is
# an object, or an exception.

cdef enum:
    # Longer names are the parser's.
    MAX_NAME = 1000000

cdef enum:
    # In the place of the number of a node that is not in this part of the text.
    ABOVE = -2


cdef struct Level:
    # Lines with that indentation belong to `node`, whose youngest child is `last`.
    Py_ssize_t indent, node, last


def outline_of(str text, int parts=0):
    """Return the outline of a text; None if it has none, and is to be parsed.

    It is read in so many parts at most, by as many threads; 0: as many as pay.
    """
    cdef Outline outline = None
    cdef int count = min(parts, MAX_PARTS) or usual_parts(text)
    if not PyUnicode_IS_ASCII(text):
        return None
    if count > 1:
        outline = outline_by_parts(text, count)
    return outline_at_once(text) if outline is None else outline


cdef Outline outline_at_once(str text):
    cdef Reading reading = reading_of(text, 0, len(text))
    if reading.read_all():
        return reading.outline
    if reading.lacks_memory:
        raise MemoryError
    return None


cdef Reading reading_of(str text, Py_ssize_t start, Py_ssize_t end):
    """Return what reads whole lines of a text. The first one of a later part is a node's."""
    cdef Reading reading = Reading()
    reading.outline = Outline()
    reading.outline.text = text
    reading.text = <const char *>PyUnicode_1BYTE_DATA(text)
    reading.start = start
    reading.end = end
    return reading


@cython.final
@cython.no_gc
cdef class Reading:
    """The making of an outline: the levels of indentation, and the node that lines may be about.

    A later part of a text knows nothing of the nodes above its first one: its outermost level is
    that of the last line that belongs to one of them.
    """

    cdef Outline outline
    cdef const char *text
    cdef Py_ssize_t start, end
    cdef bint lacks_memory
    cdef Level *levels
    cdef Py_ssize_t depth, room  # of levels: of the last one, and for how many
    cdef Py_ssize_t newest  # the node of the line before; NO_NODE behind a property
    cdef Names names  # of the newest node's properties

    def __dealloc__(self):
        free(self.levels)

    cdef bint read_all(self) except -1 nogil:
        """Read all lines; False if the text is to be parsed, or there is no memory."""
        cdef Line line
        line.kind = sizeof(uint8_t)
        line.data = <void *>self.text
        line.start = self.start
        line.length = self.end
        self.depth = -1
        self.newest = NO_NODE
        if not self.push(0, ABOVE if self.start else NO_NODE):
            return False
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

    cdef inline bint go_on(self, Line *line) except -1 nogil:
        """Take in the usual properties in the lines that come next; False if the text is to be parsed."""
        cdef const char *text = self.text
        cdef const char *last = SPACES
        cdef Names *names = &self.names
        cdef Outlined *node = &self.outline.nodes[self.outline.count - 1]
        cdef Py_ssize_t indent = self.levels[self.depth].indent, limit, nested = 1
        cdef Py_ssize_t count, before = names.count
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
            if not self.make_room_for_lines():
                return False
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
                self.outline.lines + self.outline.line_count,
                names,
            )
            self.outline.line_count += names.count - count
            if nested:
                count = translate(&translation, PyUnicode_1BYTE_KIND, text, nested, line.length, True)
                if not count or nested + count != node.end - 1:
                    return False
                last = text + names.starts[names.count - 1] - indent
        if not before and names.count:
            if not self.push(indent, self.newest):
                return False
            self.newest = NO_NODE
        line.start = node.end
        return True

    cdef inline bint read(self, const Line *line) noexcept nogil:
        """Take in a plain line; False if the text is to be parsed."""
        cdef Py_ssize_t indent = line.content - line.start
        if indent != self.levels[self.depth].indent and not self.find(indent):
            return False
        if indent and character(line.kind, line, line.start) != c" ":
            return False
        if line.value_kind == NODE or line.value_kind == TYPED_NODE:
            return self.read_node(line)
        return self.read_property(line)

    cdef bint find(self, Py_ssize_t indent) noexcept nogil:
        """Go to the level of an indentation, as the parser does."""
        if self.outline.count == 0 and self.start:
            self.levels[0].indent = indent
            return True
        if indent > self.levels[self.depth].indent:
            return self.newest != NO_NODE and self.push(indent, self.newest)
        while self.depth and self.levels[self.depth].indent > indent:
            self.depth -= 1
        if self.levels[self.depth].indent > indent and self.levels[0].node == ABOVE:
            self.levels[0].indent = indent
            self.levels[0].last = NO_NODE
        return self.levels[self.depth].indent == indent

    cdef bint push(self, Py_ssize_t indent, Py_ssize_t node) noexcept nogil:
        cdef Level *level
        cdef Py_ssize_t room
        if self.depth + 1 == self.room:
            room = max(16, 2 * self.room)
            levels = <Level *>realloc(self.levels, room * sizeof(Level))
            if levels is NULL:
                self.lacks_memory = True
                return False
            self.levels = levels
            self.room = room
        self.depth += 1
        level = &self.levels[self.depth]
        level.indent, level.node, level.last = indent, node, NO_NODE
        return True

    cdef inline bint is_next(self, Py_ssize_t name, Py_ssize_t name_end) noexcept nogil:
        """Return whether a node's name is behind that of its sister before."""
        cdef const Outlined *last
        cdef Py_ssize_t number = self.levels[self.depth].last
        if number == NO_NODE:
            return True
        last = &self.outline.nodes[number]
        return precedes(
            <const unsigned char *>self.text, last.name, last.name + last.name_length, name, name_end
        )

    cdef inline bint read_node(self, const Line *line) noexcept nogil:
        cdef Outlined *node
        if line.name_end - line.name > MAX_NAME or not self.is_next(line.name, line.name_end):
            return False
        node = self.outline.add()
        if node is NULL:
            self.lacks_memory = True
            return False
        node.name = line.name
        node.name_length = <int32_t>(line.name_end - line.name)
        node.type_length = 0
        if line.value_kind == TYPED_NODE:
            if line.value_end - line.value > MAX_NAME:
                return False
            node.type_length = <int32_t>(line.value_end - line.value)
        node.parent = self.levels[self.depth].node
        node.end = line.end + 1
        self.levels[self.depth].last = self.newest = self.outline.count - 1
        clear_names(&self.names)
        return True

    cdef inline bint read_property(self, const Line *line) noexcept nogil:
        cdef Py_ssize_t number = self.levels[self.depth].node
        cdef Outlined *node
        if number < 0 or number != self.outline.count - 1:
            return False
        node = &self.outline.nodes[number]
        if line.start != node.end or line.value_kind == LITERAL:
            return False
        if line.value_kind == STRING and not line.is_plain:
            return False
        if is_name(line, b"string_value") or (node.type_length and is_name(line, b"type")):
            return False
        if not self.names.count and not self.make_room_for_lines():
            return False
        if not add_name(&self.names, line):
            return False
        note_line(&self.outline.lines[self.outline.line_count], line, not self.names.last_is_behind)
        self.outline.line_count += 1
        node.end = line.end + 1
        self.newest = NO_NODE
        return True

    cdef inline bint make_room_for_lines(self) noexcept nogil:
        if self.outline.make_room_for_lines():
            return True
        self.lacks_memory = True
        return False


cdef bint is_skipped(Line *line) noexcept nogil:
    """Return whether a line is blank, or a comment, and find its end."""
    cdef Py_ssize_t at = line.start
    while character(line.kind, line, at) == c" ":
        at += 1
    line.end = at
    if character(line.kind, line, at) == c"#":
        line.end = end_of_line(line, at)
    return character(line.kind, line, line.end) == c"\n"
