# Numbers: integers, and decimals that Python and JSON write alike.

cdef extern from * nogil:
    """
    #include <pthread.h>

    /* Of a thread that reads a part of a text. A thread-local variable would not do: a thread that uses it first has it
       allocated, and the process is ended if there is no memory. */
    static pthread_key_t without_lock;
    static int knows_without_lock;

    static void prepare_without_lock(void) { knows_without_lock = pthread_key_create(&without_lock, NULL) == 0; }

    static int take_without_lock(int is_without) {
        return knows_without_lock && pthread_setspecific(without_lock, is_without ? &without_lock : NULL) == 0;
    }

    static int is_without_lock(void) { return knows_without_lock && pthread_getspecific(without_lock) != NULL; }
    """
    void prepare_without_lock()
    bint take_without_lock(bint is_without)
    bint is_without_lock()


prepare_without_lock()


cdef inline Py_ssize_t end_of_digits(int kind, const void *data, Py_ssize_t at) noexcept nogil:
    while is_digit(PyUnicode_READ(kind, data, at)):
        at += 1
    return at


cdef inline Py_ssize_t end_of_integer(int kind, const void *data, Py_ssize_t start) noexcept nogil:
    """Find the end of an integer, without zeros in front and not -0."""
    cdef Py_ssize_t digits = start + (PyUnicode_READ(kind, data, start) == c"-")
    cdef Py_ssize_t at = end_of_digits(kind, data, digits)
    if not 0 < at - digits <= MAX_DIGITS or PyUnicode_READ(kind, data, at) == c".":
        return start
    if PyUnicode_READ(kind, data, digits) == c"0" and (at - digits > 1 or digits > start):
        return start
    return at


cdef inline Py_ssize_t end_of_decimal(int kind, const void *data, Py_ssize_t start) noexcept nogil:
    """Find the end of a number with digits on both sides of a point."""
    cdef Py_ssize_t digits = start + (PyUnicode_READ(kind, data, start) == c"-")
    cdef Py_ssize_t point = end_of_digits(kind, data, digits), at
    if not 0 < point - digits <= MAX_DIGITS or PyUnicode_READ(kind, data, point) != c".":
        return start
    at = end_of_digits(kind, data, point + 1)
    return at if 1 < at - point <= MAX_DECIMALS + 1 else start


cdef inline int write_decimal(double number, char *to) except -1 nogil:
    """Write a decimal as both languages do; `to` has room for NUMBER_SIZE."""
    cdef char *text = PyOS_double_to_string(number, c"r", 0, Py_DTSF_ADD_DOT_0, NULL)
    memcpy(to, text, strlen(text) + 1)
    PyMem_Free(text)
    return 0


cdef inline bint is_short_decimal(const char *text) noexcept nogil:
    """Return whether a decimal number is the shortest for its value, as its digits alone tell.

    Doubles tell numbers of up to fifteen digits apart, so that no shorter one has the same value.
    """
    cdef Py_ssize_t length = strlen(text)
    if length > 16 or text[0] == c"-":
        return False
    if text[0] == c"0" and (text[1] != c"." or text[2] == c"0" and length > 3):
        return False  # no number begins so, or perhaps one with an exponent
    return text[length - 1] != c"0" or text[length - 2] == c"."


cdef inline bint is_canonical(const char *text) except -1 nogil:
    """Return whether a decimal number is written as both languages do.

    Without the interpreter's lock, only short ones are known to be.
    """
    cdef char written[NUMBER_SIZE]
    if is_short_decimal(text):
        return True
    if is_without_lock():
        return False
    write_decimal(PyOS_string_to_double(text, NULL, NULL), written)
    return strcmp(text, written) == 0
