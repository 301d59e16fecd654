"""Servers, and those in between, that attack a session over TLS with what they send.

tests/fuzz does the same at random.
"""

from __future__ import annotations

import itertools
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import zookeeper
from tests.binding import subprocesses
from tests.calls import Calls
from tests.certificates import Authority, Issued
from tests.deadlines import scaled, wait_until
from tests.libssl import TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, Context
from tests.sessions import wait_until_connected
from tests.testing import protocol as p
from tests.tlspeer import (
    HungUp,
    Link,
    Peer,
    Script,
    answer_all,
    answer_to,
    data_of,
    serve,
    tls_peer,
)
from tests.tlsrecords import (
    ALERT,
    CHANGE_CIPHER_SPEC,
    CLOSE_NOTIFY,
    DATA,
    HANDSHAKE,
    INTERNAL_ERROR,
    KEY_UPDATE,
    KEY_UPDATE_REQUESTED,
    Sealer,
    record,
)
from tests.wireframes import Op, Request
from zookeeper import TLS

SESSION_TIMEOUT = int(scaled(6_000))
SHORT_TIMEOUT = int(scaled(1_000))
VERSIONS = {"TLS 1.2": TLS_1_2, "TLS 1.3": TLS_1_3}


@pytest.fixture
def modern(issued: Issued) -> Context:
    """Return settings whose records `Sealer` can write."""
    return Context(issued.certificate, issued.key)


@pytest.fixture(params=list(VERSIONS.values()), ids=list(VERSIONS))
def context(request: pytest.FixtureRequest, issued: Issued) -> Context:
    return Context(issued.certificate, issued.key, version=request.param)


@pytest.fixture
def tls(authority: Authority) -> TLS:
    return TLS(ca=authority.file)


Open = Callable[..., int]


@pytest.fixture
def open_to(opened: list[int], tls: TLS) -> Open:
    """Return a function that opens a session to a peer, connected by default."""

    def open_to(peer: Peer, timeout: int = SESSION_TIMEOUT, *, wait: bool = True) -> int:
        opened.append(zookeeper.init(peer.connection_string, None, timeout, tls=tls))
        if wait:
            wait_until_connected(zookeeper, opened[-1])
        return opened[-1]

    return open_to


def data_at(handle: int, path: str) -> bytes:
    data, _ = zookeeper.get(handle, path)
    assert data is not None
    return data.encode()


def see_one_answer_lost(handle: int) -> None:
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.get(handle, "/a")
    wait_until_connected(zookeeper, handle)
    assert data_at(handle, "/a") == data_of(b"/a")


def close_in_time(opened: list[int]) -> None:
    """Close the last handle, which must not take long."""
    started = time.monotonic()
    zookeeper.close(opened.pop())
    assert time.monotonic() - started < scaled(2)


class Cut:
    """A wire that ends after so many bytes."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.sent = 0

    def __call__(self, data: bytes) -> Iterator[bytes]:
        piece = data[: self.left]
        self.left -= len(piece)
        self.sent += len(piece)
        yield piece
        if len(piece) < len(data):
            raise HungUp


class Truncation:
    """A server whose first connection ends after so many bytes, and the next ones at once."""

    ANSWER_RECORD = 25

    def __init__(self, context: Context) -> None:
        self.limit = 1 << 30
        self.has_welcomed = self.has_answered = False
        self.first = 0
        self.peer = Peer(self.script, context)

    def script(self, link: Link) -> None:
        if link.number > self.first:
            raise HungUp
        link.wire = Cut(self.limit)
        link.shake()
        for request in link.requests():
            answer = answer_to(request)
            if request.op == Op.GET_DATA:
                # Several records, one of them with the last bytes of a frame and no more.
                for at in range(0, len(answer), self.ANSWER_RECORD):
                    link.say(answer[at : at + self.ANSWER_RECORD])
                self.has_answered = True
                # No byte follows, so that the end is known to be after the answer.
                raise HungUp
            link.say(answer)
            if request.op == Op.CREATE_SESSION:
                self.has_welcomed = True

    def attack(self, limit: int, tls: TLS) -> None:
        """Open a session whose stream ends after `limit` bytes, and look what it has taken."""
        self.limit = limit
        self.has_welcomed = self.has_answered = False
        self.first = self.peer.connections
        states: list[int] = []
        got = Calls()
        handle = zookeeper.init(
            self.peer.connection_string,
            lambda _handle, _kind, state, _path: states.append(state),
            SESSION_TIMEOUT,
            tls=tls,
        )
        try:
            zookeeper.aget(handle, "/path", None, got)
            # It has heard of the end when it connects again.
            wait_until(
                lambda: self.peer.connections > self.first + 1, f"it connects after {limit} bytes"
            )
        finally:
            zookeeper.close(handle)
        _, code, data, _stat = got.wait_one()
        what = f"after {limit} bytes"
        assert (zookeeper.CONNECTED_STATE in states) == self.has_welcomed, what
        assert (code == zookeeper.OK) == self.has_answered, what
        assert data == ("data of /path" if self.has_answered else None), what


AT_ONCE = 4


@pytest.mark.first
def test_a_stream_that_is_cut_at_any_byte_yields_whole_answers_only(context, tls) -> None:
    """Handshake, welcome and an answer of several records are cut at each of their bytes.

    The size of a handshake varies by the size of its signature.
    """
    attacks = [Truncation(context) for _ in range(AT_ONCE)]
    limits = itertools.count()
    is_over = threading.Event()

    def attack(each: Truncation) -> int:
        limit = -1
        while not is_over.is_set():
            limit = next(limits)
            each.attack(limit, tls)
            if each.has_answered:
                is_over.set()
        return limit

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            last = max(pool.map(attack, attacks))
        assert last > 800, "a handshake and a session are longer"
    finally:
        for each in attacks:
            each.peer.close()


class Spoilt:
    """A wire that puts other bytes in the place of all from some byte on, and then ends."""

    def __init__(self, at: int, garbage: bytes) -> None:
        self.left = at
        self.garbage = garbage

    def __call__(self, data: bytes) -> Iterator[bytes]:
        piece = data[: self.left]
        self.left -= len(piece)
        yield piece
        if len(piece) < len(data):
            yield self.garbage
            raise HungUp


GARBAGE = {
    "zeros": bytes(300),
    "text": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20,
    "an alert": record(ALERT, bytes([2, 40])),
    "a goodbye": record(ALERT, CLOSE_NOTIFY),
    "data in the clear": record(DATA, p.framed(b"x" * 37)),
    "another hello": record(HANDSHAKE, bytes([2, 0, 0, 4, 3, 3, 0, 0])),
    "an empty record": record(HANDSHAKE, b"") * 40,
    "changes of cipher": record(CHANGE_CIPHER_SPEC, b"\1") * 40,
    "a long message": record(HANDSHAKE, bytes([11, 255, 255, 255])) + record(HANDSHAKE, bytes(99)),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_in_the_middle_of_a_handshake_is_an_error_and_no_storm(
    context, open_to, what
) -> None:
    """It comes within the first record, right behind it, and behind some more."""
    places = itertools.cycle([3, 60, 130, 300, 700])

    def script(link: Link) -> None:
        link.wire = Spoilt(next(places), GARBAGE[what])
        link.shake()
        link.hear()

    with tls_peer(script, context) as peer:
        handle = open_to(peer, wait=False)
        wait_until(lambda: peer.connections >= 6, "all have been tried", 60)
        assert peer.connection_string in (zookeeper.connection_fault(handle) or "")
        assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE


def in_single_bytes(seconds: float) -> Callable[[bytes], Iterator[bytes]]:
    def wire(data: bytes) -> Iterator[bytes]:
        for at in range(len(data)):
            yield data[at : at + 1]
            time.sleep(seconds)

    return wire


def slow_handshake(link: Link) -> None:
    link.wire = in_single_bytes(0.05)
    link.shake()


def greetings_without_end(link: Link) -> None:
    """Send nothing but messages that a client has to skip."""
    link.receive()
    # HelloRequest is four zeros.
    while True:
        link.transmit(record(HANDSHAKE, bytes(16_384)))


@pytest.mark.parametrize("script", [slow_handshake, greetings_without_end])
def test_a_handshake_that_never_ends_is_given_up_and_keeps_nobody(
    context, modern, open_to, opened, script
) -> None:
    with tls_peer(script, context) as endless, tls_peer(serve, modern) as good:
        open_to(endless, SHORT_TIMEOUT, wait=False)
        other = open_to(good)
        wait_until(lambda: endless.connections >= 3, "it is given up twice", 60)
        assert data_at(other, "/a") == data_of(b"/a")
        opened.remove(other)
        close_in_time(opened)
        opened.append(other)


def flooding(flood: Callable[[Link, Sealer], Iterator[bytes]]) -> Script:
    """Return a script that greets a client, and sends records without end."""

    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
            link.transmit(sealer.seal(answer_to(request)))
            break
        if link.number == 0:
            for piece in flood(link, sealer):
                link.transmit(piece)
        for request in link.requests():
            link.transmit(sealer.seal(answer_to(request)))

    return script


# A lifetime, an age, no nonce, a ticket of one byte, and no extensions: 500 of them in a record.
TICKET = bytes([4, 0, 0, 14]) + struct.pack(">IIBHBH", 7200, 7, 0, 1, 65, 0)


def flood_of_tickets(link: Link, sealer: Sealer) -> Iterator[bytes]:
    while True:
        yield sealer.seal(TICKET * 500, HANDSHAKE)


def flood_of_key_updates(link: Link, sealer: Sealer) -> Iterator[bytes]:
    while True:
        piece = b""
        for _ in range(100):
            piece += sealer.seal(KEY_UPDATE, HANDSHAKE)
            sealer.update_keys()
        yield piece


def flood_of_empty_records(link: Link, sealer: Sealer) -> Iterator[bytes]:
    while True:
        yield b"".join(sealer.seal(b"", padding=1) for _ in range(100))


FLOODS = [flood_of_tickets, flood_of_key_updates, flood_of_empty_records]


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_records_without_data_neither_holds_nor_loses_a_client(
    modern, open_to, opened, flood
) -> None:
    """It is given up like a server that is silent."""
    with tls_peer(flooding(flood), modern) as peer:
        handle = open_to(peer, SHORT_TIMEOUT)
        wait_until(lambda: peer.connections >= 2, "it connects again", 60)
        wait_until_connected(zookeeper, handle)
        assert data_at(handle, "/a") == data_of(b"/a")
        close_in_time(opened)


@pytest.mark.parametrize("flood", [flood_of_tickets, flood_of_key_updates])
def test_closing_during_a_flood_is_prompt(modern, open_to, opened, flood) -> None:
    with tls_peer(flooding(flood), modern) as peer:
        open_to(peer)
        started = time.monotonic()
        zookeeper.close(opened.pop())
        # Closing waits for a server that goes on to talk, five seconds at the most.
        assert time.monotonic() - started < scaled(8)


def test_a_renegotiation_is_refused_and_the_client_goes_on(issued, open_to, tls) -> None:
    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            if request.op == Op.GET_DATA and link.number == 0:
                link.tls.renegotiate()
                link.flush()
            link.say(answer_to(request))

    old = Context(issued.certificate, issued.key, version=TLS_1_2)
    with tls_peer(script, old) as peer:
        handle = open_to(peer)

        def is_read() -> bool:
            try:
                return data_at(handle, "/a") == data_of(b"/a")
            except zookeeper.ConnectionLossException:
                return False

        for _ in range(3):
            wait_until(is_read, "it reads")
        # OpenSSL, as a server, hangs up on a client that refuses.
        assert peer.connections <= 2
        assert tls.configuration().counts()[0] == peer.connections, "one handshake each"


@pytest.mark.parametrize("is_requested", [False, True], ids=["one side", "both sides"])
def test_keys_are_updated_in_both_directions(modern, open_to, is_requested) -> None:
    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            link.say(answer_to(request))
            link.tls.update_keys(is_requested)
            link.flush()

    with tls_peer(script, modern) as peer:
        handle = open_to(peer)
        for number in range(50):
            assert data_at(handle, f"/{number}") == data_of(f"/{number}".encode())
        assert peer.connections == 1


def test_an_update_of_keys_within_an_answer_is_harmless(modern, open_to) -> None:
    """No library writes it like that: records that change keys, between pieces of a frame."""

    def script(link: Link) -> None:
        link.shake()
        sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
        for request in link.requests():
            answer = answer_to(request)
            for at in range(len(answer)):
                link.transmit(sealer.seal(answer[at : at + 1]))
                if at % 7 == 0:
                    link.transmit(sealer.seal(KEY_UPDATE_REQUESTED, HANDSHAKE))
                    sealer.update_keys()

    with tls_peer(script, modern) as peer:
        handle = open_to(peer)
        assert data_at(handle, "/a") == data_of(b"/a")
        assert data_at(handle, "/b") == data_of(b"/b")
        assert peer.connections == 1


def goodbye(link: Link, half: bytes) -> None:
    """Say goodbye in the middle of an answer, and leave the connection open."""
    link.say(half)
    link.tls.say_goodbye()
    link.flush()
    while True:
        link.receive()


def half_close(link: Link, half: bytes) -> None:
    """Send no more, and go on to read."""
    link.say(half)
    link.connection.shutdown(socket.SHUT_WR)
    while True:
        link.receive()


def hang_up(link: Link, half: bytes) -> None:
    link.say(half)
    raise HungUp


def reset(link: Link, half: bytes) -> None:
    link.say(half)
    link.reset()


@pytest.mark.parametrize("end", [goodbye, half_close, hang_up, reset])
@pytest.mark.parametrize("part", [0, 3, 4, 19, 20, 21, 30])
def test_an_end_within_an_answer_loses_that_answer_alone(context, open_to, end, part) -> None:
    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            answer = answer_to(request)
            if request.op == Op.GET_DATA and link.number == 0:
                end(link, answer[:part])
            link.say(answer)

    with tls_peer(script, context) as peer:
        handle = open_to(peer)
        see_one_answer_lost(handle)
        assert peer.connections == 2


def test_an_alert_within_a_session_is_told_and_the_next_connection_works(modern, open_to) -> None:
    def script(link: Link) -> None:
        link.shake()
        sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
        for request in link.requests():
            if request.op == Op.GET_DATA and link.number == 0:
                link.transmit(sealer.seal(INTERNAL_ERROR, ALERT))
                link.hear()
            link.transmit(sealer.seal(answer_to(request)))

    with tls_peer(script, modern) as peer:
        handle = open_to(peer)
        see_one_answer_lost(handle)
        assert zookeeper.connection_fault(handle) is None


# Records that a client has to refuse: after each the connection is a new one.
BAD_RECORDS: dict[str, Callable[[Sealer], bytes]] = {
    "no type": lambda sealer: sealer.seal_inner(bytes(20)),
    "nothing": lambda sealer: sealer.seal_inner(b""),
    "a type that there is not": lambda sealer: sealer.seal(b"x", 99),
    "too long": lambda sealer: sealer.seal(bytes(16_385)),
    "too long by padding": lambda sealer: sealer.seal(b"x", padding=16_400),
    "in the clear": lambda sealer: record(DATA, b"x" * 30),
    "of other keys": lambda sealer: Sealer(bytes(32)).seal(b"x"),
    "twice": lambda sealer: sealer.seal(b"") * 2,
    "a hello": lambda sealer: sealer.seal(bytes([2, 0, 0, 2, 3, 3]), HANDSHAKE),
    "two key updates in one": lambda sealer: sealer.seal(KEY_UPDATE * 2, HANDSHAKE),
    "a key update of another kind": lambda sealer: sealer.seal(KEY_UPDATE[:4] + b"\7", HANDSHAKE),
    "a ticket that is cut": lambda sealer: sealer.seal(TICKET[:9], HANDSHAKE) + sealer.seal(b"x"),
    "an alert of one byte": lambda sealer: sealer.seal(b"\1", ALERT),
}


@pytest.mark.parametrize("what", BAD_RECORDS)
def test_a_record_that_is_none_ends_the_connection_and_is_no_data(modern, open_to, what) -> None:
    def script(link: Link) -> None:
        link.shake()
        sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
        for request in link.requests():
            if request.op == Op.GET_DATA and link.number == 0:
                link.transmit(BAD_RECORDS[what](sealer) + sealer.seal(answer_to(request)))
                link.receive()
                continue
            link.transmit(sealer.seal(answer_to(request)))

    with tls_peer(script, modern) as peer:
        handle = open_to(peer)
        see_one_answer_lost(handle)


def test_records_of_any_size_are_put_together(modern, open_to) -> None:
    """They are empty, of one byte, padded, and as large as they may be."""
    large = b"x" * 70_000

    def answered(request: Request) -> bytes:
        if request.op != Op.GET_DATA:
            return answer_to(request)
        body = p.buffer(large) + p.STAT.pack(*range(1, 12))
        return p.framed(struct.pack(">iqi", request.xid, 7, 0) + body)

    def script(link: Link) -> None:
        link.shake()
        sealer = Sealer(link.tls.secret("SERVER_TRAFFIC_SECRET_0"))
        sizes = itertools.cycle([1, 2, 3, 500, 16_384, 5000])
        for request in link.requests():
            answer = answered(request)
            while answer:
                size = next(sizes)
                empty = b"".join(sealer.seal(b"", padding=size % 9) for _ in range(size % 20))
                padding = 0 if size == 16_384 else size
                link.transmit(empty + sealer.seal(answer[:size], padding=padding))
                answer = answer[size:]

    with tls_peer(script, modern) as peer:
        handle = open_to(peer)
        for _ in range(5):
            assert data_at(handle, "/a") == large
        assert peer.connections == 1


@pytest.mark.parametrize("size", [1, 512, 16_384], ids="records of {}".format)
def test_answers_of_megabytes_are_read_whole(context, open_to, size) -> None:
    """One of 5 MB is larger than what servers store, and what the client has under way."""
    data = bytes(range(32, 127)) * (600 if size == 1 else 55_000)

    def script(link: Link) -> None:
        link.shake()
        for request in link.requests():
            answer = answer_to(request)
            if request.op == Op.GET_DATA:
                body = p.buffer(data) + p.STAT.pack(*range(1, 12))
                answer = p.framed(struct.pack(">iqi", request.xid, 7, 0) + body)
            if size > 1:
                link.tls.fragment(size)
                link.say(answer)
                continue
            for at in range(len(answer)):
                link.tls.write(answer[at : at + 1])
            link.flush()

    with tls_peer(script, context) as peer:
        handle = open_to(peer)
        assert data_at(handle, "/a") == data
        assert peer.connections == 1


def test_a_session_goes_on_byte_by_byte(context, open_to) -> None:
    def script(link: Link) -> None:
        link.wire = in_single_bytes(0)
        link.shake()
        answer_all(link)

    with tls_peer(script, context) as peer:
        handle = open_to(peer)
        for number in range(10):
            assert data_at(handle, f"/{number}") == data_of(f"/{number}".encode())
        assert peer.connections == 1


@pytest.mark.parametrize("version", [TLS_1_0, TLS_1_1], ids=["TLS 1.0", "TLS 1.1"])
def test_a_downgrade_below_1_2_is_refused(issued, open_to, version) -> None:
    """Whether the server has nothing better, or somebody in between takes it away."""
    old = Context(issued.certificate, issued.key, version=version)
    with tls_peer(serve, old) as peer:
        handle = open_to(peer, wait=False)
        fault = wait_until(lambda: zookeeper.connection_fault(handle) or "", "there is a fault")
        assert f"{peer.connection_string} speaks no version of TLS that is accepted here" in fault
        assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE


def old_hello(version: int, random_end: bytes) -> bytes:
    """Return a ServerHello in the clear, of a version and with these last random bytes."""
    chosen = bytes(32 - len(random_end)) + random_end
    body = struct.pack(">H", version) + chosen + b"\0" + struct.pack(">HBH", 0xC02B, 0, 0)
    return record(HANDSHAKE, b"\2" + len(body).to_bytes(3, "big") + body)


@pytest.mark.parametrize(
    "hello",
    [
        # RFC 8446, 4.1.3: a server of 1.3 that is made to speak 1.2 says so at the end.
        old_hello(TLS_1_2, b"DOWNGRD\1"),
        old_hello(TLS_1_2, b"DOWNGRD\0"),
        old_hello(TLS_1_1, b""),
        old_hello(0x0300, b""),
        old_hello(0x0200, b""),
        old_hello(0x7F12, b""),
    ],
    ids=["1.3 to 1.2", "1.3 to 1.1", "1.1", "SSL 3", "SSL 2", "a draft"],
)
def test_a_hello_that_was_made_older_on_its_way_is_refused(modern, open_to, hello) -> None:
    def script(link: Link) -> None:
        link.receive()
        link.transmit(hello)
        # The answer to it is an alert.
        assert link.receive()[0] == ALERT

    with tls_peer(script, modern) as peer:
        handle = open_to(peer, wait=False)
        wait_until(lambda: zookeeper.connection_fault(handle), "there is a fault")
        assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE


def test_many_sessions_at_once_keep_to_their_own_keys(context, tls) -> None:
    """Threads use several handles with one configuration, whose connections are cut."""

    def script(link: Link) -> None:
        link.wire = Cut(6000 + 500 * (link.number % 9)) if link.number < 12 else link.wire
        link.shake()
        answer_all(link)

    def use(number: int) -> int:
        read = 0
        handle = zookeeper.init(peer.connection_string, None, SESSION_TIMEOUT, tls=tls)
        try:
            while read < 60:
                path = f"/{number}-{read}"
                try:
                    assert data_at(handle, path) == data_of(path.encode())
                    read += 1
                except zookeeper.ConnectionLossException:
                    pass
        finally:
            zookeeper.close(handle)
        return read

    with tls_peer(script, context) as peer, ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(6))) == [60] * 6


def test_five_thousand_descriptors_are_no_hindrance(authority, issued) -> None:
    """`select` would overwrite memory; the numbers of all sockets are above its limit."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < 6000:
        pytest.skip(f"this machine allows no more than {most} descriptors")
    seen = subprocesses.run(
        "many_descriptors", *map(str, (authority.file, issued.certificate, issued.key))
    )
    good = {"is above": True, "read": ["data of /a", "data of /a"]}
    assert seen == {"TLS": good, "plain": good}
