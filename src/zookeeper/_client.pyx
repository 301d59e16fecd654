# cython: language_level=3, binding=True, embedsignature=True, boundscheck=False, wraparound=False
# cython: auto_pickle=False
"""The C client for Python: handles in, tuples and dicts out, and no opinions.

The parts of this module lie beside it, each a file of one subject, in the order of the includes below.
"""

import _thread
import atexit
import errno
import os
import sys
import threading

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Values
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_Import, PyCapsule_IsValid, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.errno cimport EINTR
from libc.errno cimport errno as last_errno
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset, strlen

from zookeeper._core cimport *

cdef extern from "<netdb.h>":
    int EAI_INTR, EAI_INPROGRESS

cdef extern from "Python.h":
    int PyGC_Disable()
    void PyObject_GC_UnTrack(void *)
    int PyGC_Enable()
    bint PyUnicode_CheckExact(object value)
    bint PyUnicode_IS_ASCII(object text)
    str PyUnicode_FromObject(object text)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *length) except NULL

from zookeeper import constants, errors
from zookeeper import log as log_bridge
from zookeeper.answers import Answers
from zookeeper.hosts import parse as parse_hosts

__all__ = [
    "CompletionQueue", "Subtree", "Znode", "aadd_watch", "aclose", "acreate", "acreate2", "add_auth",
    "add_watch", "adelete", "aexists", "aget", "aget_acl", "aget_acl_many", "aget_all_children_number",
    "aget_children", "aget_children2", "aget_children_many", "aget_config", "aget_ephemerals",
    "aget_many", "amulti", "aread_tree", "areconfig", "aremove_watches", "aset", "aset_acl",
    "async_", "awatch_many", "awhoami", "awrite_many", "check_operations", "client_id", "close",
    "close_many", "connection_fault", "create", "create2", "delete", "deterministic_conn_order",
    "event_thread", "event_thread_busy", "event_zxid", "exists", "get", "get_acl",
    "get_acl_many",
    "get_all_children_number", "get_children", "get_children2", "get_children_many", "get_config",
    "get_ephemerals", "get_many", "init", "is_refused", "is_unrecoverable", "multi", "read_tree",
    "reconfig", "recv_timeout", "remove_watches", "set", "set2", "set_acl", "set_debug_level",
    "set_watcher", "state", "sync", "watch_many", "whoami", "write_count", "write_many",
]

include "_values.pxi"
include "_comparing.pxi"
include "_watchers.pxi"
include "_sasl.pxi"
include "_completing.pxi"
include "_completion_queue.pxi"
include "_handle.pxi"
include "_opening.pxi"
include "_closing.pxi"
include "_session.pxi"
include "_requests.pxi"
include "_answers.pxi"
include "_calls.pxi"
include "_access.pxi"
include "_removals.pxi"
include "_standing.pxi"
include "_inquiries.pxi"
include "_bulk.pxi"
include "_bulk_work.pxi"
include "_operations.pxi"
include "_writes.pxi"
include "_create_rows.pxi"
include "_write_many.pxi"
include "_reads.pxi"
include "_watch_many.pxi"
include "_nesting.pxi"
include "_rows.pxi"
include "_subtrees.pxi"
include "_handing.pxi"
include "_tree_reads.pxi"
