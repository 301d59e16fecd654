"""Removing watches."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.sessions import OPEN, wait_until_delivered


@pytest.fixture
def change(zookeeper, handle, connect, node):
    """Change the node's data and children, and wait until events are delivered."""
    other = connect()

    def change():
        zookeeper.set(other, node, "changed")
        zookeeper.create(other, f"{node}/child", "", OPEN)
        zookeeper.sync(handle, node)
        wait_until_delivered(zookeeper, handle)

    return change


@pytest.mark.parametrize("local", [False, True])
def test_a_removed_watcher_is_not_called_any_more(zookeeper, handle, node, change, local):
    watcher = Calls()
    zookeeper.get(handle, node, watcher)
    assert zookeeper.remove_watches(handle, node, local=local) == zookeeper.OK
    change()
    assert watcher.all() == []


@pytest.mark.parametrize("kind", ["WATCH_DATA", "WATCH_CHILDREN", "WATCH_ANY"])
def test_only_watches_of_that_kind_are_removed(zookeeper, handle, node, change, kind):
    data, children = Calls(), Calls()
    zookeeper.get(handle, node, data)
    zookeeper.get_children(handle, node, children)
    zookeeper.remove_watches(handle, node, getattr(zookeeper, kind))
    change()
    left = (len(data), len(children))
    assert left == {"WATCH_DATA": (0, 1), "WATCH_CHILDREN": (1, 0), "WATCH_ANY": (0, 0)}[kind]


def test_one_watcher_of_several_can_be_removed(zookeeper, handle, node, change):
    leaving, staying = Calls(), Calls()
    for watcher in (leaving, staying):
        zookeeper.get(handle, node, watcher)
        zookeeper.get_children(handle, node, watcher)
    zookeeper.remove_watches(handle, node, zookeeper.WATCH_ANY, leaving)
    change()
    assert leaving.all() == []
    assert {event[1] for event in staying.wait(2)} == {
        zookeeper.CHANGED_EVENT,
        zookeeper.CHILD_EVENT,
    }


def test_the_last_watcher_of_several_can_be_removed_too(zookeeper, handle, node, change):
    watchers = [Calls(), Calls()]
    for watcher in watchers:
        zookeeper.get(handle, node, watcher)
    for watcher in watchers:
        zookeeper.remove_watches(handle, node, zookeeper.WATCH_DATA, watcher)
    change()
    assert [len(watcher) for watcher in watchers] == [0, 0]


@pytest.mark.parametrize("with_watcher", [False, True])
def test_removing_what_is_not_there_raises_no_watcher(zookeeper, handle, node, with_watcher):
    zookeeper.get_children(handle, node, Calls())
    watcher = Calls() if with_watcher else None
    with pytest.raises(zookeeper.NoWatcherException, match=rf": {node}$") as raised:
        zookeeper.remove_watches(handle, node, zookeeper.WATCH_DATA, watcher)
    assert raised.value.path == node


def test_an_exists_watch_on_a_missing_node_can_be_removed(zookeeper, handle, connect):
    watcher = Calls()
    zookeeper.exists(handle, "/new", watcher)
    zookeeper.remove_watches(handle, "/new", zookeeper.WATCH_DATA, watcher)
    zookeeper.create(connect(), "/new", "", OPEN)
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == []


def test_watches_set_for_many_can_be_removed(zookeeper, handle, node, change):
    watcher = Calls()
    zookeeper.watch_many(handle, data=[node], children=[node], watcher=watcher)
    zookeeper.remove_watches(handle, node, watcher=watcher)
    change()
    assert watcher.all() == []


def test_removal_can_be_asynchronous(zookeeper, handle, node, change):
    watcher, completion = Calls(), Calls()
    zookeeper.get(handle, node, watcher)
    call = zookeeper.aremove_watches(handle, node, zookeeper.WATCH_DATA, watcher, False, completion)
    assert call == zookeeper.OK
    assert completion.wait_one() == (handle, zookeeper.OK)
    change()
    assert watcher.all() == []


def test_asynchronous_removal_of_one_of_several_answers_too(zookeeper, handle, node, change):
    leaving, staying, completion = Calls(), Calls(), Calls()
    zookeeper.get(handle, node, leaving)
    zookeeper.get(handle, node, staying)
    zookeeper.aremove_watches(handle, node, watcher=leaving, completion=completion)
    assert completion.wait_one() == (handle, zookeeper.OK)
    change()
    assert (len(leaving), len(staying)) == (0, 1)


def test_a_removed_watcher_can_watch_again(zookeeper, handle, node, change):
    watcher = Calls()
    zookeeper.get(handle, node, watcher)
    zookeeper.remove_watches(handle, node, watcher=watcher)
    zookeeper.get(handle, node, watcher)
    change()
    assert watcher.wait_one()[1] == zookeeper.CHANGED_EVENT


@pytest.mark.parametrize("kind", [0, 6, -1])
def test_an_unknown_kind_is_refused(zookeeper, handle, node, kind):
    zookeeper.get(handle, node, Calls())
    with pytest.raises(zookeeper.BadArgumentsException, match="kind"):
        zookeeper.remove_watches(handle, node, kind)
