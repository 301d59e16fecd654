"""Watches that stay, of one node or of all below it: the same with every server."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.sessions import OPEN, wait_until_delivered

pytestmark = pytest.mark.quick

KINDS = ["WATCH_PERSISTENT", "WATCH_PERSISTENT_RECURSIVE"]


@pytest.fixture
def told(zookeeper, handle):
    """Return a function: the events of a watcher by now, as letters and paths."""
    letters = {
        zookeeper.CREATED_EVENT: "created",
        zookeeper.CHANGED_EVENT: "changed",
        zookeeper.DELETED_EVENT: "deleted",
        zookeeper.CHILD_EVENT: "children",
        zookeeper.NOTWATCHING_EVENT: "not watched",
        zookeeper.SESSION_EVENT: "session",
    }

    def told(watcher):
        zookeeper.sync(handle, "/")
        wait_until_delivered(zookeeper, handle)
        return [f"{letters[kind]} {path}" for _, kind, _, path in watcher.all()]

    return told


def by_waiting(zookeeper, handle, path, mode, watcher):
    assert zookeeper.add_watch(handle, path, mode, watcher) == zookeeper.OK


def by_asking(zookeeper, handle, path, mode, watcher):
    completion = Calls()
    assert zookeeper.aadd_watch(handle, path, mode, watcher, completion) == zookeeper.OK
    assert completion.wait_one() == (handle, zookeeper.OK)


both_ways = pytest.mark.parametrize("add", [by_waiting, by_asking])


def change_all(zookeeper, h, path):
    zookeeper.set(h, path, "1")
    zookeeper.set(h, path, "2")
    zookeeper.create(h, f"{path}/b", "", OPEN)
    zookeeper.create(h, f"{path}/b/c", "", OPEN)
    zookeeper.set(h, f"{path}/b/c", "x")
    zookeeper.delete(h, f"{path}/b/c")
    zookeeper.delete(h, f"{path}/b")
    zookeeper.delete(h, path)
    zookeeper.create(h, path, "", OPEN)


PERSISTENT_TOLD = [
    *["changed /a", "changed /a", "children /a", "children /a"],
    *["deleted /a", "created /a"],
]
RECURSIVE_TOLD = [
    *["changed /a", "changed /a", "created /a/b", "created /a/b/c", "changed /a/b/c"],
    *["deleted /a/b/c", "deleted /a/b", "deleted /a", "created /a"],
]


@both_ways
def test_a_persistent_watch_tells_of_each_change_of_its_node(
    zookeeper, handle, other, node, told, add
):
    watcher = Calls()
    add(zookeeper, handle, node, zookeeper.PERSISTENT, watcher)
    change_all(zookeeper, other, node)
    assert told(watcher) == PERSISTENT_TOLD
    event = (handle, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, node)
    assert watcher.all()[0] == event


@both_ways
def test_a_recursive_watch_tells_of_all_nodes_below_under_their_paths(
    zookeeper, handle, other, node, told, add
):
    watcher = Calls()
    add(zookeeper, handle, node, zookeeper.PERSISTENT_RECURSIVE, watcher)
    change_all(zookeeper, other, node)
    zookeeper.create(other, "/ab", "", OPEN)
    assert told(watcher) == RECURSIVE_TOLD


def test_a_recursive_watch_of_the_root_tells_of_everything(zookeeper, handle, other, told):
    watcher = Calls()
    zookeeper.add_watch(handle, "/", zookeeper.PERSISTENT_RECURSIVE, watcher)
    zookeeper.create(other, "/a", "", OPEN)
    zookeeper.create(other, "/a/zażółć", "", OPEN)
    zookeeper.set(other, "/", "x")
    assert told(watcher) == ["created /a", "created /a/zażółć", "changed /"]


def test_a_node_that_is_not_there_yet_can_be_watched(zookeeper, handle, other, told):
    watchers = [Calls(), Calls()]
    zookeeper.add_watch(handle, "/a/b", zookeeper.PERSISTENT, watchers[0])
    zookeeper.add_watch(handle, "/a", zookeeper.PERSISTENT_RECURSIVE, watchers[1])
    zookeeper.create(other, "/a", "", OPEN)
    zookeeper.create(other, "/a/b", "", OPEN)
    assert told(watchers[0]) == ["created /a/b"]
    assert told(watchers[1]) == ["created /a", "created /a/b"]


def test_a_watcher_at_several_places_is_called_once_an_event(zookeeper, handle, other, node, told):
    watcher = Calls()
    for path in ("/", node, "/a/b"):
        for mode in (zookeeper.PERSISTENT, zookeeper.PERSISTENT_RECURSIVE):
            zookeeper.add_watch(handle, path, mode, watcher)
            zookeeper.add_watch(handle, path, mode, watcher)
    zookeeper.get(handle, node, watcher)
    zookeeper.set(other, node, "x")
    zookeeper.set(other, node, "y")
    assert told(watcher) == ["changed /a", "changed /a"]
    watcher = Calls()
    zookeeper.add_watch(handle, "/a/b", zookeeper.PERSISTENT_RECURSIVE, watcher)
    zookeeper.create(other, "/a/b", "", OPEN)
    assert told(watcher) == ["created /a/b"]


READS = {
    "get": lambda z, h, path, w: z.get(h, path, w),
    "exists": lambda z, h, path, w: z.exists(h, path, w),
    "get_children": lambda z, h, path, w: z.get_children(h, path, w),
    "watch_many data": lambda z, h, path, w: z.watch_many(h, data=[path], watcher=w),
    "watch_many exists": lambda z, h, path, w: z.watch_many(h, exists=[path], watcher=w),
    "watch_many children": lambda z, h, path, w: z.watch_many(h, children=[path], watcher=w),
}


@pytest.mark.parametrize("mode", ["PERSISTENT", "PERSISTENT_RECURSIVE"])
@pytest.mark.parametrize("first", ["read", "stay"])
@pytest.mark.parametrize("name", READS)
def test_one_time_watches_at_the_same_path_end_none_that_stays(
    zookeeper, handle, other, node, told, mode, first, name
):
    """A server before 3.9 has one watch for a path, and its latest mode."""
    staying, leaving = Calls(), Calls()
    if first == "read":
        READS[name](zookeeper, handle, node, leaving)
    zookeeper.add_watch(handle, node, getattr(zookeeper, mode), staying)
    if first == "stay":
        READS[name](zookeeper, handle, node, leaving)
    zookeeper.create(other, "/a/b", "", OPEN)
    zookeeper.set(other, node, "1")
    zookeeper.set(other, node, "2")
    zookeeper.create(other, "/a/c", "", OPEN)
    zookeeper.set(other, "/a/c", "1")
    recursive = ["created /a/b", "changed /a", "changed /a", "created /a/c", "changed /a/c"]
    persistent = ["children /a", "changed /a", "changed /a", "children /a"]
    assert told(staying) == (persistent if mode == "PERSISTENT" else recursive)
    assert told(leaving) == ["children /a" if "children" in name else "changed /a"]


def test_both_modes_at_one_path_tell_both_watchers(zookeeper, handle, other, node, told):
    persistent, recursive = Calls(), Calls()
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, persistent)
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT_RECURSIVE, recursive)
    change_all(zookeeper, other, node)
    assert told(persistent) == PERSISTENT_TOLD
    assert told(recursive) == RECURSIVE_TOLD


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("kind", [*KINDS, "WATCH_ANY"])
def test_a_watch_that_stays_ends_by_removal(zookeeper, handle, other, node, told, kind, local):
    watcher = Calls()
    mode = zookeeper.PERSISTENT if kind == KINDS[0] else zookeeper.PERSISTENT_RECURSIVE
    zookeeper.add_watch(handle, node, mode, watcher)
    zookeeper.set(other, node, "x")
    removed = zookeeper.remove_watches(handle, node, getattr(zookeeper, kind), local=local)
    assert removed == zookeeper.OK
    change_all(zookeeper, other, node)
    assert told(watcher) == ["changed /a"]
    with pytest.raises(zookeeper.NoWatcherException):
        zookeeper.remove_watches(handle, node, getattr(zookeeper, kind))
    zookeeper.add_watch(handle, node, mode, watcher)
    zookeeper.set(other, node, "x")
    assert told(watcher) == ["changed /a", "changed /a"]


def test_one_of_several_watchers_can_be_removed(zookeeper, handle, other, node, told):
    leaving, staying, completion = Calls(), Calls(), Calls()
    for watcher in (leaving, staying):
        zookeeper.add_watch(handle, node, zookeeper.PERSISTENT_RECURSIVE, watcher)
    zookeeper.aremove_watches(
        handle, node, zookeeper.WATCH_PERSISTENT_RECURSIVE, leaving, completion=completion
    )
    assert completion.wait_one() == (handle, zookeeper.OK)
    change_all(zookeeper, other, node)
    assert (told(leaving), told(staying)) == ([], RECURSIVE_TOLD)


@pytest.mark.parametrize("leaving", KINDS)
def test_of_two_modes_the_other_one_stays(zookeeper, handle, other, node, told, leaving):
    watchers = {kind: Calls() for kind in KINDS}
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, watchers[KINDS[0]])
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT_RECURSIVE, watchers[KINDS[1]])
    zookeeper.remove_watches(handle, node, getattr(zookeeper, leaving))
    change_all(zookeeper, other, node)
    expected = dict(zip(KINDS, [PERSISTENT_TOLD, RECURSIVE_TOLD], strict=True))
    expected[leaving] = []
    assert {kind: told(watcher) for kind, watcher in watchers.items()} == expected


@pytest.mark.parametrize("mode", ["PERSISTENT", "PERSISTENT_RECURSIVE"])
@pytest.mark.parametrize("name", READS)
def test_one_time_watches_outlive_one_that_stays(zookeeper, handle, other, node, told, mode, name):
    staying, leaving = Calls(), Calls()
    zookeeper.add_watch(handle, node, getattr(zookeeper, mode), staying)
    READS[name](zookeeper, handle, node, leaving)
    zookeeper.remove_watches(handle, node, getattr(zookeeper, f"WATCH_{mode}"), staying)
    for _ in range(2):
        zookeeper.create(other, "/a/b", "", OPEN)
        zookeeper.set(other, node, "1")
        zookeeper.delete(other, "/a/b")
        expected = ["children /a" if "children" in name else "changed /a"]
        assert (told(staying), told(leaving)) == ([], expected)
    READS[name](zookeeper, handle, node, leaving)
    zookeeper.delete(other, node)
    assert told(leaving) == [*expected, "deleted /a"]


@pytest.mark.parametrize("name", READS)
def test_removal_of_one_time_watches_leaves_the_one_that_stays(
    zookeeper, handle, other, node, told, name
):
    staying, leaving = Calls(), Calls()
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, staying)
    READS[name](zookeeper, handle, node, leaving)
    kind = zookeeper.WATCH_CHILDREN if "children" in name else zookeeper.WATCH_DATA
    zookeeper.remove_watches(handle, node, kind, leaving)
    change_all(zookeeper, other, node)
    assert (told(staying), told(leaving)) == (PERSISTENT_TOLD, [])
    with pytest.raises(zookeeper.NoWatcherException):
        zookeeper.remove_watches(handle, node, kind)


@pytest.mark.parametrize("kind", [*KINDS, "WATCH_DATA"])
def test_removing_what_is_not_there_raises_no_watcher(zookeeper, handle, node, kind):
    zookeeper.get_children(handle, node, Calls())
    watcher = Calls()
    for watchers in ([], [watcher]):
        with pytest.raises(zookeeper.NoWatcherException, match=rf": {node}$"):
            zookeeper.remove_watches(handle, node, getattr(zookeeper, kind), *watchers)


def test_a_watcher_removed_inside_its_event_is_not_called_again(
    zookeeper, handle, other, node, told
):
    completion = Calls()

    def remove(*_):
        zookeeper.aremove_watches(handle, node, watcher=watcher, completion=completion)

    watcher = Calls(remove)
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, watcher)
    zookeeper.set(other, node, "x")
    assert completion.wait() == [(handle, zookeeper.OK)]
    zookeeper.set(other, node, "y")
    assert told(watcher) == ["changed /a"]


@pytest.mark.parametrize("mode", [-1, 2, True, "0", None])
def test_an_unknown_mode_is_refused(zookeeper, handle, node, mode):
    expected = zookeeper.BadArgumentsException if type(mode) is int else TypeError
    with pytest.raises(expected, match="mode"):
        zookeeper.add_watch(handle, node, mode, Calls())
    with pytest.raises(expected, match="mode"):
        zookeeper.aadd_watch(handle, node, mode, Calls())


@pytest.mark.parametrize("watcher", [None, 7, {}])
def test_a_watcher_is_needed(zookeeper, handle, node, watcher):
    with pytest.raises(TypeError):
        zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, watcher)


def test_an_event_without_a_zxid_has_none(zookeeper, handle, other, node, told):
    """Servers before 3.9, and our own, do not send it."""
    zxids = []
    watcher = Calls(lambda h, *_: zxids.append(zookeeper.event_zxid(h)))
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, watcher)
    zookeeper.set(other, node, "x")
    assert told(watcher) == ["changed /a"]
    assert zxids == [None]
    assert zookeeper.event_zxid(handle) is None
