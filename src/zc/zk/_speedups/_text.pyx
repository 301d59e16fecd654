# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
"""The extension behind `zc.zk._speedups`, in one C file made of the parts below."""

cimport cython
from cpython.dict cimport PyDict_Contains, PyDict_GetItem, PyDict_SetItem
from cpython.object cimport Py_EQ, PyObject, PyObject_RichCompareBool, PyTypeObject
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_Substring
from libc.stdio cimport snprintf
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strcmp, strlen

from zc.zk.imports import importing

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)
    int PyUnicode_1BYTE_KIND
    bint PyUnicode_IS_ASCII(object text)
    bint PyUnicode_CheckExact(object text)
    Py_UCS4 PyUnicode_READ(int kind, const void *data, Py_ssize_t index) nogil
    Py_ssize_t PyUnicode_FindChar(
        object text, Py_UCS4 c, Py_ssize_t start, Py_ssize_t end, int direction
    ) except -2
    int PyUnicode_Resize(PyObject **text, Py_ssize_t size) except -1
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 highest)
    str PyUnicode_DecodeASCII(const char *text, Py_ssize_t size, const char *errors)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *length) except NULL
    bint PyFloat_CheckExact(object number)
    bint PyLong_CheckExact(object number)
    object PyLong_FromLongLong(long long number)
    int Py_DTSF_ADD_DOT_0

# These need the interpreter's lock, which the functions that call them know of: see `is_canonical`.
cdef extern from "Python.h" nogil:
    double PyOS_string_to_double(const char *text, char **end, PyObject *overflow) except? -1.0
    char *PyOS_double_to_string(
        double value, char format, int precision, int flags, int *kind
    ) except NULL
    void PyMem_Free(void *memory)

# The grammar, and the two languages in which a value is written.
include "blocks.pxi"
include "grammar.pxi"
include "numbers.pxi"
include "encode.pxi"
include "nested.pxi"
# JSON to text.
include "room.pxi"
include "render.pxi"
include "values.pxi"
include "quotes.pxi"
include "noderows.pxi"
include "treetext.pxi"
# Text to nodes, and nodes to JSON.
include "lines.pxi"
include "names.pxi"
include "inorder.pxi"
include "usual.pxi"
include "outline.pxi"
include "reading.pxi"
include "parts.pxi"
include "nodes.pxi"
include "walks.pxi"
include "creations.pxi"
include "read.pxi"
# Servers for keys.
include "rendezvous.pxi"
# The tables of live objects.
include "few.pxi"
