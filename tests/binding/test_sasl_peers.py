"""SASL with servers and mechanisms that are broken, slow or mean harm."""

from __future__ import annotations

import itertools
import logging
import random
import struct
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

import zookeeper
from tests.binding import subprocesses
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.hostile import (
    HANG_UP,
    RESET,
    HostileServer,
    Hostility,
    Scenario,
    event,
    header,
    hostility,
    welcome,
)
from tests.hostile_scenarios import SPEECHES
from tests.mechanisms import (
    CHALLENGES,
    TOKENS,
    SaslAnswer,
    Scripted,
    good_answer,
    sasl_answer,
    sasl_server,
    token_of,
)
from tests.ports import LOOPBACK, free_ports
from tests.sessions import wait_until_connected
from tests.testing import protocol as p
from tests.wireframes import Op, Request

TIMEOUT = int(scaled(10_000))

# A short session, for what ends when a server or a step has taken too long.
SHORT = int(scaled(1000))


@pytest.fixture
def hostile() -> Iterator[Hostility]:
    with hostility() as running:
        yield running


def fault_of(handle: int) -> str:
    return wait_until(lambda: zookeeper.connection_fault(handle) or "", "there is a fault")


def framed_token(request: Request, length: int, body: bytes) -> bytes:
    return p.framed(header(request.xid) + struct.pack(">i", length) + body)


def after_first(answer: SaslAnswer) -> SaslAnswer:
    """Return a server that spoils its second answer."""
    return lambda request: (
        [good_answer(request)] if token_of(request) == TOKENS[0] else answer(request)
    )


FAULTS: dict[str, tuple[SaslAnswer, str]] = {
    "refused": (
        lambda request: [sasl_answer(request, None, zookeeper.AUTHFAILED), HANG_UP],
        "the server refuses the credentials (SCRIPTED)",
    ),
    "refused, with nothing behind it": (
        lambda request: [p.framed(header(request.xid, zookeeper.AUTHFAILED))],
        "the server refuses the credentials (SCRIPTED)",
    ),
    "refused, as others are": (
        lambda request: [
            sasl_answer(request, None, zookeeper.SESSIONCLOSEDREQUIRESASLAUTH),
            HANG_UP,
        ],
        "the server refuses the credentials (SCRIPTED)",
    ),
    "refused at the end": (
        after_first(lambda request: [sasl_answer(request, None, zookeeper.AUTHFAILED)]),
        "the server refuses the credentials (SCRIPTED)",
    ),
    "an error": (
        lambda request: [sasl_answer(request, None, zookeeper.UNIMPLEMENTED)],
        "the server ends SASL with the error -6 (SCRIPTED)",
    ),
    "an error of clients": (
        lambda request: [sasl_answer(request, None, zookeeper.CONNECTIONLOSS)],
        "the server ends SASL with the error -4 (SCRIPTED)",
    ),
    "no token": (
        lambda request: [sasl_answer(request, None)],
        "the server does not go on with SCRIPTED",
    ),
    "no token at the end": (
        after_first(lambda request: [sasl_answer(request, None)]),
        "the server does not go on with SCRIPTED",
    ),
    "another number": (
        lambda request: [p.framed(header(request.xid + 76) + p.buffer(CHALLENGES[0]))],
        "an answer numbered 77, where SASL waits for 1 (SCRIPTED)",
    ),
    "an event": (lambda _: [event()], "an answer numbered -1, where SASL waits for 1"),
    "the answer to a ping": (
        lambda _: [p.framed(header(-2))],
        "an answer numbered -2, where SASL waits for 1",
    ),
    "the last answer again": (
        after_first(lambda request: [p.framed(header(1) + p.buffer(CHALLENGES[0]))]),
        "an answer numbered 1, where SASL waits for 2",
    ),
    "no body": (
        lambda request: [p.framed(header(request.xid))],
        "an answer of 16 bytes, without the length of a token, is none of SASL",
    ),
    "half a header": (lambda request: [p.framed(header(request.xid)[:9])], "is none of SASL"),
    "a huge answer": (lambda _: [p.number(1 << 24)], "an answer of 16777216 bytes is none of SASL"),
    "an endless answer": (lambda _: [p.number(2**31 - 1)], "is none of SASL"),
    "a negative answer": (lambda _: [p.number(-1)], "an answer of -1 bytes is none of SASL"),
    "a token that is longer than its answer": (
        lambda request: [framed_token(request, 1000, b"token")],
        "a token of 1000 bytes in an answer of 25 is none of SASL",
    ),
    "a token that is shorter than its answer": (
        lambda request: [framed_token(request, 1, b"token")],
        "a token of 1 bytes in an answer of 25 is none of SASL",
    ),
    "a token of -2 bytes": (
        lambda request: [framed_token(request, -2, b"")],
        "a token of -2 bytes in an answer of 20 is none of SASL",
    ),
    "nothing but bytes behind no token": (
        lambda request: [framed_token(request, -1, b"token")],
        "a token of -1 bytes in an answer of 25 is none of SASL",
    ),
    "a wrong challenge": (
        lambda request: [sasl_answer(request, b"\xff" * 100_000)],
        "SCRIPTED: the mechanism raised AssertionError",
    ),
    "the end": (lambda _: [HANG_UP], "the server hangs up during SASL (SCRIPTED)"),
    "the end in an answer": (
        lambda request: [good_answer(request)[:22], HANG_UP],
        "the server hangs up during SASL (SCRIPTED)",
    ),
    "a reset": (lambda _: [RESET], "the server hangs up during SASL (SCRIPTED)"),
    "the end at the end": (
        after_first(lambda _: [HANG_UP]),
        "the server hangs up during SASL (SCRIPTED)",
    ),
    **{name: (lambda _, speech=speech: [speech], "SCRIPTED") for name, speech in SPEECHES.items()},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_servers_fault_is_told_and_opens_no_session(name, hostile, opened) -> None:
    answer, words = FAULTS[name]
    server = hostile.serve(sasl_server(answer))
    watcher = Calls()
    opened.append(zookeeper.init(server.connection_string, watcher, TIMEOUT, sasl=Scripted()))
    fault = fault_of(opened[0])
    assert fault.startswith(f"{server.connection_string}: ")
    assert words in fault
    wait_until(lambda: server.connections >= 3, "it tries again")
    assert server.requests <= 2 * server.connections
    assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE
    assert [call for call in watcher.all() if call[2] == zookeeper.CONNECTED_STATE] == []


def refusing_until_well(hostile: Hostility) -> tuple[HostileServer, threading.Event]:
    """Run a server that refuses credentials until the event is set."""
    is_well = threading.Event()

    def answer(request: Request) -> Any:
        if is_well.is_set():
            return [good_answer(request)]
        return [sasl_answer(request, None, zookeeper.AUTHFAILED), HANG_UP]

    server = hostile.serve(sasl_server(answer))
    return server, is_well


def test_a_server_that_is_well_again_opens_the_session(hostile, opened) -> None:
    server, is_well = refusing_until_well(hostile)
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted()))
    fault_of(opened[0])
    is_well.set()
    wait_until_connected(zookeeper, opened[0])
    assert zookeeper.connection_fault(opened[0]) is None
    assert zookeeper.exists(opened[0], "/")


def test_refused_credentials_make_no_storm(hostile, opened) -> None:
    """Pauses double: of so many connections the last ones took half of the time."""
    at: list[float] = []

    def refuse(request: Request) -> Any:
        at.append(time.monotonic())
        return [sasl_answer(request, None, zookeeper.AUTHFAILED), HANG_UP]

    server = hostile.serve(sasl_server(refuse))
    opened.append(zookeeper.init(server.connection_string, None, 1000, sasl=Scripted()))
    wait_until(lambda: len(at) >= 8, "it tries again", 60)
    pauses = [later - earlier for earlier, later in pairwise(at[1:])]
    # Each is at least half of what it would be without jitter: 100 ms, 200, 400 and so on. A sixth
    # of the session timeout is no limit, as there is no session that could end meanwhile.
    assert all(pause > 0.05 * 2**index for index, pause in enumerate(pauses[:6])), pauses


REFUSED = sasl_server(lambda request: [sasl_answer(request, None, zookeeper.AUTHFAILED), HANG_UP])


def test_credentials_are_refused_when_each_server_has_refused_twice(hostile, opened) -> None:
    servers = [hostile.serve(REFUSED) for _ in range(3)]
    hosts = ",".join(server.connection_string for server in servers)
    opened.append(zookeeper.init(hosts, None, TIMEOUT, sasl=Scripted()))
    wait_until(lambda: zookeeper.is_refused(opened[0]), "all have refused", 30)
    assert all(server.connections >= 2 for server in servers)


@pytest.mark.parametrize("other", ["is down", "hangs up", "lets it in later"])
def test_credentials_are_not_refused_while_a_server_has_not(other, hostile, opened) -> None:
    refusals = itertools.count()

    def answer(request: Request) -> Any:
        if other == "hangs up":
            return [HANG_UP]
        if next(refusals) == 0:
            return [sasl_answer(request, None, zookeeper.AUTHFAILED), HANG_UP]
        return [good_answer(request)]

    refusing = hostile.serve(REFUSED)
    if other == "is down":
        another = f"{LOOPBACK}:{free_ports(1)[0]}"
    else:
        another = hostile.serve(sasl_server(answer)).connection_string
    hosts = f"{refusing.connection_string},{another}"
    opened.append(zookeeper.init(hosts, None, TIMEOUT, sasl=Scripted()))
    if other == "lets it in later":
        wait_until_connected(zookeeper, opened[0])
    else:
        wait_until(lambda: refusing.connections >= 4, "it has refused more than twice", 60)
    assert not zookeeper.is_refused(opened[0])


def test_credentials_that_are_accepted_later_are_not_refused_any_more(hostile, opened) -> None:
    server, is_well = refusing_until_well(hostile)
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted()))
    wait_until(lambda: zookeeper.is_refused(opened[0]), "it has refused")
    assert server.connections >= 3
    is_well.set()
    wait_until_connected(zookeeper, opened[0])
    assert not zookeeper.is_refused(opened[0])


def test_an_address_of_a_name_where_no_server_is_refuses_nothing(hostile, opened) -> None:
    """`localhost` may have an address of IPv6, too, at which nobody listens."""
    port = hostile.serve(REFUSED).connection_string.rpartition(":")[2]
    opened.append(zookeeper.init(f"localhost:{port}", None, TIMEOUT, sasl=Scripted()))
    wait_until(lambda: zookeeper.is_refused(opened[0]), "it has refused", 30)


@pytest.mark.parametrize("size", [1, 7])
def test_answers_that_come_in_pieces_are_put_together(size, hostile, opened) -> None:
    def answer(request: Request) -> Any:
        good = good_answer(request)
        return [good[at : at + size] for at in range(0, len(good), size)]

    server = hostile.serve(sasl_server(answer))
    mechanism = Scripted()
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism))
    wait_until_connected(zookeeper, opened[0])
    assert mechanism.completed == 1
    assert mechanism.hosts == [LOOPBACK]
    assert zookeeper.exists(opened[0], "/")


def test_all_else_comes_after_sasl_on_every_connection(hostile, opened) -> None:
    asked: list[int] = []
    cut = threading.Event()

    def note(request: Request, good: bytes) -> Any:
        asked.append(request.op)
        if request.op == Op.SASL:
            return [good_answer(request)]
        if cut.is_set():
            cut.clear()
            return [HANG_UP]
        return [good]

    server = hostile.serve(Scenario("SASL", answer=note))
    mechanism = Scripted()
    handle = zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism)
    opened.append(handle)
    # Credentials and a request that are there before the session is.
    answered = Calls()
    zookeeper.add_auth(handle, "digest", "user:password")
    wait_until_connected(zookeeper, handle)
    zookeeper.get(handle, "/", Calls())
    assert asked[:2] == [Op.SASL, Op.SASL]
    assert set(asked[2:]) == {Op.AUTH, Op.GET_DATA}
    for number in (2, 3):
        del asked[:]
        cut.set()
        zookeeper.aexists(handle, "/", None, answered)
        wait_until(lambda number=number: mechanism.completed == number, "SASL is done again")
        wait_until_connected(zookeeper, handle)
        zookeeper.exists(handle, "/")
        assert asked[0] == Op.EXISTS
        assert asked[1:3] == [Op.SASL, Op.SASL]
        assert Op.SASL not in asked[3:]
        assert {Op.AUTH, Op.SET_WATCHES} <= set(asked[3:])
    assert server.sessions == 3


def test_an_expired_session_is_told_without_sasl(hostile, opened) -> None:
    def another(good: bytes, count: int) -> Any:
        return [p.framed(good if count == 0 else welcome(0, session=0, password=bytes(16)))]

    cut = threading.Event()

    def answer(request: Request, good: bytes) -> Any:
        if request.op == Op.SASL:
            return [good_answer(request)]
        return [HANG_UP] if cut.is_set() else [good]

    server = hostile.serve(Scenario("expiry", another, answer))
    mechanism, watcher = Scripted(), Calls()
    opened.append(zookeeper.init(server.connection_string, watcher, TIMEOUT, sasl=mechanism))
    wait_until_connected(zookeeper, opened[0])
    cut.set()
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.exists(opened[0], "/")
    wait_until(lambda: zookeeper.is_unrecoverable(opened[0]), "the session is over")
    assert mechanism.completed == 1
    assert len(mechanism.hosts) == 1


def test_a_server_that_does_not_answer_is_given_up(hostile, opened) -> None:
    silent = hostile.serve(sasl_server(lambda _: []))
    good = hostile.serve(sasl_server())
    opened.append(zookeeper.init(silent.connection_string, None, SHORT, sasl=Scripted()))
    fault = fault_of(opened[0])
    words = "the server opens a session, and does not answer SASL (SCRIPTED)"
    assert fault == f"{silent.connection_string}: {words}"
    both = f"{silent.connection_string},{good.connection_string}"
    opened.append(zookeeper.init(both, None, SHORT, sasl=Scripted()))
    wait_until_connected(zookeeper, opened[1])


def test_data_that_comes_while_a_step_goes_on_is_a_fault(hostile, opened) -> None:
    server = hostile.serve(sasl_server(lambda request: [good_answer(request), event()]))
    go_on = threading.Event()

    def step(challenge: bytes) -> bytes | None:
        if challenge:
            go_on.wait(scaled(60))
        return TOKENS[0]

    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted(step)))
    assert "the server sends something unasked during SASL" in fault_of(opened[0])
    go_on.set()


def test_an_exchange_without_end_is_ended(hostile, opened) -> None:
    server = hostile.serve(sasl_server(lambda request: [sasl_answer(request, b"more")]))
    mechanism = Scripted(lambda challenge: b"more")
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism))
    assert "SASL does not end after 50 tokens (SCRIPTED)" in fault_of(opened[0])


def raising(fault: BaseException) -> Any:
    def step(challenge: bytes) -> bytes | None:
        raise fault

    return step


@pytest.mark.parametrize(
    ("step", "words", "is_logged"),
    [
        (raising(zookeeper.SASLError("no ticket")), "SCRIPTED: no ticket", False),
        (raising(ValueError("x")), "SCRIPTED: the mechanism raised ValueError: x", True),
        (raising(SystemExit(3)), "SCRIPTED: the mechanism raised SystemExit: 3", True),
        (raising(KeyboardInterrupt()), "the mechanism raised KeyboardInterrupt", True),
        (raising(zookeeper.SASLError("long " * 1000)), "long long long", False),
        (lambda _: "text", "a token is bytes or None, not str", True),
        (lambda _: None, "SCRIPTED ends without a result", False),
        (lambda _: bytes(2_000_000), "2000000 bytes, where 1047552 are the limit", False),
    ],
    ids=["SASLError", "ValueError", "SystemExit", "Ctrl-C", "long", "text", "None", "huge"],
)
def test_a_mechanism_that_fails_is_told(step, words, is_logged, hostile, opened, caplog) -> None:
    caplog.set_level(logging.ERROR, "zookeeper")
    server = hostile.serve(sasl_server())
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted(step)))
    fault = fault_of(opened[0])
    assert fault.startswith(f"{server.connection_string}: ")
    assert words in fault
    wait_until(lambda: server.connections >= 3, "it tries again")
    raised = [record for record in caplog.records if "a SASL mechanism raised" in record.message]
    assert bool(raised) == is_logged
    wait_until(lambda: [r for r in caplog.records if words in r.getMessage()], "it is logged")
    assert server.requests == 0


def test_a_large_token_is_sent_whole(hostile, opened) -> None:
    seen: list[bytes] = []
    large = b"\x00\xff" * 500_000

    def answer(request: Request) -> Any:
        seen.append(token_of(request))
        return [sasl_answer(request, large)]

    class Large(Scripted):
        def begin(self, host: str) -> Any:
            exchange = super().begin(host)
            exchange.complete = True
            return exchange

    server = hostile.serve(sasl_server(answer))
    mechanism = Large(lambda challenge: large)
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=mechanism))
    wait_until_connected(zookeeper, opened[0])
    assert seen == [large]


class Blocking(Scripted):
    """A mechanism whose steps wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self.threads: list[threading.Thread] = []

    def begin(self, host: str) -> Any:
        self.threads.append(threading.current_thread())
        self.reached.set()
        assert self.let_go.wait(scaled(120))
        return super().begin(host)


def test_a_step_that_takes_too_long_is_given_up_and_told(hostile, opened) -> None:
    server = hostile.serve(sasl_server())
    blocking = Blocking()
    handle = zookeeper.init(server.connection_string, None, SHORT, sasl=blocking)
    opened.append(handle)
    fault = fault_of(handle)
    words = "SASL is given up, as the mechanism SCRIPTED takes too long for a step"
    assert fault == f"{server.connection_string}: {words}"
    wait_until(lambda: server.connections >= 3, "it tries again")
    # Others go on meanwhile.
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted()))
    wait_until_connected(zookeeper, opened[1])
    assert len(blocking.threads) == 1
    blocking.let_go.set()
    wait_until_connected(zookeeper, handle)
    assert blocking.completed >= 1
    assert len(set(blocking.threads)) == 1
    assert zookeeper.connection_fault(handle) is None


def test_a_connection_that_waits_says_for_what_when_asked(hostile, opened) -> None:
    """A caller may give up long before the connection is given up."""
    silent = hostile.serve(sasl_server(lambda _: []))
    good = hostile.serve(sasl_server())
    blocking = Blocking()

    def awaited(hosts: str, sasl: Any) -> str:
        handle = zookeeper.init(hosts, None, 60 * TIMEOUT, sasl=sasl)
        opened.append(handle)
        told = wait_until(
            lambda: zookeeper.connection_fault(handle, awaited=True) or "", "something is told", 30
        )
        assert zookeeper.connection_fault(handle) is None
        return told

    try:
        told = awaited(good.connection_string, blocking)
        words = "the mechanism SCRIPTED does not come to the end of a step"
        assert told == f"{good.connection_string}: {words}"
    finally:
        blocking.let_go.set()
    wait_until_connected(zookeeper, opened[0])
    assert zookeeper.connection_fault(opened[0], awaited=True) is None
    words = "the server opens a session, and does not answer SASL (SCRIPTED)"
    told = awaited(silent.connection_string, Scripted())
    assert told == f"{silent.connection_string}: {words}"


@pytest.mark.parametrize("name", ["", "A\0B", "TWO\nLINES", "\x1b[31m"])
def test_a_name_that_messages_cannot_have_is_refused(name) -> None:
    mechanism = Scripted()
    mechanism.name = name
    with pytest.raises(ValueError, match="a mechanism's name is printable, and not empty"):
        zookeeper.init(f"{LOOPBACK}:1", sasl=mechanism)


def test_a_close_while_a_step_goes_on_waits_for_nothing(hostile) -> None:
    server = hostile.serve(sasl_server())
    blocking = Blocking()
    handle = zookeeper.init(server.connection_string, None, TIMEOUT, sasl=blocking)
    try:
        assert blocking.reached.wait(scaled(30))
        zookeeper.close(handle)
        with pytest.raises(zookeeper.InvalidStateException):
            zookeeper.state(handle)
        assert blocking.threads[0].is_alive()
    finally:
        blocking.let_go.set()
    blocking.threads[0].join(scaled(30))
    assert not blocking.threads[0].is_alive()


def test_a_step_may_close_its_own_handle(hostile) -> None:
    server = hostile.serve(sasl_server())
    closed = threading.Event()
    handles: list[int] = []
    opened = threading.Event()

    def step(challenge: bytes) -> bytes | None:
        opened.wait(scaled(30))
        zookeeper.close(handles[0])
        closed.set()
        return TOKENS[0]

    handles.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted(step)))
    opened.set()
    assert closed.wait(scaled(30))
    with pytest.raises(zookeeper.InvalidStateException):
        zookeeper.state(handles[0])


def test_a_request_that_is_made_during_a_step_waits_its_turn(hostile, opened) -> None:
    server = hostile.serve(sasl_server())
    blocking, answered = Blocking(), Calls()
    handle = zookeeper.init(server.connection_string, None, TIMEOUT, sasl=blocking)
    opened.append(handle)
    assert blocking.reached.wait(scaled(30))
    for _ in range(100):
        zookeeper.aexists(handle, "/", None, answered)
    assert server.requests == 0
    blocking.let_go.set()
    assert {code for _, code, _ in answered.wait(100)} == {zookeeper.OK}


def spoiled(good: bytes, source: random.Random) -> Any:
    """Return an answer with a bit that is not as it was, or cut, or with something behind it."""
    bit = source.randrange(len(good) * 8)
    flipped = bytearray(good)
    flipped[bit // 8] ^= 1 << bit % 8
    cut = good[: source.randrange(len(good))]
    return source.choice(
        [[bytes(flipped)], [cut, HANG_UP], [good, source.randbytes(30)], [source.randbytes(60)]]
    )


def test_spoiled_answers_cost_no_more_than_their_connection(hostile, opened, caplog) -> None:
    caplog.set_level(logging.CRITICAL)
    source = random.Random(14)
    servers = []
    for _ in range(40):
        left = [2]

        def answer(request: Request, left: list[int] = left) -> Any:
            good = good_answer(request)
            if left[0] == 0 or source.random() < 0.3:
                return [good]
            left[0] -= 1
            return spoiled(good, source)

        servers.append(hostile.serve(sasl_server(answer)))
        where = servers[-1].connection_string
        opened.append(zookeeper.init(where, None, SHORT, sasl=Scripted()))
    for handle in opened:
        wait_until_connected(zookeeper, handle)
        wait_until(lambda handle=handle: can_read(handle), "the session can be used", 30)
    assert sum(server.connections for server in servers) >= 80


def can_read(handle: int) -> bool:
    try:
        return zookeeper.exists(handle, "/") is not None
    except zookeeper.SessionError:
        return False


def test_a_process_without_a_thread_for_sasl_gets_an_error(hostile, opened, monkeypatch) -> None:
    server = hostile.serve(sasl_server())
    start = threading.Thread.start

    def start_others(thread: threading.Thread) -> None:
        if thread.name.endswith("-sasl"):
            raise RuntimeError("can't start new thread")
        start(thread)

    before = set(threading.enumerate())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start_others)
        with pytest.raises(zookeeper.SystemErrorException, match="no thread for SASL: can't"):
            zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted())
    wait_until(lambda: set(threading.enumerate()) <= before, "its other thread has ended")
    assert server.connections == 0
    opened.append(zookeeper.init(server.connection_string, None, TIMEOUT, sasl=Scripted()))
    assert opened == [0]
    wait_until_connected(zookeeper, opened[0])


def test_an_argument_that_is_no_mechanism_opens_nothing() -> None:
    with pytest.raises(TypeError, match="sasl must be None or a mechanism"):
        zookeeper.init(f"{LOOPBACK}:1", sasl="digest")  # type: ignore[arg-type]


def test_programs_end_fork_and_collect_whatever_a_step_does() -> None:
    seen = subprocesses.run("sasl_fork")
    assert seen == {
        "child": "ForkedException",
        "own session of the child": True,
        "status": 0,
        "session is the same": True,
        "exchanges": 1,
    }
