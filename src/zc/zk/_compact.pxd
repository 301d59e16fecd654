# Plain properties as JSON: compact, ASCII, sorted by key, each character as it is.

from libc.stdio cimport snprintf
from libc.string cimport memcpy, strcmp, strlen

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)
    int PyUnicode_1BYTE_KIND
    Py_UCS4 PyUnicode_READ(int kind, const void *data, Py_ssize_t index)
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 most)
    double PyOS_string_to_double(const char *text, char **end, PyObject *overflow) except? -1.0
    char *PyOS_double_to_string(double value, char format, int precision, int flags, int *kind) except NULL
    int Py_DTSF_ADD_DOT_0
    void PyMem_Free(void *memory)
    ctypedef struct PyObject

# Objects with more properties are left to others.
cdef enum: MOST_ITEMS = 64
# Numbers of so many digits fit into 64 bits.
cdef enum: MOST_DIGITS = 17
# Longer than any number that Python writes with 17 digits.
cdef enum: MOST_CHARACTERS = 40


cdef inline bint is_word(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c"0" <= c <= c"9" or c == c"_"


cdef inline bint is_letter(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c == c"_"


cdef inline bint is_digit(Py_UCS4 c):
    return c"0" <= c <= c"9"


cdef struct Span:
    # A part of a text.
    int kind
    const void *data
    Py_ssize_t start, end


cdef struct Item:
    Span key, value
    bint is_link  # " ->" follows the key
    bint is_text  # the value is a string
    bint is_json  # the value is JSON already, of any kind
    char spelled[MOST_CHARACTERS]  # what the value is, where it is not copied


cdef inline void span_of(Span *span, str text) noexcept:
    span.kind = PyUnicode_KIND(text)
    span.data = PyUnicode_DATA(text)
    span.start = 0
    span.end = len(text)


cdef inline void spell(Item *item, const char *word) noexcept:
    """Have `word` for a value, which is at hand, or no longer than the item has room for."""
    item.value.kind = PyUnicode_1BYTE_KIND
    item.value.data = word
    item.value.start = 0
    item.value.end = strlen(word)


cdef inline void spell_integer(Item *item, long long number) noexcept:
    snprintf(item.spelled, MOST_CHARACTERS, "%lld", number)
    spell(item, item.spelled)


cdef inline bint spell_decimal(Item *item, double number) except -1:
    """Have the shortest decimal for a value that reads as `number`; False if it is none in JSON."""
    if number - number != 0:
        return False  # an infinity, or no number
    write_decimal(number, item.spelled)
    spell(item, item.spelled)
    return True


cdef inline int write_decimal(double number, char *to) except -1:
    """Write the number as Python does, which takes fewer than MOST_CHARACTERS."""
    cdef char *text = PyOS_double_to_string(number, c"r", 0, Py_DTSF_ADD_DOT_0, NULL)
    memcpy(to, text, strlen(text) + 1)
    PyMem_Free(text)
    return 0


cdef inline bint canonical_decimal(const char *text) except -1:
    """Whether this, which has digits and a point, is how Python writes the number."""
    cdef char written[MOST_CHARACTERS]
    if not c"0" <= text[text[0] == c"-"] <= c"9":
        return False
    write_decimal(PyOS_string_to_double(text, NULL, NULL), written)
    return strcmp(text, written) == 0


cdef inline bint decimal_of(Item *item) except -1:
    """Have the value's text, a decimal number, written as Python does."""
    cdef Py_ssize_t length = item.value.end - item.value.start, at
    if length >= MOST_CHARACTERS:
        return False
    for at in range(length):
        item.spelled[at] = <char>PyUnicode_READ(
            item.value.kind, item.value.data, item.value.start + at
        )
    item.spelled[length] = 0
    return spell_decimal(item, PyOS_string_to_double(item.spelled, NULL, NULL))


cdef inline bint is_plain(Span *span):
    """Whether it is printable ASCII, and JSON has it as it is."""
    cdef Py_ssize_t at
    cdef Py_UCS4 c
    for at in range(span.start, span.end):
        c = PyUnicode_READ(span.kind, span.data, at)
        if not c" " <= c <= c"~" or c == c'"' or c == c"\\":
            return False
    return True


cdef inline Py_UCS4 key_character(Item *item, Py_ssize_t at):
    """A character of the whole key; 0, which is less than any of them, behind its end."""
    cdef Py_ssize_t beyond = item.key.start + at - item.key.end
    if beyond < 0:
        return PyUnicode_READ(item.key.kind, item.key.data, item.key.start + at)
    return b" ->"[beyond] if item.is_link and beyond < 3 else 0


cdef inline bint precedes(Item *item, Item *other):
    cdef Py_ssize_t at = 0
    cdef Py_UCS4 c = key_character(item, 0)
    while c and c == key_character(other, at):
        at += 1
        c = key_character(item, at)
    return c < key_character(other, at)


cdef inline unsigned char *copy(unsigned char *to, const Span *span):
    cdef Py_ssize_t at, length = span.end - span.start
    if span.kind == PyUnicode_1BYTE_KIND:
        memcpy(to, <const char *>span.data + span.start, length)
    else:
        for at in range(length):
            to[at] = <unsigned char>PyUnicode_READ(span.kind, span.data, span.start + at)
    return to + length


cdef inline unsigned char *copy_word(unsigned char *to, const char *word, Py_ssize_t length):
    memcpy(to, word, length)
    return to + length


cdef inline str compact(Item *items, Py_ssize_t count):
    """The JSON object of one or more items; None if there is a character that has to be escaped."""
    cdef unsigned char order[MOST_ITEMS]
    cdef Py_ssize_t i, j, length = 1
    cdef unsigned char *to
    cdef Item *item
    cdef str text
    for i in range(count):
        item = &items[i]
        if not is_plain(&item.key) or not (item.is_json or is_plain(&item.value)):
            return None
        # Two quotes, a colon, and a comma or the last brace.
        length += item.key.end - item.key.start + item.value.end - item.value.start + 4
        length += 3 * item.is_link + 2 * item.is_text
        # Texts that have been exported have them in order, but for links.
        j = i
        while j and precedes(item, &items[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = <unsigned char>i
    text = PyUnicode_New(length, 127)
    to = <unsigned char *>PyUnicode_1BYTE_DATA(text)
    for i in range(count):
        item = &items[order[i]]
        to = copy_word(to, b',"' if i else b'{"', 2)
        to = copy(to, &item.key)
        if item.is_link:
            to = copy_word(to, b" ->", 3)
        to = copy_word(to, b'":"', 2 + item.is_text)
        to = copy(to, &item.value)
        if item.is_text:
            to = copy_word(to, b'"', 1)
    to[0] = c"}"
    return text
