"""Nodes that keep changing are read now and then, some reads wait, and nothing is lost by it.

Intervals of an hour are over when the test says so: no test waits for time to pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import zc.zk
import zc.zk.event
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request
from zc.zk.session import pace
from zc.zk.session.pace import Heard

HOUR = 3600.0
LONG = int(scaled(60_000))
READS = (Op.GET_DATA, Op.GET_CHILDREN, Op.GET_CHILDREN2, Op.MULTI_READ)

with_a_network = pytest.mark.not_emulated("it has no network")


@pytest.fixture
def slow(client: Callable[..., zc.zk.ZooKeeper], proxy: TcpProxy, root: str) -> zc.zk.ZooKeeper:
    """Return a client that reads once in an hour, through the proxy."""
    return client(proxy.connection_string + root, session_timeout=LONG, min_interval=HOUR)


def end_waiting(zk: zc.zk.ZooKeeper) -> None:
    """Let intervals and windows be over."""
    zk._session.pace.min_interval = 0.0
    zk._session.pace.heard = Heard()
    zk._session.wake()


def reads(proxy: TcpProxy) -> int:
    return sum(proxy.requests[op] for op in READS)


def add(zk: zc.zk.ZooKeeper, *names: str) -> None:
    for name in names:
        zk.create(f"/l/{name}")


def shows(live: Any, names: str) -> Callable[[], bool]:
    return lambda: sorted(live) == sorted(names)


@pytest.fixture
def live(slow: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper) -> Any:
    """Return a list that has changed, and was read for it, just now: `a` is in it."""
    other.create("/l")
    live = slow.children("/l")
    add(other, "a")
    wait_until(shows(live, "a"), "the first change is read at once")
    return live


@with_a_network
class TestCoalescing:
    def test_changes_in_the_interval_cost_one_read_that_shows_the_last(
        self, slow, live, other, proxy
    ) -> None:
        before = reads(proxy)
        add(other, *"bcdefghij")
        see_another_node(slow, other)
        assert reads(proxy) <= before + ANOTHER_NODE
        assert list(live) == ["a"]
        before = reads(proxy)
        end_waiting(slow)
        wait_until(shows(live, "abcdefghij"), "the last state arrives")
        assert reads(proxy) == before + 1

    def test_callbacks_are_called_once_for_all_changes(self, slow, live, other) -> None:
        told = Calls()
        live(told)
        add(other, *"bcdef")
        see_another_node(slow, other)
        assert len(told) == 1
        end_waiting(slow)
        told.wait(2)
        wait_until(shows(live, "abcdef"), "the last state is shown")
        assert len(told) == 2

    def test_the_interval_is_each_nodes_own(self, slow, live, other) -> None:
        settings = [slow.properties(f"/s{n}") for n in range(3) if other.create(f"/s{n}")]
        for number, each in enumerate(settings):
            other.set(f"/s{number}", '{"v": 1}')
            wait_until(lambda each=each: each.get("v") == 1, "it is seen at once")

    def test_no_interval_has_each_change_seen_at_once(self, client, other) -> None:
        zk = client(min_interval=0)
        other.create("/l")
        live = zk.children("/l")
        for count in range(1, 6):
            add(other, f"n{count}")
            wait_until(lambda count=count: len(live) == count, "it is seen")

    def test_a_short_interval_ends_by_itself(self, client, other) -> None:
        zk = client(min_interval=0.05)
        other.create("/l")
        live = zk.children("/l")
        add(other, *map(str, range(200)))
        wait_until(lambda: len(live) == 200, "the last state arrives")

    def test_a_node_that_goes_and_comes_back_in_the_interval(self, slow, live, other) -> None:
        other.delete("/l/a")
        other.delete("/l")
        other.create("/l")
        add(other, "z")
        end_waiting(slow)
        wait_until(shows(live, "z"), "the last state arrives")
        assert not live.deleted

    def test_a_read_that_a_caller_waits_for_is_not_put_off(self, slow, live, other) -> None:
        add(other, "b")
        see_another_node(slow, other)
        assert sorted(slow.get_children("/l")) == ["a", "b"]
        assert sorted(slow.children("/l")) == ["a", "b"]

    def test_intervals_that_are_none_are_refused_before_connecting(self, client) -> None:
        with pytest.raises(ValueError, match="min_interval"):
            client(min_interval=-1)
        with pytest.raises(TypeError, match="spread"):
            client(spread="long")


# Reads of the node by which the tests know that earlier events have been seen to.
ANOTHER_NODE = 3


def see_another_node(zk: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper) -> None:
    """Wait until the client has seen to all events that there have been so far."""
    other.create("/another")
    marker = zk.properties("/another")
    other.set("/another", '{"v": 1}')
    wait_until(lambda: marker.get("v") == 1, "a later change of another node is seen")


@with_a_network
class TestFaultsInTheInterval:
    def test_the_connection_is_lost(self, slow, live, other, proxy) -> None:
        add(other, "b")
        see_another_node(slow, other)
        connections = proxy.connections
        proxy.cut()
        wait_until(lambda: proxy.connections > connections, "it connects again")
        add(other, "c")
        end_waiting(slow)
        wait_until(shows(live, "abc"), "the last state arrives")

    def test_the_connection_is_lost_while_the_coalesced_read_is_out(
        self, slow, live, other, proxy
    ) -> None:
        add(other, "b")
        see_another_node(slow, other)
        cuts: list[Request] = []

        def cut_at_a_read(request: Request) -> bool | bytes:
            if request.op in READS and not cuts:
                cuts.append(request)
                proxy.cut()
                return b""
            return True

        proxy.on_request = cut_at_a_read
        end_waiting(slow)
        wait_until(shows(live, "ab"), "the last state arrives", 30)
        assert cuts

    def test_the_session_expires_and_all_is_read_at_once(self, slow, live, other, server) -> None:
        add(other, "b")
        see_another_node(slow, other)
        expire(slow, server.connection_string)
        wait_until(shows(live, "ab"), "a new session does not wait for the interval", 30)

    def test_the_client_is_closed(self, slow, live, other, proxy) -> None:
        add(other, "b")
        see_another_node(slow, other)
        before = reads(proxy)
        slow.close()
        assert reads(proxy) == before
        assert list(live) == ["a"]

    def test_the_object_is_dropped(self, slow, live, other, proxy) -> None:
        add(other, "b")
        see_another_node(slow, other)
        # The fixture refers to it, too: so another object is dropped, of another node.
        other.create("/m")
        dropped = [slow.children("/m")]
        other.create("/m/a")
        wait_until(lambda: list(dropped[0]) == ["a"], "the first change is read at once")
        other.create("/m/b")
        before = len(slow.watches)
        dropped.clear()
        wait_until(lambda: len(slow.watches) == before - 1, "it is gone")
        reads_before = reads(proxy)
        end_waiting(slow)
        wait_until(shows(live, "ab"), "the others go on")
        assert reads(proxy) == reads_before + 1


@with_a_network
class TestSpread:
    """Servers answer late: what can wait waits."""

    @pytest.fixture
    def spread(
        self, client: Callable[..., zc.zk.ZooKeeper], monkeypatch: pytest.MonkeyPatch
    ) -> zc.zk.ZooKeeper:
        """Return a client to which each answer comes as late as none should."""
        zk = client(spread=HOUR)

        def late(heard: Heard, seconds: float, nodes: int, at: float) -> Heard:
            return Heard(0.0, 2 * HOUR, at)

        monkeypatch.setattr(pace, "after_answer", late)
        monkeypatch.setattr(pace, "random_part", lambda: 1.0)
        return zk

    @pytest.fixture
    def news(self, spread: zc.zk.ZooKeeper, monkeypatch: pytest.MonkeyPatch) -> list[type]:
        heard: list[type] = []

        def note(event: Any) -> None:
            if getattr(event, "zk", None) is spread:
                heard.append(type(event))

        monkeypatch.setattr(zc.zk.event, "subscribers", [*zc.zk.event.subscribers, note])
        return heard

    def test_registrations_and_first_reads_do_not_wait(
        self, spread, other, server, root, news
    ) -> None:
        other.create("/l")
        followed = spread.children("/l")
        registered = spread.register("/l", "host:1")
        expire(spread, server.connection_string)
        wait_until(lambda: registered.state == "registered", "it is registered again", 30)
        wait_until(lambda: other.get_children("/l") == ["host:1"], "all see it")
        assert sorted(spread.children("/l")) == ["host:1"]
        assert followed is not None

    def test_a_new_session_is_restored_when_all_has_been_read(
        self, spread, other, server, news
    ) -> None:
        other.create("/l")
        live = spread.children("/l")
        told = Calls()
        live(told)
        expire(spread, server.connection_string)
        add(other, "a")
        mark = spread.properties("/l")
        other.set("/l", '{"v": 1}')
        assert mark is not None
        assert list(live) == []
        assert len(told) == 1
        assert zc.zk.event.Reestablished not in news
        pace_of = spread._session.pace
        pace_of.max_spread = 0.0
        spread._session.wake()
        wait_until(shows(live, "a"), "it is read")
        told.wait(2)
        wait_until(lambda: zc.zk.event.Reestablished in news, "it is told")
        assert len(told) == 2

    def test_a_user_who_wants_no_spread_has_none(self, spread, other, server) -> None:
        spread._session.pace.max_spread = 0.0
        other.create("/l")
        live = spread.children("/l")
        expire(spread, server.connection_string)
        add(other, "a")
        wait_until(shows(live, "a"), "it is read")


class TestEverywhere:
    """Also with the emulation, where nothing can come later."""

    def test_the_last_of_many_changes_arrives(self, client, other) -> None:
        zk = client(min_interval=0.02)
        other.create("/l")
        live = zk.children("/l")
        told = Calls()
        live(told)
        for number in range(100):
            add(other, str(number))
        wait_until(lambda: len(live) == 100, "the last state arrives")
        wait_until(lambda: len(told) >= 2, "it is told")
