# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
"""Text and JSON of the plain kind, which is nearly all there is, read and written quickly.

What is not plain is left to the modules that know all the rules: `zc.zk.nodedata`, and `parse` and
`render` in `zc.zk.tree`. What is plain comes out here as it would there, and nothing here is an
error: whatever is unusual is not plain.
"""

from cpython.unicode cimport PyUnicode_Substring

from zc.zk._compact cimport (
    MOST_ITEMS,
    Item,
    Span,
    compact,
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

# Numbers of so many digits fit into 64 bits.
_TOO_LARGE = 10 ** 17


# JSON into lines


cdef inline bint is_word(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c"0" <= c <= c"9" or c == c"_"


cdef inline bint is_letter(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c == c"_"


def lines(str data, str lead, decode):
    """What stands below and behind a node's name for its data, each line beginning with `lead`.

    None if the data are not plain: an object that is laid out as the library does it, with words
    for keys. `decode` is called with the text of a value that is not plain, and returns its
    literal, or None when the whole is not plain for that.
    """
    if not PyUnicode_IS_ASCII(data):
        return None
    cdef const unsigned char *text = PyUnicode_1BYTE_DATA(data)
    cdef Py_ssize_t length = len(data), at = 1, key, key_end, last_key = 0, last_end = 0, start
    cdef list values = [], links = []
    cdef bint is_link
    cdef str node_type = None, name, literal
    if length < 2 or text[0] != c"{" or text[length - 1] != c"}":
        return None
    while True:
        if text[at] != c'"' or not is_letter(text[at + 1]):
            return None
        key = at + 1
        at = key + 1
        while is_word(text[at]):
            at += 1
        key_end = at
        is_link = text[at] == c" "
        if is_link:
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
        name = PyUnicode_Substring(data, key, key_end)
        at = value_end(text, start)
        if at < 0:
            return None
        if is_link:
            if not is_plain_path(text, start, at):
                return None
            links += (lead, name, " -> ", PyUnicode_Substring(data, start + 1, at - 1))
        elif name == "string_value":
            return None
        elif text[start] == c'"' and is_plain_string(text, start, at):
            if name == "type" and is_trimmed(text, start, at):
                node_type = PyUnicode_Substring(data, start + 1, at - 1)
            else:
                values += (lead, name, " = '", PyUnicode_Substring(data, start + 1, at - 1), "'")
        else:
            literal = literal_of(data, start, at, decode)
            if literal is None or (name == "type" and text[start] == c'"'):
                return None
            values += (lead, name, " = ", literal)
        if text[at] == c"}":
            break
        at += 1
    if at != length - 1:
        return None
    if node_type is not None:
        values[0:0] = (" : ", node_type)
    return "".join(values + links)


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


cdef str literal_of(str data, Py_ssize_t start, Py_ssize_t end, decode):
    """The Python literal of a JSON value; None if it is not as Python writes JSON."""
    cdef Span value
    cdef str literal
    span_of(&value, data)
    value.start = start
    value.end = end
    literal = translated(&value, False)
    return decode(PyUnicode_Substring(data, start, end)) if literal is None else literal


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
