"""Servers that die, networks that break, and servers with limits are told apart."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.awkward import deny, hang_up_at, limit_requests_to
from tests.deadlines import LONG_SESSION, wait_until
from tests.servers import Server, standalone
from tests.sessions import OPEN, wait_until_connected
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request

pytestmark = pytest.mark.not_emulated("it has no network")

SIZE = 8_000
numbers = itertools.count()


def create(data: str) -> tuple[Any, ...]:
    return "create", f"/n{next(numbers):06}", data, OPEN


def write(handle: int, size: int = SIZE, count: int = 1) -> list[Any]:
    return zookeeper.write_many(handle, [create("x" * size) for _ in range(count)])


def kinds(results: list[Any]) -> set[type]:
    return {type(result) for result in results}


@pytest.fixture
def session(connect: Callable[..., int], proxy: TcpProxy, root: str) -> int:
    """Return a session through the proxy."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


@contextmanager
def cuts(proxy: TcpProxy, op: int) -> Iterator[None]:
    """Cut the connection at each request of an operation."""
    proxy.on_request = hang_up_at(op)
    yield
    proxy.on_request = None


def lose(session: int, work: Callable[[], Any], times: int) -> None:
    """Do work whose connection is lost, so many times, with an answer to something else between."""
    for _ in range(times):
        try:
            lost = kinds(work())
        except zookeeper.ConnectionLossException:
            lost = {zookeeper.ConnectionLossException}
        assert lost == {zookeeper.ConnectionLossException}
        wait_until_connected(zookeeper, session)
        zookeeper.exists(session, "/")


@pytest.mark.parametrize("size", [10, SIZE])
def test_transactions_that_were_answered_survive_any_number_of_cuts(session, proxy, size):
    assert kinds(write(session, size, 2)) == {str}
    with cuts(proxy, Op.MULTI):
        lose(session, lambda: write(session, size, 2), 6)
    proxy.requests.clear()
    assert kinds(write(session, size, 20)) == {str}
    assert proxy.requests[Op.MULTI] == 1
    assert proxy.requests[Op.CREATE] == 0
    operations = [create(""), ("create", "/no/parent", "", OPEN)]
    results = zookeeper.write_many(session, operations)
    assert kinds(results) == {zookeeper.RuntimeInconsistencyException, zookeeper.NoNodeException}
    assert zookeeper.exists(session, operations[0][1]) is None
    assert len(zookeeper.multi(session, [create("x" * size)])) == 1


def test_reads_of_many_that_were_answered_survive_any_number_of_cuts(session, proxy):
    paths = [f"/{'x' * 200}{number}" for number in range(40)]  # 8 kB of them
    assert len(zookeeper.get_many(session, paths)) == 40
    with cuts(proxy, Op.MULTI_READ):
        lose(session, lambda: zookeeper.get_many(session, paths), 6)
    proxy.requests.clear()
    assert len(zookeeper.get_many(session, paths)) == 40
    assert proxy.requests[Op.MULTI_READ] == 1
    assert proxy.requests[Op.GET_DATA] == 0


def test_watches_are_set_after_many_cuts_of_a_reconnect(connect, session, proxy, root):
    """Nobody asks for SetWatches: one by one they are set all the same, for a while."""
    told = threading.Event()
    zookeeper.get_children(session, "/", lambda *event: told.set() if event[3] else None)
    proxy.cut()
    wait_until(lambda: proxy.requests[Op.SET_WATCHES] == 1, "watches are set again")
    wait_until_connected(zookeeper, session)
    zookeeper.exists(session, "/")
    with cuts(proxy, Op.SET_WATCHES):
        proxy.cut()
        zookeeper.create(connect(), "/child", "", OPEN)
        assert told.wait(30)
    assert proxy.requests[Op.SET_WATCHES] <= 6


@pytest.fixture
def fragile() -> Iterator[Server]:
    with standalone(keys=None) as server:
        yield server


def kill_in_the_middle(server: Server, session: int) -> None:
    """Kill the server while it has an 8 kB transaction to do, and start it again."""
    server.pause()
    killing = threading.Timer(0.2, server.kill)
    killing.start()
    results = write(session)
    killing.join()
    assert kinds(results) == {zookeeper.ConnectionLossException}
    server.start()
    server.wait_until_serving()
    wait_until_connected(zookeeper, session)
    zookeeper.exists(session, "/")


@pytest.mark.parametrize("answered", [True, False])
def test_a_server_that_is_killed_twice_in_the_middle_has_no_limit(connect, fragile, answered):
    session = connect(hosts=fragile.connection_string, recv_timeout=LONG_SESSION)
    if answered:
        assert kinds(write(session)) == {str}
    for _ in range(2):
        kill_in_the_middle(fragile, session)
    with zc.zk.ZooKeeper(fragile.connection_string, LONG_SESSION) as zk:
        zk.import_tree(f"/imported\n  x = '{'y' * SIZE}'\n")
        assert len(zk.get_properties("/imported")["x"]) == SIZE
    assert kinds(write(session, SIZE + 1000, 3)) == {str}
    assert len(zookeeper.multi(session, [create("z" * 2 * SIZE)])) == 1


class TestLimits:
    """Servers that do have a limit."""

    LARGE = 20_000

    @pytest.fixture
    def limited(self, session: int, proxy: TcpProxy) -> int:
        """Return a session of which it is known that servers take nothing large."""
        proxy.on_request = limit_requests_to(10_000)
        lose(session, lambda: write(session, self.LARGE), 2)
        return session

    def test_it_is_found_out_by_two_losses(self, limited, proxy):
        proxy.requests.clear()
        results = write(limited, self.LARGE)
        assert kinds(results) == {zookeeper.BadArgumentsException}
        assert "jute.maxbuffer" in str(results[0])
        assert not results[0].may_have_happened
        assert proxy.requests[Op.MULTI] == 0
        assert kinds(write(limited, 5000, 20)) == {str}

    def test_an_answer_to_a_smaller_one_between_does_not_hide_it(self, session, proxy):
        proxy.on_request = limit_requests_to(10_000)
        for _ in range(2):
            lose(session, lambda: write(session, self.LARGE), 1)
            assert kinds(write(session, 10)) == {str}
        assert kinds(write(session, self.LARGE)) == {zookeeper.BadArgumentsException}

    def test_it_is_found_out_where_nothing_else_is_asked_for(self, session, proxy):
        proxy.on_request = limit_requests_to(10_000)
        outcomes: list[set[type]] = []
        while not outcomes or outcomes[-1] == {zookeeper.ConnectionLossException}:
            outcomes.append(kinds(write(session, self.LARGE)))
            wait_until_connected(zookeeper, session)
        assert outcomes[-1] == {zookeeper.BadArgumentsException}
        assert len(outcomes) <= 6

    def test_a_transaction_that_is_not_sent_says_why(self, limited, proxy):
        operations: Any = [create("x" * self.LARGE), create("")]
        refused = r"the servers hang up at a transaction of 2 operations and 20\d\d\d bytes"
        for multi in (zookeeper.multi, zookeeper.amulti):
            with pytest.raises(zookeeper.BadArgumentsException, match=refused) as told:
                multi(limited, operations)
            assert not told.value.may_have_happened
        assert zookeeper.exists(limited, operations[1][1]) is None

    def test_a_single_write_as_large_shows_that_there_is_none(self, limited, proxy):
        proxy.on_request = None
        with pytest.raises(zookeeper.BadArgumentsException):
            zookeeper.multi(limited, [create("x" * self.LARGE)])
        zookeeper.create(limited, *create("x" * 2 * self.LARGE)[1:])
        assert len(zookeeper.multi(limited, [create("x" * self.LARGE)])) == 1
        assert kinds(write(limited, self.LARGE, 3)) == {str}


def test_an_import_without_transactions_tells_what_has_been_done(proxy, root, handle):
    """An import that would be one transaction is not half done in silence."""
    proxy.on_request = deny(Op.MULTI)

    def intrude(request: Request) -> bool:
        if request.op in (Op.CREATE, Op.CREATE2) and zookeeper.exists(handle, "/b") is None:
            zookeeper.create(handle, "/b", "", OPEN)
        return True

    with zc.zk.ZooKeeper(proxy.connection_string + root, LONG_SESSION) as zk:
        zk.import_tree("/first\n")  # by which it is found out
        plan = zk.plan_import("/a\n/b\n/c\n")
        proxy.on_request = intrude
        with pytest.raises(zookeeper.NodeExistsException, match=r"done: 1 of 3 creations"):
            plan.apply()
    assert sorted(zookeeper.get_children(handle, "/")) == ["a", "b", "first"]
