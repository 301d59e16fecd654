"""Calls that answer to a completion: arguments, thread and order."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import wait_until
from tests.sessions import OPEN

pytestmark = pytest.mark.quick


def answer(handle, function, *arguments, **by_name):
    """Return the arguments of one call's completion, after the handle."""
    completion = Calls()
    assert function(handle, *arguments, completion=completion, **by_name) == 0
    got_handle, *results = completion.wait_one()
    assert got_handle == handle
    return tuple(results)


def test_acreate_gives_the_path(zookeeper, handle):
    assert answer(handle, zookeeper.acreate, "/a", "x", OPEN) == (zookeeper.OK, "/a")
    assert answer(handle, zookeeper.acreate, "/s", "x", OPEN, zookeeper.SEQUENCE) == (
        zookeeper.OK,
        "/s0000000001",
    )
    assert answer(handle, zookeeper.acreate, "/a", "x", OPEN) == (zookeeper.NODEEXISTS, None)
    assert answer(
        handle, zookeeper.acreate, "/t", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, ttl=3_600_000
    ) == (zookeeper.OK, "/t")


def test_acreate2_gives_path_and_stat(zookeeper, handle):
    code, path, stat = answer(handle, zookeeper.acreate2, "/a", "x", OPEN, 0)
    assert (code, path, stat) == (zookeeper.OK, "/a", zookeeper.exists(handle, "/a"))
    refused = answer(handle, zookeeper.acreate2, "/a", "x", OPEN, 0)
    assert refused == (zookeeper.NODEEXISTS, None, None)


def test_adelete_gives_the_code(zookeeper, handle, node):
    assert answer(handle, zookeeper.adelete, node, 5) == (zookeeper.BADVERSION,)
    assert answer(handle, zookeeper.adelete, node) == (zookeeper.OK,)
    assert answer(handle, zookeeper.adelete, node) == (zookeeper.NONODE,)


def test_aset_gives_the_stat(zookeeper, handle, node):
    code, stat = answer(handle, zookeeper.aset, node, "new")
    assert (code, stat) == (zookeeper.OK, zookeeper.exists(handle, node))
    assert answer(handle, zookeeper.aset, node, "x", 7) == (zookeeper.BADVERSION, None)


def test_aset_acl_gives_the_code(zookeeper, handle, node):
    assert answer(handle, zookeeper.aset_acl, node, 0, OPEN) == (zookeeper.OK,)
    assert answer(handle, zookeeper.aset_acl, node, 7, OPEN) == (zookeeper.BADVERSION,)


def test_aexists_gives_the_stat(zookeeper, handle, node):
    assert answer(handle, zookeeper.aexists, node) == (zookeeper.OK, zookeeper.exists(handle, node))
    assert answer(handle, zookeeper.aexists, "/missing") == (zookeeper.NONODE, None)


def test_aget_gives_data_and_stat(zookeeper, handle, node):
    assert answer(handle, zookeeper.aget, node) == (zookeeper.OK, *zookeeper.get(handle, node))
    assert answer(handle, zookeeper.aget, "/missing") == (zookeeper.NONODE, None, None)


def test_aget_children_gives_the_names(zookeeper, handle, node):
    assert answer(handle, zookeeper.aget_children, "/") == (zookeeper.OK, ["a"])
    assert answer(handle, zookeeper.aget_children, "/missing") == (zookeeper.NONODE, None)


def test_aget_children2_gives_names_and_stat(zookeeper, handle, node):
    stat = zookeeper.exists(handle, "/")
    assert answer(handle, zookeeper.aget_children2, "/") == (zookeeper.OK, ["a"], stat)
    assert answer(handle, zookeeper.aget_children2, "/missing") == (zookeeper.NONODE, None, None)


def test_aget_acl_gives_acl_and_stat(zookeeper, handle, node):
    stat, acl = zookeeper.get_acl(handle, node)
    assert answer(handle, zookeeper.aget_acl, node) == (zookeeper.OK, acl, stat)
    assert answer(handle, zookeeper.aget_acl, "/missing") == (zookeeper.NONODE, None, None)


def test_async_gives_the_path(zookeeper, handle, node):
    assert answer(handle, zookeeper.async_, node) == (zookeeper.OK, node)
    assert answer(handle, getattr(zookeeper, "async"), node) == (zookeeper.OK, node)


def test_every_argument_may_be_given_by_position(zookeeper, handle):
    completion = Calls()
    zookeeper.acreate(handle, "/a", "", OPEN, 0, completion)
    zookeeper.acreate2(handle, "/b", "", OPEN, 0, completion)
    zookeeper.aset(handle, "/a", "x", -1, completion)
    zookeeper.aexists(handle, "/a", None, completion)
    zookeeper.aget(handle, "/a", None, completion)
    zookeeper.aget_children(handle, "/", None, completion)
    zookeeper.aget_children2(handle, "/", None, completion)
    zookeeper.aget_acl(handle, "/a", completion)
    zookeeper.aset_acl(handle, "/a", -1, OPEN, completion)
    zookeeper.async_(handle, "/a", completion)
    zookeeper.adelete(handle, "/a", -1, completion)
    zookeeper.amulti(handle, [("check", "/b")], completion)
    zookeeper.aget_config(handle, None, completion)
    assert [call[1] for call in completion.wait(13)] == [zookeeper.OK] * 13


def test_a_call_without_completion_is_done_all_the_same(zookeeper, handle):
    assert zookeeper.acreate(handle, "/a", "1", OPEN) == zookeeper.OK
    assert zookeeper.aset(handle, "/a", "2") == zookeeper.OK
    assert zookeeper.aget(handle, "/a") == zookeeper.OK
    assert zookeeper.get(handle, "/a")[0] == "2"
    assert zookeeper.adelete(handle, "/a") == zookeeper.OK
    assert zookeeper.exists(handle, "/a") is None


def test_completions_are_called_on_the_handles_event_thread(zookeeper, handle):
    completion = Calls()
    zookeeper.aget(handle, "/", None, completion)
    completion.wait_one()
    expected = zookeeper.event_thread(handle) or threading.current_thread()
    assert completion.threads == [expected]


def test_answers_come_in_the_order_of_the_calls(zookeeper, handle):
    """Ten thousand calls of several kinds are under way at once."""
    order, done = [], Calls()
    for number in range(2500):
        path = f"/{number:05}"
        zookeeper.acreate(handle, path, "", OPEN, 0, lambda *_, n=number: order.append((n, 1)))
        zookeeper.aset(handle, path, "x", -1, lambda *_, n=number: order.append((n, 2)))
        zookeeper.aexists(handle, path, None, lambda *_, n=number: order.append((n, 3)))
        zookeeper.adelete(handle, path, -1, lambda *_, n=number: order.append((n, 4)))
    zookeeper.async_(handle, "/", done)
    done.wait_one(60)
    assert order == [(number, step) for number in range(2500) for step in (1, 2, 3, 4)]


def test_an_exception_in_a_completion_is_logged_and_harms_nobody(zookeeper, handle, caplog):
    def broken(*_):
        raise RuntimeError("a mistake in a completion")

    after = Calls()
    with caplog.at_level(logging.ERROR):
        zookeeper.aget(handle, "/", None, broken)
        zookeeper.aget(handle, "/", None, after)
        assert after.wait_one()[1] == zookeeper.OK
    assert "a mistake in a completion" in caplog.text
    assert zookeeper.get(handle, "/")[0] == ""


def test_even_system_exit_in_a_completion_does_not_end_the_event_thread(zookeeper, handle, caplog):
    def leave(*_):
        raise SystemExit(3)

    after = Calls()
    zookeeper.aget(handle, "/", None, leave)
    zookeeper.aget(handle, "/", None, after)
    assert after.wait_one()[1] == zookeeper.OK


def test_synchronous_and_bulk_calls_work_inside_completions(zookeeper, handle, node):
    def read_more(*_):
        results.append(zookeeper.get(handle, node)[0])
        results.append(zookeeper.get_many(handle, [node])[0][0])
        results.append(len(zookeeper.read_tree(handle, "/")))
        results.append(zookeeper.multi(handle, [("check", node)]))

    results: list[Any] = []
    completion = Calls(read_more)
    zookeeper.aget(handle, node, None, completion)
    wait_until(lambda: len(results) == 4, lambda: f"four results: {results}")
    assert results == ["data", "data", 2, [None]]


def test_a_completion_may_start_the_next_call(zookeeper, handle):
    def create_next(_, code, path):
        number = int(path[1:])
        if number < 100:
            zookeeper.acreate(handle, f"/{number + 1}", "", OPEN, 0, created)

    created = Calls(create_next)
    zookeeper.acreate(handle, "/1", "", OPEN, 0, created)
    assert created.wait(100)[-1] == (handle, zookeeper.OK, "/100")


def test_completions_and_watchers_are_let_go_of_once_called(zookeeper, handle):
    class Callback:
        def __call__(self, *_):
            pass

    completion, watcher = Callback(), Callback()
    gone = [weakref.ref(completion), weakref.ref(watcher)]
    zookeeper.acreate(handle, "/a", "", OPEN, 0, completion)
    zookeeper.sync(handle, "/")
    zookeeper.aget(handle, "/a", watcher, completion)
    zookeeper.delete(handle, "/a")
    del completion, watcher

    def collected():
        gc.collect()
        return not any(reference() for reference in gone)

    wait_until(collected, "nobody holds the callbacks any more")


@pytest.mark.parametrize("completion", ["text", 7, object()])
def test_a_completion_that_cannot_be_called_is_refused(zookeeper, handle, completion):
    calls = [
        lambda: zookeeper.acreate(handle, "/b", "", OPEN, 0, completion),
        lambda: zookeeper.adelete(handle, "/a", -1, completion),
        lambda: zookeeper.aset(handle, "/a", "", -1, completion),
        lambda: zookeeper.aset_acl(handle, "/a", -1, OPEN, completion),
        lambda: zookeeper.aget(handle, "/", None, completion),
        lambda: zookeeper.aexists(handle, "/", None, completion),
        lambda: zookeeper.aget_children(handle, "/", None, completion),
        lambda: zookeeper.aget_acl(handle, "/", completion),
        lambda: zookeeper.async_(handle, "/", completion),
        lambda: zookeeper.add_auth(handle, "digest", "a:b", completion),
        lambda: zookeeper.amulti(handle, [("check", "/")], completion),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="completion"):
            call()
    assert zookeeper.get_children(handle, "/") == []
