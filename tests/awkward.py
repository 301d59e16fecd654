"""Servers that are old, incomplete or badly configured.

A proxy makes them of a good one:

    proxy.on_request = awkward(hang_up_at(Op.SET_WATCHES), forget_sessions)
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.tcpproxy import OnRequest
from tests.wireframes import LENGTH, Op, Request

# An operation that no server knows: the answer is UNIMPLEMENTED (-6).
NO_OP = 9999

# The offset of the session's number in the frame that asks for it: after length, version, zxid
# seen and timeout.
SESSION_OFFSET = 4 + 4 + 8 + 4
SESSION = struct.Struct(">q")
PASSWORD_OFFSET = SESSION_OFFSET + SESSION.size + LENGTH.size

Habit = Callable[[Request], "bool | bytes"]


def awkward(*habits: Habit) -> OnRequest:
    """Give a server all of these habits; the first that is not True decides."""

    def on_request(request: Request) -> bool | bytes:
        for habit in habits:
            verdict = habit(request)
            if verdict is not True:
                return verdict
        return True

    return on_request


def hang_up_at(op: int) -> Habit:
    """Hang up at an operation, as older servers do when they do not know it."""
    return lambda request: request.op != op


def deny(op: int) -> Habit:
    """Answer an operation with UNIMPLEMENTED, in its turn."""

    def habit(request: Request) -> bool | bytes:
        if request.op != op:
            return True
        head = struct.pack(">iii", 8, request.xid, NO_OP)
        return head

    return habit


def never_answer(op: int) -> Habit:
    """Leave an operation without an answer, and answer all others."""
    return lambda request: request.op != op or b""


def answer_pings_only(request: Request) -> bool | bytes:
    """Open sessions, and then answer nothing but pings."""
    return True if request.op in (Op.CREATE_SESSION, Op.PING) else b""


def limit_requests_to(size: int) -> Habit:
    """Hang up at requests over so many bytes, as servers do at jute.maxbuffer."""
    return lambda request: len(request.frame) - LENGTH.size <= size


def forget_sessions(request: Request) -> bool | bytes:
    """Know no session that is resumed: it has expired, and the client is told."""
    return _with_session(request, 1)


def give_new_sessions(request: Request) -> bool | bytes:
    """Give a new session, without a word, to a client that resumes an old one."""
    return _with_session(request, 0)


def _with_session(request: Request, session: int) -> bool | bytes:
    if request.op != Op.CREATE_SESSION:
        return True
    frame = bytearray(request.frame)
    if SESSION.unpack_from(frame, SESSION_OFFSET) != (0,):
        SESSION.pack_into(frame, SESSION_OFFSET, session)
    return bytes(frame)
