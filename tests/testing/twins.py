"""A real server and our own, given the same requests, and their answers."""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from typing import Any, NamedTuple, Protocol

from tests.deadlines import scaled
from tests.ports import LOOPBACK
from tests.testing import protocol
from tests.testing.random_requests import without_order
from tests.wireframes import Op
from zc.zk.testing.wire.connection import Connection
from zc.zk.testing.wire.service import Service
from zookeeper import constants

# No session expires, however slow the machine: sessions end when the test ends them.
SESSION_TIMEOUT = 300_000

ANSWER = struct.Struct(">iqi")
EVENT_XID, PING_XID, AUTH_XID = -1, -2, -4

REFUSED = (constants.AUTHFAILED, constants.SESSIONCLOSEDREQUIRESASLAUTH)


class Link(Protocol):
    """A connection, as a client has it."""

    def send(self, data: bytes) -> None: ...

    def next_frame(self) -> bytes | None:
        """Return the next frame that the server sends; None when it has hung up."""
        ...

    def close(self) -> None:
        """Hang up, and wait until the server has noticed."""
        ...


class RealLink:
    """A connection to a server by TCP, or by TLS."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")

    @classmethod
    def to(cls, port: int, tls: ssl.SSLContext | None = None) -> RealLink:
        """Connect."""
        connection = socket.create_connection((LOOPBACK, port), scaled(30))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_hostname=LOOPBACK)
        return cls(connection)

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            pass  # the frames that the server has sent are still to be read

    def next_frame(self) -> bytes | None:
        try:
            length = self._file.read(4)
            return self._file.read(*struct.unpack(">i", length)) if length else None
        except (ConnectionError, ssl.SSLError):
            return None

    def close(self) -> None:
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
            self._socket.shutdown(socket.SHUT_WR)
            while self.next_frame() is not None:
                pass
        except OSError:
            pass
        self._file.close()
        self._socket.close()


class OwnLink:
    """A connection to our own server, without a network in between."""

    def __init__(self, service: Service) -> None:
        self._frames: deque[bytes] = deque()
        self._network = _NoNetwork(self._frames)
        self._connection = Connection(service, (LOOPBACK, 0), self._network)

    def send(self, data: bytes) -> None:
        self._connection.receive(data)

    def next_frame(self) -> bytes | None:
        if self._frames:
            return self._frames.popleft()
        assert self._network.is_closed, "it does not answer"
        return None

    def close(self) -> None:
        self._connection.lost()


class _NoNetwork:
    def __init__(self, frames: deque[bytes]) -> None:
        self._frames = frames
        self.is_closed = False

    def send(self, data: bytes) -> None:
        while data:
            (length,) = struct.unpack_from(">i", data)
            self._frames.append(data[4 : 4 + length])
            data = data[4 + length :]

    def hang_up(self) -> None:
        self.is_closed = True

    def unsent(self) -> int:
        return 0


class Greeted(NamedTuple):
    timeout: int
    session: int
    password: bytes


class Side:
    """One of the two servers: how to reach it, and the sessions it has given."""

    def __init__(self, target: int | Service, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._number_of: dict[int, int] = {}

    def link(self) -> Link:
        if isinstance(self._target, Service):
            return OwnLink(self._target)
        return RealLink.to(self._target, self._tls)

    def session_number(self, id: int) -> int:
        """Return the number of a session: n for the n-th that was opened.

        It is the same on both sides.
        """
        return self._number_of.setdefault(id, len(self._number_of) + 1)

    def comparable(self, value: Any) -> Any:
        """Return a value without its differences: times, and numbers of sessions."""
        if isinstance(value, dict) and "czxid" in value:
            owner = value["ephemeralOwner"]
            number = self.session_number(owner) if owner > 0 else owner
            return {**value, "ctime": 0, "mtime": 0, "ephemeralOwner": number}
        if isinstance(value, (list, tuple)):
            return [self.comparable(item) for item in value]
        return value


class Client:
    """A session on one side, over one connection after the other."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._link: Link | None = None
        self.greeted = Greeted(0, 0, protocol.NO_SESSION)
        self._xid = 0

    def connect(self, *, anew: bool, last_zxid: int = 0, wrong_password: bool = False) -> Any:
        """Open a session, or resume an existing one; return the server's answer."""
        self.hang_up()
        self._link = self._side.link()
        _, session, password = self.greeted
        if wrong_password:
            password = bytes(reversed(password))
        if anew:
            session, password = 0, protocol.NO_SESSION
        greeting = protocol.greeting(SESSION_TIMEOUT, session, password, last_zxid)
        self._link.send(protocol.framed(greeting))
        frame = self._link.next_frame()
        if frame is None:
            return "refused"
        answer = protocol.Answer(frame)
        version = answer.take("i")
        timeout, session = answer.take("iq")
        greeted = Greeted(timeout, session, answer.buffer() or b"")
        flag = answer.take("?")
        assert not answer.rest()
        if greeted.session:
            self.greeted = greeted
        number = self._side.session_number(greeted.session) if greeted.session else 0
        return version, greeted.timeout, number, len(greeted.password), flag

    def hang_up(self) -> None:
        """Leave the session as it is."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def ask(self, op: int, body: bytes, xid: int | None = None) -> list[Any]:
        """Return the events and then the answer to a request.

        'hung up' stands for an answer that does not come.
        """
        self._xid += 1
        if xid is None:
            xid = PING_XID if op == Op.PING else self._xid
        return self.send(protocol.framed(protocol.request(xid, op, body)), op, xid)

    def send(self, data: bytes, op: int = 0, xid: int = 0) -> list[Any]:
        """Send any bytes, and return the events and the answer as `ask` does."""
        assert self._link is not None
        self._link.send(data)
        seen: list[Any] = []
        while (frame := self._link.next_frame()) is not None:
            answered_xid, zxid, code = ANSWER.unpack_from(frame)
            rest = frame[ANSWER.size :]
            if answered_xid == EVENT_XID:
                event = protocol.Answer(rest)
                seen.append(("event", zxid, code, *event.take("ii"), event.text()))
                continue
            value = None
            if code == 0:
                value = without_order(op, protocol.answered(op, rest))
            seen.append((answered_xid, zxid, code, self._side.comparable(value)))
            # The server hangs up on a client that fails to authenticate, or that ends its session.
            if answered_xid == xid and op != Op.CLOSE_SESSION and code not in REFUSED:
                return seen
        self.hang_up()
        return [*seen, "hung up"]

    @property
    def is_connected(self) -> bool:
        return self._link is not None


class Twins:
    """A client of each side; they do the same.

    All methods check that both get the same answers.
    """

    def __init__(self, real: Side, own: Side) -> None:
        self._clients = (Client(real), Client(own))

    def __enter__(self) -> Twins:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def connect(self, **arguments: Any) -> Any:
        return self._same([client.connect(**arguments) for client in self._clients], arguments)

    def ask(
        self, op: int, body: bytes = b"", xid: int | None = None, *, events_in_order: bool = True
    ) -> Any:
        seen = [client.ask(op, body, xid) for client in self._clients]
        if not events_in_order:
            seen = [sorted(one, key=repr) for one in seen]
        return self._same(seen, (op, body))

    def send(self, data: bytes) -> Any:
        return self._same([client.send(data) for client in self._clients], data[:100])

    def hang_up(self) -> None:
        for client in self._clients:
            client.hang_up()

    @property
    def is_connected(self) -> bool:
        return self._clients[0].is_connected

    def _same(self, seen: list[Any], request: Any) -> Any:
        real, own = seen
        assert own == real, f"after {request!r}:\nours {own}\nreal {real}"
        return own
