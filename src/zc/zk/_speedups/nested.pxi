# Plain lists and dictionaries: from compact JSON to Python's way of writing them, and back.
#
# Both languages write the same with other quotes, words and spaces, so no value has to be made in
# between. Objects are plain only if they are sorted by key, and numbers if both write them alike.
#
# Tokens are copied by whole blocks while they are looked at. The end of a text, and text of more than a
# byte a character, are first copied to where zeros follow: a zero ends all that is plain.

cdef enum:
    # JSON gets longer: a comma or colon, which is not the half of it, gets a space behind it.
    TRANSLATION_SIZE = 2 * MAX_NESTED
    # A token is looked at by so many characters at once: a number has as many on both sides of its point.
    LOOKAHEAD = 3 * BLOCK


cdef struct Translation:
    bint is_python  # the source is, the translation is JSON then
    Py_ssize_t length
    # Characters go beyond the limit by those of a token at most.
    char text[TRANSLATION_SIZE + 4 * LOOKAHEAD]
    # The source: from `start` on, up to a zero at `end`. Blocks can be looked at from `last` at the latest.
    const char *start
    const char *end
    const char *last
    const char *end_of_value
    Py_ssize_t before  # characters in front of `start`, if the rest was copied to `rest`
    char rest[MAX_NESTED + 2 * LOOKAHEAD]


cdef Py_ssize_t translate(
    Translation *t, int kind, const void *data, Py_ssize_t start, Py_ssize_t end_of_text, bint is_python
) except -1 nogil:
    """Translate the value that begins at `start`, and return its length; 0 if there is no plain one.

    There is a zero behind the text.
    """
    cdef Py_ssize_t length
    t.is_python = is_python
    t.before = 0
    if kind == PyUnicode_1BYTE_KIND:
        t.start = <const char *>data + start
        t.end = <const char *>data + end_of_text
        t.last = t.start + min(end_of_text - start - LOOKAHEAD, MAX_NESTED)
    else:
        narrow(t, kind, data, start, end_of_text)
    if not translate_value(t):
        return 0
    length = t.before + (t.end_of_value - t.start)
    return length if length <= MAX_NESTED else 0


cdef void narrow(
    Translation *t, int kind, const void *data, Py_ssize_t start, Py_ssize_t end_of_text
) noexcept nogil:
    """Copy what may be plain of a text of more than a byte a character."""
    cdef Py_ssize_t at = 0, most = min(end_of_text - start, MAX_NESTED + 1)
    cdef Py_UCS4 c
    memset(t.rest, 0, sizeof(t.rest))
    while at < most:
        c = PyUnicode_READ(kind, data, start + at)
        if c > 126:
            break
        t.rest[at] = <char>c
        at += 1
    t.start = t.rest
    t.end = t.last = t.rest + at


cdef const char *to_rest(Translation *t, const char *at) noexcept nogil:
    """Copy the rest of the source, and return where it is now; NULL if the value is too long."""
    cdef Py_ssize_t length = t.end - at
    t.before += at - t.start
    if t.before > MAX_NESTED or t.end == t.last or length >= LOOKAHEAD:
        return NULL
    memset(t.rest, 0, 2 * LOOKAHEAD)
    memcpy(t.rest, at, length)
    t.start = t.rest
    t.end = t.last = t.rest + length
    return t.rest


cdef bint translate_value(Translation *t) except -1 nogil:
    """Translate what begins at `start`, and note where it ends; False if it is not plain."""
    cdef char closings[MAX_DEPTH]
    cdef const char *keys[MAX_DEPTH]  # the last one of each open dictionary
    cdef char quote = c"'" if t.is_python else c'"'  # around strings of the source
    cdef const char *at = t.start
    cdef char *to = t.text
    cdef int depth = 0, digits
    while True:
        # A value begins here.
        if at > t.last:
            at = to_rest(t, at)
            if at is NULL:
                return False
        digits = count_digits(at, 0)
        if digits:
            if digits == BLOCK or at[digits] == c"." or (at[0] == c"0" and digits > 1):
                if not translate_number(t, &at, &to):
                    return False
            else:
                copy_block(to, at)
                at += digits
                to += digits
        elif at[0] == quote:
            if not translate_string(t, &at, &to):
                return False
        elif at[0] == c"[" or at[0] == c"{":
            if depth == MAX_DEPTH:
                return False
            to[0] = at[0]
            closings[depth] = at[0] + 2  # in ASCII
            keys[depth] = NULL
            depth += 1
            at += 1
            to += 1
            if at[0] != closings[depth - 1]:
                if closings[depth - 1] == c"}" and not translate_key(t, &at, &to, &keys[depth - 1]):
                    return False
                continue
        elif not translate_word(t, &at, &to) and not translate_number(t, &at, &to):
            return False
        # It has ended.
        while depth and at[0] == closings[depth - 1]:
            to[0] = at[0]
            at += 1
            to += 1
            depth -= 1
        if not depth:
            t.length = to - t.text
            t.end_of_value = at
            return True
        if not translate_sign(t, c",", &at, &to):
            return False
        if closings[depth - 1] == c"}" and not translate_key(t, &at, &to, &keys[depth - 1]):
            return False


cdef inline bint translate_key(
    Translation *t, const char **at, char **to, const char **last
) noexcept nogil:
    """Translate a key, which sorts behind the last one, if there is one, and the colon behind it."""
    cdef char quote = c"'" if t.is_python else c'"'
    cdef const char *key
    if at[0] > t.last:
        at[0] = to_rest(t, at[0])
        if at[0] is NULL:
            return False
    key = at[0] + 1
    if at[0][0] != quote or not translate_string(t, at, to):
        return False
    if last[0] is not NULL and not is_sorted(last[0], key, quote):
        return False
    last[0] = key
    return translate_sign(t, c":", at, to)


cdef inline bint is_sorted(const char *key, const char *other, char quote) noexcept nogil:
    """Return whether a string sorts before another one; quotes end both, which are ASCII."""
    cdef Py_ssize_t i = 0
    while key[i] == other[i] and key[i] != quote:
        i += 1
    return other[i] != quote and (key[i] == quote or key[i] < other[i])


cdef inline bint translate_sign(Translation *t, char sign, const char **at, char **to) noexcept nogil:
    if at[0][0] != sign:
        return False
    at[0] += 1
    to[0][0] = sign
    to[0][1] = c" "
    if t.is_python:
        to[0] += 1
        while at[0][0] == c" ":
            at[0] += 1
    else:
        to[0] += 2
    return True


cdef inline bint translate_string(Translation *t, const char **from_, char **to_) noexcept nogil:
    """Translate the string that begins with the quote that is there."""
    cdef char quote = from_[0][0]
    cdef char other = c'"' if t.is_python else c"'"
    cdef const char *at = from_[0] + 1
    cdef char *to = to_[0] + 1
    cdef int count
    to_[0][0] = other
    while True:
        copy_block(to, at)
        copy_block(to + BLOCK, at + BLOCK)
        count = count_plain_in_two(at, 0)
        at += count
        to += count
        if count < 2 * BLOCK:
            break
        if at > t.last:
            at = to_rest(t, at)
            if at is NULL:
                return False
    to[0] = other
    from_[0] = at + 1
    to_[0] = to + 1
    return at[0] == quote


cdef bint translate_number(Translation *t, const char **from_, char **to) except -1 nogil:
    """Translate any number: a negative one, a decimal, one of many digits."""
    cdef char text[NUMBER_SIZE]
    cdef const char *at = from_[0]
    cdef Py_ssize_t length = end_of_usual_decimal(at, 0)
    cdef bint is_decimal = False
    if not length:
        length = end_of_integer(PyUnicode_1BYTE_KIND, at, 0)
        if not length:
            length = end_of_decimal(PyUnicode_1BYTE_KIND, at, 0)
            is_decimal = True
        if not length:
            return False
    memcpy(text, at, length)
    text[length] = 0
    if is_decimal and not is_canonical(text):
        return False
    memcpy(to[0], text, length)
    to[0] += length
    from_[0] = at + length
    return True


cdef inline bint translate_word(Translation *t, const char **at, char **to) noexcept nogil:
    cdef const char *const *words = PYTHON_WORDS if t.is_python else JSON_WORDS
    cdef const char *const *others = JSON_WORDS if t.is_python else PYTHON_WORDS
    cdef int number = find_word(PyUnicode_1BYTE_KIND, at[0], 0, words)
    cdef Py_ssize_t length
    if number < 0:
        return False
    length = strlen(words[number])
    memcpy(to[0], others[number], length)
    at[0] += length
    to[0] += length
    return True
