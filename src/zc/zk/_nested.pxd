# Plain lists and objects: from compact JSON to Python's own way of writing them, and back.
#
# Both say the same with other quotes, words and spaces, so that no value has to be made in between.
# Plain are short ones of printable strings without quotes and backslashes, of numbers that both
# write alike, and of objects sorted by key. Whatever else is not JSON, or no literal, is not plain.

from libc.string cimport memcpy, strlen

from zc.zk._compact cimport MOST_CHARACTERS, MOST_DIGITS, Span, canonical_decimal, is_digit

cdef extern from "Python.h":
    Py_UCS4 PyUnicode_READ(int kind, const void *data, Py_ssize_t index)
    str PyUnicode_DecodeASCII(const char *text, Py_ssize_t size, const char *errors)

cdef enum: LONGEST_NESTED = 400
# JSON gets longer: a comma or colon, which is not the half of it, a space behind it.
cdef enum: LONGEST_TRANSLATION = 2 * LONGEST_NESTED
cdef enum: DEEPEST_NESTED = 20


cdef struct Translation:
    Span *source
    Py_ssize_t at
    bint is_python  # the source is, the translation is JSON then
    char text[LONGEST_TRANSLATION]
    Py_ssize_t length


cdef inline str translated(Span *source, bint is_python):
    """The one as the other; None if it is not plain."""
    cdef Translation t
    if not translate(&t, source, is_python):
        return None
    return PyUnicode_DecodeASCII(t.text, t.length, NULL)


cdef inline bint translate(Translation *t, Span *source, bint is_python) except -1:
    if source.end - source.start > LONGEST_NESTED:
        return False
    t.source = source
    t.at = source.start
    t.is_python = is_python
    t.length = 0
    return translate_value(t, DEEPEST_NESTED) and t.at == source.end


cdef inline Py_UCS4 upcoming(Translation *t):
    """The next character, 0 at the end."""
    if t.at == t.source.end:
        return 0
    return PyUnicode_READ(t.source.kind, t.source.data, t.at)


cdef inline Py_UCS4 quote_of(Translation *t):
    """What strings are between in the source."""
    return c"'" if t.is_python else c'"'


cdef inline void put(Translation *t, Py_UCS4 c) noexcept:
    t.text[t.length] = <char>c
    t.length += 1


cdef inline bint translate_value(Translation *t, int depth) except -1:
    cdef Py_UCS4 c = upcoming(t)
    if c == c"[" or c == c"{":
        return depth and translate_container(t, c, depth - 1)
    if c == quote_of(t):
        return translate_string(t)
    if c == c"-" or is_digit(c):
        return translate_number(t)
    if t.is_python:
        return (
            translate_word(t, b"True", b"true")
            or translate_word(t, b"False", b"false")
            or translate_word(t, b"None", b"null")
        )
    return (
        translate_word(t, b"true", b"True")
        or translate_word(t, b"false", b"False")
        or translate_word(t, b"null", b"None")
    )


cdef inline bint translate_container(Translation *t, Py_UCS4 bracket, int depth) except -1:
    cdef Py_UCS4 closing = c"]" if bracket == c"[" else c"}"
    cdef Py_ssize_t last_key = -1, key
    put(t, bracket)
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
    put(t, closing)
    t.at += 1
    return True


cdef inline bint is_sorted(Translation *t, Py_ssize_t key, Py_ssize_t other):
    """Whether the string that begins at `key` comes before the other one. Quotes end them."""
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


cdef inline bint translate_sign(Translation *t, Py_UCS4 sign):
    if upcoming(t) != sign:
        return False
    put(t, sign)
    t.at += 1
    if t.is_python:
        while upcoming(t) == c" ":
            t.at += 1
    else:
        put(t, c" ")
    return True


cdef inline bint translate_string(Translation *t):
    cdef Py_UCS4 quote = quote_of(t), c
    put(t, c'"' if t.is_python else c"'")
    t.at += 1
    c = upcoming(t)
    while c != quote:
        if not c" " <= c <= c"~" or c == c"'" or c == c'"' or c == c"\\":
            return False
        put(t, c)
        t.at += 1
        c = upcoming(t)
    put(t, c'"' if t.is_python else c"'")
    t.at += 1
    return True


cdef inline bint translate_number(Translation *t) except -1:
    cdef char text[MOST_CHARACTERS]
    cdef Py_ssize_t length = 0, digits = 0
    cdef bint is_decimal = False
    cdef Py_UCS4 c = upcoming(t)
    while c == c"-" or c == c"." or is_digit(c):
        if length == MOST_CHARACTERS - 1 or (c == c"-" and length) or (c == c"." and is_decimal):
            return False
        is_decimal = is_decimal or c == c"."
        digits += is_digit(c)
        text[length] = <char>c
        length += 1
        t.at += 1
        c = upcoming(t)
    text[length] = 0
    if is_decimal:
        # A point has digits on both sides if the text is what Python writes.
        if not canonical_decimal(text):
            return False
    elif not digits or digits > MOST_DIGITS or (
        text[length - digits] == c"0" and length > 1
    ):
        return False
    memcpy(t.text + t.length, text, length)
    t.length += length
    return True


cdef inline bint translate_word(Translation *t, const char *word, const char *other):
    cdef Py_ssize_t i, length = strlen(word)
    if t.source.end - t.at < length:
        return False
    for i in range(length):
        if PyUnicode_READ(t.source.kind, t.source.data, t.at + i) != <unsigned char>word[i]:
            return False
    t.at += length
    memcpy(t.text + t.length, other, strlen(other))
    t.length += strlen(other)
    return True
