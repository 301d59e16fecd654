# The plain part of tree text and of the JSON of properties: characters, tokens, limits.
#
# `zc.zk.tree.syntax` has the whole grammar of tree text. Here is the part of it in which a
# character means the same wherever it stands, without quotes, escapes or letters of other
# languages. All code of this extension that reads or writes asks these functions, so that both
# agree. tests/pure/test_grammar.py puts each character into each place, with the extension and
# without.
#
# A text is given by the kind and the data of a Python string, and ends with a zero, which belongs
# to no token: all functions stop there at the latest. A function that finds the end of a token
# returns the start if there is none.

# Integers of so many digits fit into 64 bits.
cdef enum: MAX_DIGITS = 17
cdef enum: MAX_DECIMALS = 20
# Room for any number in either language, and a zero behind it.
cdef enum: NUMBER_SIZE = 40
# Characters of a list or dictionary, and how deeply those may be nested.
cdef enum: MAX_NESTED = 400
cdef enum: MAX_DEPTH = 20

cdef extern from * nogil:
    """
    /* Objects with more properties are not plain. */
    #define MAX_PROPERTIES 64

    static const char *const PYTHON_WORDS[] = {"True", "False", "None"};
    static const char *const JSON_WORDS[] = {"true", "false", "null"};
    #define WORDS 3
    """
    enum: MAX_PROPERTIES
    const char *const *PYTHON_WORDS
    const char *const *JSON_WORDS
    enum: WORDS


# Characters


cdef enum:
    LETTER = 1
    DIGIT = 2
    WORD = 4  # of a property's name
    OF_NAME = 8  # of a node's name; a dot must not begin one
    OF_PATH = 16  # of a component of a link's path
    IN_JSON = 32  # as it is between double quotes, in ASCII
    IN_QUOTES = 64  # as it is between Python's single and JSON's double quotes
    OF_PROPERTY = 128  # of a property's name, behind its first letter

# The classes of each character; of those beyond ASCII there are none.
cdef unsigned char CLASSES[256]


cdef unsigned char classes_of(unsigned char c) noexcept nogil:
    cdef bint is_letter = c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c == c"_"
    cdef bint is_digit = c"0" <= c <= c"9"
    cdef bint is_word = is_letter or is_digit
    cdef bint is_of_name = (
        is_word or c == c"." or c == c"@" or c == c"%" or c == c"+" or c == c"-"
    )
    cdef bint is_in_json = c" " <= c <= c"~" and c != c'"' and c != c"\\"
    return (
        LETTER * is_letter
        | DIGIT * is_digit
        | WORD * is_word
        | OF_NAME * is_of_name
        | OF_PATH * (is_of_name or c == c":")
        | IN_JSON * is_in_json
        | IN_QUOTES * (is_in_json and c != c"'")
        | OF_PROPERTY * (is_word or c == c".")
    )


cdef void fill_classes() noexcept nogil:
    cdef unsigned char c
    for c in range(128):
        CLASSES[c] = classes_of(c)


fill_classes()


cdef inline bint is_of(Py_UCS4 c, unsigned char kinds) noexcept nogil:
    return c < 256 and CLASSES[c] & kinds != 0


cdef inline bint is_digit(Py_UCS4 c) noexcept nogil:
    return is_of(c, DIGIT)


cdef inline bint is_letter(Py_UCS4 c) noexcept nogil:
    return is_of(c, LETTER)


cdef inline bint is_word(Py_UCS4 c) noexcept nogil:
    return is_of(c, WORD)


cdef inline bint is_of_name(Py_UCS4 c) noexcept nogil:
    return is_of(c, OF_NAME)


cdef inline bint is_of_path(Py_UCS4 c) noexcept nogil:
    return is_of(c, OF_PATH)


cdef inline bint is_plain_in_json(Py_UCS4 c) noexcept nogil:
    return is_of(c, IN_JSON)


cdef inline bint is_plain_in_quotes(Py_UCS4 c) noexcept nogil:
    return is_of(c, IN_QUOTES)


# Names, paths and words


cdef inline Py_ssize_t end_of_word(int kind, const void *data, Py_ssize_t at) noexcept nogil:
    while is_word(PyUnicode_READ(kind, data, at)):
        at += 1
    return at


cdef inline Py_ssize_t end_of_property(
    int kind, const void *data, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """Find the end of a property's name, a letter, then words and dots, in text up to `end`."""
    if not is_letter(PyUnicode_READ(kind, data, at)):
        return at
    at = past_property_blocks(kind, data, at, end)
    while is_of(PyUnicode_READ(kind, data, at), OF_PROPERTY):
        at += 1
    return at


cdef inline Py_ssize_t end_of_name(int kind, const void *data, Py_ssize_t start) noexcept nogil:
    """Find the end of a node's name, in which a colon is between two others."""
    cdef Py_ssize_t at = start
    cdef Py_UCS4 c = PyUnicode_READ(kind, data, at)
    if c == c".":
        return start
    while is_of_name(c):
        at += 1
        c = PyUnicode_READ(kind, data, at)
        if c == c":" and is_of_name(PyUnicode_READ(kind, data, at + 1)):
            at += 1
            c = PyUnicode_READ(kind, data, at)
    return at


cdef inline Py_ssize_t end_of_path(int kind, const void *data, Py_ssize_t start) noexcept nogil:
    """Find the end of a link's absolute path, of one component at least."""
    cdef Py_ssize_t at = start
    cdef Py_UCS4 c = PyUnicode_READ(kind, data, at)
    while c == c"/":
        at += 1
        c = PyUnicode_READ(kind, data, at)
        if not is_of_path(c):
            return start
        while is_of_path(c):
            at += 1
            c = PyUnicode_READ(kind, data, at)
    return at


cdef inline bint is_here(int kind, const void *data, Py_ssize_t at, const char *word) noexcept nogil:
    """Return whether the text goes on with `word`."""
    cdef Py_ssize_t length = strlen(word), i
    for i in range(length):
        if PyUnicode_READ(kind, data, at + i) != <unsigned char>word[i]:
            return False
    return True


cdef inline bint is_sign_here(int kind, const void *data, Py_ssize_t at) noexcept nogil:
    """Return whether the text goes on with an equals sign between spaces."""
    return (
        PyUnicode_READ(kind, data, at) == c" "
        and PyUnicode_READ(kind, data, at + 1) == c"="
        and PyUnicode_READ(kind, data, at + 2) == c" "
    )


cdef inline int find_word(
    int kind, const void *data, Py_ssize_t at, const char *const *words
) noexcept nogil:
    """Return the index of the word that the text goes on with; -1 for none."""
    cdef int number
    for number in range(WORDS):
        if is_here(kind, data, at, words[number]):
            return number
    return -1


# JSON, in ASCII


cdef inline bint is_end_of_value(unsigned char c) noexcept nogil:
    return c == c"," or c == c"}"


cdef bint precedes(
    const unsigned char *text, Py_ssize_t a, Py_ssize_t a_end, Py_ssize_t b, Py_ssize_t b_end
) noexcept nogil:
    """Return whether the key at `a` sorts before the one at `b`."""
    while a < a_end and b < b_end:
        if text[a] != text[b]:
            return text[a] < text[b]
        a += 1
        b += 1
    return a == a_end and b < b_end


cdef Py_ssize_t end_of_value(const unsigned char *text, Py_ssize_t at) noexcept nogil:
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
