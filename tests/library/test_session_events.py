"""Events of sessions: their subscribers, their times, and their thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import zc.zk
import zc.zk.event
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire, session_id
from zc.zk.event import ClientEvent, Connected, Disconnected, Expired, Reestablished, SessionEvent


class Told:
    """The kinds of session events so far, and what the test saw at each."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.then: Callable[[SessionEvent], object] = lambda event: None

    def __call__(self, event: object) -> None:
        if isinstance(event, SessionEvent):
            self.events.append(event)
            self.then(event)

    def kinds(self) -> list[type[SessionEvent]]:
        return [type(event) for event in self.events]

    def wait_for(self, *kinds: type[SessionEvent]) -> None:
        wait_until(lambda: self.kinds() == list(kinds), lambda: f"{kinds}: {self.kinds()}", 30)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    monkeypatch.setattr(zc.zk.event, "subscribers", [told])
    return told


def test_a_connection_is_told_with_the_client_that_has_it(told, client) -> None:
    zk = client()
    told.wait_for(Connected)
    assert told.events[0].zk is zk
    assert repr(told.events[0]) == f"Connected({zk!r})"


def test_a_lost_connection_and_its_return_are_told(told, client, proxy, root) -> None:
    client(proxy.connection_string + root)
    told.wait_for(Connected)
    proxy.cut()
    told.wait_for(Connected, Disconnected, Connected)


def test_a_lost_session_and_its_restoration_are_told_in_order(
    told, client, other, connection_string
) -> None:
    zk = client()
    zk.create("/providers")
    told.events.clear()
    registration = zk.register("/providers", ("1.2.3.4", 80))
    children = zk.children("/providers")
    seen = []
    told.then = lambda event: seen.append((type(event), registration.state.value, list(children)))
    former = session_id(zk)
    expire(zk, connection_string)
    wait_until(lambda: Reestablished in told.kinds(), lambda: str(told.kinds()), 30)
    ours = [event for event in told.events if event.zk is zk]
    kinds = [type(event) for event in ours]
    assert kinds[-3:] == [Expired, Connected, Reestablished]
    assert set(kinds[:-3]) <= {Disconnected, Connected}
    assert seen[-1] == (Reestablished, "registered", ["1.2.3.4:80"])
    assert session_id(zk) != former


def test_callbacks_are_called_before_a_restoration_is_told(told, client, connection_string) -> None:
    zk = client()
    order: list[object] = []
    children = zk.children("/")(lambda children: order.append("callback"))
    told.then = lambda event: order.append(type(event))
    expire(zk, connection_string)
    wait_until(lambda: Reestablished in order, "everything is restored", 30)
    assert order.index(Reestablished) > len(order) - 1 - order[::-1].index("callback")
    assert children.callbacks


@pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
def test_subscribers_are_called_like_callbacks_one_at_a_time(told, client, other) -> None:
    zk = client()
    threads = set()
    told.then = lambda event: threads.add(threading.current_thread().name)
    callback = Calls(lambda _: threads.add(threading.current_thread().name))
    children = zk.children("/")(callback)
    threads.clear()
    told.events.clear()
    zk._session.announce(Connected)
    other.create("/a")
    callback.wait(2)
    wait_until(lambda: told.events, "the event is told")
    assert len(threads) == 1
    assert threading.main_thread().name not in threads
    assert children.callbacks == [callback]


def test_a_subscriber_may_use_the_client(told, client, connection_string) -> None:
    zk = client()
    done = threading.Event()

    def write(event: SessionEvent) -> None:
        if isinstance(event, Reestablished):
            assert isinstance(event.zk, zc.zk.ZooKeeper)
            event.zk.create("/restored")
            done.set()

    told.then = write
    expire(zk, connection_string)
    assert done.wait(30)
    assert zk.exists("/restored")


def test_a_subscriber_that_fails_is_logged_and_disturbs_nothing(
    told, client, other, connection_string, caplog
) -> None:
    def fail(event: SessionEvent) -> None:
        raise ValueError("no good")

    told.then = fail
    zk = client()
    children = zk.children("/")
    expire(zk, connection_string)
    other.create("/a")
    wait_until(lambda: list(children) == ["a"], "the client works")
    wait_until(lambda: "no good" in caplog.text, "it is logged")


def test_after_close_nothing_is_told(told, client) -> None:
    zk = client()
    told.wait_for(Connected)
    zk.close()
    zk._session.announce(Disconnected)
    assert told.kinds() == [Connected]


def test_a_subscriber_to_registrations_hears_of_nothing_else(
    told, client, other, connection_string, monkeypatch, caplog
) -> None:
    """The subscriber is installed before the client; zope.event works as well.

    The guide has it so.
    """

    def add_version(event: zc.zk.RegisteringServer) -> None:
        event.properties["version"] = "1.4"

    monkeypatch.setattr(zc.zk.event, "notify", add_version)
    zk = client()
    expire(zk, connection_string)
    wait_until(lambda: Reestablished in told.kinds(), "it is told elsewhere", 30)
    zk.create("/providers")
    registration = zk.register("/providers", ("1.2.3.4", 80))
    assert registration.properties["version"] == "1.4"
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_subscriber_that_fails_keeps_no_other_from_hearing(
    told, client, monkeypatch, caplog
) -> None:
    def fail(event: ClientEvent) -> None:
        raise ValueError("no good")

    monkeypatch.setattr(zc.zk.event, "subscribers", [fail, told])
    client()
    told.wait_for(Connected)
    assert "no good" in caplog.text
    assert "Connected(" in caplog.text
