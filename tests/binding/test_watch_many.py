"""Reading many nodes and watching them, without a gap in between."""

from __future__ import annotations

import gc
import struct
from functools import partial

import pytest

from tests.calls import Calls
from tests.sessions import OPEN, wait_until_delivered

SECRET = [{"perms": 12, "scheme": "world", "id": "anyone"}]


def plant(zookeeper, handle, *paths):
    zookeeper.write_many(handle, [("create", path, f"data of {path}", OPEN) for path in paths])


def test_results_come_by_kind_and_in_order(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/a/x", "/b")
    data, children, exists = zookeeper.watch_many(
        handle,
        data=["/b", "/a"],
        children=["/a", "/b", "/"],
        exists=["/missing", "/a"],
        watcher=Calls(),
    )
    assert data == [zookeeper.get(handle, "/b"), zookeeper.get(handle, "/a")]
    assert [sorted(names) for names in children] == [["x"], [], ["a", "b"]]
    assert exists == [None, zookeeper.exists(handle, "/a")]


def test_arguments_may_be_given_by_position_and_left_out(zookeeper, handle):
    watcher = Calls()
    assert zookeeper.watch_many(handle, watcher=watcher) == ([], [], [])
    data, children, exists = zookeeper.watch_many(handle, ["/"], ["/"], ["/"], watcher)
    assert (len(data), len(children), len(exists)) == (1, 1, 1)


def test_stats_of_data_are_bytes_if_wanted(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/a/b")
    watched = partial(
        zookeeper.watch_many, handle, ["/a", "/none", "/a/b"], ["/a"], ["/a", "/none"]
    )
    plain_data, plain_children, plain_exists = watched(Calls())
    data, children, exists = watched(Calls(), packed=True)
    assert (children, exists) == (plain_children, plain_exists)
    assert isinstance(data[1], zookeeper.NoNodeException)
    for number in (0, 2):
        (text, stat), (plain_text, plain_stat) = data[number], plain_data[number]
        assert text == plain_text
        assert struct.unpack("@4q3iq2iq", stat) == tuple(plain_stat.values())


def test_stats_are_bytes_for_a_completion_as_well(zookeeper, handle):
    plant(zookeeper, handle, "/a")
    told = Calls()
    zookeeper.awatch_many(handle, ["/a"], watcher=Calls(), completion=told, packed=True)
    ((_, code, found),) = told.wait(1)
    assert code == zookeeper.OK
    assert found == zookeeper.watch_many(handle, ["/a"], watcher=Calls(), packed=True)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_of_garbage_is_left_as_it_was(zookeeper, handle, is_enabled):
    plant(zookeeper, handle, "/a", "/b")
    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        zookeeper.watch_many(handle, ["/a", "/none"], ["/a", "/"], ["/b"], Calls())
        assert gc.isenabled() is is_enabled
        zookeeper.get_many(handle, ["/a", "/none"])
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_a_node_that_cannot_be_read_is_an_exception_and_has_no_watch(zookeeper, handle, other):
    zookeeper.create(handle, "/secret", "", SECRET)
    watcher = Calls()
    data, children, exists = zookeeper.watch_many(
        handle,
        data=["/missing", "/secret"],
        children=["/missing", "/secret"],
        exists=["/missing"],
        watcher=watcher,
    )
    for results in (data, children):
        assert [type(result) for result in results] == [
            zookeeper.NoNodeException,
            zookeeper.NoAuthException,
        ]
        assert [result.path for result in results] == ["/missing", "/secret"]
    assert exists == [None]
    zookeeper.create(other, "/secret/child", "", OPEN)
    zookeeper.delete(other, "/secret/child")
    zookeeper.delete(other, "/secret")
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == []


def test_every_node_has_its_own_watches_that_fire_once(zookeeper, handle, other):
    paths = [f"/{number}" for number in range(10)]
    plant(zookeeper, handle, *paths)
    watcher = Calls()
    zookeeper.watch_many(handle, data=paths, children=paths, exists=["/new"], watcher=watcher)
    for path in paths:
        zookeeper.set(other, path, "1")
        zookeeper.set(other, path, "2")
        zookeeper.create(other, f"{path}/child", "", OPEN)
    zookeeper.create(other, "/new", "", OPEN)
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    expected = [("/new", zookeeper.CREATED_EVENT)]
    for kind in (zookeeper.CHANGED_EVENT, zookeeper.CHILD_EVENT):
        expected += [(path, kind) for path in paths]
    assert sorted((path, kind) for _, kind, _, path in watcher.all()) == sorted(expected)


@pytest.mark.not_emulated("the caller's thread does everything: nothing goes on meanwhile")
def test_a_change_after_the_read_is_never_missed(zookeeper, handle, other):
    """A writer races the read: the value read is the last one, or an event comes."""
    paths = [f"/{number:03}" for number in range(200)]
    plant(zookeeper, handle, *paths)
    written = dict.fromkeys(paths, "data")
    stop: list[bool] = []

    def write_on(*_):
        if not stop:
            for path in paths[:: len(written["/000"]) % 3 + 1]:
                written[path] += "."
                zookeeper.aset(other, path, written[path])
            zookeeper.async_(other, "/", write_on)

    write_on()
    rounds = []
    for _ in range(20):
        watcher = Calls()
        data, _, _ = zookeeper.watch_many(handle, data=paths, watcher=watcher)
        rounds.append((dict(zip(paths, (value for value, _ in data), strict=True)), watcher))
    stop.append(True)
    zookeeper.sync(other, "/")
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    final = {path: zookeeper.get(handle, path)[0] for path in paths}
    for read, watcher in rounds:
        told_paths = {path for _, _, _, path in watcher.all()}
        assert {path for path in paths if read[path] != final[path]} <= told_paths


def test_several_watchers_of_one_node_are_all_told(zookeeper, handle, other):
    plant(zookeeper, handle, "/a")
    single, many = Calls(), Calls()
    zookeeper.get(handle, "/a", single)
    zookeeper.watch_many(handle, data=["/a"], watcher=many)
    zookeeper.watch_many(handle, data=["/a", "/a"], exists=["/a"], watcher=many)
    zookeeper.set(other, "/a", "x")
    event = (handle, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, "/a")
    assert single.wait_one() == event
    wait_until_delivered(zookeeper, handle)
    assert many.all() == [event]


def test_twenty_thousand_watches_are_set_and_fire(zookeeper, handle, other):
    paths = [f"/{number:05}" for number in range(20_000)]
    zookeeper.write_many(handle, [("create", path, "", OPEN) for path in paths])
    watcher = Calls()
    data, children, exists = zookeeper.watch_many(
        handle, data=paths[:10_000], exists=paths[10_000:], watcher=watcher
    )
    assert (len(data), children, len(exists)) == (10_000, [], 10_000)
    zookeeper.write_many(other, [("set", path, "x") for path in paths])
    watcher.wait(20_000, 60)
    wait_until_delivered(zookeeper, handle)
    assert sorted(path for _, _, _, path in watcher.all()) == paths
    zookeeper.write_many(other, [("delete", path) for path in paths])


def test_a_watcher_is_needed(zookeeper, handle):
    with pytest.raises(TypeError, match="watcher"):
        zookeeper.watch_many(handle, data=["/"])


@pytest.mark.parametrize("kind", ["data", "children", "exists"])
@pytest.mark.parametrize("paths", ["/a", 7, [7], [None]])
def test_one_path_instead_of_a_list_is_refused(zookeeper, handle, kind, paths):
    with pytest.raises(TypeError):
        zookeeper.watch_many(handle, **{kind: paths}, watcher=Calls())


@pytest.mark.parametrize("kind", ["data", "children", "exists"])
@pytest.mark.parametrize("path", [["/list"], 7, None, b"/bytes"])
def test_a_path_of_another_type_is_refused_by_its_type(zookeeper, handle, kind, path):
    with pytest.raises(TypeError, match=f"a path must be str, not {type(path).__name__}"):
        zookeeper.watch_many(handle, **{kind: ["/", path]}, watcher=Calls())


@pytest.mark.parametrize("kind", ["data", "children", "exists"])
def test_a_bad_path_among_good_ones_is_refused_and_nothing_is_watched(
    zookeeper, handle, other, kind
):
    plant(zookeeper, handle, "/a")
    watcher = Calls()
    with pytest.raises(zookeeper.BadArgumentsException) as raised:
        zookeeper.watch_many(handle, **{kind: ["/a", "/a/"]}, watcher=watcher)
    assert raised.value.path == "/a/"
    zookeeper.delete(other, "/a")
    zookeeper.sync(handle, "/")
    wait_until_delivered(zookeeper, handle)
    assert watcher.all() == []
