# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
"""Text and JSON of the plain kind, which is nearly all there is, read and written quickly.

What is not plain is left to the modules that know all the rules: `zc.zk.nodedata`, and `parse` and
`render` in `zc.zk.tree`. What is plain comes out here as it would there, and nothing here is an
error: whatever is unusual is not plain.
"""

from cpython.dict cimport PyDict_Contains, PyDict_GetItem, PyDict_SetItem
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_Substring

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t index)
    bint PyUnicode_IS_ASCII(object text)
    bint PyUnicode_CheckExact(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)
    bint PyLong_CheckExact(object number)
    object PyLong_FromLongLong(long long number)

# Numbers of so many digits fit into 64 bits.
cdef enum: MOST_DIGITS = 17
_TOO_LARGE = 10 ** MOST_DIGITS


# JSON into lines


cdef inline bint is_word(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c"0" <= c <= c"9" or c == c"_"


cdef inline bint is_letter(Py_UCS4 c):
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c == c"_"


cdef inline bint is_digit(Py_UCS4 c):
    return c"0" <= c <= c"9"


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
            literal = literal_of(data, text, start, at, decode)
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


cdef str literal_of(str data, const unsigned char *text, Py_ssize_t start, Py_ssize_t end, decode):
    """The Python literal of a JSON value; None if it is not as Python writes JSON."""
    cdef Py_ssize_t digits = start + (text[start] == c"-"), at
    cdef str value = PyUnicode_Substring(data, start, end)
    if value == "true":
        return "True"
    if value == "false":
        return "False"
    if value == "null":
        return "None"
    if is_digit(text[digits]) and end - digits <= MOST_DIGITS:
        for at in range(digits, end):
            if not is_digit(text[at]):
                return decode(value)
        if text[digits] != c"0" or (end - digits == 1 and digits == start):
            return value
    return decode(value)


# Properties into JSON


cdef inline bint needs_no_escape(str text):
    cdef const unsigned char *characters
    cdef Py_ssize_t at
    if not PyUnicode_IS_ASCII(text):
        return False
    characters = PyUnicode_1BYTE_DATA(text)
    for at in range(len(text)):
        if not c" " <= characters[at] <= c"~" or characters[at] in (c'"', c"\\"):
            return False
    return True


def encode(properties):
    """The JSON object for a dictionary, compact, sorted by key; None if it is not plain.

    Plain are one or more properties, none of them `string_value`, that are strings of printable
    ASCII, integers, True, False or None.
    """
    cdef list pieces = []
    cdef str separator = '{"'
    if type(properties) is not dict or not properties or "string_value" in properties:
        return None
    try:
        keys = sorted(properties)
    except TypeError:
        return None
    for key in keys:
        if not PyUnicode_CheckExact(key) or not needs_no_escape(key):
            return None
        value = properties[key]
        if PyUnicode_CheckExact(value):
            if not needs_no_escape(value):
                return None
            pieces += (separator, key, '":"', value)
            separator = '","'
            continue
        if value is True:
            value = "true"
        elif value is False:
            value = "false"
        elif value is None:
            value = "null"
        elif PyLong_CheckExact(value) and -_TOO_LARGE < value < _TOO_LARGE:
            value = str(value)
        else:
            return None
        pieces += (separator, key, '":', value)
        separator = ',"'
    pieces.append('"}' if separator == '","' else "}")
    return "".join(pieces)


# Lines into nodes


def read_lines(str text, parser):
    """Read plain lines of tree text, from `parser.position` up to one that is not plain.

    They become nodes and properties as `parser` makes them, which is a `zc.zk.tree.parse._Parser`.
    Its `position` and `number` are then those of the line that comes next, or of the one that an
    exception is about.
    """
    cdef Line line
    cdef Owner owner = Owner(parser)
    cdef Py_ssize_t number = parser.number
    cdef str key
    line.kind = PyUnicode_KIND(text)
    line.data = PyUnicode_DATA(text)
    line.length = len(text)
    line.start = parser.position
    try:
        while line.start < line.length and look(&line):
            if not owner.is_of(&line):
                owner.find(PyUnicode_Substring(text, line.start, line.content))
            key = PyUnicode_Substring(text, line.name, line.name_end)
            if line.value_kind == NODE:
                parser.newest = owner.add_node(key, None)
            elif line.value_kind == TYPED_NODE:
                parser.newest = owner.add_node(key, value_of(text, &line))
            else:
                parser.newest = None
                if line.value_kind == SYMBOLIC_LINK:
                    key += " ->"
                owner.set_property(key, value_of(text, &line))
            line.start = line.end + 1
            number += 1
    finally:
        parser.position = line.start
        parser.number = number


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


cdef class Owner:
    """The node that lines with some indentation belong to, which is `node` of the parser."""

    cdef object parser, node, root, node_class, properties
    cdef dict names
    cdef bint takes_properties
    cdef Py_ssize_t indent
    cdef Py_UCS4 white

    def __init__(self, parser):
        self.parser = parser
        self.names = parser.names
        self.root = parser.root
        self.node_class = parser.node_class
        self.take(parser.node, parser.indent)

    cdef int take(self, node, str indent) except -1:
        self.node = node
        self.properties = node.properties
        self.takes_properties = (
            node is not self.root and node.raw is None and type(self.properties) is dict
        )
        self.white = indent[0] if indent else c" "
        # One that begins with spaces and goes on with tabs, or is not known yet, is like no other.
        self.indent = -1 if indent is None or indent.strip(self.white) else len(indent)
        return 0

    cdef bint is_of(self, Line *line):
        return line.content - line.start == self.indent and (
            not self.indent or character(line, line.start) == self.white
        )

    cdef int find(self, str indent) except -1:
        """Go to the node that lines indented by `indent` belong to, as `parser.find_owner` does."""
        cdef list outer = self.parser.outer
        cdef Py_ssize_t level = len(outer)
        while level and (<tuple>outer[level - 1])[1] != indent:
            level -= 1
        if level:
            self.parser.node, self.parser.indent = outer[level - 1]
            del outer[level - 1:]
        else:
            self.parser.find_owner(indent)
        return self.take(self.parser.node, indent)

    cdef object add_node(self, str name, str node_type):
        if name in self.node.children:
            return self.parser.add_node(name, node_type)  # which says what is wrong
        node = self.node_class(name)
        if node_type is not None:
            node.properties["type"] = node_type
        self.node.add(node)
        return node

    cdef int set_property(self, str key, value) except -1:
        cdef PyObject *known = PyDict_GetItem(self.names, key)
        # Equal names become one string: a tree has few of them, each many times.
        if known is NULL:
            PyDict_SetItem(self.names, key, key)
        else:
            key = <str>known
        if self.takes_properties and not PyDict_Contains(self.properties, key):
            PyDict_SetItem(self.properties, key, value)
        else:
            self.parser.set_property(key, value)
        return 0


cdef inline Py_UCS4 character(Line *line, Py_ssize_t at):
    """The character there; a line feed behind the end of the text."""
    return PyUnicode_READ(line.kind, line.data, at) if at < line.length else c"\n"


cdef bint look(Line *line):
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
        return look_at_value(line) and character(line, line.end) == c"\n"
    if character(line, at) == c" " and character(line, at + 1) == c"-" and (
        character(line, at + 2) == c">" and character(line, at + 3) == c" "
    ):
        line.value_kind = SYMBOLIC_LINK
        line.value = at + 4
        line.value_end = line.end = end_of_path(line, line.value)
        return line.value_end > line.value and character(line, line.end) == c"\n"
    return False


cdef bint look_at_value(Line *line):
    cdef Py_ssize_t at = line.value
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


cdef object value_of(str text, Line *line):
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
