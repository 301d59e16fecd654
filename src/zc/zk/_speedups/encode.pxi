# Properties as JSON: compact, ASCII, sorted by key, each character as it is.

cdef struct Span:
    # A part of a text.
    int kind
    const void *data
    Py_ssize_t start, end


cdef struct Item:
    Span key, value
    bint is_link  # " ->" follows the key
    bint is_text  # the value is a string
    bint is_plain  # JSON has key and value as they are
    char spelled[NUMBER_SIZE]  # what the value is, where it is not copied


cdef inline void span_of(Span *span, str text) noexcept:
    span.kind = PyUnicode_KIND(text)
    span.data = PyUnicode_DATA(text)
    span.start = 0
    span.end = len(text)


cdef inline void part_of(
    Span *span, const unsigned char *text, Py_ssize_t start, Py_ssize_t end
) noexcept:
    span.kind = PyUnicode_1BYTE_KIND
    span.data = text
    span.start = start
    span.end = end


cdef inline bint is_key(const Span *span, const char *word) noexcept:
    """Return whether `word` is all of the span's text."""
    return span.end - span.start == <Py_ssize_t>strlen(word) and is_here(
        span.kind, span.data, span.start, word
    )


cdef inline void spell(Item *item, const char *word) noexcept:
    """Take `word` for a value; it must live as long as the item."""
    item.value.kind = PyUnicode_1BYTE_KIND
    item.value.data = word
    item.value.start = 0
    item.value.end = strlen(word)


cdef inline void spell_integer(Item *item, long long number) noexcept:
    snprintf(item.spelled, NUMBER_SIZE, "%lld", number)
    spell(item, item.spelled)


cdef inline bint spell_decimal(Item *item, double number) except -1:
    """Take the shortest decimal for `number`; False if JSON has none for it."""
    if number - number != 0:
        return False  # an infinity, or no number
    write_decimal(number, item.spelled)
    spell(item, item.spelled)
    return True


cdef inline bint decimal_of(Item *item) except -1:
    """Rewrite the value, a decimal number, as both languages do."""
    cdef Py_ssize_t length = item.value.end - item.value.start, at
    if length >= NUMBER_SIZE:
        return False
    for at in range(length):
        item.spelled[at] = <char>PyUnicode_READ(
            item.value.kind, item.value.data, item.value.start + at
        )
    item.spelled[length] = 0
    if is_short_decimal(item.spelled):
        spell(item, item.spelled)
        return True
    return spell_decimal(item, PyOS_string_to_double(item.spelled, NULL, NULL))


cdef inline bint is_plain(const Span *span) noexcept:
    """Return whether JSON has the text as it is."""
    cdef Py_ssize_t at = past_plain_blocks(span.kind, span.data, span.start, span.end)
    for at in range(at, span.end):
        if not is_plain_in_json(PyUnicode_READ(span.kind, span.data, at)):
            return False
    return True


cdef inline Py_UCS4 key_character(Item *item, Py_ssize_t at) noexcept:
    """Return a character of the key, link sign included; 0 behind its end."""
    cdef Py_ssize_t beyond = item.key.start + at - item.key.end
    if beyond < 0:
        return PyUnicode_READ(item.key.kind, item.key.data, item.key.start + at)
    return b" ->"[beyond] if item.is_link and beyond < 3 else 0


cdef inline bint comes_before(Item *item, Item *other) noexcept:
    cdef Py_ssize_t at = 0
    cdef Py_UCS4 c = key_character(item, 0)
    cdef int order
    if item.key.kind == PyUnicode_1BYTE_KIND and other.key.kind == PyUnicode_1BYTE_KIND:
        at = min(item.key.end - item.key.start, other.key.end - other.key.start)
        order = memcmp(
            <const char *>item.key.data + item.key.start,
            <const char *>other.key.data + other.key.start,
            at,
        )
        if order:
            return order < 0
        c = key_character(item, at)
    while c and c == key_character(other, at):
        at += 1
        c = key_character(item, at)
    return c < key_character(other, at)


cdef inline unsigned char *copy(unsigned char *to, const Span *span) noexcept:
    cdef Py_ssize_t at, length = span.end - span.start
    if span.kind == PyUnicode_1BYTE_KIND:
        memcpy(to, <const char *>span.data + span.start, length)
    else:
        for at in range(length):
            to[at] = <unsigned char>PyUnicode_READ(span.kind, span.data, span.start + at)
    return to + length


cdef inline unsigned char *copy_word(
    unsigned char *to, const char *word, Py_ssize_t length
) noexcept:
    memcpy(to, word, length)
    return to + length


cdef inline str compact(Item *items, Py_ssize_t count):
    """Write items as a JSON object; None if a character needs an escape."""
    cdef unsigned char order[MAX_PROPERTIES]
    cdef Py_ssize_t i, j, length = 1
    cdef unsigned char *to
    cdef Item *item
    cdef str text
    for i in range(count):
        item = &items[i]
        if not item.is_plain:
            return None
        # Two quotes, a colon, and a comma or the last brace, besides key and value.
        length += item.key.end - item.key.start + item.value.end - item.value.start + 4
        length += 3 * item.is_link + 2 * item.is_text
        # An insertion sort: exported text has them in order already, but for links.
        j = i
        while j and comes_before(item, &items[order[j - 1]]):
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
        # The last of the three gives way to a value that is not a string.
        to = copy_word(to, b'":"', 3) - (not item.is_text)
        to = copy(to, &item.value)
        if item.is_text:
            to = copy_word(to, b'"', 1)
    to[0] = c"}"
    return text


_TOO_LARGE = 10 ** MAX_DIGITS


def encode(properties):
    """Write a dictionary as compact, sorted JSON; None if it is not plain.

    Properties are plain when there are some, not very many, none of them `string_value`, and all
    are strings of printable ASCII, numbers that are not very large, True, False or None.
    """
    cdef Item items[MAX_PROPERTIES]
    cdef Py_ssize_t count = 0
    if type(properties) is not dict or not 0 < len(properties) <= MAX_PROPERTIES:
        return None
    for key, value in (<dict>properties).items():
        if not PyUnicode_CheckExact(key) or key == "string_value":
            return None
        if not take_property(&items[count], key, value):
            return None
        count += 1
    return compact(items, count)


cdef bint take_property(Item *item, str key, value) except -1:
    """Take a property, whose objects must live on; False if it is not plain."""
    span_of(&item.key, key)
    item.is_plain = is_plain(&item.key)
    item.is_link = False
    item.is_text = PyUnicode_CheckExact(value)
    if item.is_text:
        span_of(&item.value, value)
        item.is_plain = item.is_plain and is_plain(&item.value)
    elif value is True:
        spell(item, JSON_WORDS[0])
    elif value is False:
        spell(item, JSON_WORDS[1])
    elif value is None:
        spell(item, JSON_WORDS[2])
    elif PyFloat_CheckExact(value):
        return spell_decimal(item, value)
    elif PyLong_CheckExact(value) and -_TOO_LARGE < value < _TOO_LARGE:
        spell_integer(item, value)
    else:
        return False
    return True
