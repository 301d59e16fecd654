# Names of one node's properties, of which none may come twice.

cdef extern from * nogil:
    """
    /* Where in the text they stand, and a sign of each: a name whose sign no other one has is new. For as long as
       they are in order, as in an export, each is new. */
    typedef struct {
        Py_ssize_t count;
        int in_order;
        int last_is_behind;  /* the last name sorts behind the one before */
        Py_ssize_t starts[MAX_PROPERTIES], ends[MAX_PROPERTIES];
        uint8_t signs[MAX_PROPERTIES];
    } Names;

    /* Any number that is the same for the same name, of three of its characters and its length. */
    #define SIGN_OF(first, middle, last, length) ((uint8_t)(3 * (first) + 7 * (middle) + 31 * (last) + (length)))

    static inline uint8_t sign_of_bytes(const char *text, Py_ssize_t start, Py_ssize_t end) {
        return SIGN_OF(text[start], text[start + ((end - start) >> 1)], text[end - 1], end - start);
    }

    static inline int may_be_there(const Names *names, Py_ssize_t count, uint8_t sign) {
        return (places_in_four(names->signs, 0, sign) & (((uint64_t)1 << count) - 1)) != 0;
    }
    """
    ctypedef struct Names:
        Py_ssize_t count
        bint in_order, last_is_behind
        Py_ssize_t starts[MAX_PROPERTIES]
        Py_ssize_t ends[MAX_PROPERTIES]
        uint8_t signs[MAX_PROPERTIES]
    uint8_t SIGN_OF(Py_UCS4 first, Py_UCS4 middle, Py_UCS4 last, Py_ssize_t length) noexcept
    uint8_t sign_of_bytes(const char *text, Py_ssize_t start, Py_ssize_t end) noexcept
    bint may_be_there(const Names *names, Py_ssize_t count, uint8_t sign) noexcept


cdef inline void clear_names(Names *names) noexcept nogil:
    names.count = 0
    names.in_order = True


cdef inline bint add_name(Names *names, const Line *line) noexcept nogil:
    """Add the line's name; False if it is there already, or there are too many."""
    cdef Py_ssize_t count = names.count
    cdef uint8_t sign = sign_of(line)
    if count >= MAX_PROPERTIES - 1:
        return False
    names.last_is_behind = count == 0 or is_behind(line, names.starts[count - 1])
    names.in_order = names.in_order and names.last_is_behind
    if not names.in_order and may_be_there(names, count, sign) and is_one_of(names, line):
        return False
    names.starts[count] = line.name
    names.ends[count] = line.name_end
    names.signs[count] = sign
    names.count = count + 1
    return True


cdef inline bint is_behind(const Line *line, Py_ssize_t last) noexcept nogil:
    """Return whether the line's name is seen to sort behind the one that stands at `last`.

    Behind each name comes a space, which sorts before all characters of one.
    """
    cdef const unsigned char *text = <const unsigned char *>line.data
    cdef Py_ssize_t same
    if line.kind != PyUnicode_1BYTE_KIND or line.name + BLOCK > line.length:
        return False
    same = count_same(text + line.name, text + last)
    if same == BLOCK or same >= line.name_end - line.name:
        return False
    return text[line.name + same] > text[last + same]


cdef bint is_one_of(const Names *names, const Line *line) noexcept nogil:
    """Return whether the line's name is there."""
    cdef Py_ssize_t i, length = line.name_end - line.name
    cdef const char *text = <const char *>line.data
    for i in range(names.count):
        if names.ends[i] - names.starts[i] == length and not memcmp(
            text + line.kind * names.starts[i], text + line.kind * line.name, line.kind * length
        ):
            return True
    return False


cdef inline bint is_name(const Line *line, const char *word) noexcept nogil:
    """Return whether the property is called `word`."""
    cdef Py_ssize_t length = strlen(word)
    return line.name_end - line.name == length and is_here(line.kind, line.data, line.name, word)


cdef inline uint8_t sign_of(const Line *line) noexcept nogil:
    cdef int kind = line.kind
    cdef const void *data = line.data
    cdef Py_ssize_t length = line.name_end - line.name
    if kind == PyUnicode_1BYTE_KIND:
        return sign_of_bytes(<const char *>data, line.name, line.name_end)
    return SIGN_OF(
        PyUnicode_READ(kind, data, line.name),
        PyUnicode_READ(kind, data, line.name + (length >> 1)),
        PyUnicode_READ(kind, data, line.name_end - 1),
        length,
    )
