"""Paths with links in them take few round trips, whatever the number of links."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import zc.zk
import zookeeper
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op
from zc.zk.watching.readers import resolve

pytestmark = pytest.mark.not_emulated("it has no network")

COUNTS = [0, 1, 2, 5, 20]


@pytest.fixture
def counted(client: Callable[..., zc.zk.ZooKeeper], proxy: TcpProxy, root: str) -> zc.zk.ZooKeeper:
    """Return a client whose requests are counted."""
    zk = client(proxy.connection_string + root)
    zk.get_many(["/", "/"])  # it is known now that the server can read many at once
    return zk


def requests_of(proxy: TcpProxy, call: Callable[[], object]) -> int:
    """Count the requests of a call, each of which waits for the answer to the one before."""

    def sent() -> int:
        return sum(proxy.requests.values()) - proxy.requests[Op.PING]

    before = sent()
    call()
    return sent() - before


def make_links(writer: zc.zk.ZooKeeper, count: int) -> str:
    """Make so many links, each in a node of its own, and return the path that leads by all."""
    writer.create("/end", '{"x": 1}')
    writer.create("/end/child")
    for number in range(count):
        target = f"/n{number + 1}/more/link" if number + 1 < count else "/end"
        writer.create(f"/n{number}")
        writer.create(f"/n{number}/more", f'{{"link ->": "{target}"}}')
    return "/n0/more/link" if count else "/end"


@pytest.mark.parametrize("count", COUNTS)
def test_a_path_is_resolved_in_a_request_for_each_link_and_one(counted, other, proxy, count):
    path = make_links(other, count)
    assert requests_of(proxy, lambda: counted.resolve(path)) == count + 1
    assert counted.resolve(path + "/child") == "/end/child"


def test_links_in_the_middle_of_a_path_are_followed_in_as_many(counted, other, proxy):
    other.import_tree(
        """
        /a
          /b
            one -> ../../x
        /x
          /c
            /d
              two -> three
              three -> /y
        /y
          /e
            /f
        """
    )
    path = "/a/b/one/c/d/two/e/./f"
    assert requests_of(proxy, lambda: counted.resolve(path)) <= 3 + 1
    assert counted.resolve(path) == "/y/e/f"
    assert counted.resolve("/a/b/one/../y/e") == "/y/e"


@pytest.mark.parametrize("count", [1, 5])
def test_a_missing_node_behind_links_is_found_out_in_as_many(counted, other, proxy, count):
    path = make_links(other, count) + "/missing/more"

    def look() -> None:
        with pytest.raises(zookeeper.NoNodeException) as missing:
            resolve(counted._session, path)
        assert missing.value.path == path

    assert requests_of(proxy, look) == count + 1


def test_a_loop_is_told_with_the_same_paths_after_a_request_for_each_link(counted, other, proxy):
    other.create("/a", '{"x ->": "/b/y"}')
    other.create("/b", '{"y ->": "/c/z"}')
    other.create("/c", '{"z ->": "/a/x"}')

    def look() -> None:
        with pytest.raises(zc.zk.LinkLoop) as loop:
            counted.resolve("/a/x")
        assert loop.value.paths == ("/a/x", "/b/y", "/c/z", "/a/x")

    assert requests_of(proxy, look) == 3


def test_a_path_of_very_many_components_is_resolved_in_pieces(counted, other, proxy):
    other.create("/a", '{"here ->": "."}')
    path = "/a" + "/here/." * 150 + "/here"
    assert counted.resolve(path) == "/a"
    deep = "/d" * 250
    other.create_recursive(deep, "", zc.zk.OPEN_ACL_UNSAFE)
    # The first that are read of many, before it is known how large they are, are fifty.
    assert requests_of(proxy, lambda: counted.resolve(f"/a/here/..{deep}")) <= 2 * (1 + 3)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", [zc.zk.ZooKeeper.properties, zc.zk.ZooKeeper.children])
def test_an_object_that_is_not_watched_takes_a_few_more(counted, other, proxy, kind, count):
    path = make_links(other, count)
    of_object = 0 if count == 0 else 2
    assert requests_of(proxy, lambda: kind(counted, path, watch=False)) <= count + 1 + of_object


def test_a_command_reads_a_property_behind_links_in_as_many(counted, other, proxy):
    from zc.zk.operations.reading import read_property

    for number in range(6):
        other.create(f"/p{number}", f'{{"x =>": "/p{number + 1}"}}')
    other.create("/p6", '{"x": 7}')
    assert read_property(counted._session, "/p0", "x")[1] == 7
    assert requests_of(proxy, lambda: read_property(counted._session, "/p0", "x")) == 6 + 1
