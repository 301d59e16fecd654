"""Our server on a port: sessions, words and faults, as real clients see them."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import zookeeper
from tests import sessions
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.ports import free_ports
from tests.sessions import OPEN
from tests.testing import protocol
from tests.testing.twins import RealLink
from tests.testing.words import ask
from tests.wireframes import Op
from zc.zk.testing import Emulation, Server
from zc.zk.testing.engine import SessionLimits

Connect = Callable[..., int]

STATES = {
    zookeeper.CONNECTED_STATE: "connected",
    zookeeper.CONNECTING_STATE: "connecting",
    zookeeper.EXPIRED_SESSION_STATE: "expired",
}


@pytest.fixture
def connect(own: Server) -> Iterator[Connect]:
    """Yield a function that opens sessions; they are closed at the end."""
    opened: list[int] = []

    def connect(watcher: Any = None, timeout: int = int(scaled(10_000))) -> int:
        handle = zookeeper.init(own.connection_string, watcher, timeout)
        opened.append(handle)
        sessions.wait_until_connected(zookeeper, handle)
        return handle

    yield connect
    for handle in opened:
        zookeeper.close(handle)


@pytest.fixture
def link(own: Server) -> Iterator[Callable[[], RealLink]]:
    """Yield a function that opens connections, to say anything by them."""
    with ExitStack() as opened:

        def link() -> RealLink:
            new = RealLink.to(own.port)
            opened.callback(new.close)
            return new

        yield link


def said(calls: Calls) -> list[str]:
    return [STATES[state] for _, _, state, _ in calls.all()]


def greet(link: RealLink, **arguments: object) -> protocol.Answer | None:
    link.send(protocol.framed(protocol.greeting(**arguments)))  # type: ignore[arg-type]
    frame = link.next_frame()
    return None if frame is None else protocol.Answer(frame)


def request(link: RealLink, op: int, body: bytes = b"", xid: int = 1) -> tuple[int, bytes]:
    """Return the error code and body of the answer."""
    link.send(protocol.framed(protocol.request(xid, op, body)))
    frame = link.next_frame()
    assert frame is not None
    answered, _, code = struct.unpack_from(">iqi", frame)
    assert answered == xid
    return code, frame[16:]


# Start and stop


def test_a_server_listens_on_a_free_port_of_loopback() -> None:
    with Server() as first, Server() as second:
        assert first.port != second.port
        assert first.connection_string == f"127.0.0.1:{first.port}"
        assert ask(first, "ruok") == ask(second, "ruok") == "imok"
    with pytest.raises(ConnectionRefusedError):
        ask(first, "ruok")


def test_it_can_listen_on_an_address_of_the_sixth_version() -> None:
    with Server(host="::1") as server:
        assert server.connection_string == f"[::1]:{server.port}"
        assert ask(server, "ruok") == "imok"


def test_a_port_that_is_taken_is_an_error(own: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(own.port).start()


def test_starting_and_stopping_twice_are_harmless(own: Server) -> None:
    own.start()
    own.stop()
    own.stop()
    with pytest.raises(RuntimeError, match="not running"):
        own.cut()
    own.start()
    assert ask(own, "ruok") == "imok"


def test_a_restart_keeps_port_nodes_and_sessions(own: Server, connect: Connect) -> None:
    states = Calls()
    handle = connect(states)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    own.restart()
    wait_until(lambda: said(states)[-2:] == ["connecting", "connected"], "it is back")
    assert zookeeper.exists(handle, "/e")


# Sessions


def test_a_session_ends_when_nothing_is_heard_of_its_client(
    own: Server, connect: Connect, link: Callable[[], RealLink]
) -> None:
    silent = link()
    answer = greet(silent, timeout=200)
    assert answer is not None
    assert answer.take("i") == 0
    timeout, session = answer.take("iq")
    assert timeout == 200
    body = protocol.text("/e") + protocol.buffer(b"") + protocol.acl([(31, "world", "anyone")])
    assert request(silent, Op.CREATE, body + protocol.number(1))[0] == 0
    gone = Calls()
    watching = connect()
    assert zookeeper.get(watching, "/e", gone)[1]["ephemeralOwner"] == session
    assert gone.wait_one()[1] == zookeeper.DELETED_EVENT
    assert silent.next_frame() is None
    late = link()
    again = greet(late, session=session, password=b"x" * 16)
    assert again is not None
    assert again.take("iiq") == (0, 0, 0)


def test_pings_keep_a_session_alive(own: Server, link: Callable[[], RealLink]) -> None:
    pinging = link()
    greet(pinging, timeout=400)
    (session,) = own.sessions()
    deadline = threading.Event()
    for _ in range(8):
        deadline.wait(0.1)
        assert request(pinging, Op.PING, xid=-2) == (0, b"")
    assert own.sessions() == [session]


def test_timeouts_are_agreed_upon_within_limits(link: Callable[[], RealLink]) -> None:
    for asked, agreed in [(1, 200), (5000, 5000), (10**9, 300_000)]:
        answer = greet(link(), timeout=asked)
        assert answer is not None
        assert answer.take("ii") == (0, agreed)


def test_a_session_can_have_one_connection(own: Server, link: Callable[[], RealLink]) -> None:
    first, second = link(), link()
    answer = greet(first)
    assert answer is not None
    _, _, session = answer.take("iiq")
    password = answer.buffer() or b""
    again = greet(second, session=session, password=password)
    assert again is not None
    assert again.take("iiq")[2] == session
    assert first.next_frame() is None
    assert request(second, Op.PING, xid=-2) == (0, b"")


def test_a_client_from_the_future_is_sent_away(link: Callable[[], RealLink]) -> None:
    assert greet(link(), last_zxid=2**63 - 1) is None


def test_a_server_that_forgot_everything_takes_its_former_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is as when a developer's server is killed, and started again."""
    states = Calls()
    with Server() as server:
        handle = zookeeper.init(server.connection_string, states)
        sessions.wait_until_connected(zookeeper, handle)
        for number in range(100):
            zookeeper.create(handle, f"/{number}", "", OPEN)
    try:
        # The next second, or a later one.
        monkeypatch.setattr("zc.zk.testing.server.FIRST_EPOCH_MILLISECONDS", 1_577_836_799_000)
        with Server(server.port):
            wait_until(lambda: said(states)[-1] == "expired", "it is told", 30)
    finally:
        zookeeper.close(handle)


def test_an_old_client_is_not_told_of_read_only_servers(link: Callable[[], RealLink]) -> None:
    answer = greet(link(), read_only_flag=False)
    assert answer is not None
    answer.take("iiq")
    assert len(answer.buffer() or b"") == 16
    assert answer.rest() == b""


def test_a_connection_that_says_nothing_is_sent_away(
    own: Server, link: Callable[[], RealLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zc.zk.testing.wire.service.GREETING_MILLISECONDS", 50)
    assert link().next_frame() is None


# Requests


def test_an_unknown_operation_is_unimplemented_and_costs_no_connection(
    link: Callable[[], RealLink],
) -> None:
    asking = link()
    greet(asking)
    for op in (10, 13, 20, 99, 12345, -10, -1, 0):
        assert request(asking, op, b"whatever") == (zookeeper.UNIMPLEMENTED, b"")
    assert request(asking, Op.EXISTS, protocol.text("/") + b"\0")[0] == zookeeper.OK


def test_reconfiguring_is_refused_as_a_server_that_is_alone_does(
    link: Callable[[], RealLink],
) -> None:
    asking = link()
    greet(asking)
    body = protocol.text(None) * 2 + protocol.text("server.1=a:1:2:participant;3")
    code, _ = request(asking, Op.RECONFIG, body + protocol.long(-1))
    assert code == zookeeper.UNIMPLEMENTED


def test_requests_that_come_in_pieces_and_in_heaps_are_answered_in_order(
    link: Callable[[], RealLink],
) -> None:
    asking = link()
    greet(asking)
    heap = b"".join(
        protocol.framed(protocol.request(xid, Op.EXISTS, protocol.text("/") + b"\0"))
        for xid in range(1, 2001)
    )
    for start in range(0, len(heap), 997):
        asking.send(heap[start : start + 997])
    for xid in range(1, 2001):
        frame = asking.next_frame()
        assert frame is not None
        assert struct.unpack_from(">i", frame) == (xid,)


def test_a_client_that_takes_no_answers_gets_no_more_and_disturbs_nobody(
    own: Server, connect: Connect, link: Callable[[], RealLink]
) -> None:
    handle = connect()
    zookeeper.create(handle, "/big", bytes(1_000_000), OPEN)
    greedy = link()
    greet(greedy)
    get = protocol.framed(protocol.request(1, Op.GET_DATA, protocol.text("/big") + b"\0"))
    asked = 200
    greedy.send(get * asked)
    assert zookeeper.get(handle, "/big")[1]["dataLength"] == 1_000_000
    for _ in range(asked):
        frame = greedy.next_frame()
        assert frame is not None
        assert len(frame) > 1_000_000


def test_thousands_of_connections_are_served(own: Server) -> None:
    with ExitStack() as opened:
        links = []
        for _ in range(1000):
            new = RealLink.to(own.port)
            opened.callback(new.close)
            new.send(protocol.framed(protocol.greeting()))
            links.append(new)
        for each in links:
            assert each.next_frame() is not None
        watch = protocol.text("/a") + b"\1"
        for each in links:
            assert request(each, Op.EXISTS, watch)[0] == zookeeper.NONODE
        with sessions.session(zookeeper, own.connection_string) as handle:
            zookeeper.create(handle, "/a", "", OPEN)
        for each in links:
            frame = each.next_frame()
            assert frame is not None
            assert struct.unpack_from(">i", frame) == (-1,)


# Four letter words


def test_the_words_of_operators_are_answered(own: Server, connect: Connect) -> None:
    handle = connect()
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.exists(handle, "/e", Calls())
    id = f"{zookeeper.client_id(handle)[0]:#x}"
    assert ask(own, "isro") == "rw"
    assert re.search(r"^Zookeeper version: 3\.\d+\.\d+", ask(own, "srvr"))
    assert "Mode: standalone\nNode count: 6\n" in ask(own, "srvr")
    assert re.search(
        r"^ /127.0.0.1:\d+\[1\]\(queued=0,recved=\d+,sent=\d+\)$", ask(own, "stat"), re.M
    )
    assert f"sid={id}," in ask(own, "cons")
    numbers = dict(line.split("\t") for line in ask(own, "mntr").splitlines())
    assert numbers["zk_ephemerals_count"] == numbers["zk_watch_count"] == "1"
    assert numbers["zk_global_sessions"] == "1"
    assert int(numbers["zk_packets_received"]) >= 3
    assert f"clientPort={own.port}\n" in ask(own, "conf")
    assert "zookeeper.version=3." in ask(own, "envi")
    assert f"{id}:\n\t/e\n" in ask(own, "dump")
    assert ask(own, "wchs") == "1 connections watching 1 paths\nTotal watches:1\n"
    assert ask(own, "wchp") == f"/e\n\t{id}\n"
    assert ask(own, "wchc") == f"{id}\n\t/e\n"
    assert ask(own, "what") == ""


def test_a_word_in_the_middle_of_a_session_is_no_word(link: Callable[[], RealLink]) -> None:
    asking = link()
    greet(asking)
    asking.send(b"ruok")
    assert asking.next_frame() is None


# Bad days


def test_cut_connections_come_back_and_their_sessions_go_on(own: Server, connect: Connect) -> None:
    states = Calls()
    handle = connect(states)
    id = zookeeper.client_id(handle)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    own.cut()
    wait_until(lambda: said(states) == ["connected", "connecting", "connected"], "it is back")
    assert zookeeper.client_id(handle) == id
    assert zookeeper.exists(handle, "/e")


def test_a_server_that_refuses_leaves_connections_alone_until_they_are_cut(
    own: Server, connect: Connect
) -> None:
    states = Calls()
    handle = connect(states)
    own.refuse()
    own.refuse()
    with pytest.raises(ConnectionRefusedError):
        ask(own, "ruok")
    assert zookeeper.exists(handle, "/")
    own.cut()
    wait_until(lambda: said(states)[-1] == "connecting", "it has noticed")
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.exists(handle, "/")
    own.allow()
    own.allow()
    wait_until(lambda: said(states)[-1] == "connected", "it is back", 20)
    assert zookeeper.exists(handle, "/")


def test_a_stalled_server_answers_nobody_and_then_everybody(own: Server, connect: Connect) -> None:
    handle = connect(timeout=int(scaled(60_000)))
    own.stall()
    with pytest.raises(zookeeper.OperationTimeoutException):
        zookeeper.exists(handle, "/", timeout=0.1)
    created = Calls()
    zookeeper.acreate(handle, "/a", "", OPEN, 0, created)
    late = zookeeper.init(own.connection_string)
    try:
        own.resume()
        assert created.wait_one()[1] == zookeeper.OK
        sessions.wait_until_connected(zookeeper, late)
    finally:
        zookeeper.close(late)


def test_expired_sessions_take_their_ephemeral_nodes_along(own: Server, connect: Connect) -> None:
    states, gone = Calls(), Calls()
    handle, other = connect(states), connect()
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.exists(other, "/e", gone)
    own.expire(zookeeper.client_id(handle)[0])
    assert gone.wait_one()[1] == zookeeper.DELETED_EVENT
    wait_until(lambda: said(states)[-1] == "expired", "the client knows")
    assert own.sessions() == [zookeeper.client_id(other)[0]]
    own.expire()
    assert own.sessions() == []
    wait_until(lambda: zookeeper.is_unrecoverable(other), "the other one knows, too")


def test_a_server_uses_the_port_it_was_given_again_after_being_down() -> None:
    (port,) = free_ports(1)
    server = Server(port)
    for _ in range(3):
        with server:
            assert ask(server, "ruok") == "imok"


def test_the_clock_goes_on_after_a_failure(
    own: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()
    expire_sessions = own.engine.expire_sessions

    def fail_once() -> object:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("something is wrong with a node")
        return expire_sessions()

    monkeypatch.setattr(own.engine, "expire_sessions", fail_once)
    assert failed.wait(scaled(10))
    with socket.create_connection((own.host, own.port)) as silent:
        silent.sendall(protocol.framed(protocol.greeting(timeout=200)))
        wait_until(own.sessions, "there is a session")
        wait_until(lambda: not own.sessions(), "it has expired")
    assert "the clock's work has failed" in caplog.text


@pytest.mark.parametrize("limits", [(5, 1), (0, 1), (-1, 5), SessionLimits(5, 1)])
def test_limits_that_hold_no_session_timeout_are_refused(limits):
    with pytest.raises(ValueError, match="no session timeout is within the limits"):
        Server(limits=limits)
    with pytest.raises(ValueError, match="no session timeout is within the limits"):
        Emulation(limits=limits)


def test_limits_that_are_no_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="whole milliseconds"):
        Server(limits=(1.5, "x"))  # type: ignore[arg-type]


def test_limits_may_be_a_pair_of_numbers():
    assert Server(limits=(200, 300)).engine.limits.agreed(1) == 200
