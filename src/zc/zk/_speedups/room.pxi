# Text of ASCII that grows at its end.

cdef enum:
    FIRST_ROOM = 8192


@cython.final
@cython.no_gc
cdef class TextRoom:
    """A Python text that is being written, and has room for more than there is."""

    # Characters of `room`, of which `length` are written; NULL: none. Nobody else has it.
    cdef PyObject *text
    cdef Py_ssize_t length, room

    def __dealloc__(self):
        Py_XDECREF(self.text)

    cdef inline unsigned char *characters(self) noexcept:
        return <unsigned char *>PyUnicode_1BYTE_DATA(<object>self.text)

    cdef inline unsigned char *end(self, Py_ssize_t size) except NULL:
        """Return where the text ends, with room for `size` more characters."""
        if self.text is NULL or size > self.room - self.length:
            self.grow(size)
        return self.characters() + self.length

    cdef inline unsigned char *space(self, Py_ssize_t size) except NULL:
        """Return where `size` more characters, which are the text's from now on, are to be written."""
        cdef unsigned char *start = self.end(size)
        self.length += size
        return start

    cdef int grow(self, Py_ssize_t size) except -1:
        cdef Py_ssize_t room
        if self.text is NULL:
            room = max(FIRST_ROOM, size)
            first = PyUnicode_New(room, 127)
            Py_INCREF(first)
            self.text = <PyObject *>first
            first = None
        else:
            room = max(2 * self.room, self.length + size)
            PyUnicode_Resize(&self.text, room)
        self.room = room
        return 0

    cdef str taken(self):
        """Return the text, which is not here any more."""
        if self.text is NULL:
            return ""
        PyUnicode_Resize(&self.text, self.length)
        text = <object>self.text
        Py_XDECREF(self.text)
        self.text = NULL
        self.length = self.room = 0
        return text
