"""Creating, reading, changing and deleting one node."""

from __future__ import annotations

import time

import pytest

from tests.deadlines import wait_until
from tests.sessions import OPEN

pytestmark = pytest.mark.quick

STAT_KEYS = {
    "czxid",
    "mzxid",
    "ctime",
    "mtime",
    "version",
    "cversion",
    "aversion",
    "ephemeralOwner",
    "dataLength",
    "numChildren",
    "pzxid",
}


def test_create_returns_the_path_and_get_returns_what_was_written(zookeeper, handle):
    assert zookeeper.create(handle, "/a", "some data", OPEN) == "/a"
    data, stat = zookeeper.get(handle, "/a")
    assert data == "some data"
    assert set(stat) == STAT_KEYS
    assert (stat["version"], stat["dataLength"], stat["numChildren"]) == (0, 9, 0)
    assert stat["ephemeralOwner"] == 0
    assert stat["czxid"] == stat["mzxid"] == stat["pzxid"] > 0
    assert abs(stat["ctime"] / 1000 - time.time()) < 3600


def test_every_argument_may_be_given_by_name(zookeeper, handle):
    zookeeper.create(handle, path="/a", data="1", acl=OPEN, flags=0)
    zookeeper.set(handle, path="/a", data="2", version=0)
    assert zookeeper.set2(handle, path="/a", data="3", version=1)["version"] == 2
    assert zookeeper.get(handle, path="/a", watcher=None)[0] == "3"
    assert zookeeper.exists(handle, path="/a", watcher=None)["version"] == 2
    assert zookeeper.get_children(handle, path="/", watcher=None) == ["a"]
    assert zookeeper.set_acl(handle, path="/a", version=0, acl=OPEN) == zookeeper.OK
    assert zookeeper.get_acl(handle, path="/a")[1] == OPEN
    assert zookeeper.delete(handle, path="/a", version=2) == zookeeper.OK


def test_create_of_what_exists_raises_node_exists_with_the_path(zookeeper, handle):
    zookeeper.create(handle, "/a", "first", OPEN)
    with pytest.raises(zookeeper.NodeExistsException, match=r"^node exists: /a$") as raised:
        zookeeper.create(handle, "/a", "second", OPEN)
    assert (raised.value.code, raised.value.path) == (zookeeper.NODEEXISTS, "/a")
    assert zookeeper.get(handle, "/a")[0] == "first"


def test_create_below_a_missing_parent_raises_no_node(zookeeper, handle):
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /a/b$"):
        zookeeper.create(handle, "/a/b", "", OPEN)


def test_create2_returns_path_and_stat(zookeeper, handle):
    path, stat = zookeeper.create2(handle, "/a", "data", OPEN)
    assert path == "/a"
    assert stat == zookeeper.exists(handle, "/a")


def test_exists_gives_the_stat_or_none(zookeeper, handle):
    assert zookeeper.exists(handle, "/a") is None
    zookeeper.create(handle, "/a", "data", OPEN)
    assert zookeeper.exists(handle, "/a") == zookeeper.get(handle, "/a")[1]


@pytest.mark.parametrize("call", ["get", "get_children", "get_children2", "get_acl", "delete"])
def test_calls_on_a_missing_node_raise_no_node_with_the_path(zookeeper, handle, call):
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$") as raised:
        getattr(zookeeper, call)(handle, "/missing")
    assert raised.value.path == "/missing"


@pytest.mark.parametrize("call", ["set", "set2"])
def test_writing_to_a_missing_node_raises_no_node(zookeeper, handle, call):
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$"):
        getattr(zookeeper, call)(handle, "/missing", "data")


def test_set_returns_ok_and_set2_the_new_stat(zookeeper, handle):
    zookeeper.create(handle, "/a", "1", OPEN)
    assert zookeeper.set(handle, "/a", "22") == zookeeper.OK
    stat = zookeeper.set2(handle, "/a", "333")
    assert (stat["version"], stat["dataLength"]) == (2, 3)
    assert zookeeper.get(handle, "/a") == ("333", stat)


@pytest.mark.parametrize("call", ["set", "set2"])
def test_writing_over_another_version_raises_bad_version_and_changes_nothing(
    zookeeper, handle, call
):
    zookeeper.create(handle, "/a", "original", OPEN)
    with pytest.raises(zookeeper.BadVersionException, match=r"^bad version: /a$"):
        getattr(zookeeper, call)(handle, "/a", "changed", 7)
    assert zookeeper.get(handle, "/a")[0] == "original"


def test_delete_checks_the_version(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    with pytest.raises(zookeeper.BadVersionException):
        zookeeper.delete(handle, "/a", 5)
    assert zookeeper.delete(handle, "/a", 0) == zookeeper.OK
    assert zookeeper.exists(handle, "/a") is None


def test_delete_of_a_node_with_children_raises_not_empty(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    zookeeper.create(handle, "/a/b", "", OPEN)
    with pytest.raises(zookeeper.NotEmptyException, match=r"^not empty: /a$"):
        zookeeper.delete(handle, "/a")


def test_get_children_gives_names_and_get_children2_the_stat_too(zookeeper, handle):
    for path in ("/a", "/a/x", "/a/y", "/a/y/z"):
        zookeeper.create(handle, path, "", OPEN)
    assert sorted(zookeeper.get_children(handle, "/a")) == ["x", "y"]
    names, stat = zookeeper.get_children2(handle, "/a")
    assert sorted(names) == ["x", "y"]
    assert stat == zookeeper.exists(handle, "/a")
    assert stat["numChildren"] == 2
    assert zookeeper.get_children(handle, "/a/x") == []


def test_a_node_may_have_thousands_of_children(zookeeper, handle):
    """They take more than one MB, the limit of requests, which answers have not."""
    names = [f"{number:05}-{'n' * 240}" for number in range(6000)]
    zookeeper.write_many(handle, [("create", f"/{name}", None, OPEN) for name in names])
    assert sorted(zookeeper.get_children(handle, "/")) == names


def test_ephemeral_nodes_belong_to_the_session_and_go_with_it(zookeeper, connect, handle):
    other = connect()
    zookeeper.create(other, "/e", "", OPEN, zookeeper.EPHEMERAL)
    owner = zookeeper.exists(handle, "/e")["ephemeralOwner"]
    assert owner == zookeeper.client_id(other)[0] != 0
    with pytest.raises(zookeeper.NoChildrenForEphemeralsException):
        zookeeper.create(handle, "/e/child", "", OPEN)
    zookeeper.close(other)
    assert zookeeper.exists(handle, "/e") is None


def test_sequence_nodes_are_numbered_by_their_parent(zookeeper, handle):
    first = zookeeper.create(handle, "/s-", "", OPEN, zookeeper.SEQUENCE)
    second = zookeeper.create(handle, "/s-", "", OPEN, zookeeper.SEQUENCE | zookeeper.EPHEMERAL)
    assert [first, second] == ["/s-0000000000", "/s-0000000001"]
    assert zookeeper.exists(handle, first)["ephemeralOwner"] == 0
    assert zookeeper.exists(handle, second)["ephemeralOwner"] == zookeeper.client_id(handle)[0]


def test_the_number_may_be_the_whole_name_of_a_sequence_node(zookeeper, handle):
    zookeeper.create(handle, "/q", "", OPEN)
    assert zookeeper.create(handle, "/q/", "", OPEN, zookeeper.SEQUENCE) == "/q/0000000000"


def test_a_container_goes_when_its_last_child_has_gone(zookeeper, handle, own_servers_only):
    zookeeper.create(handle, "/c", "", OPEN, zookeeper.CONTAINER)
    zookeeper.create(handle, "/c/child", "", OPEN)
    zookeeper.delete(handle, "/c/child")
    wait_until(lambda: zookeeper.exists(handle, "/c") is None, "the container goes")


def test_a_node_with_a_ttl_goes_after_it(zookeeper, handle, own_servers_only):
    path = zookeeper.create(handle, "/t", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, ttl=100)
    assert path == "/t"
    numbered = zookeeper.create(
        handle, "/t-", "", OPEN, zookeeper.PERSISTENT_SEQUENTIAL_WITH_TTL, ttl=100
    )
    assert numbered == "/t-0000000001"
    lasting = zookeeper.create(
        handle, "/lasting", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, ttl=3_600_000
    )
    for short_lived in (path, numbered):
        wait_until(lambda p=short_lived: zookeeper.exists(handle, p) is None, f"{short_lived} goes")
    assert zookeeper.exists(handle, lasting) is not None


@pytest.mark.parametrize(
    ("flags", "ttl"), [(0, 100), (5, None), (5, 0), (5, -1), (6, None), (1, 5), (5, 2**50)]
)
def test_a_ttl_goes_with_the_flags_that_have_one_and_only_with_them(zookeeper, handle, flags, ttl):
    with pytest.raises(zookeeper.BadArgumentsException, match="ttl"):
        zookeeper.create(handle, "/t", "", OPEN, flags, ttl=ttl)
    assert zookeeper.exists(handle, "/t") is None


@pytest.mark.parametrize("flags", [-1, 7, 64, 2**20])
def test_unknown_flags_raise_bad_arguments(zookeeper, handle, flags):
    with pytest.raises(zookeeper.BadArgumentsException):
        zookeeper.create(handle, "/f", "", OPEN, flags)
    assert zookeeper.exists(handle, "/f") is None
    assert zookeeper.state(handle) == zookeeper.CONNECTED_STATE


def test_sync_returns_the_path(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    assert zookeeper.sync(handle, "/a") == "/a"


def test_sync_does_not_care_whether_the_node_is_there(zookeeper, handle):
    assert zookeeper.sync(handle, "/missing") == "/missing"


def test_the_configuration_is_a_node_like_others(zookeeper, handle, connect, connection_string):
    top = connect(hosts=connection_string)
    text, stat = zookeeper.get_config(handle)
    assert text == zookeeper.get(top, "/zookeeper/config")[0]
    assert stat["dataLength"] == len(text)


def test_a_timeout_in_seconds_may_be_given_to_a_call(zookeeper, handle):
    zookeeper.create(handle, "/a", "data", OPEN, timeout=30)
    assert zookeeper.get(handle, "/a", timeout=30.5)[0] == "data"


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf")])
def test_a_timeout_that_is_no_number_of_seconds_raises_bad_arguments(zookeeper, handle, timeout):
    with pytest.raises(zookeeper.BadArgumentsException, match="timeout"):
        zookeeper.get(handle, "/", timeout=timeout)
