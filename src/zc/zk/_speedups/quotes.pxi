# The quotes of a node's data, found before its properties are looked at.
#
# A reader that goes from token to token waits for the end of each before it looks at the next one, and
# guesses at each what it is. Where all quotes are known, the next property is found without either.

cdef extern from *:
    """
    /* Shorter data are read sooner than they are looked through; longer ones are mostly one value. */
    #define MIN_QUOTED 160
    #define MAX_QUOTED 8192

    /* A bit for each character of data; those behind it are 0. */
    typedef struct {
        uint64_t bits[MAX_QUOTED / 64 + 1];
    } quotes;

    /* The quotes among 64 characters; others that are not plain in quotes show in `others`. */
    static inline uint64_t quotes_in_four(const unsigned char *text, characters *others) {
        for (int i = 0; i < 4 * BLOCK; i += BLOCK) {
            characters c = block_at(text, i);
            *others |= (characters)((c - 0x20 > 0x5e) | (c == 39) | (c == 92));
        }
        return places_in_four(text, 0, '"');
    }

    /* Find the quotes; 0 if other characters are there that are not plain in quotes. */
    static int find_quotes(quotes *q, const unsigned char *text, Py_ssize_t length) {
        characters others = {0};
        Py_ssize_t at = 0;
        for (; at + 64 <= length; at += 64) q->bits[at / 64] = quotes_in_four(text + at, &others);
        q->bits[at / 64] = 0;
        if (at < length) {
            q->bits[at / 64] = quotes_in_four(text + length - 64, &others) >> (64 - (length - at));
            q->bits[at / 64 + 1] = 0;
        }
        return count_zeros(others) == BLOCK;
    }

    /* The quotes among 64 characters from `at` on. */
    static inline uint64_t quotes_at(const quotes *q, Py_ssize_t at) {
        const uint64_t *bits = q->bits + at / 64;
        int shift = at % 64;
        return bits[0] >> shift | bits[1] << 1 << (63 - shift);
    }

    static inline int first_place(uint64_t places) { return __builtin_ctzll(places); }
    """
    enum: MIN_QUOTED
    enum: MAX_QUOTED
    ctypedef struct quotes:
        pass
    bint find_quotes(quotes *q, const unsigned char *text, Py_ssize_t length) noexcept
    uint64_t quotes_at(const quotes *q, Py_ssize_t at) noexcept
    int first_place(uint64_t places) noexcept


cdef inline Py_ssize_t write_run(Rendering *r, const quotes *q, Py_ssize_t count) except -1:
    """Write usual properties as far as they go, `count` being written, and return how many are.

    Each has a name of less than a block, a value of up to two blocks unless it is a list or dictionary, and
    another one behind it. Strings and integers are written by the same instructions: what comes is hard to
    guess.
    """
    cdef const unsigned char *text = r.text
    cdef const char *lead = r.lead
    cdef unsigned char *to = r.to
    cdef unsigned char *line
    cdef Py_ssize_t lead_length = r.lead_length, last_start = r.length - 2 * BLOCK
    cdef Py_ssize_t at = r.at, last = r.last_key, last_end = r.last_key_end
    cdef Py_ssize_t key, key_end, value, start, behind, length, name_length
    cdef uint64_t places, is_string
    cdef bint is_nested
    cdef Translation nested
    while count < MAX_PROPERTIES:
        places = quotes_at(q, at)
        if not places & 1:
            break
        places &= places - 1
        if not places:
            break
        key = at + 1
        key_end = at + first_place(places)
        value = key_end + 2
        if key_end - key >= BLOCK or value > last_start or text[key_end + 1] != c":":
            break
        is_string = text[value] == c'"'
        is_nested = text[value] == c"[" or text[value] == c"{"
        start = value + is_string
        if is_nested:
            length = translate(&nested, PyUnicode_1BYTE_KIND, text, value, r.length, False)
            behind = value + length + 1
        else:
            places &= places - 1
            places &= places - is_string
            if not places:
                break
            behind = at + first_place(places) + 2 * is_string  # a quote, if this is a usual property
            length = behind - 1 - is_string - start
            if length > 2 * BLOCK:
                break
        if text[behind - 1] != c",":
            break
        name_length = count_of_property(text, key)
        if not is_letter(text[key]) or not comes_behind(text, last, key, name_length):
            break
        if key + name_length != key_end:
            if not is_string or not keep_link(r, key, name_length, key_end, start, start + length):
                break
        else:
            if has_a_meaning(text, key, name_length):
                break
            line = <unsigned char *>copy_blocks(to, lead, lead_length)
            copy_block(line, text + key)
            line += name_length
            memcpy(line, b" = '", 4)
            line += 3 + is_string
            if is_nested:
                copy_blocks(line, nested.text, nested.length)
                length = nested.length
            elif is_string or is_integer(text, value, length):
                copy_block(line, text + start)
                copy_block(line + BLOCK, text + start + BLOCK)
            else:
                length = write_rarer(line, text, value, length)
                if not length:
                    break
            line[length] = c"'"
            to = line + length + is_string
        at = behind
        last, last_end = key, key_end
        count += 1
    r.at, r.to, r.last_key, r.last_key_end = at, to, last, last_end
    return count


cdef inline bint is_integer(const unsigned char *text, Py_ssize_t at, Py_ssize_t length) noexcept:
    """Return whether so many characters, behind which is no digit, are an integer of less than a block."""
    return (count_digits(text, at) == length) & (0 < length) & (length < BLOCK) & (
        (text[at] != c"0") | (length == 1)
    )


cdef inline Py_ssize_t write_rarer(
    unsigned char *to, const unsigned char *text, Py_ssize_t at, Py_ssize_t length
) noexcept:
    """Write a word or a decimal number of so many characters, and return its length; 0 if it is neither."""
    if length == 4 and memcmp(text + at, b"true", 4) == 0:
        memcpy(to, b"True", 4)
    elif length == 4 and memcmp(text + at, b"null", 4) == 0:
        memcpy(to, b"None", 4)
    elif length == 5 and memcmp(text + at, b"false", 5) == 0:
        memcpy(to, b"False", 5)
    elif end_of_usual_decimal(<const char *>text, at) == at + length:
        copy_block(to, text + at)
        copy_block(to + BLOCK, text + at + BLOCK)
    else:
        return 0
    return length


cdef inline bint keep_link(
    Rendering *r, Py_ssize_t key, Py_ssize_t length, Py_ssize_t end, Py_ssize_t path, Py_ssize_t path_end
) noexcept:
    """Keep a link in mind, as `read_link` does, if it is a usual one."""
    cdef Link *link = &r.links[r.links_count]
    cdef const unsigned char *text = r.text
    if end - key - length != <Py_ssize_t>strlen(LINK) or memcmp(text + key + length, LINK, strlen(LINK)) != 0:
        return False
    if text[path] != c"/" or text[path_end - 1] == c"/" or past_path_blocks(text, path, r.length) != path_end:
        return False
    link.key, link.key_end, link.path, link.path_end = key, key + length, path, path_end
    r.links_count += 1
    return True


cdef inline bint comes_behind(
    const unsigned char *text, Py_ssize_t last, Py_ssize_t key, Py_ssize_t length
) noexcept:
    """Return whether a key of so many characters sorts behind the last one, which is none at 0.

    A quote or the sign of a link is behind a name, and sorts before all characters of one.
    """
    cdef int same = count_same(text + last, text + key)
    return not last or (same < length and text[last + same] < text[key + same])


cdef inline bint has_a_meaning(const unsigned char *text, Py_ssize_t key, Py_ssize_t length) noexcept:
    """Return whether a key, behind which is a block, is `type` or `string_value`."""
    return (length == 4 and memcmp(text + key, b"type", 4) == 0) or (
        length == 12 and memcmp(text + key, b"string_value", 12) == 0
    )
