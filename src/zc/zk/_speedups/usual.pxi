# Lines of the usual properties of an outline, as an export has them: one behind the other in order,
# indented alike, with strings and numbers that JSON has as they are, True, False or None.
#
# Nearly all lines of a long text are such. They are looked at once; what is kept of each, four bytes,
# is enough to write its JSON later.

cdef extern from * nogil:
    """
    /* A line has to be looked at again, or its value is of this kind. */
    enum { TO_BE_LOOKED_AT, USUAL_STRING, USUAL_NUMBER, USUAL_TRUE, USUAL_FALSE, USUAL_NONE, USUAL_LINK };

    /* Longer lines are mostly one value, and not looked through for their end first. */
    #define MAX_USUAL_LINE 512

    typedef struct {
        uint8_t name_length, kind : 7, breaks_order : 1;  /* its name is not behind the one of the line before */
        uint16_t length;           /* without the line feed */
    } outlined_line;

    static inline int is_equals_sign(const char *at) {
        uint32_t four;
        memcpy(&four, at, 4);
        uint32_t sign;
        memcpy(&sign, " = ", 4);
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        return (four ^ sign) >> 8 == 0;
    #else
        return (four ^ sign) << 8 == 0;
    #endif
    }

    /* The end of a line of four blocks and more, as below. */
    static __attribute__((noinline)) Py_ssize_t end_of_longer_line(const char *text, Py_ssize_t at, Py_ssize_t limit) {
        for (int i = 0; i < MAX_USUAL_LINE && at + i < limit; i += 4 * BLOCK) {
            uint64_t feeds = places_in_four(text, at + i, 10);
            if (feeds) return at + i + __builtin_ctzll(feeds);
        }
        return 0;
    }

    /* The end of a line; 0 if it is a long one, or none is before `limit` and four blocks. */
    static inline Py_ssize_t end_of_usual_line(const char *text, Py_ssize_t at, Py_ssize_t limit) {
        uint64_t feeds = places_in_four(text, at, 10);
        return feeds ? at + __builtin_ctzll(feeds) : end_of_longer_line(text, at, limit);
    }

    /* The end of a link's path, two characters behind a dash; 0 if another character follows. */
    static __attribute__((noinline)) Py_ssize_t end_of_usual_link(const char *text, Py_ssize_t at, Py_ssize_t limit) {
        int count;
        do {
            count = count_of_path(text, at);
            at += count;
        } while (count == BLOCK && at < limit);
        return text[at - 1] == '/' ? 0 : at;
    }

    /* The kind of a value up to `end`; TO_BE_LOOKED_AT if it is none of the usual ones, strings and numbers aside. */
    static __attribute__((noinline)) uint8_t kind_of_other(const char *text, Py_ssize_t at, Py_ssize_t end) {
        Py_ssize_t length = end - at;
        if (text[at] == 39) {
            Py_ssize_t past = at + 1;
            while (past + BLOCK < end && count_plain(text, past) == BLOCK) past += BLOCK;
            return past + count_plain(text, past) == end - 1 && text[end - 1] == 39 ? USUAL_STRING : TO_BE_LOOKED_AT;
        }
        if ((unsigned char)(text[at] - '0') < 10)
            return end_of_usual_decimal(text, at) == end ? USUAL_NUMBER : TO_BE_LOOKED_AT;
        if (length == 4 && !memcmp(text + at, "True", 4)) return USUAL_TRUE;
        if (length == 4 && !memcmp(text + at, "None", 4)) return USUAL_NONE;
        return length == 5 && !memcmp(text + at, "False", 5) ? USUAL_FALSE : TO_BE_LOOKED_AT;
    }

    /* The kind of a value up to `end`. Nobody can guess which of the two most usual ones it is: both are looked for. */
    static inline uint8_t kind_of_value(const char *text, Py_ssize_t at, Py_ssize_t end) {
        Py_ssize_t length = end - at;
        unsigned char first = (unsigned char)text[at];
        int is_string = (first == 39) & (count_plain_in_two(text, at + 1) == length - 2) & (text[end - 1] == 39);
        int is_number = (count_digits(text, at) == length) & ((first > '0') | (length == 1));
        uint8_t kind = (uint8_t)(is_string * USUAL_STRING + is_number * USUAL_NUMBER);
        return kind != TO_BE_LOOKED_AT ? kind : kind_of_other(text, at, end);
    }

    /* As the line before a first one: all names sort behind it. */
    static const char SPACES[3 * BLOCK] = "                                                ";

    /* Note lines that go on from `at`, behind the line `last`, which is indented alike; `at` is moved. Behind
       `limit` there are five blocks and the indentation: no line that begins before it has more of the text read.

       Return 0, or where a list or dictionary is, in the last line noted, of which only that is to be looked at.

       The end of a line is looked for first, as the next one begins there: what is between, a processor looks at
       while it is at the next lines already. */
    static Py_ssize_t note_usual_lines(const char *text, const char *last, Py_ssize_t *from, Py_ssize_t limit,
                                       int indent, int is_typed, outlined_line *lines, Names *names) {
        Py_ssize_t at = *from, alike = indent < BLOCK / 2 ? 0 : indent - 1, count = names->count, nested = 0;
        int in_order = names->in_order;
        while (count < MAX_PROPERTIES - 1 && at < limit && !nested) {
            Py_ssize_t end = end_of_usual_line(text, at, limit);
            if (end == 0 || (alike && memcmp(text + at, last, alike))) break;
            Py_ssize_t same = alike + count_same(text + at + alike, last + alike);
            Py_ssize_t name = at + indent;
            int length = count_of_property(text, name);
            Py_ssize_t name_end = name + length;
            if (same < indent || same >= indent + length || length == BLOCK || text[name] <= '9') break;
            int is_behind = (unsigned char)text[at + same] > (unsigned char)last[same];
            uint8_t sign = sign_of_bytes(text, name, name_end);
            if (!(in_order & is_behind) && may_be_there(names, count, sign)) break;
            if (length == 12 && !memcmp(text + name, "string_value", 12)) break;
            if (is_typed && length == 4 && !memcmp(text + name, "type", 4)) break;
            uint8_t kind;
            if (is_equals_sign(text + name_end)) {
                kind = kind_of_value(text, name_end + 3, end);
                if (kind == TO_BE_LOOKED_AT) {
                    if (text[name_end + 3] != '[' && text[name_end + 3] != '{') break;
                    nested = name_end + 3;
                }
            } else {
                if (memcmp(text + name_end, " -> /", 5) || end_of_usual_link(text, name_end + 4, limit) != end) break;
                kind = USUAL_LINK;
            }
            names->signs[count] = sign;
            names->starts[count] = name;
            names->ends[count++] = name_end;
            in_order &= is_behind;
            *lines++ = (outlined_line){(uint8_t)length, kind, !is_behind, (uint16_t)(end - at)};
            last = text + at;
            at = end + 1;
        }
        names->count = count;
        names->in_order = in_order;
        *from = at;
        return nested;
    }
    """
    enum: TO_BE_LOOKED_AT, USUAL_STRING, USUAL_NUMBER, USUAL_TRUE, USUAL_FALSE, USUAL_NONE, USUAL_LINK
    ctypedef struct outlined_line:
        uint8_t name_length, kind, breaks_order
        uint16_t length
    const char *SPACES
    Py_ssize_t note_usual_lines(
        const char *text, const char *last, Py_ssize_t *at, Py_ssize_t limit, int indent, bint is_typed,
        outlined_line *lines, Names *names
    ) noexcept


cdef inline void note_line(outlined_line *noted, const Line *line, bint breaks_order) noexcept nogil:
    """Keep all that its JSON needs of a line of a property."""
    cdef Py_ssize_t length = line.name_end - line.name
    noted.kind = TO_BE_LOOKED_AT
    noted.breaks_order = breaks_order
    if length > 255 or line.end - line.start > 65535:
        return
    noted.name_length = <uint8_t>length
    noted.length = <uint16_t>(line.end - line.start)
    if line.value_kind == STRING:
        noted.kind = USUAL_STRING
    elif line.value_kind == INTEGER:
        noted.kind = USUAL_NUMBER
    elif line.value_kind == SYMBOLIC_LINK:
        noted.kind = USUAL_LINK
    elif line.value_kind == TRUE or line.value_kind == FALSE or line.value_kind == NONE:
        noted.kind = <uint8_t>(<int>USUAL_TRUE + (<int>line.value_kind - <int>TRUE))


cdef bint note_properties(
    InOrder *made, str text, const outlined_line *noted, Py_ssize_t count, Py_ssize_t start, Py_ssize_t end
) except -1:
    """Write so many lines of properties, to be merged; False if another way has to be taken."""
    cdef Line line
    cdef char *to = made.written
    cdef Py_ssize_t i, indent = 0
    look_into(&line, text)
    if end - start > MAX_IN_ORDER or end + 2 * BLOCK > line.length:
        return False
    while (<const char *>line.data)[start + indent] == c" ":
        indent += 1
    made.count = made.second = 0
    line.start = start
    for i in range(count):
        if noted[i].breaks_order:
            if made.second:
                return False
            made.second = i
        made.parts[i] = to
        if noted[i].kind == TO_BE_LOOKED_AT:
            look_as(<const uint8_t *>line.data, &line)
            made.names[i] = line.name
            to = write_property(to, &line)
            if to is NULL:
                return False
            line.start = line.end + 1
        else:
            made.names[i] = line.start + indent
            to = write_noted(to, <const char *>line.data + line.start + indent, &noted[i], indent)
            line.start += noted[i].length + 1
    made.count = count
    made.parts[count] = to
    return is_mergeable(made, <const char *>line.data)


cdef inline char *write_noted(
    char *to, const char *name, const outlined_line *noted, Py_ssize_t indent
) noexcept:
    """Write a comma and a property, whose name is there; return the end."""
    cdef const char *value = name + noted.name_length + 3  # behind the equals sign
    cdef Py_ssize_t length = noted.length - indent - noted.name_length - 3
    cdef const char *word
    memcpy(to, b',"', 2)
    to = <char *>copy_blocks(to + 2, name, noted.name_length)
    if noted.kind == USUAL_STRING or noted.kind == USUAL_NUMBER:
        memcpy(to, b'":', 2)
        to += 2
        copy_block(to, value)
        copy_block(to + BLOCK, value + BLOCK)
        if length > 2 * BLOCK:
            copy_blocks(to + 2 * BLOCK, value + 2 * BLOCK, length - 2 * BLOCK)
        if noted.kind == USUAL_STRING:
            to[0] = to[length - 1] = c'"'
        return to + length
    if noted.kind == USUAL_LINK:
        memcpy(to, b' ->":"', 6)
        to = <char *>copy_blocks(to + 6, value + 1, length - 1)
        to[0] = c'"'
        return to + 1
    memcpy(to, b'":', 2)
    word = JSON_WORDS[<int>noted.kind - <int>USUAL_TRUE]
    memcpy(to + 2, word, strlen(word))
    return to + 2 + strlen(word)
