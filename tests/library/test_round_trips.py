"""Paths with links in them take few round trips, whatever the number of links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request
from zc.zk.session import pipelining
from zc.zk.watching.liveobject import LiveObject
from zc.zk.watching.readers import resolve

if TYPE_CHECKING:
    from zookeeper.binding import Binding

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


def round_trips_of(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]
) -> int:
    """Count the round trips of a call: of requests that are under way together there is one."""
    ask_all, together = pipelining.ask_all, 0

    def counting(handle: int, requests: Sequence[pipelining.Request], binding: Binding) -> Any:
        nonlocal together
        together += len(requests) - 1
        return ask_all(handle, requests, binding)

    with monkeypatch.context() as patched:
        patched.setattr(pipelining, "ask_all", counting)
        return requests_of(proxy, call) - together


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


def wait_until_at(watched: LiveObject[Any], path: str) -> None:
    """Wait until an object has followed its links to a node."""
    wait_until(lambda: watched.real_path == path, lambda: f"{path}: it is at {watched.real_path}")


def watched_paths(zk: zc.zk.ZooKeeper) -> set[str]:
    return {path for _, path in zk.watches._dependencies.watched()}


KINDS = [zc.zk.ZooKeeper.properties, zc.zk.ZooKeeper.children]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_an_object_takes_a_round_trip_for_each_link_and_one(
    counted, other, proxy, monkeypatch, kind, watch, count
):
    path = make_links(other, count)
    made = []
    trips = round_trips_of(
        proxy, monkeypatch, lambda: made.append(kind(counted, path, watch=watch))
    )
    assert trips == count + 1
    assert made[0].real_path == "/end"
    assert dict.fromkeys(made[0]) in ({"x": None}, {"child": None})


@pytest.mark.parametrize("kind", KINDS)
def test_objects_beside_one_without_links_take_one_request(counted, other, proxy, kind):
    for path in ("/a", "/a/b", "/a/c"):
        other.create(path)
    first = kind(counted, "/a/b")
    assert requests_of(proxy, lambda: kind(counted, "/a/c")) == 1
    assert first.real_path == "/a/b"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 5])
def test_an_object_with_links_hears_of_all_nodes_on_its_way(counted, other, kind, count):
    path = make_links(other, count)
    other.create("/other", '{"x": 2}')
    other.create("/other/two")
    watched = kind(counted, path)
    told = Calls()
    watched(told)

    # A real node in the place of each link, and each link to elsewhere and back.
    for number in range(count):
        link = f"/n{number}/more/link"
        other.create(link)
        wait_until_at(watched, link)
        other.delete(link)
        wait_until_at(watched, "/end")
        data, _ = other.get(f"/n{number}/more")
        other.set(f"/n{number}/more", '{"link ->": "/other"}')
        wait_until_at(watched, "/other")
        other.set(f"/n{number}/more", data)
        wait_until_at(watched, "/end")
    other.set("/end", '{"x": 3}')
    other.create("/end/new")
    shown = {"x"} if kind is zc.zk.ZooKeeper.properties else {"child", "new"}
    wait_until(
        lambda: set(watched) == shown and watched.data in ({"x": 3}, [*watched]),
        lambda: f"what it shows: {watched.data}",
    )
    # Watches that are not needed are removed again.
    steps = {f"/n{number}{rest}" for number in range(count) for rest in ("", "/more", "/more/link")}
    assert watched_paths(counted) == {"/end", *steps}


def test_nodes_that_a_way_only_seemed_to_come_by_are_not_watched(counted, other, proxy):
    other.import_tree(
        """
        /a
          link -> /b/more/../next
        /b
          more -> /c/d
          /next
        /c
          /d
          /next
            x = 1
        """
    )
    watched = counted.properties("/a/link")
    assert (watched.real_path, dict(watched)) == ("/c/next", {"x": 1})
    needed = {"/a", "/a/link", "/b", "/b/more", "/c", "/c/d", "/c/next"}
    wait_until(lambda: watched_paths(counted) == needed, "only what is needed is watched")
    removed = Op.REMOVE_WATCHES
    wait_until(lambda: proxy.requests[removed] == 1, lambda: f"{proxy.requests} at /b/next")


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_while_a_way_is_gone_is_seen(client, other, server, root, kind):
    path = make_links(other, 3)
    other.create("/other", '{"x": 2}')
    changes: list[Callable[[], object]] = []

    def on_request(request: Request) -> bool:
        # Each request of the way may be the last one before a change.
        if request.op in (Op.GET_DATA, Op.GET_CHILDREN, Op.EXISTS) and changes:
            changes.pop(0)()
        return True

    for place in range(16):
        with TcpProxy(server.connection_string, on_request) as proxy:
            zk = client(proxy.connection_string + root)
            data, _ = other.get("/n1/more")
            changes[:] = [lambda: None] * place
            changes.append(lambda: other.set("/n1/more", '{"link ->": "/other"}'))
            changes.append(lambda: other.create("/n2/more/link"))
            watched = kind(zk, path)
            for left in changes:
                left()
            changes.clear()
            wait_until_at(watched, "/other")
            other.set("/n1/more", data)
            wait_until_at(watched, "/n2/more/link")
            other.delete("/n2/more/link")
            wait_until_at(watched, "/end")
            zk.close()


def test_a_command_reads_a_property_behind_links_in_as_many(counted, other, proxy):
    from zc.zk.operations.reading import read_property

    for number in range(6):
        other.create(f"/p{number}", f'{{"x =>": "/p{number + 1}"}}')
    other.create("/p6", '{"x": 7}')
    assert read_property(counted._session, "/p0", "x")[1] == 7
    assert requests_of(proxy, lambda: read_property(counted._session, "/p0", "x")) == 6 + 1
