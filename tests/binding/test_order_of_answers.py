"""A server that answers requests out of order."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.calls import Calls
from tests.conftest import Connect
from tests.deadlines import scaled
from tests.ports import LOOPBACK
from tests.servers import Server
from tests.sessions import OPEN

pytestmark = [
    pytest.mark.not_emulated("it has no network"),
    pytest.mark.not_over_tls("its relay has to find the frames"),
]

PING = -2


class SwappingRelay:
    """Relays one connection, and swaps two answers.

    They are the first two after `swap`.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server((LOOPBACK, 0))
        self.connection_string = f"{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._swap = threading.Event()
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def swap(self) -> None:
        self._swap.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # no connections come after it
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
        for thread in self._threads:
            thread.join()
        for end in [self._listener, *self._ends]:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((LOOPBACK, self._server.port), scaled(10))
            server.settimeout(None)
            self._ends += [client, server]
            for thread in (
                threading.Thread(target=self._forward, args=(client, server)),
                threading.Thread(target=self._return, args=(server, client)),
            ):
                thread.start()
                self._threads.append(thread)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        self._relay(client, server, lambda: client.recv(65536))

    def _return(self, server: socket.socket, client: socket.socket) -> None:
        held = b""

        def next_piece() -> bytes:
            nonlocal held
            while True:
                frame = self._read_frame(server)
                xid = struct.unpack_from(">i", frame, 4)[0] if len(frame) >= 8 else 0
                if not self._swap.is_set() or xid == PING or not frame:
                    return frame
                if held:
                    self._swap.clear()
                    return frame + held
                held = frame

        self._relay(server, client, next_piece)

    @staticmethod
    def _read_frame(server: socket.socket) -> bytes:
        head = server.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return b""
        return head + server.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket, read: Callable[[], bytes]) -> None:
        try:
            while piece := read():
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.fixture
def relay(own_servers_only: None, server: Server) -> Iterator[SwappingRelay]:
    running = SwappingRelay(server)
    yield running
    running.close()


REQUESTS = {
    "aget": lambda z, h, done: z.aget(h, "/a", None, lambda h, code, data, stat: done(code)),
    "acreate": lambda z, h, done: z.acreate(h, "/b", "", OPEN, 0, lambda h, code, path: done(code)),
    "amulti": lambda z, h, done: z.amulti(
        h, [("check", "/a")], lambda h, code, results: done(code)
    ),
}


@pytest.mark.parametrize("first", REQUESTS)
@pytest.mark.parametrize("second", REQUESTS)
def test_answers_out_of_order_are_a_lost_connection(
    zookeeper, connect: Connect, root: str, handle: int, relay: SwappingRelay, first, second
) -> None:
    """Servers do this at times, to a session that resumes with calls under way.

    The C client then closes the connection, so that the outcome of both requests is unknown.
    """
    zookeeper.create(handle, "/a", "", OPEN)
    through = connect(hosts=relay.connection_string + root)
    codes = Calls()
    relay.swap()
    REQUESTS[first](zookeeper, through, codes)
    REQUESTS[second](zookeeper, through, codes)
    assert codes.wait(2) == [(zookeeper.CONNECTIONLOSS,)] * 2


def test_transactions_answered_out_of_order_have_an_unknown_outcome(
    zookeeper, connect: Connect, root: str, relay: SwappingRelay
) -> None:
    through = connect(hosts=relay.connection_string + root)
    relay.swap()
    operations = [("create", f"/{number}", "", OPEN) for number in range(4)]
    results = zookeeper.write_many(through, operations, batch=2)
    assert [type(result) for result in results] == [zookeeper.ConnectionLossException] * 4
