"""Connections that a benchmark makes itself: a raw socket, and one that can be cut."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.tcpproxy import TcpProxy
from tests.testing import protocol
from tests.wireframes import Op

import zc.zk

from .cases import expect
from .service import CONNECT_SECONDS, Secured

__all__ = ["TcpProxy", "prepared_get", "prepared_requests"]


@contextmanager
def prepared_get(hosts: str, path: str, secured: Secured | None) -> Iterator[Callable[[], None]]:
    """Yield a function that sends a prepared request for a node, and throws its answer away."""
    with prepared_requests(hosts, path, secured) as (connection, asked, _):

        def call() -> None:
            connection.sendall(asked)
            receive_frame(connection)

        yield call


@contextmanager
def prepared_requests(
    hosts: str, path: str, secured: Secured | None = None
) -> Iterator[tuple[socket.socket, bytes, int]]:
    """Yield a session's connection, a request for a node, and the length of its answer."""
    host, port = zc.zk.parse_addr(hosts)
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secured is not None:
            context = ssl.create_default_context(cafile=secured.authority)
            context.load_cert_chain(secured.certificate, secured.key)
            connection = context.wrap_socket(connection, server_hostname=host)
        with connection:
            connection.sendall(protocol.framed(protocol.greeting()))
            receive_frame(connection)
            body = protocol.text(path) + protocol.boolean(False)
            asked = protocol.framed(protocol.request(1, Op.GET_DATA, body))
            connection.sendall(asked)
            yield connection, asked, receive_frame(connection)


def receive_frame(connection: socket.socket) -> int:
    """Receive a frame, throw it away, and return its length."""
    received = connection.recv(65536)
    while len(received) < 4 or len(received) < 4 + struct.unpack_from(">i", received)[0]:
        more = connection.recv(65536)
        expect(bool(more), True, "the connection goes on")
        received += more
    return len(received)
