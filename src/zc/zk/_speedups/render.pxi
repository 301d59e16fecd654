# A node's data into lines of tree text.

# The end of a link's key, of which the compiler knows the length.
cdef extern from *:
    """
    #define LINK " ->"
    """
    const char *LINK


cdef struct Json:
    # An object that is being read, in ASCII.
    const unsigned char *text
    Py_ssize_t at, length
    Py_ssize_t key, key_end  # the key before this one


cdef struct Contents:
    # A node's data as lines.
    Item items[MAX_PROPERTIES]
    Py_ssize_t count
    Span node_type  # blank: none


def render_data(str data, str lead, decode):
    """Write a node's data behind and below its name, lines begun by `lead`.

    Return None unless the data are plain: an object laid out as the library does it, with words for
    keys, and not very many. `decode` gets the text of a value that is not plain, and returns its
    literal, or None to make the whole not plain.
    """
    cdef Contents contents
    cdef list literals = []
    cdef str text
    if not PyUnicode_IS_ASCII(lead) or not read_data(&contents, data, literals, decode):
        return None
    text = PyUnicode_New(length_of(&contents, len(lead)), 127)
    write_contents(
        <unsigned char *>PyUnicode_1BYTE_DATA(text),
        &contents,
        <const char *>PyUnicode_1BYTE_DATA(lead),
        len(lead),
    )
    return text


cdef bint read_data(Contents *contents, str data, list literals, decode) except -1:
    """Take a node's data apart; False if they are not plain.

    Contents refer to the data, and to the literals that are added to the list.
    """
    cdef Py_ssize_t length = len(data)
    cdef Json json
    cdef Item *item
    if not PyUnicode_IS_ASCII(data):
        return False
    json.text = PyUnicode_1BYTE_DATA(data)
    if length < 2 or json.text[0] != c"{" or json.text[length - 1] != c"}":
        return False
    json.at = 1
    json.length = length
    json.key = json.key_end = 0
    contents.count = 0
    part_of(&contents.node_type, json.text, 0, 0)
    while True:
        if contents.count == MAX_PROPERTIES:
            return False
        item = &contents.items[contents.count]
        if not read_key(&json, item) or not read_value(&json, item, data, literals, decode):
            return False
        if is_type_of_node(item):
            contents.node_type = item.value
        else:
            contents.count += 1
        if json.text[json.at] == c"}":
            return json.at == length - 1
        json.at += 1


cdef bint read_key(Json *json, Item *item) noexcept:
    """Read a key and its colon."""
    cdef const unsigned char *text = json.text
    cdef Py_ssize_t start = json.at + 1
    cdef Py_ssize_t at = end_of_property(PyUnicode_1BYTE_KIND, text, start, json.length)
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
    cdef Py_ssize_t start = json.at, end = end_of_plain_string(json)
    cdef bint is_integer = False
    cdef int word
    cdef str literal
    item.is_text = not item.is_link and end > start
    if end == start:
        end = end_of_integer(PyUnicode_1BYTE_KIND, text, start)
        is_integer = end > start and (text[end] == c"," or text[end] == c"}")
        if not is_integer:
            end = end_of_value(text, start)
    if end < 0:
        return False
    json.at = end
    part_of(&item.value, text, start, end)
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
    if item.is_text or is_integer:
        return True
    if text[start] == c'"' and is_key(&item.key, b"type"):
        return False
    word = find_word(PyUnicode_1BYTE_KIND, text, start, JSON_WORDS)
    if word >= 0 and start + <Py_ssize_t>strlen(JSON_WORDS[word]) == end:
        spell(item, PYTHON_WORDS[word])
        return True
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


cdef Py_ssize_t length_of(const Contents *contents, Py_ssize_t lead_length) noexcept:
    cdef Py_ssize_t i, length = contents.node_type.end - contents.node_type.start
    cdef const Item *item
    if length:
        length += 3
    for i in range(contents.count):
        item = &contents.items[i]
        length += lead_length + item.key.end - item.key.start + item.value.end - item.value.start
        length += 4 if item.is_link else 3 + 2 * item.is_text
    return length


cdef unsigned char *write_contents(
    unsigned char *to, const Contents *contents, const char *lead, Py_ssize_t lead_length
) noexcept:
    """Write the lines of the items, links last, with the type in front of all."""
    cdef Py_ssize_t i
    cdef const Item *item
    cdef bint is_link
    if contents.node_type.end > contents.node_type.start:
        to = copy_word(to, b" : ", 3)
        to = copy(to, &contents.node_type)
    for is_link in range(2):
        for i in range(contents.count):
            item = &contents.items[i]
            if item.is_link == is_link:
                to = copy_word(to, lead, lead_length)
                to = copy(to, &item.key)
                to = copy_word(
                    to, b" -> " if is_link else b" = '", 4 if is_link else 3 + item.is_text
                )
                to = copy(to, &item.value)
                if item.is_text:
                    to = copy_word(to, b"'", 1)
    return to


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


cdef Py_ssize_t end_of_plain_string(const Json *json) noexcept:
    """Find the end of a string, up to a comma or brace, that single quotes have as it is."""
    cdef const unsigned char *text = json.text
    cdef Py_ssize_t start = json.at, at = start + 1
    if text[start] != c'"':
        return start
    at = past_plain_blocks(PyUnicode_1BYTE_KIND, text, at, json.length)
    while is_plain_in_quotes(text[at]):
        at += 1
    if text[at] == c'"' and (text[at + 1] == c"," or text[at + 1] == c"}"):
        return at + 1
    return start
