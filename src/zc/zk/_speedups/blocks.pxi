# The plain part of the grammar, many characters at a time; `grammar.pxi` has it for each one.
#
# Each function goes on for as long as there is a block before `end`, and the characters are of its
# kind. The rest is the caller's, which looks at single ones. A processor guesses that a block is all
# of a kind, and goes on with the next one: to add what was counted each time would have it wait.

cdef extern from * nogil:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif

    #define BLOCK 16
    typedef unsigned char characters __attribute__((vector_size(BLOCK)));
    /* Comparisons of signed ones take fewer instructions; those beyond ASCII are negative. */
    typedef signed char numbers __attribute__((vector_size(BLOCK)));

    static inline characters block_at(const void *text, Py_ssize_t at) {
        characters block;
        memcpy(&block, (const char *)text + at, BLOCK);
        return block;
    }

    static inline void copy_block(void *to, const void *text) { memcpy(to, text, BLOCK); }

    /* The first of a text's bytes, `length` or eight of them, as a number that sorts as they do. Eight are there. */
    static inline uint64_t first_bytes(const void *text, Py_ssize_t length) {
        uint64_t bytes;
        memcpy(&bytes, text, 8);
    #if __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
        bytes = __builtin_bswap64(bytes);
    #endif
        return length < 8 ? bytes >> (64 - 8 * length) : bytes;
    }

    /* How many bytes are 0 in front of the first other one; each is 0 or 255. */
    #ifdef __SSE2__
    static inline int count_zeros(characters block) {
        return __builtin_ctz(_mm_movemask_epi8((__m128i)block) | 1 << BLOCK);
    }
    #else
    static inline int count_zeros(characters block) {
        uint64_t halves[2];
        memcpy(halves, &block, BLOCK);
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        if (halves[0]) return __builtin_clzll(halves[0]) / 8;
        return halves[1] ? 8 + __builtin_clzll(halves[1]) / 8 : BLOCK;
    #else
        if (halves[0]) return __builtin_ctzll(halves[0]) / 8;
        return halves[1] ? 8 + __builtin_ctzll(halves[1]) / 8 : BLOCK;
    #endif
    }
    #endif

    static inline characters are_not_plain(characters c) {
        return (characters)((c - 0x20 > 0x5e) | (c == '"') | (c == 39) | (c == 92));
    }

    /* So many characters in front that are as `is_plain_in_quotes` wants them. */
    static inline int count_plain(const void *text, Py_ssize_t at) {
        return count_zeros(are_not_plain(block_at(text, at)));
    }

    /* The same in two blocks, without a guess at whether the first one is all of them. */
    static inline int count_plain_in_two(const void *text, Py_ssize_t at) {
    #ifdef __SSE2__
        unsigned first = _mm_movemask_epi8((__m128i)are_not_plain(block_at(text, at)));
        unsigned second = _mm_movemask_epi8((__m128i)are_not_plain(block_at(text, at + BLOCK)));
        return __builtin_ctzll(first | (uint64_t)second << BLOCK | (uint64_t)1 << 2 * BLOCK);
    #else
        int count = count_plain(text, at);
        return count < BLOCK ? count : BLOCK + count_plain(text, at + BLOCK);
    #endif
    }

    /* The places of a character in four blocks, a bit for each, the lowest for the first. */
    #ifdef __SSE2__
    static inline uint64_t places_in_block(const void *text, Py_ssize_t at, unsigned char c) {
        return (unsigned)_mm_movemask_epi8((__m128i)(block_at(text, at) == c));
    }

    static inline uint64_t places_in_four(const void *text, Py_ssize_t at, unsigned char c) {
        return places_in_block(text, at, c) | places_in_block(text, at + BLOCK, c) << BLOCK
            | places_in_block(text, at + 2 * BLOCK, c) << 2 * BLOCK
            | places_in_block(text, at + 3 * BLOCK, c) << 3 * BLOCK;
    }
    #else
    static inline uint64_t places_in_four(const void *text, Py_ssize_t at, unsigned char c) {
        uint64_t places = 0;
        for (int i = 0; i < 4 * BLOCK; i++)
            places |= (uint64_t)(((const unsigned char *)text)[at + i] == c) << i;
        return places;
    }
    #endif

    static inline int count_blank(const void *text, Py_ssize_t at) {
        return count_zeros((characters)(block_at(text, at) != ' '));
    }

    /* So many that are OF_PROPERTY. */
    static inline int count_of_property(const void *text, Py_ssize_t at) {
        numbers c = (numbers)block_at(text, at), lower = c | 0x20;
        return count_zeros((characters)~(
            ((lower >= 'a') & (lower <= 'z')) | ((c >= '.') & (c <= '9') & (c != '/')) | (c == '_')
        ));
    }

    /* So many that are OF_PATH, or a slash before another character than that. */
    static inline int count_of_path(const void *text, Py_ssize_t at) {
        numbers c = (numbers)block_at(text, at), lower = c | 0x20;
        numbers after = (numbers)block_at(text, at + 1);
        return count_zeros((characters)~(
            (((lower >= 'a') & (lower <= 'z')) | ((c >= '-') & (c <= ':')) | (c == '_') | (c == '@')
             | (c == '+') | (c == '%')) & ~((c == '/') & (after == '/'))
        ));
    }

    static inline int count_digits(const void *text, Py_ssize_t at) {
        return count_zeros((characters)(block_at(text, at) - '0' > 9));
    }

    /* The end of a decimal number; 0 unless JSON is sure to have it as it is, which `is_short_decimal` says more of. */
    static inline Py_ssize_t end_of_usual_decimal(const char *text, Py_ssize_t at) {
        int digits = count_digits(text, at);
        const char *behind = text + at + digits + 1;
        if (text[at + digits] != '.') return 0;
        int decimals = count_digits(behind, 0);
        if (digits == 0 || decimals == 0 || digits + decimals > 15) return 0;
        if (text[at] == '0' && (digits > 1 || (behind[0] == '0' && decimals > 1))) return 0;
        return behind[decimals - 1] != '0' || decimals == 1 ? at + digits + 1 + decimals : 0;
    }

    /* So many before a line feed with a slash behind it. */
    static inline int count_to_top_line(const void *text, Py_ssize_t at) {
        return count_zeros((characters)((block_at(text, at) == '\\n') & (block_at(text, at + 1) == '/')));
    }

    /* Copy characters, and some more up to the end of a block; return the end of those copied. */
    static inline void *copy_blocks(void *to, const void *from, Py_ssize_t count) {
        Py_ssize_t at = 0;
        if (count > 4 * BLOCK)
            memcpy(to, from, count);
        else do
            copy_block((char *)to + at, (const char *)from + at);
        while ((at += BLOCK) < count);
        return (char *)to + count;
    }

    /* So many that are the same in two places. */
    static inline int count_same(const void *one, const void *other) {
        return count_zeros((characters)(block_at(one, 0) != block_at(other, 0)));
    }
    """
    enum: BLOCK
    void copy_block(void *to, const void *text) noexcept
    uint64_t first_bytes(const void *text, Py_ssize_t length) noexcept
    int count_plain(const void *text, Py_ssize_t at) noexcept
    int count_plain_in_two(const void *text, Py_ssize_t at) noexcept
    int count_blank(const void *text, Py_ssize_t at) noexcept
    int count_of_property(const void *text, Py_ssize_t at) noexcept
    int count_of_path(const void *text, Py_ssize_t at) noexcept
    int count_digits(const void *text, Py_ssize_t at) noexcept
    Py_ssize_t end_of_usual_decimal(const char *text, Py_ssize_t at) noexcept
    int count_to_top_line(const void *text, Py_ssize_t at) noexcept
    void *copy_blocks(void *to, const void *start, Py_ssize_t count) noexcept
    int count_same(const void *one, const void *other) noexcept


cdef inline Py_ssize_t past_plain_blocks(
    int kind, const void *data, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """Go on while `is_plain_in_quotes` holds."""
    cdef int count
    if kind == PyUnicode_1BYTE_KIND:
        while at + BLOCK <= end:
            count = count_plain(data, at)
            if count < BLOCK:
                return at + count
            at += BLOCK
    return at


cdef inline Py_ssize_t past_blank_blocks(
    int kind, const void *data, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """Go on over spaces."""
    cdef int count
    if kind == PyUnicode_1BYTE_KIND:
        while at + BLOCK <= end:
            count = count_blank(data, at)
            if count < BLOCK:
                return at + count
            at += BLOCK
    return at


cdef inline Py_ssize_t past_property_blocks(
    int kind, const void *data, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """Go on over characters that are OF_PROPERTY."""
    cdef int count
    if kind == PyUnicode_1BYTE_KIND:
        while at + BLOCK <= end:
            count = count_of_property(data, at)
            if count < BLOCK:
                return at + count
            at += BLOCK
    return at


cdef inline Py_ssize_t past_path_blocks(const void *data, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """Go on over a path's components and single slashes, in text of a byte a character."""
    cdef int count
    while at + BLOCK < end:
        count = count_of_path(data, at)
        if count < BLOCK:
            return at + count
        at += BLOCK
    return at
