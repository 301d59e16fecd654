"""The binding's functions are methods of a client."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

pytestmark = pytest.mark.quick

ACL = OPEN_ACL_UNSAFE

# The emulation has functions of its own.
BINDING = zookeeper


def watcher(*arguments: object) -> None: ...


# A program's call, and the arguments of the binding's function behind the handle.
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
    ("connection_fault", (), ()),
    ("is_refused", (), ()),
    ("get_many", (["/a"],), (["/a"],)),
    ("remove_watches", ("/a", 3, watcher), ("/a", 3, watcher)),
]


@pytest.mark.parametrize(("name", "given", "passed"), PASSED_ON)
def test_methods_call_what_is_in_the_module(zk, monkeypatch, name, given, passed) -> None:
    calls = Calls()
    answer: Any = ("/made", {}) if name == "create2" else "/made"

    def patched(*arguments: object, **more: object) -> Any:
        calls(*arguments, *more.items())
        return answer

    monkeypatch.setattr(zookeeper, name, patched)
    assert getattr(zk, name)(*given) == answer
    assert calls.all() == [(zk.handle, *passed)]


def test_every_function_that_takes_a_handle_is_there() -> None:
    others = {
        "init", "close", "aclose", "state", "event_thread", "event_thread_busy",
        # A client for event loops waits by these.
        "aget_many", "aget_acl_many", "aget_children_many", "aread_tree", "awatch_many",
        "awrite_many",
    }  # fmt: skip
    functions = {
        name
        for name, value in vars(zookeeper).items()
        if callable(value) and not isinstance(value, type) and name.islower() and name[0] != "_"
    }
    without_handle = {
        "zerror", "error", "set_debug_level", "set_log_stream", "deterministic_conn_order",
        "write_count", "with_context", "close_many",
    }  # fmt: skip
    methods = {name for name in dir(zc.zk.ZooKeeper) if not name.startswith("_")}
    assert functions - without_handle - others <= methods


@pytest.mark.not_emulated("its functions are others")
def test_they_have_names_and_documentation(zk) -> None:
    assert zk.get.__name__ == "get"
    assert zk.get.__doc__ == zc.zk.ZooKeeper.get.__doc__
    signature, _, text = (zookeeper.get.__doc__ or "").partition("\n\n")
    assert zk.get.__doc__ == text
    assert signature.startswith("get(h, ")
    shown = pydoc.plain(pydoc.render_doc(zc.zk.ZooKeeper.get))
    assert "get(self, path, watcher=None, bufferlen=None, *, timeout=None)" in shown
    assert text.splitlines()[0] in shown


# The functions of the binding that take a handle. Some arguments are optional here only.
METHODS = [
    name
    for name, function in vars(BINDING).items()
    if callable(function)
    and not name.startswith("_")
    and hasattr(zc.zk.ZooKeeper, name)
    and [*inspect.signature(function).parameters][:1] == ["h"]
]
HERE_ALONE = {
    ("create", "data"): "",
    ("create", "acl"): OPEN_ACL_UNSAFE,
    ("create2", "data"): "",
    ("create2", "acl"): OPEN_ACL_UNSAFE,
}


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("close", "state")])
def test_methods_have_the_signatures_of_the_binding_without_the_handle(zk, name) -> None:
    method = getattr(zc.zk.ZooKeeper, name)
    own, *parameters = inspect.signature(method).parameters.values()
    assert own.name == "self"
    _, *behind_the_handle = inspect.signature(vars(BINDING)[name]).parameters.values()

    def expected(parameter: inspect.Parameter) -> tuple[object, ...]:
        default = HERE_ALONE.get((name, parameter.name), parameter.default)
        return parameter.name, parameter.kind, default

    found = [(each.name, each.kind, each.default) for each in parameters]
    assert found == [expected(each) for each in behind_the_handle]
    bound = inspect.signature(getattr(zk, name)).parameters.values()
    assert [each.name for each in bound] == [each.name for each in parameters]
    summary, *_ = method.__doc__.splitlines()
    assert summary
    assert not summary.startswith(f"{name}(")


def test_there_are_methods_to_compare() -> None:
    assert len(METHODS) > 30
    assert {"get", "create", "multi", "async", "async_", "add_auth", "set_watcher"} <= {*METHODS}


def test_methods_are_functions_like_others(zk) -> None:
    assert zc.zk.ZooKeeper.get(zk, "/") == zk.get("/")
    assert zk.get == zk.get
    assert hash(zk.get) == hash(zk.get)
    assert zk.get != zk.exists
    assert inspect.isfunction(zc.zk.ZooKeeper.get)
    assert inspect.ismethod(zk.get)
    with pytest.raises(TypeError):
        zc.zk.ZooKeeper.get()


# Each calls the binding once before it says what it has to say.
TOO_LATE = [
    lambda zk: zk.get("/"),
    lambda zk: zk.aget("/"),
    lambda zk: zk.read_tree("/"),
    lambda zk: zk.create("/a"),
    lambda zk: zk.acreate("/a", "", ACL),
    lambda zk: zk.set("/", ""),
    lambda zk: zk.delete("/a"),
    lambda zk: zk.adelete("/a"),
    lambda zk: zk.multi([("check", "/")]),
    lambda zk: zk.amulti([("check", "/")]),
    lambda zk: zk.write_many([("set", "/", "")]),
    lambda zk: zk.client_id(),
    lambda zk: zk.add_auth("digest", "alice:secret"),
    lambda zk: zk.get_properties("/"),
    lambda zk: zk.is_ephemeral("/"),
    lambda zk: zk.create_recursive("/a"),
    lambda zk: zk.resolve("/a"),
    lambda zk: zk.properties("/"),
    lambda zk: zk.children("/"),
]


@pytest.fixture
def unused_handle(zk) -> int:
    """Return a number that no handle has."""
    return 10_000_000


@pytest.mark.parametrize("call", TOO_LATE)
def test_a_handle_that_is_replaced_just_before_the_call_is_a_lost_connection(
    zk, monkeypatch, unused_handle, call
) -> None:
    for name in ("require_handle", "early_handle"):
        monkeypatch.setattr(zk._session, name, lambda: unused_handle)
    with pytest.raises(zookeeper.ConnectionLossException, match="has just been lost") as raised:
        call(zk)
    assert not raised.value.may_have_happened
    assert isinstance(raised.value.__cause__, zookeeper.InvalidStateException)


def test_a_client_that_is_closed_just_before_the_call_says_so(
    zk, monkeypatch, unused_handle
) -> None:
    zk.close()
    monkeypatch.setattr(zk._session, "require_handle", lambda: unused_handle)
    with pytest.raises(zookeeper.ClosingException, match="this client has been closed") as raised:
        zk.get("/")
    assert not raised.value.may_have_happened
    assert not raised.value.is_retriable


def test_the_handle_is_closed_between_its_number_and_the_call(zk, monkeypatch) -> None:
    get = zookeeper.get

    def too_late(handle: int, *arguments: Any) -> Any:
        # The keeper does the same.
        zookeeper.close(handle, lost=True)
        return get(handle, *arguments)

    monkeypatch.setattr(zookeeper, "get", too_late)
    with pytest.raises(zookeeper.ConnectionLossException):
        zk.get("/")


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


def test_a_change_that_is_refused_is_not_remembered(zk, other, connection_string) -> None:
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
