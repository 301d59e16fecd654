"""Arguments that make no sense: each has its exception, the session lives on."""

from __future__ import annotations

import pytest

from tests.binding.every_call import calls_with_a_path, calls_without_a_path
from tests.sessions import OPEN

BAD_PATHS = [
    "",
    "a",
    "a/b",
    "//",
    "//a",
    "/a//b",
    "/a/",
    "/.",
    "/..",
    "/a/.",
    "/a/..",
    "/./a",
    "/../a",
    "/a/../b",
    "/a\0b",
    "\0",
    "/a\0",
    "/\ud800",
    # Characters that no server takes in a name.
    "/\x01",
    "/a\x1fb",
    "/a/\x7f",
    "/\x80",
    "/\x9f/a",
    "/\ue000",
    "/\uf8ff",
    "/\ufff0",
    "/\uffff",
    "/\U0001f418",
]

# The neighbours of those characters, which a name may have.
GOOD_NAMES = [" ", "~", "\xa0", "\ud7ff", "\uf900", "\uffef"]


@pytest.fixture
def lives_on(zookeeper, handle):
    """Check that the session is unhurt, and that nothing has been written."""
    session = zookeeper.client_id(handle)
    yield
    assert zookeeper.state(handle) == zookeeper.CONNECTED_STATE
    assert zookeeper.client_id(handle) == session
    assert zookeeper.get_children(handle, "/") == []


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
def test_a_bad_path_raises_bad_arguments_that_name_it(zookeeper, handle, lives_on, path):
    for name, call in calls_with_a_path(zookeeper).items():
        with pytest.raises(zookeeper.BadArgumentsException) as raised:
            call(handle, path)
        assert raised.value.path == path, name
        assert len(str(raised.value)) > len(f"bad arguments: {path}: "), name


@pytest.mark.parametrize("path", [None, 7, 1.5, True, b"/bytes", ["/list"], ...], ids=repr)
def test_a_path_of_another_type_raises_type_error(zookeeper, handle, lives_on, path):
    for name, call in calls_with_a_path(zookeeper).items():
        with pytest.raises(TypeError, match="path") as raised:
            call(handle, path)
        assert type(path).__name__ in str(raised.value), name


@pytest.mark.parametrize("name", GOOD_NAMES, ids=ascii)
def test_a_name_that_the_server_takes_is_not_refused_by_us(zookeeper, handle, name):
    assert zookeeper.create(handle, f"/{name}", "", OPEN) == f"/{name}"
    assert zookeeper.multi(handle, [("create", f"/{name}/{name}", "", OPEN)])
    assert zookeeper.get_children_many(handle, ["/"]) == [[name]]


@pytest.mark.parametrize("data", [7, 1.5, True, ["x"], {}, ..., bytearray(b"x")], ids=repr)
def test_data_of_another_type_raises_type_error(zookeeper, handle, lives_on, data):
    for call in (
        lambda: zookeeper.create(handle, "/a", data, OPEN),
        lambda: zookeeper.create2(handle, "/a", data, OPEN),
        lambda: zookeeper.acreate(handle, "/a", data, OPEN),
        lambda: zookeeper.set(handle, "/", data),
        lambda: zookeeper.set2(handle, "/", data),
        lambda: zookeeper.aset(handle, "/", data),
        lambda: zookeeper.multi(handle, [("set", "/", data)]),
        lambda: zookeeper.write_many(handle, [("create", "/a", data, OPEN)]),
    ):
        with pytest.raises(TypeError, match="data"):
            call()


@pytest.mark.parametrize("version", [None, "1", 1.5, [1]], ids=repr)
def test_a_version_of_another_type_raises_type_error(zookeeper, handle, lives_on, version):
    for call in (
        lambda: zookeeper.set(handle, "/", "", version),
        lambda: zookeeper.set2(handle, "/", "", version),
        lambda: zookeeper.aset(handle, "/", "", version),
        lambda: zookeeper.delete(handle, "/", version),
        lambda: zookeeper.adelete(handle, "/", version),
        lambda: zookeeper.set_acl(handle, "/", version, OPEN),
        lambda: zookeeper.multi(handle, [("check", "/", version)]),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("version", [2**31, -(2**31) - 1, 2**70])
def test_a_version_out_of_range_is_refused(zookeeper, handle, lives_on, version):
    for call in (
        lambda: zookeeper.set(handle, "/", "", version),
        lambda: zookeeper.delete(handle, "/", version),
        lambda: zookeeper.set_acl(handle, "/", version, OPEN),
        lambda: zookeeper.multi(handle, [("check", "/", version)]),
    ):
        with pytest.raises((OverflowError, zookeeper.BadArgumentsException)):
            call()


def test_missing_and_unknown_arguments_raise_type_error(zookeeper, handle, lives_on):
    for call in (
        lambda: zookeeper.get(handle),
        lambda: zookeeper.create(handle, "/a", ""),
        lambda: zookeeper.get(handle, "/", nonsense=1),
        lambda: zookeeper.get(handle, "/", None, 5, 6),
        lambda: zookeeper.exists(handle, "/", None, 5),
        lambda: zookeeper.init(),
        lambda: zookeeper.init(7),
        lambda: zookeeper.init(None),
        lambda: zookeeper.init(b"127.0.0.1:1"),
    ):
        with pytest.raises(TypeError):
            call()


def test_the_root_node_can_be_neither_created_nor_deleted(zookeeper, connect, connection_string):
    top = connect(hosts=connection_string)
    with pytest.raises(zookeeper.NodeExistsException):
        zookeeper.create(top, "/", "", OPEN)
    with pytest.raises((zookeeper.BadArgumentsException, zookeeper.NotEmptyException)):
        zookeeper.delete(top, "/")


@pytest.mark.parametrize("number", [-1, -(2**40), 1000, 2**31, 2**64, 10**30])
def test_an_unknown_handle_raises_invalid_state(zookeeper, handle, lives_on, number):
    for name, call in calls_with_a_path(zookeeper).items():
        with pytest.raises(zookeeper.InvalidStateException) as raised:
            call(number, "/")
        assert str(number) in str(raised.value), name
    for name, pathless in calls_without_a_path(zookeeper).items():
        with pytest.raises(zookeeper.InvalidStateException) as raised:
            pathless(number)
        assert str(number) in str(raised.value), name


@pytest.mark.parametrize("value", [None, "0", 0.0, False, True, [0], ...], ids=repr)
def test_a_handle_of_another_type_raises_type_error(zookeeper, handle, lives_on, value):
    for call in calls_with_a_path(zookeeper).values():
        with pytest.raises(TypeError, match="handle"):
            call(value, "/")
    for pathless in calls_without_a_path(zookeeper).values():
        with pytest.raises(TypeError, match="handle"):
            pathless(value)


def test_a_closed_handle_raises_invalid_state_for_everything(zookeeper, connect, handle, lives_on):
    closed = connect()
    assert zookeeper.close(closed) == zookeeper.OK
    for call in calls_with_a_path(zookeeper).values():
        with pytest.raises(zookeeper.InvalidStateException, match=rf"handle {closed} "):
            call(closed, "/")
    for pathless in calls_without_a_path(zookeeper).values():
        with pytest.raises(zookeeper.InvalidStateException, match=rf"handle {closed} "):
            pathless(closed)


@pytest.mark.parametrize("level", [0, 5, -1, None, "3"])
def test_an_unknown_log_level_is_refused(zookeeper, level):
    with pytest.raises((zookeeper.BadArgumentsException, TypeError)):
        zookeeper.set_debug_level(level)
