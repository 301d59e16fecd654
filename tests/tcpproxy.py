"""A TCP proxy in front of a ZooKeeper server: a network that misbehaves.

It does so when it is told to:

    with TcpProxy(server.connection_string) as proxy:
        connect_to(proxy.connection_string)
        proxy.delay(5)
        proxy.stall(TO_CLIENT)
        proxy.cut()

It can be run on its own too, so that a measurement through it does not share an interpreter with
it: `python -m tests.tcpproxy 127.0.0.1:2181 --delay 1` prints the address to connect to and works
until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import enum
import selectors
import socket
import struct
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tests.ports import LOOPBACK, free_ports
from tests.secured import keys_of
from tests.wireframes import Request, RequestSplitter

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

OnRequest = Callable[[Request], "bool | bytes"]

# Backpressure: the proxy stops reading with so many bytes under way in one direction.
MOST_BYTES_UNDER_WAY = 64 * 1024 * 1024

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Direction(enum.Enum):
    """A direction through the proxy."""

    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


TO_SERVER = Direction.TO_SERVER
TO_CLIENT = Direction.TO_CLIENT


class TcpProxy:
    """Forwards connections to `target` ("host:port"), as its verbs allow.

    `on_request`, when given, is called with each request, in the proxy's thread, before the
    request goes on to the server. When it returns False the request is dropped and its connection
    cut: a server does the same to a request that it does not understand. Bytes go to the server
    instead of the request; no bytes leave it unanswered.

    If `is_opaque`, the traffic is not ZooKeeper's protocol in the clear, and no request is seen. To
    a server that accepts nothing but TLS (`tests/secured.py`) a proxy that is not opaque speaks TLS
    at both ends, and what it delays, counts and cuts is in the clear in between.

    The verbs may be used from any thread, and have taken effect when they return.
    """

    def __init__(
        self, target: str, on_request: OnRequest | None = None, *, is_opaque: bool = False
    ) -> None:
        host, _, port = target.rpartition(":")
        self.target = host, int(port)
        self.on_request = on_request
        self.is_opaque = is_opaque
        self.connections = 0
        self.requests: Counter[int] = Counter()
        self.bytes_delivered: Counter[Direction] = Counter()
        (self.port,) = free_ports(1)
        self.connection_string = f"{LOOPBACK}:{self.port}"
        self._keys = keys_of(target)
        self._contexts: dict[str, ssl.SSLContext] = {}
        if self._keys is not None and not is_opaque:
            self._contexts = {whose: self._keys.context(whose) for whose in ("server", "client")}
        self._delay_seconds = 0.0
        self._most_at_once = MOST_BYTES_UNDER_WAY
        self._stalled: set[Direction] = set()
        self._bytes_until_cut: dict[Direction, int] = {}
        self._links: set[_Link] = set()
        self._closing: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._listener: socket.socket | None = None
        self._accepting: set[asyncio.Task[object]] = set()
        # The other selectors round timeouts up to a millisecond, which is as long as a delay.
        self._loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
        self._thread = threading.Thread(target=self._run, name="tcp-proxy", daemon=True)

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        if self._keys is not None:
            self._keys.note(self.port)
        self.allow()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        if self._keys is not None:
            self._keys.forget(self.port)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def open_connections(self) -> int:
        """The number of connections that go through."""
        return len(self._links)

    def cut(self, reset: bool = True) -> None:
        """Break all connections, by RST or by an orderly FIN.

        Bytes under way are lost.
        """

        def cut() -> None:
            for link in list(self._links):
                link.close(reset)

        self._do(cut)

    def cut_after(self, byte_count: int, direction: Direction = TO_CLIENT) -> None:
        """Break all connections after `byte_count` more bytes in one direction.

        It happens once.
        """

        def limit() -> None:
            self._bytes_until_cut[direction] = byte_count

        self._do(limit)

    def refuse(self) -> None:
        """Let connection attempts fail at once; existing connections go on."""

        def refuse() -> None:
            if self._listener is not None:
                self._loop.remove_reader(self._listener)
                self._listener.close()
                self._listener = None

        self._do(refuse)

    def allow(self) -> None:
        """Accept connections again."""

        def allow() -> None:
            if self._listener is None:
                self._listener = socket.create_server((LOOPBACK, self.port))
                self._listener.setblocking(False)
                self._loop.add_reader(self._listener, self._accept, self._listener)

        self._do(allow)

    def stall(self, direction: Direction | None = None) -> None:
        """Deliver nothing in one direction or both; connections stay open."""
        self._do(lambda: self._stalled.update([direction] if direction else Direction))

    def resume(self, direction: Direction | None = None) -> None:
        """Deliver the bytes that were held back, and go on as usual."""

        def resume() -> None:
            self._stalled.difference_update([direction] if direction else Direction)
            for link in list(self._links):
                link.pump()

        self._do(resume)

    def delay(self, milliseconds: float) -> None:
        """Delay everything by this time, each way; the throughput stays the same."""

        def delay() -> None:
            self._delay_seconds = milliseconds / 1000

        self._do(delay)

    def trickle(self, byte_count: int) -> None:
        """Deliver no more than so many bytes at once."""

        def trickle() -> None:
            self._most_at_once = byte_count

        self._do(trickle)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._finish())
        finally:
            self._loop.close()

    async def _finish(self) -> None:
        """Close the connections, those that were just being opened too."""
        self.cut()
        if self._contexts:
            for task in self._accepting:
                task.cancel()  # a handshake may never end, and a goodbye neither
            for transport in list(self._closing):
                transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        self.cut()
        await asyncio.sleep(0)

    def _do(self, action: Callable[[], T]) -> T:
        if threading.current_thread() is self._thread:
            return action()

        async def in_the_loop() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(in_the_loop(), self._loop).result()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        task = self._loop.create_task(self._open(connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _open(self, connection: socket.socket) -> None:
        tls = self._contexts.get("server")
        try:
            await self._loop.connect_accepted_socket(lambda: _ClientEnd(self), connection, ssl=tls)
        except OSError:
            connection.close()  # the client has gone, or refuses the certificate


class _Link:
    """A connection of a client, and the connection to the server made for it."""

    def __init__(self, proxy: TcpProxy, client: asyncio.Transport) -> None:
        self._proxy = proxy
        self._splitter = RequestSplitter()
        self._client = client
        self._server: asyncio.Transport | None = None
        self._streams = {
            TO_SERVER: _Stream(proxy, self, TO_SERVER),
            TO_CLIENT: _Stream(proxy, self, TO_CLIENT),
        }
        self._streams[TO_CLIENT].connect(client)
        proxy.connections += 1
        proxy._links.add(self)
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        proxy = self._proxy
        tls = proxy._contexts.get("client")
        try:
            await proxy._loop.create_connection(lambda: _ServerEnd(self), *proxy.target, ssl=tls)
        except OSError:
            self.close(reset=False)

    def connected(self, server: asyncio.Transport) -> None:
        if self not in self._proxy._links:
            server.abort()
            return
        self._server = server
        self._streams[TO_SERVER].connect(server)

    def from_client(self, data: bytes) -> None:
        if self._proxy.is_opaque:
            self._streams[TO_SERVER].take(data)
            return
        for request in self._splitter.feed(data):
            self._proxy.requests[request.op] += 1
            verdict: bool | bytes = True
            if self._proxy.on_request is not None:
                verdict = self._proxy.on_request(request)
            if verdict is False:
                self.close()
                return
            frame = verdict if isinstance(verdict, bytes) else request.frame
            if frame:
                self._streams[TO_SERVER].take(frame)

    def from_server(self, data: bytes) -> None:
        self._streams[TO_CLIENT].take(data)

    def stream(self, direction: Direction) -> _Stream:
        return self._streams[direction]

    def source(self, direction: Direction) -> asyncio.Transport | None:
        return self._client if direction is TO_SERVER else self._server

    def pump(self) -> None:
        for stream in self._streams.values():
            stream.pump()

    def close(self, reset: bool = True) -> None:
        """Close both connections and forget the bytes that were not written yet."""
        self._proxy._links.discard(self)
        self._connecting.cancel()
        for stream in self._streams.values():
            stream.drop()
        for transport in (self._client, self._server):
            if transport is None:
                continue
            if reset:
                connection = transport.get_extra_info("socket")
                if connection is not None:  # TLS may have ended it
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                transport.abort()
            elif not transport.is_closing():  # to close it twice would have TLS forget its socket
                self._proxy._closing.add(transport)
                transport.close()


class _Stream:
    """One direction of a link: pieces, each with the time at which it is due."""

    def __init__(self, proxy: TcpProxy, link: _Link, direction: Direction) -> None:
        self._proxy = proxy
        self._link = link
        self._direction = direction
        self._sink: asyncio.Transport | None = None
        self._sink_is_full = False
        self._source_is_paused = False
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, sink: asyncio.Transport) -> None:
        self._sink = sink
        self.pump()

    def sink_is_full(self, full: bool) -> None:
        self._sink_is_full = full
        self.pump()

    def take(self, data: bytes) -> None:
        """Accept `data`; b'' is the end."""
        self._pieces.append((self._proxy._loop.time() + self._proxy._delay_seconds, data))
        self._size += len(data)
        self.pump()
        self._throttle()

    def pump(self) -> None:
        """Write the pieces that are due, and come back for the others."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._pieces and self._may_write():
            due, data = self._pieces[0]
            if due > self._proxy._loop.time():
                self._timer = self._proxy._loop.call_at(due, self.pump)
                break
            self._pieces.popleft()
            self._size -= len(data)
            if not data:
                self._link.close(reset=False)
                return
            most = self._proxy._most_at_once
            self._write(data[:most])
            if len(data) > most:
                self._size += len(data) - most
                self._pieces.appendleft((due, data[most:]))
                self._timer = self._proxy._loop.call_later(0, self.pump)
                break
        self._throttle()

    def drop(self) -> None:
        """Forget the bytes that are under way."""
        self._pieces.clear()
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()

    def _may_write(self) -> bool:
        stalled = self._direction in self._proxy._stalled
        return self._sink is not None and not stalled and not self._sink_is_full

    def _write(self, data: bytes) -> None:
        assert self._sink is not None
        limits = self._proxy._bytes_until_cut
        left = limits.get(self._direction, len(data) + 1)
        piece = data[:left]
        # Counted first: a receiver finds its byte counted.
        self._proxy.bytes_delivered[self._direction] += len(piece)
        self._sink.write(piece)
        if self._direction in limits:
            limits[self._direction] = left - len(piece)
            if left <= len(data):
                del limits[self._direction]
                self._proxy.cut()

    def _throttle(self) -> None:
        source = self._link.source(self._direction)
        too_much = self._size > MOST_BYTES_UNDER_WAY
        if source is None or source.is_closing() or too_much == self._source_is_paused:
            return
        self._source_is_paused = too_much
        if too_much:
            source.pause_reading()
        else:
            source.resume_reading()


class _ClientEnd(asyncio.Protocol):
    """The proxy's end of a client's connection."""

    def __init__(self, proxy: TcpProxy) -> None:
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._link = _Link(self._proxy, transport)

    def data_received(self, data: bytes) -> None:
        self._link.from_client(data)

    def eof_received(self) -> bool:
        self._link.stream(TO_SERVER).take(b"")
        return not self._proxy._contexts  # TLS ends both directions at once

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._link.close()

    def pause_writing(self) -> None:
        self._link.stream(TO_CLIENT).sink_is_full(True)

    def resume_writing(self) -> None:
        self._link.stream(TO_CLIENT).sink_is_full(False)


class _ServerEnd(asyncio.Protocol):
    """The proxy's end of the connection to the server."""

    def __init__(self, link: _Link) -> None:
        self._link = link
        self._is_tls = bool(link._proxy._contexts)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._link.connected(transport)

    def data_received(self, data: bytes) -> None:
        self._link.from_server(data)

    def eof_received(self) -> bool:
        self._link.stream(TO_CLIENT).take(b"")
        return not self._is_tls

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._link.close()

    def pause_writing(self) -> None:
        self._link.stream(TO_SERVER).sink_is_full(True)

    def resume_writing(self) -> None:
        self._link.stream(TO_SERVER).sink_is_full(False)


def main() -> None:
    """Run a proxy until standard input ends."""
    parser = argparse.ArgumentParser(description="A TCP proxy with a delay.")
    parser.add_argument("target", help="host:port of the server")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds, each way")
    arguments = parser.parse_args()
    with TcpProxy(arguments.target) as proxy:
        proxy.delay(arguments.delay)
        print(proxy.connection_string, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
