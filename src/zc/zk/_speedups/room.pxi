# Text of ASCII that grows at its end.

cdef extern from *:
    """
    #include <sys/mman.h>

    /* A fresh page takes as long as the text that fills it; a large one is fresh once for hundreds. */
    static inline void ask_for_large_pages(void *start, Py_ssize_t size) {
        uintptr_t most = 65535, first = ((uintptr_t)start + most) & ~most;
        uintptr_t end = ((uintptr_t)start + size) & ~most;
        if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
    }
    """
    void ask_for_large_pages(void *start, Py_ssize_t size) noexcept


cdef enum:
    FIRST_ROOM = 8192
    # Beyond the first a text gets the second at once, of which the system gives only what is written: more
    # than what malloc takes from its heap, where growing means copying.
    LARGE_ROOM = 1 << 19
    ROOM_OF_ITS_OWN = 33 << 20


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
            if room > LARGE_ROOM:
                return self.grow_apart(room)
            PyUnicode_Resize(&self.text, room)
        self.room = room
        return 0

    cdef int grow_apart(self, Py_ssize_t room) except -1:
        """Grow to `room`, or to more than that if the process may have so much."""
        try:
            self.room = max(room, ROOM_OF_ITS_OWN)
            PyUnicode_Resize(&self.text, self.room)
        except MemoryError:
            self.room = room
            PyUnicode_Resize(&self.text, room)
        ask_for_large_pages(self.characters(), self.room)
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
