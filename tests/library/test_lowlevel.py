"""The binding's functions as methods."""

from __future__ import annotations

from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

ACL = OPEN_ACL_UNSAFE


def watcher(*arguments: object) -> None: ...


# What a program calls, and what the binding is called with behind the handle.
PASSED_ON = [
    ("exists", ("/a",), ("/a",)),
    ("exists", ("/a", watcher), ("/a", watcher)),
    ("get", ("/a",), ("/a",)),
    ("get", ("/a", watcher), ("/a", watcher)),
    ("get_children", ("/a",), ("/a",)),
    ("get_children", ("/a", watcher), ("/a", watcher)),
    ("get_children2", ("/a",), ("/a",)),
    ("get_acl", ("/a",), ("/a",)),
    ("create", ("/a", "data", ACL), ("/a", "data", ACL, 0)),
    ("create", ("/a", "data", ACL, 2), ("/a", "data", ACL, 2)),
    ("create2", ("/a", "data", ACL), ("/a", "data", ACL, 0)),
    ("delete", ("/a",), ("/a",)),
    ("delete", ("/a", 5), ("/a", 5)),
    ("set", ("/a", "data"), ("/a", "data")),
    ("set", ("/a", "data", 5), ("/a", "data", 5)),
    ("set2", ("/a", "data"), ("/a", "data")),
    ("set_acl", ("/a", 5, ACL), ("/a", 5, ACL)),
    ("aexists", ("/a", watcher, watcher), ("/a", watcher, watcher)),
    ("aget", ("/a", None, watcher), ("/a", None, watcher)),
    ("aget_children", ("/a", None, watcher), ("/a", None, watcher)),
    ("aget_acl", ("/a", watcher), ("/a", watcher)),
    ("async_", ("/a", watcher), ("/a", watcher)),
    ("sync", ("/a",), ("/a",)),
    ("is_unrecoverable", (), ()),
    ("recv_timeout", (), ()),
    ("client_id", (), ()),
    ("get_many", (["/a"],), (["/a"],)),
    ("remove_watches", ("/a", 3, watcher), ("/a", 3, watcher)),
]


@pytest.mark.parametrize(("name", "given", "passed"), PASSED_ON)
def test_methods_call_what_is_in_the_module(zk, monkeypatch, name, given, passed) -> None:
    calls = Calls()
    answer = ("/made", {}) if name == "create2" else "/made"

    def patched(*arguments: object, **more: object) -> Any:
        calls(*arguments, *more.items())
        return answer

    monkeypatch.setattr(zookeeper, name, patched)
    assert getattr(zk, name)(*given) == answer
    assert calls.all() == [(zk.handle, *passed)]


def test_every_function_that_takes_a_handle_is_there() -> None:
    others = {"init", "close", "state", "event_thread", "check_operations"}
    functions = {
        name
        for name, value in vars(zookeeper).items()
        if callable(value) and not isinstance(value, type) and name.islower()
    }
    without_handle = {
        "zerror", "error", "set_debug_level", "set_log_stream", "deterministic_conn_order",
        "with_context", "close_many",
    }  # fmt: skip
    methods = {name for name in dir(zc.zk.ZooKeeper) if not name.startswith("_")}
    assert functions - without_handle - others <= methods


def test_they_have_names_and_documentation(zk) -> None:
    assert zk.get.__name__ == "get"
    assert zk.get.__doc__ == zc.zk.ZooKeeper.get.__doc__ == zookeeper.get.__doc__


def test_asynchronous_calls_pass_results_to_completions(zk) -> None:
    done = Calls()
    assert zk.acreate("/a", "x", ACL, 0, done) == zookeeper.OK
    assert done.wait(1)[-1] == (zk.handle, zookeeper.OK, "/a")
    zk.acreate2("/b", "x", ACL, completion=done)
    assert done.wait(2)[-1][1:3] == (zookeeper.OK, "/b")
    zk.aset("/a", "y", 0, done)
    assert done.wait(3)[-1][2]["version"] == 1
    zk.aset_acl("/a", -1, READ_ACL_UNSAFE, done)
    assert done.wait(4)[-1] == (zk.handle, zookeeper.OK)
    zk.amulti([("check", "/a", 1)], done)
    assert done.wait(5)[-1] == (zk.handle, zookeeper.OK, [None])
    zk.adelete("/a", 17, done)
    assert done.wait(6)[-1] == (zk.handle, zookeeper.BADVERSION)
    getattr(zk, "async")("/", done)
    assert done.wait(7)[-1] == (zk.handle, zookeeper.OK, "/")
    zk.acreate("/a", "x", ACL, 0, done)
    assert done.wait(8)[-1] == (zk.handle, zookeeper.NODEEXISTS, None)


def test_what_is_refused_is_remembered_as_before(zk, other, connection_string) -> None:
    zk.create("/mine", "data", ACL, zookeeper.EPHEMERAL)
    done = Calls()
    zk.adelete("/mine", 17, done)
    assert done.wait_one()[1] == zookeeper.BADVERSION
    with pytest.raises(zookeeper.BadVersionException):
        zk.multi([("delete", "/mine", 17)])
    results = zk.write_many([("delete", "/mine", 17)], batch=1)
    assert isinstance(results[0], zookeeper.BadVersionException)
    zk.amulti([("delete", "/mine", 17)], done)
    assert done.wait(2)[1][1] == zookeeper.BADVERSION
    with pytest.raises(TypeError):
        zk.adelete("/mine", "version")
    expire(zk, connection_string)
    wait_until(lambda: other.exists("/mine"), "it is back")


def test_calls_take_a_timeout_in_seconds(zk) -> None:
    zk.create("/a", timeout=5)
    zk.set("/a", "x", timeout=5)
    assert zk.get("/a", timeout=5)[0] == "x"
    zk.delete("/a", timeout=5)
