"""A server that says on purpose what no ZooKeeper server says.

It knows enough of the protocol to open a session and to give each request an answer that its client
can read. A `Scenario` corrupts these answers: `tests/hostile_scenarios.py` has more than a hundred.
All servers run in one thread, so that its share of the process's time can be measured apart from
the client's.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.ports import LOOPBACK
from tests.testing import protocol as p
from tests.wireframes import Op, Request, RequestSplitter

SESSION = 0x5CAFE
PASSWORD = b"p" * 16
STAT = p.STAT.pack(*range(1, 12))


class End:
    """The end of the connection, in the place of bytes to be sent."""

    def __init__(self, reset: bool = False) -> None:
        self.reset = reset


HANG_UP = End()
RESET = End(reset=True)

# The pieces of an answer, which are sent one by one.
Pieces = Sequence[bytes | End]


def header(xid: int, error: int = 0, zxid: int = 7) -> bytes:
    return struct.pack(">iqi", xid, zxid, error)


def event(kind: int = 3, path: bytes = b"/", state: int = 3) -> bytes:
    """Return a whole frame that tells of a change."""
    return p.framed(header(-1, zxid=-1) + struct.pack(">ii", kind, state) + p.buffer(path))


def welcome(
    timeout: int,
    session: int = SESSION,
    password: bytes = PASSWORD,
    read_only: bytes = b"\0",
    version: int = 0,
) -> bytes:
    """Return the answer to the request to open a session, without its length."""
    return struct.pack(">iiq", version, timeout, session) + p.buffer(password) + read_only


def good_body(request: Request) -> bytes:
    """Return a good answer to a request, without its header."""
    op, body = request.op, request.frame[12:]
    if op in (Op.MULTI, Op.MULTI_READ):
        return good_results(op, body)
    path = body[4 : 4 + struct.unpack_from(">i", body)[0]] if len(body) >= 4 else b"/"
    return good_result(op, path)


def good_result(op: int, path: bytes) -> bytes:
    return {
        Op.CREATE: p.buffer(path),
        Op.CREATE2: p.buffer(path) + STAT,
        Op.CREATE_CONTAINER: p.buffer(path) + STAT,
        Op.CREATE_TTL: p.buffer(path) + STAT,
        Op.EXISTS: STAT,
        Op.GET_DATA: p.buffer(b"data") + STAT,
        Op.SET_DATA: STAT,
        Op.GET_ACL: p.acl([(31, "world", "anyone")]) + STAT,
        Op.SET_ACL: STAT,
        Op.GET_CHILDREN: p.texts(["a", "b"] if path == b"/x" else []),
        Op.GET_CHILDREN2: p.texts(["a", "b"]) + STAT,
        Op.SYNC: p.buffer(path),
        Op.GET_EPHEMERALS: p.texts(["/x", "/x/a"]),
        Op.GET_ALL_CHILDREN_NUMBER: p.number(7),
        Op.WHO_AM_I: p.vector([p.text("ip") + p.text("127.0.0.1")]),
        Op.RECONFIG: p.buffer(b"data") + STAT,
        Op.ADD_WATCH: p.number(0),
    }.get(op, b"")  # type: ignore[call-overload]


def good_results(op: int, body: bytes) -> bytes:
    """Return answers to all operations of a transaction or MultiRead."""
    results, at = b"", 0
    while True:
        kind, is_end, _ = struct.unpack_from(">i?i", body, at)
        at += 9
        if is_end:
            return results + struct.pack(">i?i", -1, True, -1)
        (length,) = struct.unpack_from(">i", body, at)
        path = body[at + 4 : at + 4 + length]
        at += 4 + length
        if op == Op.MULTI_READ:
            at += 1
        elif kind in (Op.DELETE, Op.CHECK):
            at += 4
        else:
            (length,) = struct.unpack_from(">i", body, at)
            at += 4 + max(length, 0) + 4
            if kind != Op.SET_DATA:
                # One entry of an ACL comes first: permissions, scheme, id.
                at += 4
                for _ in range(2):
                    (length,) = struct.unpack_from(">i", body, at)
                    at += 4 + length
                at += 4
        results += struct.pack(">i?i", kind, False, 0) + good_result(kind, path)


@dataclass(frozen=True)
class Scenario:
    """The answers of a server.

    `welcome` gets the good answer to the request for a session, and the number of sessions before;
    `answer` gets a request and the good answer, a whole frame each. Their results are sent.
    """

    name: str
    welcome: Callable[[bytes, int], Pieces] = lambda good, count: [p.framed(good)]
    answer: Callable[[Request, bytes], Pieces] = lambda request, good: [good]
    # "shared": one session for all calls; "own": one each, as the first answer ends it; "at once":
    # one session, for all calls at the same time, as none of them gets an answer.
    sessions: str = "shared"
    # The outcome of a call that gets an answer with a body: "fails", "succeeds", "ends".
    calls: str = "ends"
    read_only: bool = False
    # The answer to a connection that asks whether the server is read-write.
    isro: Pieces = field(default_factory=lambda: [b"rw", HANG_UP])
    # The answer to the request to end a session; None: a good one.
    close: Pieces | None = None


class _Connection:
    def __init__(self, server: HostileServer, peer: socket.socket) -> None:
        self.server = server
        self.peer = peer
        self.requests = RequestSplitter()
        self.asked = 0

    def receive(self) -> bool:
        """Answer the requests that have come. False: the connection is over."""
        try:
            data = self.peer.recv(65536)
            if data[:4] == b"isro" and not self.asked:
                return self.send(self.server.scenario.isro)
            return bool(data) and all(map(self.answer, self.requests.feed(data)))
        except (OSError, struct.error):
            return False

    def answer(self, request: Request) -> bool:
        scenario, self.asked = self.server.scenario, self.asked + 1
        if request.op == Op.CREATE_SESSION:
            self.server.sessions += 1
            (timeout,) = struct.unpack_from(">i", request.frame, 16)
            return self.send(scenario.welcome(welcome(timeout), self.server.sessions - 1))
        if request.op == Op.CLOSE_SESSION:
            if scenario.close is not None:
                return self.send(scenario.close)
            return self.send([p.framed(header(request.xid)), HANG_UP])
        if request.op == Op.PING:
            return self.send([p.framed(header(-2))])
        self.server.requests += 1
        body = b"" if request.op in (Op.AUTH, Op.SET_WATCHES) else good_body(request)
        return self.send(scenario.answer(request, p.framed(header(request.xid) + body)))

    def send(self, pieces: Pieces) -> bool:
        for piece in pieces:
            if isinstance(piece, End):
                if piece.reset:
                    linger = struct.pack("ii", 1, 0)
                    self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            self.peer.sendall(piece)
        return True


class HostileServer:
    """One scenario on a port of its own."""

    def __init__(self, scenario: Scenario, listener: socket.socket) -> None:
        self.scenario = scenario
        self.listener = listener
        self.connection_string = f"{LOOPBACK}:{listener.getsockname()[1]}"
        self.connections = 0
        self.sessions = 0
        self.requests = 0  # pings are left out


class Hostility:
    """The thread of all hostile servers of a process."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._new: list[HostileServer] = []
        self._stop = False
        self.native_id = 0
        self.seconds = 0.0  # of processor time that this thread has used
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def serve(self, scenario: Scenario, port: int = 0) -> HostileServer:
        server = HostileServer(scenario, socket.create_server((LOOPBACK, port), backlog=1000))
        with self._lock:
            self._new.append(server)
        self._wake.send(b"x")
        return server

    def close(self) -> None:
        self._stop = True
        self._wake.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._wake.close()

    def _run(self) -> None:
        self.native_id = threading.get_native_id()
        while not self._stop:
            for key, _ in self._selector.select():
                self._handle(key.fileobj, key.data)
            self.seconds = time.thread_time()

    def _handle(self, file: Any, what: Any) -> None:
        if what is None:
            self._woken.recv(4096)
            with self._lock:
                new, self._new = self._new, []
            for server in new:
                self._selector.register(server.listener, selectors.EVENT_READ, server)
        elif isinstance(what, HostileServer):
            peer, _ = file.accept()
            # A client that does not read while this thread sends must not stop the others' servers.
            peer.settimeout(5)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            what.connections += 1
            self._selector.register(peer, selectors.EVENT_READ, _Connection(what, peer))
        elif not what.receive():
            self._selector.unregister(file)
            file.close()


@contextlib.contextmanager
def hostility() -> Iterator[Hostility]:
    """Run hostile servers for as long as they are needed."""
    running = Hostility()
    try:
        yield running
    finally:
        running.close()
