# What stands where in a plain line of tree text.

cdef enum Value:
    NODE
    TYPED_NODE
    STRING
    INTEGER
    DECIMAL
    TRUE
    FALSE
    NONE
    SYMBOLIC_LINK
    NESTED  # a list or a dictionary
    LITERAL  # any other, which takes more than a look


cdef struct Line:
    # The text.
    int kind
    void *data
    Py_ssize_t length
    # Positions in it: of the line, of what stands behind its white space, of the line feed.
    Py_ssize_t start, content, end
    # Of the node's or property's name, and of what stands behind it.
    Py_ssize_t name, name_end, value, value_end
    Value value_kind


cdef void look_into(Line *line, str text) noexcept:
    line.kind = PyUnicode_KIND(text)
    line.data = PyUnicode_DATA(text)
    line.length = len(text)


cdef inline Py_UCS4 character(Line *line, Py_ssize_t at):
    """The character there; a line feed behind the end of the text, where Python has a zero.

    Nobody looks further than that: each character is looked at because of the one before it.
    """
    cdef Py_UCS4 c = PyUnicode_READ(line.kind, line.data, at)
    return c if c or at < line.length else c"\n"


cdef bint look(Line *line) except -1:
    """Whether the line that begins at `start` is plain; if so, what is where in it."""
    cdef Py_ssize_t at = line.start
    cdef Py_UCS4 white = character(line, at)
    if white == c" " or white == c"\t":
        while character(line, at) == white:
            at += 1
    line.content = at
    if character(line, at) == c"/":
        line.name = at + 1
        line.name_end = line.end = end_of_name(line, at + 1)
        line.value_kind = NODE
        if line.name_end == line.name:
            return False
        if follows(line, line.name_end, c":"):
            line.value_kind = TYPED_NODE
            line.value = line.name_end + 3
            line.value_end = line.end = end_of_word(line, line.value)
            if line.value_end == line.value:
                return False
        return character(line, line.end) == c"\n"
    if not is_letter(character(line, at)):
        return False
    line.name = at
    while is_word(character(line, at)) or character(line, at) == c".":
        at += 1
    line.name_end = at
    if follows(line, at, c"="):
        line.value = at + 3
        if not look_at_value(line) or character(line, line.end) != c"\n":
            line.value_kind = LITERAL
            line.value = at + 3
            line.value_end = line.end = end_of_line(line, line.value)
        return line.value_end > line.value or line.value_kind == STRING
    if character(line, at) == c" " and character(line, at + 1) == c"-" and (
        character(line, at + 2) == c">" and character(line, at + 3) == c" "
    ):
        line.value_kind = SYMBOLIC_LINK
        line.value = at + 4
        line.value_end = line.end = end_of_path(line, line.value)
        return line.value_end > line.value and character(line, line.end) == c"\n"
    return False


cdef bint look_at_value(Line *line) except -1:
    cdef Py_ssize_t at = line.value
    cdef Span value
    cdef Translation translation
    cdef Py_UCS4 c = character(line, at)
    if c == c"'":
        at += 1
        c = character(line, at)
        while c != c"'" and c != c"\\" and c != c"\n":
            at += 1
            c = character(line, at)
        line.value_kind = STRING
        line.value += 1
        line.value_end = at
        line.end = at + 1
        return c == c"'"
    if c == c"-" or is_digit(c):
        line.value_kind = INTEGER
        line.value_end = line.end = end_of_integer(line, at)
        if line.end == at:
            line.value_kind = DECIMAL
            line.value_end = line.end = end_of_decimal(line, at)
        return line.value_end > line.value
    if c == c"[" or c == c"{":
        line.value_kind = NESTED
        line.value_end = line.end = end_of_line(line, at)
        put(&value, line, line.value, line.value_end)
        return translate(&translation, &value, True)
    line.value_end = line.end = end_of_word(line, at)
    if c == c"T" and is_here(line, at, b"True"):
        line.value_kind = TRUE
    elif c == c"F" and is_here(line, at, b"False"):
        line.value_kind = FALSE
    elif c == c"N" and is_here(line, at, b"None"):
        line.value_kind = NONE
    else:
        return False
    return True


cdef void put(Span *span, Line *line, Py_ssize_t start, Py_ssize_t end) noexcept:
    span.kind = line.kind
    span.data = line.data
    span.start = start
    span.end = end


cdef str json_of(Line *line):
    """The value of a NESTED line as JSON."""
    cdef Span value
    put(&value, line, line.value, line.value_end)
    return translated(&value, True)


cdef object value_of(str text, Line *line):
    if line.value_kind == NESTED:
        return json.loads(json_of(line))
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


cdef inline bint follows(Line *line, Py_ssize_t at, Py_UCS4 sign):
    """Whether the sign stands there between spaces."""
    return (
        character(line, at) == c" "
        and character(line, at + 1) == sign
        and character(line, at + 2) == c" "
    )


cdef bint is_here(Line *line, Py_ssize_t at, const char *word):
    """Whether the word there is this one."""
    while word[0]:
        if character(line, at) != <unsigned char>word[0]:
            return False
        at += 1
        word += 1
    return not is_word(character(line, at))


cdef Py_ssize_t end_of_line(Line *line, Py_ssize_t at):
    while character(line, at) != c"\n":
        at += 1
    return at


cdef Py_ssize_t end_of_word(Line *line, Py_ssize_t at):
    while is_word(character(line, at)):
        at += 1
    return at


cdef inline bint is_of_name(Py_UCS4 c):
    return is_word(c) or c == c"." or c == c"@" or c == c"%" or c == c"+" or c == c"-"


cdef Py_ssize_t end_of_name(Line *line, Py_ssize_t start):
    """Where a node's name ends; `start` if it is not plain."""
    cdef Py_ssize_t at = start
    if character(line, at) == c".":
        return start
    while is_of_name(character(line, at)):
        at += 1
        # A colon stands between two of the others.
        if character(line, at) == c":" and is_of_name(character(line, at + 1)):
            at += 1
    return at


cdef Py_ssize_t end_of_path(Line *line, Py_ssize_t start):
    """Where a link's absolute path ends; `start` if it is not plain."""
    cdef Py_ssize_t at = start
    while character(line, at) == c"/":
        at += 1
        if not is_of_name(character(line, at)):
            return start
        while is_of_name(character(line, at)):
            at += 1
    return at


cdef Py_ssize_t end_of_integer(Line *line, Py_ssize_t start):
    """Where a decimal integer ends; `start` if it is not plain."""
    cdef Py_ssize_t digits = start + (character(line, start) == c"-"), at = digits
    while is_digit(character(line, at)):
        at += 1
    if at == digits or at - digits > MOST_DIGITS:
        return start
    if character(line, digits) == c"0" and (at - digits > 1 or digits > start):
        return start
    return start if character(line, at) == c"." else at


cdef Py_ssize_t end_of_decimal(Line *line, Py_ssize_t start):
    """Where a number with a decimal point ends; `start` if it is not plain."""
    cdef Py_ssize_t digits = start + (character(line, start) == c"-"), at = digits, point
    while is_digit(character(line, at)):
        at += 1
    point = at
    if point == digits or point - digits > 15 or character(line, point) != c".":
        return start
    at += 1
    while is_digit(character(line, at)):
        at += 1
    return at if 1 < at - point <= 16 else start


cdef object integer(Line *line):
    cdef bint is_negative = character(line, line.value) == c"-"
    cdef long long number = 0
    cdef Py_ssize_t at
    for at in range(line.value + is_negative, line.value_end):
        number = 10 * number + <int>character(line, at) - <int>c"0"
    return PyLong_FromLongLong(-number if is_negative else number)
