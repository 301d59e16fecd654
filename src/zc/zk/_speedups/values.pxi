# The values of a node's data into lines, each by its kind; see `render.pxi`.

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
    return write_integer(r) or write_word(r) or write_other(r, room, decode)


cdef inline bint is_its_key(const Rendering *r, const char *word, Py_ssize_t length) noexcept:
    return r.key_end - r.key == length and memcmp(r.text + r.key, word, length) == 0


cdef inline bint write_string(Rendering *r) noexcept:
    """Write a string that single quotes have as it is."""
    cdef const unsigned char *text = r.text
    cdef Py_ssize_t start = r.at + 1, at = start
    cdef unsigned char *to = r.to + 4
    cdef int count
    while at + 2 * BLOCK <= r.length:
        copy_block(to + (at - start), text + at)
        copy_block(to + (at - start) + BLOCK, text + at + BLOCK)
        count = count_plain_in_two(text, at)
        if count < 2 * BLOCK:
            at += count
            break
        at += 2 * BLOCK
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
    cdef Py_ssize_t at = r.at, end
    cdef int digits
    if at + BLOCK <= r.length:
        digits = count_digits(text, at)
        if 0 < digits < BLOCK and is_end_of_value(text[at + digits]) and (text[at] != c"0" or digits == 1):
            copy_block(r.to + 3, text + at)
            r.to += 3 + digits
            r.at = at + digits
            return True
    end = end_of_integer(PyUnicode_1BYTE_KIND, text, at)
    if end == r.at or not is_end_of_value(text[end]):
        return False
    r.to += 3
    for at in range(r.at, end):
        r.to[0] = text[at]
        r.to += 1
    r.at = end
    return True


cdef inline bint write_word(Rendering *r) noexcept:
    """Write one of the words of both languages."""
    cdef const unsigned char *text = r.text + r.at
    cdef Py_ssize_t length = 4
    if r.at + 6 > r.length:
        return False
    if memcmp(text, b"true", 4) == 0:
        memcpy(r.to + 3, b"True", 4)
    elif memcmp(text, b"null", 4) == 0:
        memcpy(r.to + 3, b"None", 4)
    elif memcmp(text, b"false", 5) == 0:
        memcpy(r.to + 3, b"False", 5)
        length = 5
    else:
        return False
    if not is_end_of_value(text[length]):
        return False
    r.to += 3 + length
    r.at += length
    return True


cdef bint write_other(Rendering *r, TextRoom room, decode) except -1:
    """Write any other value by its literal."""
    cdef Translation translation
    cdef Py_ssize_t start = r.at, end
    cdef str literal
    if r.text[start] == c'"' and is_its_key(r, b"type", 4):
        return False
    r.to += 3
    end = start + translate(&translation, PyUnicode_1BYTE_KIND, r.text, start, r.length, False)
    if end > start and is_end_of_value(r.text[end]):
        add_literal(r, room, translation.text, translation.length)
        r.at = end
        return True
    end = end_of_value(r.text, start)
    if end < 0 or not is_ascii(r.text, start, end):
        return False
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
    end = past_path_blocks(text, start, r.length)
    if text[start] != c"/" or text[end] != c'"' or text[end - 1] == c"/":
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
        r.to = copy_of_data(r, link.key, link.key_end)
        r.to = copy_word(r.to, b" -> ", 4)
        r.to = copy_of_data(r, link.path, link.path_end)


cdef inline unsigned char *copy_of_data(const Rendering *r, Py_ssize_t start, Py_ssize_t end) noexcept:
    if end + BLOCK <= r.length:
        return <unsigned char *>copy_blocks(r.to, r.text + start, end - start)
    return copy_word(r.to, <const char *>r.text + start, end - start)


cdef inline void write_type(Rendering *r, unsigned char *start) noexcept:
    """Put the type in front of the lines, which begin at `start`."""
    cdef Py_ssize_t length = r.node_type_end - r.node_type
    if length:
        memmove(start + 3 + length, start, r.to - start)
        copy_word(copy_word(start, b" : ", 3), <const char *>r.text + r.node_type, length)
        r.to += 3 + length
