# The parts of a plain line of tree text. `zc.zk.tree.syntax` describes the lines.

cdef enum Value:
    NODE
    TYPED_NODE
    STRING
    INTEGER
    DECIMAL
    TRUE  # with the next two in the order of PYTHON_WORDS
    FALSE
    NONE
    SYMBOLIC_LINK
    NESTED  # a list or a dictionary
    LITERAL  # any other, which the parser in Python has to read


ctypedef fused Character:
    # One of a text, by its kind: a function for each, in which nothing else asks for the kind.
    uint8_t
    uint16_t
    uint32_t


cdef struct Line:
    # The text.
    int kind
    void *data
    Py_ssize_t length
    # Positions in it: of the line, of its content behind white space, of the line feed.
    Py_ssize_t start, content, end
    # Of the node's or property's name, and of the value behind it.
    Py_ssize_t name, name_end, value, value_end
    Value value_kind
    bint is_plain  # of a STRING: JSON has the value as it is


cdef void look_into(Line *line, str text) noexcept:
    line.kind = PyUnicode_KIND(text)
    line.data = PyUnicode_DATA(text)
    line.length = len(text)


cdef inline Py_UCS4 character(int kind, const Line *line, Py_ssize_t at) noexcept nogil:
    """Return a character; a line feed for the zero behind the text.

    It is safe up to there, and no caller goes further: each asks for a character because of the one
    before it. `kind` is the line's.
    """
    cdef Py_UCS4 c = PyUnicode_READ(kind, line.data, at)
    return c if c or at < line.length else c"\n"


cdef bint look(Line *line) except -1 nogil:
    """Return whether the line at `start` is plain; if so, note its parts."""
    if line.kind == sizeof(uint8_t):
        return look_as(<const uint8_t *>line.data, line)
    if line.kind == sizeof(uint16_t):
        return look_as(<const uint16_t *>line.data, line)
    return look_as(<const uint32_t *>line.data, line)


cdef inline bint look_as(const Character *text, Line *line) except -1 nogil:
    cdef int kind = sizeof(Character)
    cdef Py_ssize_t at = line.start
    cdef Py_UCS4 white = character(kind, line, at)
    if white == c" " or white == c"\t":
        if white == c" ":
            at = past_blank_blocks(kind, line.data, at, line.length)
        while character(kind, line, at) == white:
            at += 1
    line.content = at
    if character(kind, line, at) == c"/":
        return look_at_node(text, line, at + 1)
    line.name = at
    line.name_end = at = end_of_property(kind, line.data, at, line.length)
    if at == line.name:
        return False
    if Character is uint8_t and look_at_usual_value(<const char *>text, line):
        return True
    if is_sign_here(kind, line.data, at):
        line.value = at + 3
        if not look_at_value(text, line) or character(kind, line, line.end) != c"\n":
            line.value_kind = LITERAL
            line.value = at + 3
            line.value_end = line.end = end_of_line(line, line.value)
            if has_three_quotes(line):
                return False
        return line.value_end > line.value or line.value_kind == STRING
    if is_here(kind, line.data, at, b" -> "):
        line.value_kind = SYMBOLIC_LINK
        line.value = at + 4
        line.value_end = line.end = end_of_path(kind, line.data, line.value)
        return line.value_end > line.value and character(kind, line, line.end) == c"\n"
    return False


cdef inline bint look_at_usual_value(const char *text, Line *line) noexcept nogil:
    """Note one of the usual values behind a property's name; False for anything else.

    Nearly all lines of a long text are such. Others, and those in its last characters, are looked
    at one character after the other.
    """
    cdef Py_ssize_t at = line.name_end
    cdef int digits
    if at + 2 * BLOCK > line.length:
        return False
    if not memcmp(text + at, b" -> /", 5):
        line.value_kind = SYMBOLIC_LINK
        line.value = at + 4
        line.value_end = line.end = past_path_blocks(text, line.value, line.length)
        return text[line.end] == c"\n" and text[line.end - 1] != c"/"
    if memcmp(text + at, b" = ", 3):
        return False
    line.value = at = at + 3
    if text[at] == c"'":
        line.value_kind = STRING
        line.is_plain = True
        line.value = at + 1
        line.value_end = past_plain_blocks(PyUnicode_1BYTE_KIND, text, at + 1, line.length)
        line.end = line.value_end + 1
        return text[line.value_end] == c"'" and text[line.end] == c"\n"
    if is_digit(<unsigned char>text[at]):
        digits = count_digits(text, at)
        line.value_kind = INTEGER
        line.value_end = line.end = at + digits
        return digits < BLOCK and text[line.end] == c"\n" and (text[at] != c"0" or digits == 1)
    if not memcmp(text + at, b"True\n", 5):
        line.value_kind = TRUE
        line.value_end = line.end = at + 4
    elif not memcmp(text + at, b"False\n", 6):
        line.value_kind = FALSE
        line.value_end = line.end = at + 5
    elif not memcmp(text + at, b"None\n", 5):
        line.value_kind = NONE
        line.value_end = line.end = at + 4
    else:
        return False
    return True


cdef inline bint look_at_node(const Character *text, Line *line, Py_ssize_t name) noexcept nogil:
    """Return whether the rest is a node's name, perhaps with its type."""
    cdef int kind = sizeof(Character)
    line.name = name
    line.name_end = line.end = end_of_name(kind, line.data, name)
    line.value_kind = NODE
    if line.name_end == name:
        return False
    if is_here(kind, line.data, line.name_end, b" : "):
        line.value_kind = TYPED_NODE
        line.value = line.name_end + 3
        line.value_end = line.end = end_of_word(kind, line.data, line.value)
        if line.value_end == line.value:
            return False
    return character(kind, line, line.end) == c"\n"


cdef inline bint look_at_value(const Character *text, Line *line) except -1 nogil:
    """Return whether a plain value begins here; the caller checks the rest."""
    cdef int kind = sizeof(Character)
    cdef Py_ssize_t at = line.value
    cdef Translation translation
    cdef int word
    cdef Py_UCS4 c = character(kind, line, at)
    if c == c"'":
        line.value_kind = STRING
        line.value += 1
        at = past_plain_blocks(kind, line.data, at + 1, line.length)
        while is_plain_in_quotes(PyUnicode_READ(kind, line.data, at)):
            at += 1
        c = character(kind, line, at)
        line.is_plain = c == c"'"
        while c != c"'" and c != c"\\" and c != c"\n":
            at += 1
            c = character(kind, line, at)
        line.value_end = at
        line.end = at + 1
        return c == c"'"
    if c == c"-" or is_digit(c):
        line.value_kind = INTEGER
        line.value_end = line.end = end_of_integer(kind, line.data, at)
        if line.end == at:
            line.value_kind = DECIMAL
            line.value_end = line.end = end_of_decimal(kind, line.data, at)
        return line.value_end > line.value
    if c == c"[" or c == c"{":
        line.value_kind = NESTED
        line.value_end = line.end = end_of_line(line, at)
        return translate_line(&translation, line)
    word = find_word(kind, line.data, at, PYTHON_WORDS)
    if word < 0:
        return False
    line.value_kind = <Value>(<int>TRUE + word)
    line.value_end = line.end = at + strlen(PYTHON_WORDS[word])
    return True


cdef inline void place(Span *span, Line *line, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    span.kind = line.kind
    span.data = line.data
    span.start = start
    span.end = end


cdef inline bint translate_line(Translation *t, const Line *line) except -1 nogil:
    """Translate the value, a list or a dictionary; False if it is not plain."""
    cdef Py_ssize_t length = translate(t, line.kind, line.data, line.value, line.length, True)
    return length and line.value + length == line.value_end


cdef str json_of(Line *line):
    """Return the value of a NESTED line as JSON."""
    cdef Translation translation
    if not translate_line(&translation, line):
        return None
    return PyUnicode_DecodeASCII(translation.text, translation.length, NULL)


# `json.loads`, which is imported when it is needed: most commands do without.
cdef object json_loads = None


cdef object value_in_json(str text):
    global json_loads
    if json_loads is None:
        with importing:
            from json import loads

        json_loads = loads
    return json_loads(text)


cdef object value_of(str text, Line *line):
    if line.value_kind == NESTED:
        return value_in_json(json_of(line))
    if line.value_kind == INTEGER:
        return integer(line)
    if line.value_kind == DECIMAL:
        return float(PyUnicode_Substring(text, line.value, line.value_end))
    if line.value_kind == TRUE:
        return True
    if line.value_kind == FALSE:
        return False
    if line.value_kind == NONE:
        return None
    return PyUnicode_Substring(text, line.value, line.value_end)


cdef Py_ssize_t end_of_line(Line *line, Py_ssize_t at) noexcept nogil:
    while character(line.kind, line, at) != c"\n":
        at += 1
    return at


cdef bint has_three_quotes(Line *line) noexcept nogil:
    """Return whether the value may be a block, which goes on in the lines below."""
    cdef Py_ssize_t at
    cdef Py_UCS4 c
    for at in range(line.value + 2, line.value_end):
        c = character(line.kind, line, at)
        if (c == c"'" or c == c'"') and character(line.kind, line, at - 1) == c and (
            character(line.kind, line, at - 2) == c
        ):
            return True
    return False


cdef object integer(Line *line):
    cdef bint is_negative = character(line.kind, line, line.value) == c"-"
    cdef long long number = 0
    cdef Py_ssize_t at
    for at in range(line.value + is_negative, line.value_end):
        number = 10 * number + <int>character(line.kind, line, at) - <int>c"0"
    return PyLong_FromLongLong(-number if is_negative else number)
