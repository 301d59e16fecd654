# Plain lists and dictionaries: from compact JSON to Python's way of writing them, and back.
#
# Both languages write the same with other quotes, words and spaces, so no value has to be made in
# between. Objects are plain only if they are sorted by key, and numbers if both write them alike.

# JSON gets longer: a comma or colon, which is not the half of it, gets a space behind it.
cdef enum: TRANSLATION_SIZE = 2 * MAX_NESTED


cdef struct Translation:
    Span *source
    Py_ssize_t at
    bint is_python  # the source is, the translation is JSON then
    char text[TRANSLATION_SIZE]
    Py_ssize_t length


cdef inline str translated(Span *source, bint is_python):
    """Write JSON as Python, or the reverse; None if it is not plain."""
    cdef Translation t
    if not translate(&t, source, is_python):
        return None
    return PyUnicode_DecodeASCII(t.text, t.length, NULL)


cdef inline bint translate(Translation *t, Span *source, bint is_python) except -1 nogil:
    if source.end - source.start > MAX_NESTED:
        return False
    t.source = source
    t.at = source.start
    t.is_python = is_python
    t.length = 0
    return translate_value(t, MAX_DEPTH) and t.at == source.end


cdef inline Py_UCS4 upcoming(Translation *t) noexcept nogil:
    """Return the next character; 0 at the end."""
    if t.at == t.source.end:
        return 0
    return PyUnicode_READ(t.source.kind, t.source.data, t.at)


cdef inline Py_UCS4 quote_of(Translation *t) noexcept nogil:
    """Return the quote around strings of the source."""
    return c"'" if t.is_python else c'"'


cdef inline void write_character(Translation *t, Py_UCS4 c) noexcept nogil:
    t.text[t.length] = <char>c
    t.length += 1


cdef inline bint translate_value(Translation *t, int depth) except -1 nogil:
    cdef Py_UCS4 c = upcoming(t)
    if c == c"[" or c == c"{":
        return depth and translate_container(t, c, depth - 1)
    if c == quote_of(t):
        return translate_string(t)
    if c == c"-" or is_digit(c):
        return translate_number(t)
    return translate_word(t)


cdef inline bint translate_container(Translation *t, Py_UCS4 bracket, int depth) except -1 nogil:
    cdef Py_UCS4 closing = c"]" if bracket == c"[" else c"}"
    cdef Py_ssize_t last_key = -1, key
    write_character(t, bracket)
    t.at += 1
    if upcoming(t) != closing:
        while True:
            if bracket == c"{":
                key = t.at
                if upcoming(t) != quote_of(t) or not translate_string(t):
                    return False
                if last_key >= 0 and not is_sorted(t, last_key + 1, key + 1):
                    return False
                last_key = key
                if not translate_sign(t, c":"):
                    return False
            if not translate_value(t, depth):
                return False
            if upcoming(t) == closing:
                break
            if not translate_sign(t, c","):
                return False
    write_character(t, closing)
    t.at += 1
    return True


cdef inline bint is_sorted(Translation *t, Py_ssize_t key, Py_ssize_t other) noexcept nogil:
    """Return whether the string at `key` sorts before the other; quotes end both."""
    cdef Py_UCS4 c, d
    cdef Py_UCS4 quote = quote_of(t)
    while True:
        c = PyUnicode_READ(t.source.kind, t.source.data, key)
        d = PyUnicode_READ(t.source.kind, t.source.data, other)
        if c == quote or d == quote:
            return d != quote
        if c != d:
            return c < d
        key += 1
        other += 1


cdef inline bint translate_sign(Translation *t, Py_UCS4 sign) noexcept nogil:
    if upcoming(t) != sign:
        return False
    write_character(t, sign)
    t.at += 1
    if t.is_python:
        while upcoming(t) == c" ":
            t.at += 1
    else:
        write_character(t, c" ")
    return True


cdef inline bint translate_string(Translation *t) noexcept nogil:
    cdef Py_UCS4 quote = quote_of(t), c
    write_character(t, c'"' if t.is_python else c"'")
    t.at += 1
    c = upcoming(t)
    while c != quote:
        if not is_plain_in_quotes(c):
            return False
        write_character(t, c)
        t.at += 1
        c = upcoming(t)
    write_character(t, c'"' if t.is_python else c"'")
    t.at += 1
    return True


cdef inline bint translate_number(Translation *t) except -1 nogil:
    cdef char text[NUMBER_SIZE]
    cdef Py_ssize_t i, end = end_of_integer(t.source.kind, t.source.data, t.at)
    cdef Py_ssize_t length
    cdef bint is_decimal = end == t.at
    if is_decimal:
        end = end_of_decimal(t.source.kind, t.source.data, t.at)
    length = end - t.at
    if not length or end > t.source.end:
        return False
    for i in range(length):
        text[i] = <char>PyUnicode_READ(t.source.kind, t.source.data, t.at + i)
    text[length] = 0
    if is_decimal and not is_canonical(text):
        return False
    memcpy(t.text + t.length, text, length)
    t.length += length
    t.at = end
    return True


cdef inline bint translate_word(Translation *t) noexcept nogil:
    cdef const char *const *words = PYTHON_WORDS if t.is_python else JSON_WORDS
    cdef const char *const *others = JSON_WORDS if t.is_python else PYTHON_WORDS
    cdef int number = find_word(t.source.kind, t.source.data, t.at, words)
    if number < 0 or t.at + <Py_ssize_t>strlen(words[number]) > t.source.end:
        return False
    t.at += strlen(words[number])
    memcpy(t.text + t.length, others[number], strlen(others[number]))
    t.length += strlen(others[number])
    return True
