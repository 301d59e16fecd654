"""Servers that are broken or mean harm: a call may fail, and nothing worse."""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

import zookeeper
from tests.binding import subprocesses
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.hostile import (
    HANG_UP,
    HostileServer,
    Hostility,
    Pieces,
    Scenario,
    header,
    hostility,
    welcome,
)
from tests.hostile_scenarios import GROUPS, result
from tests.ports import LOOPBACK
from tests.sessions import OPEN, wait_until_connected
from tests.testing import protocol as p
from tests.wireframes import Op, Request

TIMEOUT = int(scaled(10_000))


def test_there_are_more_than_a_hundred_scenarios() -> None:
    assert sum(len(list(group())) for group in GROUPS.values()) > 250


@pytest.mark.parametrize("group", GROUPS)
def test_every_call_ends_and_the_process_goes_on(group: str) -> None:
    """Each scenario meets each call, in a process of its own.

    A crash or a hang would end the process; it looks for handles that spin by itself.
    """
    report = subprocesses.run("hostile", group)
    assert report["problems"] == {}
    assert report["calls"] > 50
    for name, outcomes in report["outcomes"].items():
        assert sum(outcomes.values()) == report["calls"], name


@pytest.mark.parametrize(
    "scenarios",
    [
        *(["bodies"], ["errors"], ["unasked"], ["transactions"], ["closes"]),
        pytest.param(["welcomes", "HTTP", "a timeout of", "another session"], id="welcomes"),
        pytest.param(["frames", "of -1", "HTTP", "hanging up"], id="frames"),
    ],
    ids=lambda scenarios: scenarios[0],
)
def test_clients_of_the_library_end_their_work_and_keep_quiet(scenarios: list[str]) -> None:
    """The clients keep what they follow and have registered, and make no storm."""
    report = subprocesses.run("hostile_library", *scenarios, seconds=100)
    assert report["outcomes"]
    assert report["problems"] == {}


@pytest.fixture
def hostile() -> Iterator[Hostility]:
    with hostility() as running:
        yield running


def connected(server: HostileServer, opened: list[int]) -> int:
    handle = zookeeper.init(server.connection_string, None, TIMEOUT)
    opened.append(handle)
    wait_until_connected(zookeeper, handle)
    return handle


class Answers:
    """A server whose next answers to requests of one type have another body."""

    def __init__(self, hostile: Hostility) -> None:
        self.bodies: dict[int, bytes] = {}
        self.server = hostile.serve(Scenario("bodies", answer=self._answer))

    def _answer(self, request: Request, good: bytes) -> Pieces:
        body = self.bodies.get(request.op, good[20:])
        return [p.framed(header(request.xid) + body)]


@pytest.fixture
def answers(hostile: Hostility) -> Answers:
    return Answers(hostile)


def test_an_answer_that_cannot_be_read_fails_that_call_alone(
    answers: Answers, opened: list[int]
) -> None:
    handle = connected(answers.server, opened)
    answers.bodies[Op.EXISTS] = bytes(67)
    with pytest.raises(zookeeper.MarshallingErrorException, match=r"^marshalling error: /x$"):
        zookeeper.exists(handle, "/x")
    assert zookeeper.get(handle, "/x")[0] == "data"
    answers.bodies.clear()
    assert zookeeper.exists(handle, "/x")
    assert answers.server.connections == 1


END = result(-1, is_end=b"\1", error=-1)
CREATE = [("create", "/x", "", OPEN)]


@pytest.mark.parametrize(
    "results",
    [
        pytest.param(result(Op.DELETE), id="another type"),
        pytest.param(result(Op.SET_DATA, bytes(68)), id="another type with a body"),
        pytest.param(result(-1, p.number(0)), id="an error that is none"),
        pytest.param(b"", id="too few"),
        pytest.param(result(Op.CREATE, p.buffer(b"/x")) * 2, id="too many"),
        pytest.param(result(Op.CREATE, p.number(-1)), id="no path"),
    ],
)
def test_a_transaction_answered_by_other_results_fails(
    answers: Answers, opened: list[int], results: bytes
) -> None:
    handle = connected(answers.server, opened)
    assert zookeeper.multi(handle, CREATE) == ["/x"]
    answers.bodies[Op.MULTI] = results + END
    with pytest.raises(zookeeper.MarshallingErrorException):
        zookeeper.multi(handle, CREATE)
    completion = Calls()
    zookeeper.amulti(handle, CREATE, completion)
    assert completion.wait_one() == (handle, zookeeper.MARSHALLINGERROR, None)
    assert answers.server.connections == 1


@pytest.mark.parametrize("read", ["get_many", "get_children_many"])
def test_a_node_that_is_refused_without_an_error_is_not_taken_as_read(
    answers: Answers, opened: list[int], read: str
) -> None:
    """It would look like a node without data or without children."""
    handle = connected(answers.server, opened)
    answers.bodies[Op.MULTI_READ] = result(-1, p.number(0)) * 2 + END
    with pytest.raises(zookeeper.MarshallingErrorException):
        getattr(zookeeper, read)(handle, ["/a", "/b"])


def test_the_log_says_what_is_wrong_with_a_server(
    hostile: Hostility, opened: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ZooKeeper"):
        speech = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        web = hostile.serve(Scenario("web", lambda good, count: [speech, HANG_UP]))
        opened.append(zookeeper.init(web.connection_string, None, TIMEOUT))
        wait_until(
            lambda: "this is no answer of a ZooKeeper server" in caplog.text,
            lambda: caplog.text,
        )
        assert "1213486160 bytes instead of 37 to open a session" in caplog.text
        wait_until(lambda: "after growing pauses" in caplog.text, lambda: caplog.text)


LONGEST = 60_000


@pytest.mark.parametrize(
    ("asked", "granted", "believed"),
    [
        (4_000, 40_000, 40_000),
        (4_000, LONGEST, LONGEST),
        (4_000, (1 << 30) - 1, LONGEST),
        (120_000, 300_000, 120_000),
        (120_000, 90_000, 90_000),
    ],
)
def test_a_session_timeout_is_believed_up_to_a_minute_or_what_was_asked_for(
    hostile: Hostility, opened: list[int], asked: int, granted: int, believed: int
) -> None:
    """Servers may raise it (minSessionTimeout); days of it would be days that calls wait."""
    asked_again: list[int] = []

    def grant(good: bytes, _count: int) -> Pieces:
        asked_again.append(struct.unpack_from(">i", good, 4)[0])
        return [p.framed(welcome(granted))]

    server = hostile.serve(
        Scenario(
            "grants",
            grant,
            lambda request, good: [HANG_UP] if request.op == Op.GET_DATA else [good],
        )
    )
    handle = zookeeper.init(server.connection_string, None, asked)
    opened.append(handle)
    wait_until_connected(zookeeper, handle)
    wait_until(
        lambda: zookeeper.recv_timeout(handle) == believed,
        lambda: f"{zookeeper.recv_timeout(handle)} is believed",
        10,
    )
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.get(handle, "/")
    wait_until(lambda: len(asked_again) == 2, "it connects again")
    wait_until_connected(zookeeper, handle)
    assert asked_again == [asked, believed]
    wait_until(
        lambda: zookeeper.recv_timeout(handle) == believed,
        lambda: f"{zookeeper.recv_timeout(handle)} is believed",
        10,
    )


class Door:
    """A server that hangs up on every client for as long as it is shut."""

    def __init__(self, hostile: Hostility) -> None:
        self.is_shut = True
        self.server = hostile.serve(Scenario("door", self._welcome))

    def _welcome(self, good: bytes, _count: int) -> Pieces:
        return [HANG_UP] if self.is_shut else [p.framed(good)]


def test_a_server_that_hangs_up_is_not_stormed(hostile: Hostility, opened: list[int]) -> None:
    """The client submits calls meanwhile, and recovers with the server."""
    door = Door(hostile)
    handle = zookeeper.init(door.server.connection_string, None, TIMEOUT)
    opened.append(handle)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        zookeeper.aget(handle, "/")
        time.sleep(0.002)
    # Two at once, then with backoff after at least 0.05, 0.1, 0.2, 0.4, 0.8 seconds.
    assert 2 <= door.server.connections <= 8
    door.is_shut = False
    wait_until_connected(zookeeper, handle)
    assert zookeeper.get(handle, "/")[0] == "data"


def test_a_session_that_is_ended_at_once_is_not_resumed_in_a_storm(
    hostile: Hostility, opened: list[int]
) -> None:
    """A server ends a session so when it does not know one of its requests."""
    server = hostile.serve(Scenario("ends", answer=lambda request, good: [good, HANG_UP]))
    handle = zookeeper.init(server.connection_string, None, TIMEOUT)
    opened.append(handle)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        zookeeper.aget(handle, "/")
        time.sleep(0.002)
    # Two at once, then after at least 0.05 and 0.1 seconds, again and again.
    assert 2 <= server.connections <= 23


def test_requests_do_not_make_a_client_connect_where_nobody_listens(
    opened: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, "ZooKeeper"):
            handle = zookeeper.init(f"{LOOPBACK}:{port}", None, 600)
            opened.append(handle)
            end = time.monotonic() + 1
            while time.monotonic() < end:
                zookeeper.aget(handle, "/")
                time.sleep(0.001)
    finally:
        zookeeper.set_debug_level(zookeeper.LOG_LEVEL_INFO)
    attempts = caplog.text.count("[zk] connect()")
    assert 1 <= attempts <= 60, "one in 20 milliseconds at the most"


class TestReadOnly:
    """A server that is cut off from the others, until it reaches one of them."""

    @pytest.fixture
    def alone(self, hostile: Hostility) -> HostileServer:
        """Return a server that answers nothing but `exists`."""
        return hostile.serve(
            Scenario(
                "alone",
                welcome=lambda good, _: [p.framed(good[:-1] + b"\1")],
                answer=lambda request, good: [good] if request.op == Op.EXISTS else [],
                isro=[b"ro", HANG_UP],
            )
        )

    @pytest.fixture(params=[False, True], ids=["untried", "has-refused"])
    def handle(
        self, request: pytest.FixtureRequest, alone: HostileServer, opened: list[int]
    ) -> Iterator[int]:
        """Yield a handle that is connected to the server that is alone.

        There is a second server, which is of no use yet. It is given first if it is to refuse a
        connection before.
        """
        with socket.create_server((LOOPBACK, 0)) as listener:
            self.port = listener.getsockname()[1]
        hosts = [alone.connection_string, f"{LOOPBACK}:{self.port}"]
        if request.param:
            hosts.reverse()
        zookeeper.deterministic_conn_order(True)
        try:
            handle = zookeeper.init(",".join(hosts), None, TIMEOUT, read_only=True)
            opened.append(handle)
            wait_until(
                lambda: zookeeper.state(handle) == zookeeper.READONLY_STATE, "it is read-only", 30
            )
            yield handle
        finally:
            zookeeper.deterministic_conn_order(False)

    def test_a_call_under_way_loses_its_connection(
        self, hostile: Hostility, handle: int, alone: HostileServer
    ) -> None:
        lost = [Calls() for _ in range(3)]
        zookeeper.aget(handle, "/", None, lost[0])
        zookeeper.aget_children(handle, "/", None, lost[1])
        zookeeper.amulti(handle, CREATE, lost[2])
        whole = hostile.serve(Scenario("whole"), self.port)
        for completion in lost:
            assert completion.wait_one()[1] == zookeeper.CONNECTIONLOSS
        wait_until_connected(zookeeper, handle)
        assert zookeeper.get(handle, "/")[0] == "data"
        # One connection asked for the server's state, the other is the session's.
        assert whole.connections == 2

    def test_a_write_that_this_server_has_got_may_have_happened(
        self, hostile: Hostility, handle: int, alone: HostileServer
    ) -> None:
        faults: list[zookeeper.ZooKeeperException] = []

        def write() -> None:
            try:
                zookeeper.set(handle, "/", "")
            except zookeeper.ZooKeeperException as fault:
                faults.append(fault)

        before = alone.requests
        thread = threading.Thread(target=write)
        thread.start()
        wait_until(lambda: alone.requests > before, "the server has the request")
        hostile.serve(Scenario("whole"), self.port)
        thread.join(scaled(60))
        assert [(fault.code, fault.may_have_happened) for fault in faults] == [
            (zookeeper.CONNECTIONLOSS, True)
        ]

    def test_asking_others_leaves_no_descriptors_behind(
        self, handle: int, alone: HostileServer
    ) -> None:
        """The C client forgets a socket that could not be connected."""
        wait_until(lambda: alone.connections >= 2, "the first one is asked")
        before = len(os.listdir("/proc/self/fd"))
        asked = alone.connections
        # The servers are asked in turn, so another one has been asked in between.
        wait_until(lambda: alone.connections >= asked + 2, "others are asked", 30)
        wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before, "all are closed")
        assert zookeeper.exists(handle, "/")
