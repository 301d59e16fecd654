"""The proxy, in front of a server that sends everything back."""

from __future__ import annotations

import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.deadlines import scaled, wait_until
from tests.tcpproxy import TO_CLIENT, TO_SERVER, Direction, TcpProxy
from tests.wireframes import Op, Request


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except ConnectionError:
            pass


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@pytest.fixture
def echo() -> Iterator[str]:
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: str) -> Iterator[TcpProxy]:
    with TcpProxy(echo) as proxy:
        yield proxy


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), scaled(10))


def frame(op: int, xid: int = 1, body: bytes = b"") -> bytes:
    content = struct.pack(">ii", xid, op) + body
    return struct.pack(">i", len(content)) + content


SESSION = struct.pack(">i", 44) + bytes(44)


def receive(connection: socket.socket, count: int) -> bytes:
    """Return `count` bytes, or fewer when the connection ends before."""
    received = b""
    while len(received) < count:
        try:
            more = connection.recv(count - len(received))
        except ConnectionResetError:
            break
        if not more:
            break
        received += more
    return received


def test_bytes_pass_unchanged_and_are_counted_in_both_directions(proxy: TcpProxy) -> None:
    sent = SESSION + frame(Op.CREATE, body=bytes(range(256)) * 1000)
    with closing(connect(proxy)) as connection:
        connection.sendall(sent)
        assert receive(connection, len(sent)) == sent
    assert proxy.bytes_delivered == {TO_SERVER: len(sent), TO_CLIENT: len(sent)}
    assert proxy.connections == 1


def test_requests_are_counted_by_type_however_they_are_cut_into_packets(proxy: TcpProxy) -> None:
    sent = SESSION + frame(Op.GET_DATA) + frame(Op.GET_DATA) + frame(Op.MULTI, body=b"x" * 99)
    with closing(connect(proxy)) as connection:
        for index in range(len(sent)):
            connection.sendall(sent[index : index + 1])
        assert receive(connection, len(sent)) == sent
    assert proxy.requests == {Op.CREATE_SESSION: 1, Op.GET_DATA: 2, Op.MULTI: 1}


def test_a_four_letter_word_passes_though_it_is_no_frame(proxy: TcpProxy) -> None:
    with closing(connect(proxy)) as connection:
        connection.sendall(b"ruok\n")
        assert receive(connection, 5) == b"ruok\n"


def test_a_request_that_the_observer_rejects_cuts_its_connection(echo: str) -> None:
    seen: list[Request] = []

    def reject_reads(request: Request) -> bool:
        seen.append(request)
        return request.op != Op.MULTI_READ

    with TcpProxy(echo, reject_reads) as proxy, closing(connect(proxy)) as connection:
        with closing(connect(proxy)) as other:
            connection.sendall(SESSION + frame(Op.SYNC, 7) + frame(Op.MULTI_READ, 8))
            received = receive(connection, 1000)
            assert (SESSION + frame(Op.SYNC, 7)).startswith(received)
            other.sendall(SESSION)
            assert receive(other, len(SESSION)) == SESSION
    assert [(request.op, request.xid) for request in seen[:3]] == [
        (Op.CREATE_SESSION, 0),
        (Op.SYNC, 7),
        (Op.MULTI_READ, 8),
    ]


@pytest.mark.parametrize("reset", [True, False])
def test_cut_ends_all_connections_and_new_ones_are_welcome(proxy: TcpProxy, reset: bool) -> None:
    with closing(connect(proxy)) as one, closing(connect(proxy)) as two:
        for connection in (one, two):
            connection.sendall(SESSION)
            assert receive(connection, len(SESSION)) == SESSION
        proxy.cut(reset)
        assert proxy.open_connections == 0
        for connection in (one, two):
            if reset:
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)
            else:
                assert connection.recv(1) == b""
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION


def test_refused_connections_fail_at_once_and_the_existing_one_goes_on(proxy: TcpProxy) -> None:
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        connection.sendall(frame(Op.PING))
        assert receive(connection, 12) == frame(Op.PING)
    proxy.allow()
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION


@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT, None])
def test_stalled_bytes_arrive_after_resume_and_not_before(
    proxy: TcpProxy, direction: Direction | None
) -> None:
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION
        proxy.stall(direction)
        connection.sendall(frame(Op.PING))
        wait_until(lambda: proxy.requests[Op.PING], "the request reaches the proxy")
        if direction is TO_CLIENT:
            wait_until(
                lambda: proxy.bytes_delivered[TO_SERVER] == len(SESSION) + 12,
                "the request reaches the server",
            )
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert proxy.bytes_delivered[TO_CLIENT] == len(SESSION)
        connection.settimeout(scaled(10))
        proxy.resume(direction)
        assert receive(connection, 12) == frame(Op.PING)


def test_a_delay_holds_back_each_byte_but_not_the_stream(proxy: TcpProxy) -> None:
    proxy.delay(50)
    frames = [frame(Op.GET_DATA, xid) for xid in range(200)]
    with closing(connect(proxy)) as connection:
        started = time.monotonic()
        for piece in [SESSION, *frames]:
            connection.sendall(piece)
        sent = SESSION + b"".join(frames)
        assert receive(connection, len(sent)) == sent
        # There and back takes 100 ms; one piece after the other would take 20 seconds.
        assert 0.1 <= time.monotonic() - started < scaled(10)


@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
def test_cut_after_delivers_exactly_that_many_bytes_and_happens_once(
    proxy: TcpProxy, direction: Direction
) -> None:
    proxy.cut_after(len(SESSION) + 5, direction)
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION
        connection.sendall(frame(Op.PING))
        assert len(receive(connection, 12)) <= 5
        wait_until(lambda: proxy.open_connections == 0, "the connection is cut")
    assert proxy.bytes_delivered[direction] == len(SESSION) + 5
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION + frame(Op.PING))
        assert receive(connection, len(SESSION) + 12) == SESSION + frame(Op.PING)


def test_the_end_of_a_connection_is_passed_on(proxy: TcpProxy) -> None:
    with closing(connect(proxy)) as connection:
        connection.sendall(SESSION)
        assert receive(connection, len(SESSION)) == SESSION
        connection.shutdown(socket.SHUT_WR)
        wait_until(lambda: proxy.open_connections == 0, "the connection has ended")


def test_a_server_that_is_down_ends_the_connection(proxy: TcpProxy) -> None:
    proxy.target = ("127.0.0.1", 1)
    with closing(connect(proxy)) as connection:
        assert receive(connection, 1) == b""


def test_much_more_data_than_buffers_hold_passes_a_slow_reader(proxy: TcpProxy) -> None:
    sent = SESSION + b"".join(frame(Op.SET_DATA, xid, bytes(500_000)) for xid in range(60))
    with closing(connect(proxy)) as connection:
        sender = threading.Thread(target=connection.sendall, args=[sent])
        sender.start()
        received = receive(connection, len(sent))
        sender.join()
    assert received == sent


def test_it_runs_on_its_own_until_its_input_ends(echo: str) -> None:
    command = [sys.executable, "-m", "tests.tcpproxy", echo, "--delay", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().strip().split(":")
        with closing(socket.create_connection((host, int(port)), scaled(10))) as connection:
            connection.sendall(SESSION)
            assert receive(connection, len(SESSION)) == SESSION
        process.communicate("")
    assert process.returncode == 0
