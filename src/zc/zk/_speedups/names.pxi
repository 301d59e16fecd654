# Names of one node's properties, of which none may come twice.

cdef extern from *:
    """
    /* Whether a name may be one of the first, which are in order: the space behind each sorts before all
       characters of names. */
    static inline int may_be_among(const char *text, Py_ssize_t name, Py_ssize_t length, const Py_ssize_t *starts,
                                   Py_ssize_t first) {
        Py_ssize_t low = 0;
        while (low < first) {
            Py_ssize_t middle = (low + first) >> 1;
            int same = count_same(text, name, starts[middle]);
            if (same > length || same == BLOCK) return 1;
            if ((unsigned char)text[name + same] > (unsigned char)text[starts[middle] + same])
                low = middle + 1;
            else
                first = middle;
        }
        return 0;
    }
    """
    bint may_be_among(
        const char *text, Py_ssize_t name, Py_ssize_t length, const Py_ssize_t *starts, Py_ssize_t first
    ) noexcept


cdef struct Names:
    # Where in the text they stand. For as long as they are in order, as in an export, each is new.
    # A second run of names in order, as of links, is looked for among the `first` ones. Otherwise
    # the signs of all are kept, as bits: a name whose sign is not there is new.
    Py_ssize_t count, first
    bint in_order
    bint last_is_behind  # the last name sorts behind the one before
    Py_ssize_t starts[MAX_PROPERTIES]
    Py_ssize_t ends[MAX_PROPERTIES]
    uint64_t signs[4]


cdef inline void clear_names(Names *names) noexcept:
    names.count = names.first = 0
    names.in_order = True


cdef inline bint add_name(Names *names, const Line *line) noexcept:
    """Add the line's name; False if it may be there already, or there are too many."""
    cdef Py_ssize_t count = names.count
    if count >= MAX_PROPERTIES - 1:
        return False
    names.last_is_behind = count == 0 or is_behind(line, names.starts[count - 1])
    if not (names.in_order and names.last_is_behind):
        if names.in_order:
            names.in_order = False
            names.first = count
        elif names.first and not names.last_is_behind:
            names.first = 0
            take_signs(names, line)
        if is_among_first(names, line) if names.first else not is_new(names, line):
            return False
    names.starts[count] = line.name
    names.ends[count] = line.name_end
    names.count = count + 1
    return True


cdef inline bint is_behind(const Line *line, Py_ssize_t last) noexcept:
    """Return whether the line's name is seen to sort behind the one that stands at `last`.

    Behind each name comes a space, which sorts before all characters of one.
    """
    cdef const unsigned char *text = <const unsigned char *>line.data
    cdef Py_ssize_t same
    if line.kind != PyUnicode_1BYTE_KIND or line.name + BLOCK > line.length:
        return False
    same = count_same(text, line.name, last)
    if same == BLOCK or same >= line.name_end - line.name:
        return False
    return text[line.name + same] > text[last + same]


cdef void take_signs(Names *names, const Line *line) noexcept:
    """Keep the signs of all names from now on."""
    cdef Py_ssize_t i
    cdef unsigned int sign
    memset(names.signs, 0, sizeof(names.signs))
    for i in range(names.count):
        sign = sign_of(line, names.starts[i], names.ends[i])
        names.signs[sign >> 6 & 3] |= <uint64_t>1 << (sign & 63)


cdef inline bint is_new(Names *names, const Line *line) noexcept:
    """Return whether the line's name is not there yet, and take its sign."""
    cdef unsigned int sign = sign_of(line, line.name, line.name_end)
    cdef uint64_t bit = <uint64_t>1 << (sign & 63)
    cdef uint64_t *signs = &names.signs[sign >> 6 & 3]
    if signs[0] & bit and is_one_of(names, names.count, line):
        return False
    signs[0] |= bit
    return True


cdef bint is_one_of(const Names *names, Py_ssize_t count, const Line *line) noexcept:
    """Return whether the line's name is one of the first `count`."""
    cdef Py_ssize_t i, length = line.name_end - line.name
    cdef const char *text = <const char *>line.data
    for i in range(count):
        if names.ends[i] - names.starts[i] == length and not memcmp(
            text + line.kind * names.starts[i], text + line.kind * line.name, line.kind * length
        ):
            return True
    return False


cdef inline bint is_among_first(const Names *names, const Line *line) noexcept:
    """Return whether the line's name is one of the first run, which are in order."""
    cdef const char *text = <const char *>line.data
    if line.kind == PyUnicode_1BYTE_KIND and line.name + BLOCK <= line.length:
        if not may_be_among(text, line.name, line.name_end - line.name, names.starts, names.first):
            return False
    return is_one_of(names, names.first, line)


cdef inline bint is_name(const Line *line, const char *word) noexcept:
    """Return whether the property is called `word`."""
    cdef Py_ssize_t length = strlen(word)
    return line.name_end - line.name == length and is_here(line.kind, line.data, line.name, word)


cdef inline unsigned int sign_of(const Line *line, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Return a number that tells of a name in the line's text, of which the end differs most."""
    if line.kind == PyUnicode_1BYTE_KIND:
        return sign_as(<const uint8_t *>line.data, start, end)
    if line.kind == sizeof(uint16_t):
        return sign_as(<const uint16_t *>line.data, start, end)
    return sign_as(<const uint32_t *>line.data, start, end)


cdef inline unsigned int sign_as(
    const Character *text, Py_ssize_t start, Py_ssize_t end
) noexcept:
    cdef unsigned int number = 5 * text[start] + <unsigned int>(end - start)
    if end - start > 1:
        number = 31 * number + text[end - 2]
    return 31 * number + text[end - 1]
