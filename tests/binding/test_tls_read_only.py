"""Read-only clients over TLS find the servers that are in touch with the others.

The question whether a server is read-write goes by TLS, like all else.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import zookeeper
from tests.certificates import Authority
from tests.deadlines import scaled, wait_until
from tests.libssl import Context
from tests.ports import LOOPBACK
from tests.sessions import wait_until_connected
from tests.tlspeer import HungUp, Link, Peer, answer_to, data_of, tls_peer
from tests.wireframes import Op
from zookeeper import TLS

SESSION_TIMEOUT = int(scaled(6_000))


@dataclass
class Behaviour:
    """A server that is cut off from the others, until it reaches one of them."""

    is_read_only: bool
    answer: bytes = b"ro"
    asked: int = 0
    shakes: bool = True
    silent: threading.Event = field(default_factory=threading.Event)

    def script(self, link: Link) -> None:
        if not self.shakes and link.number == 0:
            self.asked += 1
            link.receive()
            # Nothing more is said.
            link.receive()
            link.receive()
        link.shake()
        for request in link.requests():
            if request.op == 0:
                assert request.frame == b"isro"
                self.asked += 1
                for at in range(len(self.answer)):
                    link.say(self.answer[at : at + 1])
                raise HungUp
            answer = answer_to(request)
            if request.op == Op.CREATE_SESSION and self.is_read_only:
                answer = answer[:-1] + b"\1"
            link.say(answer)
            if request.op == Op.CLOSE_SESSION:
                return


@pytest.fixture(params=["TLS", "plain"])
def context(request: pytest.FixtureRequest, authority: Authority) -> Context | None:
    """Return the settings of all servers, None for those without TLS."""
    if request.param == "plain":
        return None
    issued = authority.issue("server", LOOPBACK)
    return Context(issued.certificate, issued.key)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened_to(stack: ExitStack, first: Peer, second: Peer, tls: TLS | None) -> int:
    """Return a handle that is connected to the first one, which is read-only."""
    zookeeper.deterministic_conn_order(True)
    stack.callback(zookeeper.deterministic_conn_order, False)
    hosts = f"{first.connection_string},{second.connection_string}"
    handle = zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=tls, read_only=True)
    stack.callback(zookeeper.close, handle)
    wait_until(lambda: zookeeper.state(handle) == zookeeper.READONLY_STATE, "it is read-only", 30)
    return handle


def settings(authority: Authority, context: Context | None) -> TLS | None:
    return TLS(ca=authority.file) if context else None


def test_the_client_moves_to_a_server_once_that_is_read_write(stack, authority, context) -> None:
    alone, whole = Behaviour(True), Behaviour(True)
    first = stack.enter_context(tls_peer(alone.script, context))
    second = stack.enter_context(tls_peer(whole.script, context))
    handle = opened_to(stack, first, second, settings(authority, context))
    wait_until(lambda: whole.asked >= 1, "the other one is asked", 30)
    assert zookeeper.get(handle, "/a")[0] == "data of /a"
    assert zookeeper.state(handle) == zookeeper.READONLY_STATE
    assert first.connections - alone.asked == 1, "the connection has not been left"
    whole.is_read_only, whole.answer = False, b"rw"
    wait_until_connected(zookeeper, handle)
    assert zookeeper.get(handle, "/b")[0] == data_of(b"/b").decode()
    assert second.connections == whole.asked + 1


def test_calls_go_on_while_a_silent_server_is_asked(stack, authority, context) -> None:
    """The server accepts the connection, and neither shakes hands nor answers."""
    alone, silent = Behaviour(True), Behaviour(False, shakes=False)
    first = stack.enter_context(tls_peer(alone.script, context))
    second = stack.enter_context(tls_peer(silent.script, context))
    handle = opened_to(stack, first, second, settings(authority, context))
    wait_until(lambda: silent.asked, "it is asked", 30)
    for number in range(20):
        assert zookeeper.get(handle, f"/{number}")[0] == f"data of /{number}"
    # It is given up for the next question, and asked again after that.
    silent.answer = b"rw"
    wait_until_connected(zookeeper, handle)


def test_a_server_that_cannot_be_trusted_is_not_moved_to(stack, authority, tmp_path: Path) -> None:
    issued = authority.issue("server", LOOPBACK)
    other = Authority(tmp_path, "others").issue("other", LOOPBACK)
    alone, wrong = Behaviour(True), Behaviour(False, answer=b"rw")
    first = stack.enter_context(tls_peer(alone.script, Context(issued.certificate, issued.key)))
    second = stack.enter_context(tls_peer(wrong.script, Context(other.certificate, other.key)))
    log = io.StringIO()
    zookeeper.set_log_stream(log)
    stack.callback(zookeeper.set_log_stream, None)
    handle = opened_to(stack, first, second, TLS(ca=authority.file))
    wait_until(lambda: second.connections >= 2, "it is asked twice", 30)
    wait_until(
        lambda: "cannot be asked whether it is read-write: the certificate of" in log.getvalue(),
        log.getvalue,
        30,
    )
    assert wrong.asked == 0
    assert zookeeper.get(handle, "/a")[0] == "data of /a"
    assert zookeeper.state(handle) == zookeeper.READONLY_STATE
    assert zookeeper.connection_fault(handle) is None
