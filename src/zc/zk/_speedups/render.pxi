# A node's data into lines of tree text, in one go.
#
# Lines are written while the data are looked through, a block of characters at a time, to where there is
# room for all that may come. Data that turn out not to be plain leave nothing behind.

# The end of a link's key, of which the compiler knows the length.
cdef extern from *:
    """
    #define LINK " ->"
    """
    const char *LINK


cdef struct Link:
    # Where key and path are, without sign and quotes.
    Py_ssize_t key, key_end, path, path_end


cdef struct Rendering:
    const unsigned char *text  # the data
    Py_ssize_t at, length
    const char *lead  # with a block behind it
    Py_ssize_t lead_length
    Py_ssize_t most  # characters that these data take at most, but for literals
    unsigned char *to
    Py_ssize_t key, key_end  # of the property, and of the one before it
    Py_ssize_t last_key, last_key_end
    bint is_link
    Py_ssize_t node_type, node_type_end  # the same: none
    Link links[MAX_PROPERTIES]
    Py_ssize_t links_count


def render_data(str data, str lead, decode):
    """Write a node's data behind and below its name, lines begun by `lead`.

    Return None unless the data are plain: an object laid out as the library does it, with words for
    keys, and not very many. `decode` gets the text of a value that is not plain, and returns its
    literal, or None to make the whole not plain.
    """
    cdef TextRoom room = TextRoom()
    cdef str padded
    if not PyUnicode_IS_ASCII(lead):
        return None
    padded = lead + BLOCK * " "
    is_plain = PyUnicode_IS_ASCII(data) and write_data(
        room,
        PyUnicode_1BYTE_DATA(data),
        len(data),
        <const char *>PyUnicode_1BYTE_DATA(padded),
        len(lead),
        decode,
    )
    return room.taken() if is_plain else None


cdef bint write_data(
    TextRoom room,
    const unsigned char *data,
    Py_ssize_t length,
    const char *lead,
    Py_ssize_t lead_length,
    decode,
) except -1:
    """Write the lines of a node's data, links last, with the type in front of all.

    Return False, and leave the text as it is, if the data are not plain: all plain ones are ASCII. There
    is a zero behind the data, and a block of characters behind the lead.
    """
    cdef Rendering r
    cdef Py_ssize_t start = room.length, count = 0
    r.text = data
    if length < 2 or r.text[0] != c"{" or r.text[length - 1] != c"}":
        return False
    r.at = 1
    r.length = length
    r.lead, r.lead_length = lead, lead_length
    # A property has six characters, a comma included, and its line six besides lead, key and value.
    r.most = length + (min(length // 6, MAX_PROPERTIES) + 1) * (lead_length + 6) + BLOCK
    r.to = room.end(r.most)
    r.last_key = r.last_key_end = 0
    r.node_type = r.node_type_end = 0
    r.links_count = 0
    while True:
        if count == MAX_PROPERTIES:
            return False
        r.to = <unsigned char *>copy_blocks(r.to, lead, lead_length)
        if not write_key(&r) or not write_value(&r, room, decode):
            return False
        count += 1
        if r.text[r.at] == c"}":
            break
        r.at += 1
    if r.at != length - 1:
        return False
    write_links(&r)
    write_type(&r, room.characters() + start)
    room.length = r.to - room.characters()
    return True


cdef inline bint write_key(Rendering *r) noexcept:
    """Write a key, and read the colon behind it."""
    cdef const unsigned char *text = r.text
    cdef Py_ssize_t start = r.at + 1, at = start
    cdef int count
    if text[r.at] != c'"' or not is_letter(text[start]):
        return False
    while at + BLOCK <= r.length:
        copy_block(r.to + (at - start), text + at)
        count = count_of_property(text, at)
        if count < BLOCK:
            at += count
            break
        at += BLOCK
    while is_of(text[at], OF_PROPERTY):
        r.to[at - start] = text[at]
        at += 1
    r.to += at - start
    r.key, r.key_end = start, at
    r.is_link = text[at] == c" "
    if r.is_link:
        if not is_here(PyUnicode_1BYTE_KIND, text, at, LINK):
            return False
        at += strlen(LINK)
    if text[at] != c'"' or text[at + 1] != c":":
        return False
    # The library sorts keys, and a key that is there twice has lost its first value.
    if r.last_key_end and not is_after(r, start, at):
        return False
    r.last_key, r.last_key_end = start, at
    r.at = at + 2
    return True


cdef inline bint is_after(const Rendering *r, Py_ssize_t key, Py_ssize_t end) noexcept:
    """Return whether a key, sign included, sorts behind the one before it."""
    cdef Py_ssize_t length = min(end - key, r.last_key_end - r.last_key)
    cdef uint64_t one, other
    if key + 8 <= r.length:
        one = first_bytes(r.text + r.last_key, length)
        other = first_bytes(r.text + key, length)
        if one != other:
            return one < other
    return precedes(r.text, r.last_key, r.last_key_end, key, end)


cdef inline bint write_value(Rendering *r, TextRoom room, decode) except -1:
    """Write a value as text has it, or keep it in mind, if its place is elsewhere."""
    cdef const unsigned char *text = r.text
    if r.is_link:
        return read_link(r)
    if is_its_key(r, b"string_value", 12):
        return False
    memcpy(r.to, b" = '", 4)
    if text[r.at] == c'"':
        return write_string(r) or write_other(r, room, decode)
    return write_integer(r) or write_other(r, room, decode)


cdef inline bint is_its_key(const Rendering *r, const char *word, Py_ssize_t length) noexcept:
    return r.key_end - r.key == length and memcmp(r.text + r.key, word, length) == 0


cdef inline bint write_string(Rendering *r) noexcept:
    """Write a string that single quotes have as it is."""
    cdef const unsigned char *text = r.text
    cdef Py_ssize_t start = r.at + 1, at = start
    cdef unsigned char *to = r.to + 4
    cdef int count
    while at + BLOCK <= r.length:
        copy_block(to + (at - start), text + at)
        count = count_plain(text, at)
        if count < BLOCK:
            at += count
            break
        at += BLOCK
    while is_plain_in_quotes(text[at]):
        to[at - start] = text[at]
        at += 1
    if text[at] != c'"' or not is_end_of_value(text[at + 1]):
        return False
    r.at = at + 1
    if is_its_key(r, b"type", 4) and may_be_type(text, start, at):
        r.node_type, r.node_type_end = start, at
        r.to -= 4 + r.lead_length
        return True
    to[at - start] = c"'"
    r.to = to + (at - start) + 1
    return True


cdef inline bint may_be_type(const unsigned char *text, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Return whether a type may stand behind the node's name."""
    return end > start and text[start] != c" " and text[end - 1] != c" "


cdef inline bint write_integer(Rendering *r) noexcept:
    cdef const unsigned char *text = r.text
    cdef Py_ssize_t at, end = end_of_integer(PyUnicode_1BYTE_KIND, text, r.at)
    if end == r.at or not is_end_of_value(text[end]):
        return False
    r.to += 3
    for at in range(r.at, end):
        r.to[0] = text[at]
        r.to += 1
    r.at = end
    return True


cdef bint write_other(Rendering *r, TextRoom room, decode) except -1:
    """Write any other value by its literal."""
    cdef Translation translation
    cdef Span value
    cdef Py_ssize_t start = r.at, end = end_of_value(r.text, start)
    cdef str literal
    if end < 0 or r.text[start] == c'"' and is_its_key(r, b"type", 4):
        return False
    r.to += 3
    part_of(&value, r.text, start, end)
    if translate(&translation, &value, False):
        add_literal(r, room, translation.text, translation.length)
    elif not is_ascii(r.text, start, end):
        return False
    else:
        literal = decode(PyUnicode_DecodeASCII(<const char *>r.text + start, end - start, NULL))
        if literal is None or not PyUnicode_IS_ASCII(literal):
            return False
        add_literal(r, room, <const char *>PyUnicode_1BYTE_DATA(literal), len(literal))
    r.at = end
    return True


cdef inline bint is_ascii(const unsigned char *text, Py_ssize_t at, Py_ssize_t end) noexcept:
    cdef unsigned char all = 0
    for at in range(at, end):
        all |= text[at]
    return all < 128


cdef int add_literal(
    Rendering *r, TextRoom room, const char *literal, Py_ssize_t length
) except -1:
    """Write a literal, of any length, and have as much room behind it as in front of it."""
    cdef Py_ssize_t written = r.to - room.characters() - room.length
    r.to = room.end(written + length + r.most) + written
    r.to = copy_word(r.to, literal, length)
    return 0


cdef bint read_link(Rendering *r) noexcept:
    """Keep a link in mind, which is written behind all else."""
    cdef const unsigned char *text = r.text
    cdef Link *link = &r.links[r.links_count]
    cdef Py_ssize_t start = r.at + 1, end
    if text[r.at] != c'"':
        return False
    end = end_of_path(PyUnicode_1BYTE_KIND, text, start)
    if end == start or text[end] != c'"' or not is_end_of_value(text[end + 1]):
        return False
    link.key, link.key_end, link.path, link.path_end = r.key, r.key_end, start, end
    r.links_count += 1
    r.to -= link.key_end - link.key + r.lead_length
    r.at = end + 1
    return True


cdef inline void write_links(Rendering *r) noexcept:
    cdef Py_ssize_t i
    cdef const Link *link
    for i in range(r.links_count):
        link = &r.links[i]
        r.to = <unsigned char *>copy_blocks(r.to, r.lead, r.lead_length)
        r.to = copy_word(r.to, <const char *>r.text + link.key, link.key_end - link.key)
        r.to = copy_word(r.to, b" -> ", 4)
        r.to = copy_word(r.to, <const char *>r.text + link.path, link.path_end - link.path)


cdef inline void write_type(Rendering *r, unsigned char *start) noexcept:
    """Put the type in front of the lines, which begin at `start`."""
    cdef Py_ssize_t length = r.node_type_end - r.node_type
    if length:
        memmove(start + 3 + length, start, r.to - start)
        copy_word(copy_word(start, b" : ", 3), <const char *>r.text + r.node_type, length)
        r.to += 3 + length
