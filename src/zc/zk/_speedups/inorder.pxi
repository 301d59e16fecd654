# The JSON of the usual properties of a node, written while their lines are looked at.
#
# An export has a node's properties in order, and behind them its links, in order, too. So what is
# written of the lines is the JSON but for the places of the links.

cdef enum:
    # A node's text of so many characters is written here; values are most of any longer one.
    MAX_IN_ORDER = 16000
    # A line's JSON may be longer than the line: by a number that is written anew, or a link's sign.
    MAX_LONGER = NUMBER_SIZE + 8


cdef struct InOrder:
    # For each property, where its name is in the text, and what is written of it.
    Py_ssize_t names[MAX_PROPERTIES]
    char *parts[MAX_PROPERTIES + 1]
    Py_ssize_t count
    Py_ssize_t second  # the first one of a second run of names in order; 0 if there is but one run
    unsigned char places[MAX_PROPERTIES]  # of those of the second run, among those of the first
    Py_ssize_t length  # of the whole
    # Whole blocks are copied, the last of which goes beyond what is written.
    char written[MAX_IN_ORDER + MAX_PROPERTIES * MAX_LONGER + 2 * BLOCK]


cdef str json_in_order(str text, Py_ssize_t start, Py_ssize_t end):
    """Return the data for plain lines of properties; None if another way has to be taken."""
    cdef InOrder made
    cdef Line line
    cdef char *to = made.written
    look_into(&line, text)
    if line.kind != PyUnicode_1BYTE_KIND or end - start > MAX_IN_ORDER or end + BLOCK > line.length:
        return None
    line.start = start
    made.count = made.second = 0
    while line.start < end:
        look_as(<const uint8_t *>line.data, &line)
        if not take_place(&made, &line):
            return None
        made.parts[made.count] = to
        made.count += 1
        to = write_property(to, &line)
        if to is NULL:
            return None
        line.start = line.end + 1
    made.parts[made.count] = to
    return merged(&made, <const char *>line.data)


cdef inline bint take_place(InOrder *made, const Line *line) noexcept:
    """Note where the line's name is; False if there are too many, or too little order."""
    cdef Py_ssize_t count = made.count
    if count == MAX_PROPERTIES or is_name(line, b"string_value"):
        return False
    if count and not is_behind(line, made.names[count - 1]):
        if made.second:
            return False
        made.second = count
    made.names[count] = line.name
    return True


cdef inline char *write_property(char *to, Line *line) except? NULL:
    """Write a comma and the property, and return the end; NULL if it is not a usual one."""
    cdef const char *text = <const char *>line.data
    cdef const char *word
    cdef Value kind = line.value_kind
    memcpy(to, b',"', 2)
    to = <char *>copy_blocks(to + 2, text + line.name, line.name_end - line.name)
    if kind == STRING or kind == SYMBOLIC_LINK:
        if kind == SYMBOLIC_LINK:
            memcpy(to, b" ->", 3)
            to += 3
        elif not line.is_plain:
            return NULL
        memcpy(to, b'":"', 3)
        to = <char *>copy_blocks(to + 3, text + line.value, line.value_end - line.value)
        to[0] = c'"'
        return to + 1
    memcpy(to, b'":', 2)
    to += 2
    if kind == INTEGER:
        return <char *>copy_blocks(to, text + line.value, line.value_end - line.value)
    if kind == TRUE or kind == FALSE or kind == NONE:
        word = JSON_WORDS[<int>kind - <int>TRUE]
        memcpy(to, word, strlen(word))
        return to + strlen(word)
    return write_unusual(to, line)


cdef char *write_unusual(char *to, Line *line) except? NULL:
    """Write a decimal, a list or a dictionary."""
    cdef Item item
    cdef Translation translation
    place(&item.value, line, line.value, line.value_end)
    if line.value_kind == DECIMAL and decimal_of(&item):
        return <char *>copy(<unsigned char *>to, &item.value)
    if line.value_kind == NESTED and translate_line(&translation, line):
        return <char *>copy_blocks(to, translation.text, translation.length)
    return NULL


cdef str merged(InOrder *made, const char *text):
    """Return an object of what is written; None if another way has to be taken."""
    cdef str data
    if not is_mergeable(made, text):
        return None
    data = PyUnicode_New(made.length, 127)
    merge(made, <char *>PyUnicode_1BYTE_DATA(data))
    return data


cdef bint is_mergeable(InOrder *made, const char *text) noexcept:
    """Find the places of the second run of names among the first; False if that is difficult.

    No name comes twice, as a link's either: text of such a node is not plain.
    """
    cdef Py_ssize_t i = 0, same, number
    made.length = made.parts[made.count] - made.parts[0] + 1
    if not made.second:
        return True
    for number in range(made.second, made.count):
        while i < made.second:
            same = count_same(text + made.names[i], text + made.names[number])
            if same == BLOCK:
                return False
            if <unsigned char>text[made.names[i] + same] > <unsigned char>text[made.names[number] + same]:
                break
            i += 1
        made.places[number] = <unsigned char>i
    return True


cdef void merge(const InOrder *made, char *whole) noexcept:
    """Write an object of `length` characters, with the second run of names among the first."""
    cdef Py_ssize_t first = made.second or made.count  # where the first run ends
    cdef Py_ssize_t i = 0, number
    cdef char *to = whole
    for number in range(first, made.count):
        to = copy_part(to, made.parts[i], made.parts[made.places[number]])
        i = made.places[number]
        to = copy_part(to, made.parts[number], made.parts[number + 1])
    copy_part(to, made.parts[i], made.parts[first])
    whole[0] = c"{"
    whole[made.length - 1] = c"}"


cdef inline char *copy_part(char *to, const char *start, const char *end) noexcept:
    memcpy(to, start, end - start)
    return to + (end - start)
