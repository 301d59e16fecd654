"""A ZooKeeper server behind TLS that follows a script, as an attacker would.

    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            link.say(answer_to(request) + garbage)

    with tls_peer(script, context) as peer:
        connect_to(peer.connection_string)

A script has a thread for each connection. It ends when the client hangs up, by an exception that it
need not catch. What is sent goes through `Link.wire`, which may cut, change or stall it.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.deadlines import scaled
from tests.hostile import good_body, header, welcome
from tests.libssl import Context, LibsslError, ServerEnd
from tests.ports import LOOPBACK
from tests.testing import protocol as p
from tests.wireframes import Op, Request, RequestSplitter

PATIENCE_SECONDS = 60
RESET = struct.pack("ii", 1, 0)

Script = Callable[["Link"], None]
Wire = Callable[[bytes], Iterator[bytes]]


class HungUp(Exception):
    """The end of a connection, by either side."""


def as_it_is(data: bytes) -> Iterator[bytes]:
    """Send bytes as they come."""
    yield data


class Link:
    """One connection of a client. Without a context it is in the clear.

    wire: changes the bytes that are sent; it yields pieces, and raises HungUp for the end.
    number: of the connection; 0 is the first.
    """

    def __init__(self, connection: socket.socket, context: Context | None, number: int) -> None:
        self.connection = connection
        self.number = number
        self.wire: Wire = as_it_is
        self.end: ServerEnd | None = context.end() if context else None
        self._splitter = RequestSplitter()

    @property
    def tls(self) -> ServerEnd:
        """The server's end of TLS."""
        assert self.end is not None
        return self.end

    def receive(self) -> bytes:
        """Return the next bytes of the socket. Raises HungUp at their end."""
        data = self.connection.recv(65536)
        if not data:
            raise HungUp
        return data

    def flush(self) -> None:
        """Send what TLS has written."""
        if data := self.tls.take():
            self.transmit(data)

    def transmit(self, data: bytes) -> None:
        """Send bytes by the wire."""
        for piece in self.wire(data):
            self.connection.sendall(piece)

    def shake(self) -> None:
        """Do the handshake, where there is TLS."""
        if self.end is None:
            return
        try:
            while not self.end.handshake():
                self.flush()
                self.end.feed(self.receive())
        finally:
            # An alert too.
            with suppress(OSError):
                self.flush()

    def say(self, data: bytes) -> None:
        """Send bytes, encrypted where there is TLS."""
        if self.end is None:
            self.transmit(data)
        else:
            self.end.write(data)
            self.flush()

    def hear(self) -> bytes:
        """Return bytes of the client, decrypted. Raises HungUp at the end."""
        if self.end is None:
            return self.receive()
        while not (data := self.end.read()):
            if data is None:
                raise HungUp
            self.flush()
            self.end.feed(self.receive())
        return data

    def requests(self) -> Iterator[Request]:
        """Yield the requests of the client, until it hangs up."""
        while True:
            yield from self._splitter.feed(self.hear())

    def reset(self) -> None:
        """End the connection by RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        raise HungUp


def data_of(path: bytes) -> bytes:
    """Return the data that the node has by `answer_to`."""
    return b"data of " + path


def answer_to(request: Request) -> bytes:
    """Return a good answer, a whole frame."""
    if request.op == Op.CREATE_SESSION:
        (timeout,) = struct.unpack_from(">i", request.frame, 16)
        return p.framed(welcome(timeout))
    if request.op == Op.PING:
        return p.framed(header(-2))
    body = b""
    if request.op == Op.GET_DATA:
        (length,) = struct.unpack_from(">i", request.frame, 12)
        # After the length, xid and operation.
        path = request.frame[16 : 16 + length]
        body = p.buffer(data_of(path)) + p.STAT.pack(*range(1, 12))
    elif request.op not in (Op.AUTH, Op.SET_WATCHES, Op.CLOSE_SESSION):
        body = good_body(request)
    return p.framed(header(request.xid) + body)


def serve(link: Link) -> None:
    """Be a good server."""
    link.shake()
    answer_all(link)


def answer_all(link: Link) -> None:
    """Answer the requests, after the handshake."""
    for request in link.requests():
        link.say(answer_to(request))
        if request.op == Op.CLOSE_SESSION:
            return


class Peer:
    """A listening server; `tls_peer` makes it."""

    def __init__(self, script: Script, context: Context | None, address: str = LOOPBACK) -> None:
        self.script = script
        self.context = context
        self.connections = 0
        self.failures: list[str] = []
        self._listener = socket.create_server((address, 0), backlog=1000)
        self.port = self._listener.getsockname()[1]
        self.connection_string = f"{address}:{self.port}"
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(scaled(PATIENCE_SECONDS))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._sockets = [each for each in self._sockets if each.fileno() >= 0]
            self._sockets.append(connection)
            link = Link(connection, self.context, self.connections)
            self.connections += 1
            self._threads.append(threading.Thread(target=self._run, args=(link,), daemon=True))
            self._threads[-1].start()

    def _run(self, link: Link) -> None:
        try:
            self.script(link)
        except (HungUp, LibsslError, OSError) as problem:
            self.failures.append(f"{type(problem).__name__}: {problem}")
        finally:
            link.connection.close()
            if link.end is not None:
                link.end.close()


@contextmanager
def tls_peer(script: Script, context: Context | None, address: str = LOOPBACK) -> Iterator[Peer]:
    """Run a server with that script."""
    peer = Peer(script, context, address)
    try:
        yield peer
    finally:
        peer.close()
