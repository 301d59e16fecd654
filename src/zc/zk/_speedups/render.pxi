# A node's data into lines of tree text.

# The end of a link's key.
cdef const char *LINK = b" ->"


cdef struct Json:
    # An object that is being read, in ASCII.
    const unsigned char *text
    Py_ssize_t at
    Py_ssize_t key, key_end  # the key before this one


def render_data(str data, str lead, decode):
    """Write a node's data behind and below its name, lines begun by `lead`.

    Return None unless the data are plain: an object laid out as the library does it, with words for
    keys, and not very many. `decode` gets the text of a value that is not plain, and returns its
    literal, or None to make the whole not plain.
    """
    cdef Item items[MAX_PROPERTIES]
    cdef Py_ssize_t count = 0, length = len(data)
    cdef list literals = []  # which items refer to
    cdef str node_type = None
    cdef Json json
    if not PyUnicode_IS_ASCII(data) or not PyUnicode_IS_ASCII(lead):
        return None
    json.text = PyUnicode_1BYTE_DATA(data)
    if length < 2 or json.text[0] != c"{" or json.text[length - 1] != c"}":
        return None
    json.at = 1
    json.key = json.key_end = 0
    while True:
        if count == MAX_PROPERTIES or not read_key(&json, &items[count]):
            return None
        if not read_value(&json, &items[count], data, literals, decode):
            return None
        if is_type_of_node(&items[count]):
            node_type = PyUnicode_Substring(data, items[count].value.start, items[count].value.end)
        else:
            count += 1
        if json.text[json.at] == c"}":
            break
        json.at += 1
    return written(items, count, lead, node_type) if json.at == length - 1 else None


cdef bint read_key(Json *json, Item *item) noexcept:
    """Read a key and its colon."""
    cdef const unsigned char *text = json.text
    cdef Py_ssize_t start = json.at + 1, at = end_of_property(PyUnicode_1BYTE_KIND, text, start)
    if text[json.at] != c'"' or at == start:
        return False
    part_of(&item.key, text, start, at)
    item.is_link = is_here(PyUnicode_1BYTE_KIND, text, at, LINK)
    if item.is_link:
        at += strlen(LINK)
    if text[at] != c'"' or text[at + 1] != c":":
        return False
    # The library sorts keys, and a key that is there twice has lost its first value.
    if json.key_end and not precedes(text, json.key, json.key_end, start, at):
        return False
    json.key, json.key_end = start, at
    json.at = at + 2
    return True


cdef bint read_value(Json *json, Item *item, str data, list literals, decode) except -1:
    """Read a value as text has it."""
    cdef const unsigned char *text = json.text
    cdef Py_ssize_t start = json.at, end = end_of_value(text, start)
    cdef str literal
    if end < 0:
        return False
    json.at = end
    part_of(&item.value, text, start, end)
    item.is_text = not item.is_link and is_plain_string(text, start, end)
    if item.is_link or item.is_text:
        part_of(&item.value, text, start + 1, end - 1)
    if item.is_link:
        return (
            end - start > 2
            and text[start] == c'"'
            and text[end - 1] == c'"'
            and end_of_path(PyUnicode_1BYTE_KIND, text, start + 1) == end - 1
        )
    if is_key(&item.key, b"string_value"):
        return False
    if item.is_text:
        return True
    if text[start] == c'"' and is_key(&item.key, b"type"):
        return False
    literal = translated(&item.value, False)
    if literal is None:
        literal = decode(PyUnicode_Substring(data, start, end))
        if literal is None or not PyUnicode_IS_ASCII(literal):
            return False
    literals.append(literal)
    span_of(&item.value, literal)
    return True


cdef bint is_type_of_node(const Item *item) noexcept:
    """Return whether it is the type, and may stand behind the node's name."""
    cdef const Span *value = &item.value
    if not item.is_text or not is_key(&item.key, b"type"):
        return False
    return value.end > value.start and (
        PyUnicode_READ(value.kind, value.data, value.start) != c" "
        and PyUnicode_READ(value.kind, value.data, value.end - 1) != c" "
    )


cdef str written(const Item *items, Py_ssize_t count, str lead, str node_type):
    """Write the lines of the items, links last, with the type in front of all."""
    cdef Py_ssize_t i, length = 0, lead_length = len(lead)
    cdef const char *lead_text = <const char *>PyUnicode_1BYTE_DATA(lead)
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
                to = copy_word(to, lead_text, lead_length)
                to = copy(to, &item.key)
                to = copy_word(
                    to, b" -> " if is_link else b" = '", 4 if is_link else 3 + item.is_text
                )
                to = copy(to, &item.value)
                if item.is_text:
                    to = copy_word(to, b"'", 1)
    return text


cdef inline void part_of(
    Span *span, const unsigned char *text, Py_ssize_t start, Py_ssize_t end
) noexcept:
    span.kind = PyUnicode_1BYTE_KIND
    span.data = text
    span.start = start
    span.end = end


cdef bint precedes(
    const unsigned char *text, Py_ssize_t a, Py_ssize_t a_end, Py_ssize_t b, Py_ssize_t b_end
) noexcept:
    """Return whether the key at `a` sorts before the one at `b`."""
    while a < a_end and b < b_end:
        if text[a] != text[b]:
            return text[a] < text[b]
        a += 1
        b += 1
    return a == a_end and b < b_end


cdef Py_ssize_t end_of_value(const unsigned char *text, Py_ssize_t at) noexcept:
    """Find the comma or brace behind the value at `at`; -1 if there is none."""
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


cdef bint is_plain_string(const unsigned char *text, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Return whether a value is a string that single quotes have as it is."""
    cdef Py_ssize_t at
    if end - start < 2 or text[start] != c'"' or text[end - 1] != c'"':
        return False
    for at in range(start + 1, end - 1):
        if not is_plain_in_quotes(text[at]):
            return False
    return True
