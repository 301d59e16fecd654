"""A watcher or completion of the program that does not return, and what goes on all the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

import zookeeper
from tests.deadlines import wait_until
from tests.library.bad_days import session_id
from zc.zk import ZooKeeper
from zc.zk.testing import Server

pytestmark = pytest.mark.quick

SESSION_TIMEOUT_MILLISECONDS = 4000


class Holding:
    """A watcher or completion that is called, and returns when the test ends."""

    def __init__(self) -> None:
        self.is_called, self.end = threading.Event(), threading.Event()

    def __call__(self, *_: object) -> None:
        self.is_called.set()
        self.end.wait()

    def until_called(self) -> None:
        wait_until(self.is_called.is_set, "the event thread is held up", 30)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def holding() -> Iterator[Holding]:
    holding = Holding()
    yield holding
    holding.end.set()


@pytest.fixture
def zk(server: Server, holding: Holding) -> Iterator[ZooKeeper]:
    """Return a client of the server, which is closed after the watcher has returned."""
    with ZooKeeper(server.connection_string, SESSION_TIMEOUT_MILLISECONDS) as zk:
        zk.create("/a", "")
        yield zk
        holding.end.set()


def by_a_watcher(zk: ZooKeeper, holding: Holding) -> None:
    zk.create("/held", "")
    zk.exists("/held", holding)
    zk.set("/held", "1")


def by_a_completion(zk: ZooKeeper, holding: Holding) -> None:
    zk.aget("/a", None, holding)


@pytest.fixture(params=[by_a_watcher, by_a_completion])
def hold_up(request, zk: ZooKeeper, holding: Holding) -> Callable[[], None]:
    """Return a function that has the event thread held up."""

    def hold_up() -> None:
        request.param(zk, holding)
        holding.until_called()

    return hold_up


def test_a_session_that_ends_meanwhile_is_replaced(server, zk, hold_up) -> None:
    registration = zk.register("/a", "x:1")
    former = session_id(zk)
    hold_up()
    server.expire()
    wait_until(lambda: session_id(zk) not in (0, former), "there is a new session", 60)
    with ZooKeeper(server.connection_string) as other:
        wait_until(lambda: other.get_children("/a") == ["x:1"], "it is registered again", 30)
    wait_until(lambda: registration.state == "registered", "it is known", 30)


def test_live_objects_are_right_in_the_next_session(server, zk, hold_up) -> None:
    live = zk.properties("/a")
    former = session_id(zk)
    hold_up()
    server.expire()
    wait_until(lambda: session_id(zk) not in (0, former), "there is a new session", 60)
    zk.set("/a", '{"x": 7}')
    wait_until(lambda: dict(live) == {"x": 7}, "the live object has the change", 30)


def test_a_server_that_is_gone_and_back_is_noticed(server, zk, hold_up) -> None:
    hold_up()
    server.stop()
    wait_until(lambda: zk.state != zookeeper.CONNECTED_STATE, "the client knows", 30)
    server.start()
    wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "the client knows", 30)


def test_changes_are_told_when_it_returns(zk, holding, hold_up) -> None:
    live = zk.properties("/a")
    hold_up()
    zk.set("/a", '{"x": 7}')
    assert live.get("x") is None
    holding.end.set()
    wait_until(lambda: dict(live) == {"x": 7}, "the live object has the change", 30)


def test_the_log_tells_once_where_it_is(zk, hold_up, caplog) -> None:
    with caplog.at_level(logging.WARNING, "zc.zk"):
        hold_up()
        wait_until(lambda: "has not returned" in caplog.text, "it is logged", 30)
        seconds = zookeeper.event_thread_busy(zk.handle)
        wait_until(
            lambda: zookeeper.event_thread_busy(zk.handle) > seconds + 2.5, "two more looks", 30
        )
    (told,) = [record for record in caplog.records if "has not returned" in record.message]
    assert "hear of no change meanwhile (at " in told.message
    assert threading.__file__ in told.message


def test_a_thread_that_waits_for_events_is_not_busy(zk) -> None:
    wait_until(lambda: zookeeper.event_thread_busy(zk.handle) == 0.0, "it waits", 30)
