"""The service on a TCP port: asyncio's sockets, and the clock's tick."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from zc.zk.testing.wire.connection import Connection
from zc.zk.testing.wire.service import Service

logger = logging.getLogger("zc.zk.testing")

# How often sessions are looked at, in seconds.
TICK_SECONDS: Final = 0.1

# When the machine, or this process, was busy for so many seconds, clients are not to blame for
# their silence.
LATE_SECONDS: Final = 0.5

# After hanging up, a client has so many seconds to take what is left to send.
LINGER_SECONDS: Final = 5.0

# Backpressure: when so many bytes to send are not taken, the client's requests have to wait.
HIGH_WATER_BYTES: Final = 1024 * 1024

BACKLOG: Final = 4096


class Listener:
    """The port of a service. All methods belong to the event loop's thread.

    The port is held from the beginning to `close`, also while connections are refused. `make_end`
    makes the network of each connection.
    """

    def __init__(self, service: Service, host: str, port: int, make_end: MakeEnd) -> None:
        self._service: Final = service
        self._make_end: Final = make_end
        self._socket = _bound(host, port)
        self.host: Final = host
        self.port: Final[int] = self._socket.getsockname()[1]
        service.port = self.port
        self._server: asyncio.Server | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._ends: dict[ClientEnd, None] = {}
        self._is_stalled = False

    async def start(self) -> None:
        """Take connections, and let time pass; sessions begin with all of theirs."""
        await self.allow()
        self._service.engine.sessions.touch_all()
        self._due = asyncio.get_running_loop().time()
        self._keep_time()

    async def allow(self) -> None:
        """Take connections."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: self._make_end(self._service, self._ends, self._is_stalled),
                sock=self._socket,
                backlog=BACKLOG,
            )

    def refuse(self) -> None:
        """Take no more connections; those that there are stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
            # Bound and not listening: clients are refused, and no other process gets the port.
            self._socket = _bound(self.host, self.port)

    def close(self) -> None:
        """Give the port back; every connection is dropped."""
        if self._server is not None:
            # This ends the listening for a forked child's copy of the socket, too.
            self._socket.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        self.cut()
        self._socket.close()
        if self._tick is not None:
            self._tick.cancel()

    def cut(self) -> None:
        """Drop all connections; the sessions go on."""
        for end in list(self._ends):
            end.abort()

    def stall(self) -> None:
        """Leave connections as they are, and answer nothing."""
        self._is_stalled = True
        for end in self._ends:
            end.stall(True)

    def resume(self) -> None:
        """Answer again. Sessions whose time is over expire first."""
        self._is_stalled = False
        self._service.keep_time()
        for end in list(self._ends):
            end.stall(False)

    def expire(self, session: int | None) -> None:
        """End a session, or all of them."""
        for id in self.sessions() if session is None else [session]:
            self._service.expire(id)

    def sessions(self) -> list[int]:
        return [session.id for session in self._service.engine.sessions]

    def _keep_time(self) -> None:
        loop = asyncio.get_running_loop()
        late = loop.time() - self._due
        if late > LATE_SECONDS:
            self._service.engine.sessions.forgive(int(late * 1000))
        try:
            if not self._is_stalled:
                self._service.keep_time()
        except Exception:
            # Sessions have to expire whatever is wrong with one of them, or with a node.
            logger.exception("the clock's work has failed")
        finally:
            self._due = loop.time() + TICK_SECONDS
            self._tick = loop.call_at(self._due, self._keep_time)


class ClientEnd(asyncio.Protocol):
    """The network of one connection."""

    def __init__(self, service: Service, ends: dict[ClientEnd, None], is_stalled: bool) -> None:
        self._service = service
        self._ends = ends
        self._is_stalled = is_stalled
        self._is_full = False
        self._linger: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self._connection: Connection

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        host, port, *_ = transport.get_extra_info("peername")
        self._connection = Connection(self._service, (host, port), self)
        self._ends[self] = None
        self._hold_or_go_on()

    def data_received(self, data: bytes) -> None:
        self._connection.receive(data)

    def pause_writing(self) -> None:
        self._is_full = True
        self._hold_or_go_on()

    def resume_writing(self) -> None:
        self._is_full = False
        self._hold_or_go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ends.pop(self, None)
        if self._linger is not None:
            self._linger.cancel()
        self._connection.lost()

    # For the connection

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def hang_up(self) -> None:
        self._transport.close()
        loop = asyncio.get_running_loop()
        self._linger = loop.call_later(LINGER_SECONDS, self._transport.abort)

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    # For the listener

    def stall(self, is_stalled: bool) -> None:
        self._is_stalled = is_stalled
        self._hold_or_go_on()

    def abort(self) -> None:
        self._transport.abort()

    def _hold_or_go_on(self) -> None:
        if self._transport.is_closing():
            return
        if self._is_stalled or self._is_full:
            self._transport.pause_reading()
            self._connection.hold()
        else:
            self._transport.resume_reading()
            self._connection.go_on()


MakeEnd = Callable[[Service, dict[ClientEnd, None], bool], ClientEnd]


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A server that starts again may use its port although connections to it still fade away.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as fault:
        bound.close()
        raise OSError(fault.errno, f"{host}:{port}: {fault.strerror}") from fault
    return bound
