# Nodes of a server into tree text, hundreds at a time.

cdef enum: FIRST_ROOM = 8192


@cython.final
@cython.no_gc
cdef class TreeText:
    """The text of nodes, which come depth first.

    Nodes have the attributes of a Znode. The top is written under `top_name`, or not at all if that is
    blank, and a child of it that is called `left_out` is not plain. Plain nodes are written by the
    rules of `zc.zk.tree.render`; of any other one `other(node)` returns the text. `decode` is that
    of `render_data`.
    """

    cdef str top_name, left_out
    cdef object decode, other
    cdef list parts  # what is before the text
    # Characters of `room`, of which `length` are written; NULL: none. Nobody else has it.
    cdef PyObject *text
    cdef Py_ssize_t length, room
    cdef str lead  # what the deepest line so far began with
    cdef bint is_left_out

    def __init__(self, str top_name, str left_out, decode, other):
        self.top_name, self.left_out = top_name, left_out
        self.decode, self.other = decode, other
        self.parts = []
        self.lead = "\n" + 64 * " "

    def __dealloc__(self):
        Py_XDECREF(self.text)

    def add(self, nodes):
        """Write the text of nodes, and return how many there were."""
        cdef Py_ssize_t count = 0
        for node in nodes:
            count += 1
            if not self.add_plain(node):
                self.add_text(self.other(node))
        return count

    def whole(self):
        """Return the text of all nodes. Nothing is left here."""
        self.cut()
        cdef list parts = self.parts
        self.parts = []
        return parts[0] if len(parts) == 1 else "".join(parts)

    cdef bint add_plain(self, node) except -1:
        """Write the text of a node, or return that it is not plain."""
        cdef Contents contents
        cdef Py_ssize_t depth = node.depth
        cdef str name = self.top_name if depth == 0 else node.name
        cdef str data = node.data
        cdef list literals = []
        if self.left_out is not None and depth <= 1:
            self.is_left_out = depth == 1 and name == self.left_out
        if self.is_left_out or data is None or not is_plain_name(name):
            return False
        if node.error is not None or node.ephemeralOwner != 0:
            return False
        contents.count = 0
        part_of(&contents.node_type, NULL, 0, 0)
        if len(data) and not read_data(&contents, data, literals, self.decode):
            return False
        self.write(depth if self.top_name else depth - 1, name, &contents)
        return True

    cdef int write(self, Py_ssize_t depth, str name, const Contents *contents) except -1:
        cdef Py_ssize_t width = 2 * depth, lead_length = width + 3
        cdef const char *lead
        cdef unsigned char *to
        if lead_length > len(self.lead):
            self.lead = "\n" + 2 * lead_length * " "
        lead = <const char *>PyUnicode_1BYTE_DATA(self.lead)
        to = self.space(width + 1 + len(name) + length_of(contents, lead_length) + 1)
        to = copy_word(to, lead + 1, width)
        to = copy_word(to, b"/", 1)
        to = copy_word(to, <const char *>PyUnicode_1BYTE_DATA(name), len(name))
        to = write_contents(to, contents, lead, lead_length)
        to[0] = c"\n"
        return 0

    cdef int add_text(self, str text) except -1:
        if PyUnicode_IS_ASCII(text):
            memcpy(self.space(len(text)), PyUnicode_1BYTE_DATA(text), len(text))
        else:
            self.cut()
            self.parts.append(text)
        return 0

    cdef unsigned char *space(self, Py_ssize_t size) except NULL:
        """Return where `size` more characters are to be written."""
        cdef Py_ssize_t start = self.length, room
        if self.text is NULL:
            room = max(FIRST_ROOM, size)
            first = PyUnicode_New(room, 127)
            Py_INCREF(first)
            self.text = <PyObject *>first
            first = None
            self.room = room
        elif size > self.room - start:
            room = max(2 * self.room, start + size)
            PyUnicode_Resize(&self.text, room)
            self.room = room
        self.length += size
        return <unsigned char *>PyUnicode_1BYTE_DATA(<object>self.text) + start

    cdef int cut(self) except -1:
        """End the text, so that another one begins."""
        if self.text is NULL:
            return 0
        PyUnicode_Resize(&self.text, self.length)
        text = <object>self.text
        Py_XDECREF(self.text)
        self.text = NULL
        self.length = self.room = 0
        self.parts.append(text)
        return 0


cdef inline bint is_plain_name(str name) noexcept:
    cdef Py_ssize_t length = len(name)
    return length > 0 and length == end_of_name(PyUnicode_KIND(name), PyUnicode_DATA(name), 0)
