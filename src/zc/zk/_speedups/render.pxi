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
    cdef quotes q
    cdef bint has_quotes
    cdef Py_ssize_t start = room.length, count = 0
    r.text = data
    if length < 2 or r.text[0] != c"{" or r.text[length - 1] != c"}":
        return False
    r.at = 1
    r.length = length
    r.lead, r.lead_length = lead, lead_length
    # A property has six characters, a comma included, and its line six besides lead, key and value. Spaces
    # in lists and dictionaries are fewer than half of all.
    r.most = length + length // 2 + (min(length // 6, MAX_PROPERTIES) + 1) * (lead_length + 6) + BLOCK
    r.to = room.end(r.most)
    r.last_key = r.last_key_end = 0
    r.node_type = r.node_type_end = 0
    r.links_count = 0
    has_quotes = MIN_QUOTED <= length <= MAX_QUOTED and find_quotes(&q, data, length)
    while True:
        if has_quotes:
            count = write_run(&r, &q, count)
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
