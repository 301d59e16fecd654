"""The requests in the bytes that a ZooKeeper client sends."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from typing import NamedTuple

# Servers take no request much over 1 MB. A connection that starts with a larger "length" carries a
# four letter word, which has no frame around it.
LONGEST_FRAME = 64 * 1024 * 1024

LENGTH = struct.Struct(">i")
HEADER = struct.Struct(">iii")


class Op(enum.IntEnum):
    """Request types, with the numbers of the ZooKeeper protocol."""

    CREATE = 1
    DELETE = 2
    EXISTS = 3
    GET_DATA = 4
    SET_DATA = 5
    GET_ACL = 6
    SET_ACL = 7
    GET_CHILDREN = 8
    SYNC = 9
    PING = 11
    GET_CHILDREN2 = 12
    CHECK = 13
    MULTI = 14
    CREATE2 = 15
    RECONFIG = 16
    CHECK_WATCHES = 17
    REMOVE_WATCHES = 18
    CREATE_CONTAINER = 19
    CREATE_TTL = 21
    MULTI_READ = 22
    AUTH = 100
    SET_WATCHES = 101
    SASL = 102
    GET_EPHEMERALS = 103
    GET_ALL_CHILDREN_NUMBER = 104
    SET_WATCHES2 = 105
    ADD_WATCH = 106
    WHO_AM_I = 107
    CREATE_SESSION = -10
    CLOSE_SESSION = -11


class Request(NamedTuple):
    """One request: its type, its number within the session, and all of its bytes."""

    op: int
    xid: int
    frame: bytes


class RequestSplitter:
    """Cuts the bytes of one connection, in any pieces, into requests."""

    def __init__(self) -> None:
        self._rest = b""
        self._first = True
        self._framed = True

    def feed(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that are complete. A four letter word has type 0."""
        self._rest += data
        start = 0
        while self._framed and len(self._rest) - start >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._rest, start)
            if length > LONGEST_FRAME:
                self._framed = False
                break
            end = start + LENGTH.size + length
            if len(self._rest) < end:
                break
            frame = self._rest[start:end]
            start = end
            yield self._request(frame)
        self._rest = self._rest[start:]
        if not self._framed and self._rest:
            word, self._rest = self._rest, b""
            yield Request(0, 0, word)

    def _request(self, frame: bytes) -> Request:
        if self._first:
            # The request that opens a session has no header.
            self._first = False
            return Request(Op.CREATE_SESSION, 0, frame)
        _, xid, op = HEADER.unpack_from(frame)
        return Request(op, xid, frame)
