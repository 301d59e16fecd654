# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
"""Text and JSON of the plain kind, which is nearly all there is, read and written quickly.

What is not plain is left to the modules that know all the rules: `zc.zk.codec`, and `parse` and
`render` in `zc.zk.tree`. What is plain comes out here as it would there, and nothing here is an
error: whatever is unusual is not plain.
"""

from cpython.unicode cimport PyUnicode_Substring
from libc.string cimport memcmp, strlen

from zc.zk._compact cimport (
    MOST_DIGITS,
    MOST_ITEMS,
    Item,
    PyUnicode_New,
    Span,
    compact,
    copy,
    copy_word,
    is_letter,
    is_word,
    span_of,
    spell,
    spell_decimal,
    spell_integer,
)
from zc.zk._nested cimport translated

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    bint PyUnicode_CheckExact(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)
    bint PyFloat_CheckExact(object number)
    bint PyLong_CheckExact(object number)

_TOO_LARGE = 10 ** MOST_DIGITS


# JSON into lines


def lines(str data, str lead, decode):
    """What stands below and behind a node's name for its data, each line beginning with `lead`.

    None if the data are not plain: an object that is laid out as the library does it, with words
    for keys, and not very many. `decode` is called with the text of a value that is not plain, and
    returns its literal, or None when the whole is not plain for that.
    """
    if not PyUnicode_IS_ASCII(data) or not PyUnicode_IS_ASCII(lead):
        return None
    cdef const unsigned char *text = PyUnicode_1BYTE_DATA(data)
    cdef Py_ssize_t length = len(data), at = 1, key, key_end, last_key = 0, last_end = 0, start
    cdef Py_ssize_t count = 0
    cdef Item items[MOST_ITEMS]
    cdef Item *item
    cdef list literals = []  # which items refer to
    cdef bint is_type
    cdef str node_type = None, literal
    if length < 2 or text[0] != c"{" or text[length - 1] != c"}":
        return None
    while True:
        if count == MOST_ITEMS or text[at] != c'"' or not is_letter(text[at + 1]):
            return None
        item = &items[count]
        key = at + 1
        at = key + 1
        while is_word(text[at]):
            at += 1
        key_end = at
        item.is_link = text[at] == c" "
        if item.is_link:
            if text[at + 1] != c"-" or text[at + 2] != c">":
                return None
            at += 3
        if text[at] != c'"' or text[at + 1] != c":":
            return None
        # The library sorts keys, and a key that is there twice has lost its first value.
        if last_end and not precedes(text, last_key, last_end, key, at):
            return None
        last_key, last_end = key, at
        start = at + 2
        at = value_end(text, start)
        if at < 0:
            return None
        part_of(&item.key, data, key, key_end)
        part_of(&item.value, data, start, at)
        is_type = not item.is_link and is_word_here(&item.key, b"type")
        item.is_text = text[start] == c'"' and is_plain_string(text, start, at)
        if item.is_link:
            if not is_plain_path(text, start, at):
                return None
            part_of(&item.value, data, start + 1, at - 1)
            count += 1
        elif is_word_here(&item.key, b"string_value"):
            return None
        elif item.is_text:
            part_of(&item.value, data, start + 1, at - 1)
            if is_type and is_trimmed(text, start, at):
                node_type = PyUnicode_Substring(data, start + 1, at - 1)
            else:
                count += 1
        else:
            if is_type and text[start] == c'"':
                return None
            literal = translated(&item.value, False)
            if literal is None:
                literal = decode(PyUnicode_Substring(data, start, at))
                if literal is None or not PyUnicode_IS_ASCII(literal):
                    return None
            literals.append(literal)
            span_of(&item.value, literal)
            count += 1
        if text[at] == c"}":
            break
        at += 1
    return written(items, count, lead, node_type) if at == length - 1 else None


cdef str written(const Item *items, Py_ssize_t count, str lead, str node_type):
    """The lines of the items, links last, with the type in front of all."""
    cdef Py_ssize_t i, length = 0, lead_length = len(lead)
    cdef const unsigned char *lead_text = PyUnicode_1BYTE_DATA(lead)
    cdef unsigned char *to
    cdef const Item *item
    cdef bint is_link
    cdef str text
    for i in range(count):
        item = &items[i]
        length += lead_length + item.key.end - item.key.start + item.value.end - item.value.start
        length += 4 if item.is_link else 3 + 2 * item.is_text
    if node_type is not None:
        length += 3 + len(node_type)
    text = PyUnicode_New(length, 127)
    to = <unsigned char *>PyUnicode_1BYTE_DATA(text)
    if node_type is not None:
        to = copy_word(to, b" : ", 3)
        to = copy_word(to, <const char *>PyUnicode_1BYTE_DATA(node_type), len(node_type))
    for is_link in range(2):
        for i in range(count):
            item = &items[i]
            if item.is_link == is_link:
                to = copy_word(to, <const char *>lead_text, lead_length)
                to = copy(to, &item.key)
                to = copy_word(to, b" -> " if is_link else b" = '", 4 if is_link else 3 + item.is_text)
                to = copy(to, &item.value)
                if item.is_text and not is_link:
                    to = copy_word(to, b"'", 1)
    return text


cdef void part_of(Span *span, str text, Py_ssize_t start, Py_ssize_t end) noexcept:
    span_of(span, text)
    span.start = start
    span.end = end


cdef bint is_word_here(const Span *span, const char *word):
    """Whether the whole of it, of bytes, is this word."""
    cdef Py_ssize_t length = strlen(word)
    return span.end - span.start == length and (
        memcmp(<const char *>span.data + span.start, word, length) == 0
    )


cdef bint precedes(const unsigned char *text, Py_ssize_t a, Py_ssize_t a_end, Py_ssize_t b,
                   Py_ssize_t b_end):
    """Whether the key at `a` sorts before the one at `b`."""
    while a < a_end and b < b_end:
        if text[a] != text[b]:
            return text[a] < text[b]
        a += 1
        b += 1
    return a == a_end and b < b_end


cdef Py_ssize_t value_end(const unsigned char *text, Py_ssize_t at):
    """Where the value at `at` ends: the comma or brace behind it. -1 if there is none."""
    cdef Py_ssize_t depth = 0
    while text[at]:
        if text[at] == c'"':
            at += 1
            while text[at] and text[at] != c'"':
                at += 2 if text[at] == c"\\" and text[at + 1] else 1
            if not text[at]:
                return -1
        elif text[at] == c"[" or text[at] == c"{":
            depth += 1
        elif depth and (text[at] == c"]" or text[at] == c"}"):
            depth -= 1
        elif not depth and (text[at] == c"," or text[at] == c"}"):
            return at
        at += 1
    return -1


cdef bint is_plain_string(const unsigned char *text, Py_ssize_t start, Py_ssize_t end):
    """Whether a JSON string is the same between single quotes in Python."""
    cdef Py_ssize_t at
    if end - start < 2 or text[end - 1] != c'"':
        return False
    for at in range(start + 1, end - 1):
        if not c" " <= text[at] <= c"~" or text[at] in (c'"', c"'", c"\\"):
            return False
    return True


cdef bint is_trimmed(const unsigned char *text, Py_ssize_t start, Py_ssize_t end):
    """Whether a plain string has something in it, and no space at its ends."""
    return end - start > 2 and text[start + 1] != c" " and text[end - 2] != c" "


cdef bint is_plain_path(const unsigned char *text, Py_ssize_t start, Py_ssize_t end):
    """Whether a string is a path, of components that are not blank, that needs no quotes."""
    cdef Py_ssize_t at
    if end - start < 4 or text[start] != c'"' or text[start + 1] != c"/" or text[end - 1] != c'"':
        return False
    for at in range(start + 2, end - 1):
        if text[at] == c"/":
            if text[at - 1] == c"/":
                return False
        elif not is_word(text[at]) and text[at] not in (c".", c"-", c":", c"@", c"%", c"+"):
            return False
    return text[end - 2] != c"/"


# Properties into JSON


def encode(properties):
    """The JSON object for a dictionary, compact, sorted by key; None if it is not plain.

    Plain are one or more properties, not very many, none of them `string_value`, that are strings
    of printable ASCII, numbers that are not very large, True, False or None.
    """
    cdef Item items[MOST_ITEMS]
    cdef Py_ssize_t count = 0
    if type(properties) is not dict or not 0 < len(properties) <= MOST_ITEMS:
        return None
    for key, value in (<dict>properties).items():
        if not PyUnicode_CheckExact(key) or key == "string_value":
            return None
        if not take_item(&items[count], key, value):
            return None
        count += 1
    return compact(items, count)


cdef bint take_item(Item *item, str key, value) except -1:
    """The property as JSON has it; False if it is not plain. Both have to live on meanwhile."""
    span_of(&item.key, key)
    item.is_link = item.is_json = False
    item.is_text = PyUnicode_CheckExact(value)
    if item.is_text:
        span_of(&item.value, value)
    elif value is True:
        spell(item, b"true")
    elif value is False:
        spell(item, b"false")
    elif value is None:
        spell(item, b"null")
    elif PyFloat_CheckExact(value):
        return spell_decimal(item, value)
    elif PyLong_CheckExact(value) and -_TOO_LARGE < value < _TOO_LARGE:
        spell_integer(item, value)
    else:
        return False
    return True
