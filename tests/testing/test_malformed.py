"""Malformed frames: they cost their own connection at most.

ZK_TEST_FRAMES is the number of frames; the default is for every day. ZK_TEST_SEED chooses others.
"""

from __future__ import annotations

import logging
import os
import random
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import zookeeper
from tests import sessions
from tests.deadlines import scaled
from tests.sessions import OPEN
from tests.testing import protocol
from tests.testing.random_requests import RandomRequests
from tests.testing.twins import RealLink
from tests.testing.words import ask
from tests.wireframes import Op
from zc.zk.testing import Server

FRAMES = int(os.environ.get("ZK_TEST_FRAMES", "5000"))
SEED = int(os.environ.get("ZK_TEST_SEED", "5"))
FRAMES_OF_A_CONNECTION = 50

# Far more than is needed, and far less than a length that is believed would take.
MOST_KILOBYTES_MORE = 200_000

NUMBERS = [-1, -2, 0, 1, 2**31 - 1, -(2**31), 2**30, 0x00FFFFFF, 0x7FFFFFF0, 255, 65536]


class Mutator:
    """Corrupts the frames that a client would send."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        nodes = dict.fromkeys(("/", "/a", "/a/b", "/zookeeper/quota", "/c"), (0, 0))
        self._requests = RandomRequests(seed, lambda: nodes)

    def connection(self) -> bytes:
        """Return the bytes of a connection: a greeting and requests, most corrupted."""
        greeting = protocol.greeting()
        if self.random.random() < 0.1:
            greeting = self._spoilt(greeting)
        frames = [self._framed(greeting)]
        for xid in range(FRAMES_OF_A_CONNECTION - 1):
            op, body = self._requests.next(5)
            frames.append(self._framed(self._spoilt(protocol.request(xid, op, body))))
        return b"".join(frames)

    def _framed(self, frame: bytes) -> bytes:
        length = len(frame)
        if self.random.random() < 0.005:
            length = self.random.choice([*NUMBERS, length + 1, length - 1])
        return protocol.number(length) + frame

    def _spoilt(self, frame: bytes) -> bytes:
        spoilt = bytearray(frame)
        for _ in range(self.random.choice([0, 1, 1, 2, 5])):
            place = self.random.randrange(len(spoilt) + 1)
            how = self.random.randrange(6)
            if how == 0:
                spoilt[place : place + 1] = self.random.randbytes(1)
            elif how == 1:
                spoilt[place : place + 4] = protocol.number(self.random.choice(NUMBERS))
            elif how == 2:
                del spoilt[place:]
            elif how == 3:
                spoilt[place:place] = self.random.randbytes(self.random.randrange(1, 30))
            elif how == 4:
                del spoilt[place : place + self.random.randrange(1, 8)]
            else:
                spoilt[place:place] = spoilt[: self.random.randrange(len(spoilt) + 1)]
        return bytes(spoilt)


def send_and_drain(server: Server, data: bytes) -> None:
    """Send, end the sending side, and read on until the server hangs up."""
    with socket.create_connection((server.host, server.port), scaled(20)) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except TimeoutError:
            raise
        except OSError:
            pass  # the server did not read the rest


def requests_taken(server: Server) -> int:
    """Return the number of frames that the server has taken for requests."""
    received = re.search(r"zk_packets_received\t(\d+)", ask(server, "mntr"))
    assert received is not None
    return int(received[1])


def forget_peak_of_memory() -> None:
    """Reset the peak of this process's memory."""
    Path("/proc/self/clear_refs").write_text("5")


def kilobytes(name: str) -> int:
    """Return memory of this process: VmRSS at the moment, VmHWM at its peak."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.fixture
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test whose malformed frame becomes an error of the server's."""
    yield
    complaints = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not [r.getMessage() for r in complaints if r.name in ("asyncio", "zc.zk.testing")]


def test_spoilt_frames_cost_nobody_else_anything(own: Server, no_complaints: None) -> None:
    mutator = Mutator(SEED)
    forget_peak_of_memory()
    before = kilobytes("VmRSS")
    with sessions.session(zookeeper, own.connection_string) as handle:
        zookeeper.create(handle, "/witness", "here", OPEN)
        while requests_taken(own) < FRAMES:
            send_and_drain(own, mutator.connection())
            assert zookeeper.get(handle, "/witness", timeout=scaled(10))[0] == "here"
    assert kilobytes("VmHWM") - before < MOST_KILOBYTES_MORE


@pytest.mark.parametrize("length", [-1, -(2**31), 0x100000, 2**31 - 1])
def test_a_length_that_cannot_be_is_hung_up_on_at_once(own: Server, length: int) -> None:
    for start in (b"", protocol.framed(protocol.greeting())):
        link = RealLink.to(own.port)
        try:
            link.send(start + protocol.number(length))
            while link.next_frame() is not None:
                pass
        finally:
            link.close()


@pytest.mark.parametrize(
    ("op", "body"),
    [
        (Op.GET_DATA, b""),
        (Op.GET_DATA, protocol.number(2**31 - 1) + b"/"),
        (Op.GET_DATA, protocol.number(-7)),
        (Op.GET_DATA, protocol.text(None) + b"\0"),
        (Op.CREATE, protocol.text("/a") + protocol.buffer(b"") + protocol.number(2**31 - 1)),
        (Op.MULTI, b"\xff\xff"),
        (Op.MULTI, struct.pack(">i?i", 99, False, -1)),
        (Op.MULTI_READ, struct.pack(">i?i", Op.CREATE, False, -1)),
        (Op.SET_WATCHES, protocol.long(0) + protocol.number(2**31 - 1)),
        (Op.REMOVE_WATCHES, protocol.text("/a") + protocol.number(9)),
        (Op.ADD_WATCH, protocol.text("/a") + protocol.number(9)),
    ],
)
def test_a_body_that_makes_no_sense_is_answered_and_the_connection_stays(
    own: Server, op: int, body: bytes
) -> None:
    link = RealLink.to(own.port)
    try:
        link.send(protocol.framed(protocol.greeting()))
        assert link.next_frame() is not None
        link.send(protocol.framed(protocol.request(1, op, body)))
        frame = link.next_frame()
        assert frame is not None
        xid, _, code = struct.unpack_from(">iqi", frame)
        assert (xid, code) == (1, zookeeper.MARSHALLINGERROR)
        link.send(protocol.framed(protocol.request(-2, Op.PING)))
        assert link.next_frame() is not None
    finally:
        link.close()


def test_a_request_without_a_header_ends_its_connection(own: Server) -> None:
    link = RealLink.to(own.port)
    try:
        link.send(protocol.framed(protocol.greeting()))
        assert link.next_frame() is not None
        link.send(protocol.framed(b"\0\0\0\1"))
        assert link.next_frame() is None
    finally:
        link.close()


@pytest.mark.parametrize("is_read", [True, False])
def test_a_short_request_for_gigabytes_takes_little_memory(own: Server, is_read: bool) -> None:
    """The answer is sent as the client takes it; nothing is copied before."""
    reads = 700
    with sessions.session(zookeeper, own.connection_string) as handle:
        zookeeper.create(handle, "/a", "x" * 1_000_000, OPEN)
    read = struct.pack(">i?i", Op.GET_DATA, False, -1) + protocol.text("/a") + b"\0"
    body = read * reads + struct.pack(">i?i", -1, True, -1)
    assert len(body) < 16_384
    forget_peak_of_memory()
    before = kilobytes("VmRSS")
    with socket.create_connection((own.host, own.port), scaled(20)) as connection:
        connection.sendall(protocol.framed(protocol.greeting()))
        connection.sendall(protocol.framed(protocol.request(1, Op.MULTI_READ, body)))
        received, buffer = 0, bytearray(1 << 20)
        while received < (reads * 1_000_000 if is_read else 10_000_000):
            count = connection.recv_into(buffer)
            assert count
            received += count
    assert kilobytes("VmHWM") - before < 30_000
