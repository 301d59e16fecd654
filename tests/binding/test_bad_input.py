"""Arguments that make no sense: the right exception for each, and the session lives on."""

from __future__ import annotations

import pytest

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

# The neighbours of those characters, which may be in a name.
GOOD_NAMES = [" ", "~", "\xa0", "\ud7ff", "\uf900", "\uffef"]


def calls_with_a_path(zookeeper):
    """Each call that takes a path, as a function of handle and path."""
    z = zookeeper
    return {
        "create": lambda h, p: z.create(h, p, "", OPEN),
        "create2": lambda h, p: z.create2(h, p, "", OPEN),
        "acreate": lambda h, p: z.acreate(h, p, "", OPEN),
        "acreate2": lambda h, p: z.acreate2(h, p, "", OPEN),
        "delete": z.delete,
        "adelete": z.adelete,
        "set": lambda h, p: z.set(h, p, ""),
        "set2": lambda h, p: z.set2(h, p, ""),
        "aset": lambda h, p: z.aset(h, p, ""),
        "exists": z.exists,
        "aexists": z.aexists,
        "get": z.get,
        "aget": z.aget,
        "get_children": z.get_children,
        "aget_children": z.aget_children,
        "get_children2": z.get_children2,
        "aget_children2": z.aget_children2,
        "get_acl": z.get_acl,
        "aget_acl": z.aget_acl,
        "set_acl": lambda h, p: z.set_acl(h, p, -1, OPEN),
        "aset_acl": lambda h, p: z.aset_acl(h, p, -1, OPEN),
        "sync": z.sync,
        "async_": z.async_,
        "remove_watches": z.remove_watches,
        "aremove_watches": z.aremove_watches,
        "multi create": lambda h, p: z.multi(h, [("create", p, "", OPEN)]),
        "multi set": lambda h, p: z.multi(h, [("set", p, "")]),
        "multi delete": lambda h, p: z.multi(h, [("delete", p)]),
        "multi check": lambda h, p: z.multi(h, [("check", p)]),
        "amulti": lambda h, p: z.amulti(h, [("check", p)]),
        "write_many": lambda h, p: z.write_many(h, [("create", p, "", OPEN)]),
        "get_many": lambda h, p: z.get_many(h, [p]),
        "get_children_many": lambda h, p: z.get_children_many(h, [p]),
        "read_tree": z.read_tree,
        "watch_many data": lambda h, p: z.watch_many(h, data=[p], watcher=print),
        "watch_many children": lambda h, p: z.watch_many(h, children=[p], watcher=print),
        "watch_many exists": lambda h, p: z.watch_many(h, exists=[p], watcher=print),
    }


def calls_without_a_path(zookeeper):
    """The other calls that take a handle."""
    z = zookeeper
    return {
        "close": z.close,
        "state": z.state,
        "client_id": z.client_id,
        "recv_timeout": z.recv_timeout,
        "is_unrecoverable": z.is_unrecoverable,
        "event_thread": z.event_thread,
        "set_watcher": lambda h: z.set_watcher(h, None),
        "add_auth": lambda h: z.add_auth(h, "digest", "a:b"),
        "get_config": z.get_config,
        "aget_config": z.aget_config,
        "multi of nothing": lambda h: z.multi(h, []),
        "amulti of nothing": lambda h: z.amulti(h, []),
        "write_many of nothing": lambda h: z.write_many(h, []),
        "get_many of nothing": lambda h: z.get_many(h, []),
        "get_children_many of nothing": lambda h: z.get_children_many(h, []),
        "watch_many of nothing": lambda h: z.watch_many(h, watcher=print),
    }


@pytest.fixture
def lives_on(zookeeper, handle):
    """The session is the same afterwards, nothing has been written, and all is well."""
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


@pytest.mark.parametrize("path", [None, 7, 1.5, True, b"/bytes", ["/list"], object()], ids=repr)
def test_a_path_of_another_type_raises_type_error(zookeeper, handle, lives_on, path):
    for name, call in calls_with_a_path(zookeeper).items():
        with pytest.raises(TypeError, match="path") as raised:
            call(handle, path)
        assert type(path).__name__ in str(raised.value), name


@pytest.mark.parametrize("name", GOOD_NAMES, ids=ascii)
def test_what_the_server_takes_in_a_name_is_not_refused_by_us(zookeeper, handle, name):
    assert zookeeper.create(handle, f"/{name}", "", OPEN) == f"/{name}"
    assert zookeeper.multi(handle, [("create", f"/{name}/{name}", "", OPEN)])
    assert zookeeper.get_children_many(handle, ["/"]) == [[name]]


@pytest.mark.parametrize("data", [7, 1.5, True, ["x"], {}, object(), bytearray(b"x")], ids=repr)
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
        lambda: zookeeper.get(handle, "/", None, 5),
        lambda: zookeeper.init(),
        lambda: zookeeper.init(7),
        lambda: zookeeper.init(None),
        lambda: zookeeper.init(b"127.0.0.1:1"),
    ):
        with pytest.raises(TypeError):
            call()


def test_the_root_node_can_be_neither_created_nor_deleted(
    zookeeper, connect, connection_string
):
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
    for name, call in calls_without_a_path(zookeeper).items():
        with pytest.raises(zookeeper.InvalidStateException) as raised:
            call(number)
        assert str(number) in str(raised.value), name


@pytest.mark.parametrize("value", [None, "0", 0.0, False, True, [0], object()], ids=repr)
def test_a_handle_of_another_type_raises_type_error(zookeeper, handle, lives_on, value):
    for call in calls_with_a_path(zookeeper).values():
        with pytest.raises(TypeError, match="handle"):
            call(value, "/")
    for call in calls_without_a_path(zookeeper).values():
        with pytest.raises(TypeError, match="handle"):
            call(value)


def test_a_closed_handle_raises_invalid_state_for_everything(
    zookeeper, connect, handle, lives_on
):
    closed = connect()
    assert zookeeper.close(closed) == zookeeper.OK
    for call in calls_with_a_path(zookeeper).values():
        with pytest.raises(zookeeper.InvalidStateException, match=f"handle {closed} "):
            call(closed, "/")
    for call in calls_without_a_path(zookeeper).values():
        with pytest.raises(zookeeper.InvalidStateException, match=f"handle {closed} "):
            call(closed)


@pytest.mark.parametrize("level", [0, 5, -1, None, "3"])
def test_an_unknown_log_level_is_refused(zookeeper, level):
    with pytest.raises((zookeeper.BadArgumentsException, TypeError)):
        zookeeper.set_debug_level(level)
