"""Watches: one event each, to all watchers, in the server's order."""

from __future__ import annotations

import logging
import threading

import pytest

from tests.calls import Calls
from tests.sessions import OPEN, wait_until_delivered

pytestmark = pytest.mark.quick


def by_reading(zookeeper, handle, path, watcher):
    zookeeper.get(handle, path, watcher)


def by_reading_later(zookeeper, handle, path, watcher):
    zookeeper.aget(handle, path, watcher)
    wait_until_delivered(zookeeper, handle)


def by_exists(zookeeper, handle, path, watcher):
    zookeeper.exists(handle, path, watcher)


def by_exists_later(zookeeper, handle, path, watcher):
    zookeeper.aexists(handle, path, watcher)
    wait_until_delivered(zookeeper, handle)


def by_watching_data_of_many(zookeeper, handle, path, watcher):
    zookeeper.watch_many(handle, data=[path], watcher=watcher)


def by_watching_existence_of_many(zookeeper, handle, path, watcher):
    zookeeper.watch_many(handle, exists=[path], watcher=watcher)


def by_children(zookeeper, handle, path, watcher):
    zookeeper.get_children(handle, path, watcher)


def by_children_later(zookeeper, handle, path, watcher):
    zookeeper.aget_children(handle, path, watcher)
    wait_until_delivered(zookeeper, handle)


def by_children2(zookeeper, handle, path, watcher):
    zookeeper.get_children2(handle, path, watcher)


def by_children2_later(zookeeper, handle, path, watcher):
    zookeeper.aget_children2(handle, path, watcher)
    wait_until_delivered(zookeeper, handle)


def by_watching_children_of_many(zookeeper, handle, path, watcher):
    zookeeper.watch_many(handle, children=[path], watcher=watcher)


DATA = [
    by_reading,
    by_reading_later,
    by_exists,
    by_exists_later,
    by_watching_data_of_many,
    by_watching_existence_of_many,
]
EXISTENCE = [by_exists, by_exists_later, by_watching_existence_of_many]
CHILDREN = [
    by_children,
    by_children_later,
    by_children2,
    by_children2_later,
    by_watching_children_of_many,
]


@pytest.mark.parametrize("watch", DATA)
def test_a_data_watch_tells_of_one_change_only(zookeeper, handle, other, node, watch):
    watcher = Calls()
    watch(zookeeper, handle, node, watcher)
    zookeeper.set(other, node, "1")
    zookeeper.set(other, node, "2")
    event = (handle, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, node)
    assert watcher.wait() == [event]
    zookeeper.sync(handle, node)
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == [event]


@pytest.mark.parametrize("watch", DATA + CHILDREN)
def test_a_watch_tells_of_the_deletion(zookeeper, handle, other, node, watch):
    watcher = Calls()
    watch(zookeeper, handle, node, watcher)
    zookeeper.delete(other, node)
    event = (handle, zookeeper.DELETED_EVENT, zookeeper.CONNECTED_STATE, node)
    assert watcher.wait_one() == event


@pytest.mark.parametrize("watch", EXISTENCE)
def test_an_exists_watch_on_a_missing_node_tells_of_its_creation(zookeeper, handle, other, watch):
    watcher = Calls()
    watch(zookeeper, handle, "/new", watcher)
    zookeeper.create(other, "/new", "", OPEN)
    event = (handle, zookeeper.CREATED_EVENT, zookeeper.CONNECTED_STATE, "/new")
    assert watcher.wait_one() == event


@pytest.mark.parametrize("watch", CHILDREN)
def test_a_child_watch_tells_of_children_that_come_and_go(zookeeper, handle, other, node, watch):
    event = (handle, zookeeper.CHILD_EVENT, zookeeper.CONNECTED_STATE, node)
    coming, going = Calls(), Calls()
    watch(zookeeper, handle, node, coming)
    zookeeper.create(other, f"{node}/child", "", OPEN)
    assert coming.wait_one() == event
    watch(zookeeper, handle, node, going)
    zookeeper.set(other, f"{node}/child", "x")
    zookeeper.set(other, node, "x")
    zookeeper.delete(other, f"{node}/child")
    assert going.wait_one() == event
    assert coming.all() == [event]


@pytest.mark.parametrize("watch", CHILDREN)
def test_the_root_can_be_watched(zookeeper, handle, other, watch):
    watcher = Calls()
    watch(zookeeper, handle, "/", watcher)
    zookeeper.create(other, "/child", "", OPEN)
    event = (handle, zookeeper.CHILD_EVENT, zookeeper.CONNECTED_STATE, "/")
    assert watcher.wait_one() == event


def test_a_failed_read_leaves_no_watch(zookeeper, handle, other):
    watcher = Calls()
    with pytest.raises(zookeeper.NoNodeException):
        zookeeper.get(handle, "/new", watcher)
    with pytest.raises(zookeeper.NoNodeException):
        zookeeper.get_children(handle, "/new", watcher)
    zookeeper.aget(handle, "/new", watcher)
    zookeeper.watch_many(handle, data=["/new"], children=["/new"], watcher=watcher)
    zookeeper.create(other, "/new", "", OPEN)
    zookeeper.create(other, "/new/child", "", OPEN)
    zookeeper.set(other, "/new", "x")
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == []


def test_everybody_who_watches_is_told_and_each_once(zookeeper, handle, other, node):
    shared, own = Calls(), Calls()
    for _ in range(3):
        zookeeper.get(handle, node, shared)
        zookeeper.exists(handle, node, shared)
    zookeeper.get(handle, node, own)
    zookeeper.set(other, node, "x")
    event = (handle, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, node)
    own.wait()
    wait_until_delivered(zookeeper, handle)
    assert (shared.all(), own.all()) == ([event], [event])


def test_a_method_bound_twice_is_the_same_watcher(zookeeper, handle, other, node):
    """`obj.changed` is a new object at each access: equal, not identical."""

    class Observer:
        def __init__(self):
            self.calls = Calls()

        def changed(self, *arguments):
            self.calls(*arguments)

    observer = Observer()
    zookeeper.get(handle, node, observer.changed)
    zookeeper.get(handle, node, observer.changed)
    zookeeper.set(other, node, "x")
    observer.calls.wait()
    wait_until_delivered(zookeeper, handle)
    assert len(observer.calls) == 1


def test_one_watcher_of_data_and_children_is_told_of_a_deletion_once(
    zookeeper, handle, other, node
):
    watcher = Calls()
    zookeeper.get(handle, node, watcher)
    zookeeper.get_children(handle, node, watcher)
    zookeeper.delete(other, node)
    watcher.wait()
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == [(handle, zookeeper.DELETED_EVENT, zookeeper.CONNECTED_STATE, node)]


def test_a_data_watch_is_not_used_up_by_a_change_of_the_children(zookeeper, handle, other, node):
    data, children = Calls(), Calls()
    zookeeper.get(handle, node, data)
    zookeeper.get_children(handle, node, children)
    zookeeper.create(other, f"{node}/child", "", OPEN)
    children.wait()
    assert data.all() == []
    zookeeper.set(other, node, "x")
    assert data.wait_one()[1] == zookeeper.CHANGED_EVENT


def test_watches_of_one_session_are_not_told_to_another(zookeeper, handle, other, node):
    mine, theirs = Calls(), Calls()
    zookeeper.get(handle, node, mine)
    zookeeper.get(other, node, theirs)
    zookeeper.set(other, node, "x")
    assert mine.wait_one()[0] == handle
    assert theirs.wait_one()[0] == other


def test_an_event_comes_before_the_answer_that_shows_the_change(zookeeper, handle, other, node):
    """The server promises it: a client that reads the new value has the event."""
    for number in range(50):
        order: list[str] = []
        zookeeper.get(handle, node, lambda *_, seen=order: seen.append("event"))
        answered = Calls()
        zookeeper.set(other, node, str(number))

        def completion(_, code, data, stat, seen=order, done=answered):
            seen.append(data)
            done()

        zookeeper.sync(handle, node)
        zookeeper.aget(handle, node, None, completion)
        answered.wait_one()
        assert order == ["event", str(number)]


def test_a_watch_set_again_inside_its_event_misses_no_change(zookeeper, handle, other, node):
    """The usual loop reads and watches, and does so again at each event."""
    seen = []
    last = Calls()

    def changed(*_):
        data, _stat = zookeeper.get(handle, node, changed)
        seen.append(data)
        if data == "199":
            last()

    zookeeper.get(handle, node, changed)
    for number in range(200):
        zookeeper.aset(other, node, str(number))
    last.wait_one()
    numbers = [int(data) for data in seen]
    assert numbers == sorted(set(numbers))


def test_an_exception_in_a_watcher_is_logged_and_the_others_are_called(
    zookeeper, handle, other, node, caplog
):
    def broken(*_):
        raise RuntimeError("a mistake in a watcher")

    before, after = Calls(), Calls()
    zookeeper.get(handle, node, before)
    zookeeper.get(handle, node, broken)
    zookeeper.get(handle, node, after)
    with caplog.at_level(logging.ERROR):
        zookeeper.set(other, node, "x")
        before.wait_one()
        after.wait_one()
        wait_until_delivered(zookeeper, handle)
    assert "a mistake in a watcher" in caplog.text
    assert zookeeper.get(handle, node)[0] == "x"


@pytest.mark.not_emulated("the caller's thread does everything: nothing goes on meanwhile")
def test_a_slow_watcher_delays_no_synchronous_call(zookeeper, handle, other, node):
    entered, leave = threading.Event(), threading.Event()

    def slow(*_):
        entered.set()
        leave.wait(30)

    zookeeper.get(handle, node, slow)
    zookeeper.set(other, node, "x")
    assert entered.wait(10)
    try:
        assert zookeeper.get(handle, node)[0] == "x"
        assert len(zookeeper.read_tree(handle, "/")) == 2
    finally:
        leave.set()


def test_events_on_a_node_of_that_name_elsewhere_are_not_reported(zookeeper, handle, other, node):
    watcher = Calls()
    zookeeper.get(handle, node, watcher)
    for path in ("/aa", "/a/a", "/A"):
        zookeeper.create(other, path, "", OPEN)
        zookeeper.set(other, path, "x")
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == []


@pytest.mark.parametrize("watcher", ["text", 7, object()])
def test_a_watcher_that_cannot_be_called_is_refused(zookeeper, handle, watcher):
    calls = [
        lambda: zookeeper.get(handle, "/", watcher),
        lambda: zookeeper.exists(handle, "/", watcher),
        lambda: zookeeper.get_children(handle, "/", watcher),
        lambda: zookeeper.aget(handle, "/", watcher),
        lambda: zookeeper.watch_many(handle, data=["/"], watcher=watcher),
        lambda: zookeeper.set_watcher(handle, watcher),
        lambda: zookeeper.init("127.0.0.1:1", watcher),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="watcher"):
            call()


def test_a_hundred_watchers_of_one_node_are_all_told(zookeeper, handle, other, node):
    watchers = [Calls() for _ in range(100)]
    for watcher in watchers:
        zookeeper.get(handle, node, watcher)
    zookeeper.set(other, node, "x")
    for watcher in watchers:
        assert watcher.wait_one()[1] == zookeeper.CHANGED_EVENT
