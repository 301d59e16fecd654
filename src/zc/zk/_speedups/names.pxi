# Names of one node's properties, of which none may come twice.

cdef struct Names:
    # Where in the text they stand, and their signs, as bits: a name whose sign is not there is new.
    Py_ssize_t count
    Py_ssize_t starts[MAX_PROPERTIES]
    Py_ssize_t ends[MAX_PROPERTIES]
    uint64_t signs[4]


cdef inline void clear_names(Names *names) noexcept:
    names.count = 0
    memset(names.signs, 0, sizeof(names.signs))


cdef inline bint add_name(Names *names, const Line *line) noexcept:
    """Add the line's name; False if it may be there already, or there are too many."""
    cdef Py_ssize_t i, length = line.name_end - line.name
    cdef const char *text = <const char *>line.data
    cdef unsigned int sign = sign_of(line)
    cdef uint64_t bit = <uint64_t>1 << (sign & 63)
    cdef uint64_t *signs = &names.signs[sign >> 6 & 3]
    if names.count >= MAX_PROPERTIES - 1:
        return False
    if signs[0] & bit:
        for i in range(names.count):
            if names.ends[i] - names.starts[i] == length and not memcmp(
                text + line.kind * names.starts[i],
                text + line.kind * line.name,
                line.kind * length,
            ):
                return False
    signs[0] |= bit
    names.starts[names.count] = line.name
    names.ends[names.count] = line.name_end
    names.count += 1
    return True


cdef inline bint is_name(const Line *line, const char *word) noexcept:
    """Return whether the property is called `word`."""
    cdef Py_ssize_t length = strlen(word)
    return line.name_end - line.name == length and is_here(line.kind, line.data, line.name, word)


cdef inline unsigned int sign_of(const Line *line) noexcept:
    """Return a number that tells of the line's name, of which the end differs most."""
    cdef Py_ssize_t end = line.name_end - 1
    cdef unsigned int number = <unsigned int>PyUnicode_READ(line.kind, line.data, line.name)
    number = 5 * number + <unsigned int>(end - line.name)
    if end > line.name:
        number = 31 * number + <unsigned int>PyUnicode_READ(line.kind, line.data, end - 1)
    return 31 * number + <unsigned int>PyUnicode_READ(line.kind, line.data, end)
