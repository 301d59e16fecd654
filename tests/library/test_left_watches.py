"""Live objects that are gone, or have gone elsewhere, leave no watches at the servers."""

from __future__ import annotations

import gc
import itertools
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.conftest import SharedServer
from tests.deadlines import wait_until
from tests.library import eachserver
from tests.library.test_gaps import blip
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request

pytestmark = pytest.mark.not_emulated("it has no network")

MANY = 20


server = eachserver.server
connection_string = eachserver.connection_string
followed = eachserver.followed


@pytest.fixture
def watched(server: SharedServer, root: str) -> Callable[[], set[str]]:
    """Return a function: the nodes below the root that the server has watches at."""

    def watched() -> set[str]:
        lines = server.ask("wchp").splitlines()
        return {line.removeprefix(root) for line in lines if line.startswith(f"{root}/")}

    return watched


@pytest.fixture
def assert_no_reconnect_sets_any(
    followed: zc.zk.ZooKeeper, proxy: TcpProxy, watched: Callable[[], set[str]]
) -> Callable[[], None]:
    def requests() -> int:
        return proxy.requests[Op.SET_WATCHES] + proxy.requests[Op.SET_WATCHES2]

    def assert_no_reconnect_sets_any() -> None:
        followed.exists("/")  # the answers to removals are there, too
        before = requests()
        for _ in range(2):
            blip(proxy, followed)
            followed.exists("/")
            assert watched() == set()
        assert requests() == before

    return assert_no_reconnect_sets_any


@pytest.fixture
def lose_removal(proxy: TcpProxy, followed: zc.zk.ZooKeeper) -> Callable[[], Callable[[], None]]:
    """Return a function: the connection breaks at the next removal of a watch.

    It returns another one, which waits until that has happened and the next connection is there.
    """

    def lose_removal() -> Callable[[], None]:
        lost = threading.Event()
        connections = proxy.connections

        def lose_once(request: Request) -> bool:
            if request.op == Op.REMOVE_WATCHES and not lost.is_set():
                lost.set()
                return False
            return True

        def wait() -> None:
            wait_until(lost.is_set, "the removal is lost", 30)
            wait_until(lambda: proxy.connections > connections, "it connects again", 30)
            wait_until(lambda: followed.state == zookeeper.CONNECTED_STATE, "it is back", 30)
            followed.exists("/")  # behind what sets watches again

        proxy.on_request = lose_once
        return wait

    return lose_removal


@pytest.fixture
def linked(followed: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper) -> Any:
    """Return a live tree that a link leads to."""
    for path in ("/x", "/y"):
        other.create(path)
    other.create("/l", '{"to ->": "/x"}')
    return followed.tree("/l/to")


@pytest.mark.parametrize("target", ["/y", "/nowhere"])
def test_a_tree_that_goes_elsewhere_leaves_no_watch_if_its_removal_is_lost(
    followed, other, linked, lose_removal, watched, target
) -> None:
    wait = lose_removal()
    other.set("/l", json.dumps({"to ->": target}))
    wait()
    there = {target} if target == "/y" else set()
    wait_until(lambda: set(linked) == there, lambda: f"it shows {set(linked)}", 30)
    wait_until(lambda: "/x" not in watched(), lambda: f"/x is not watched: {watched()}", 30)
    if target == "/y":
        other.create("/y/new")
        wait_until(lambda: "/y/new" in linked, "the other node is watched", 30)


def test_a_tree_that_comes_back_meanwhile_is_watched(
    followed, other, proxy, linked, lose_removal, watched
) -> None:
    wait = lose_removal()
    other.set("/l", '{"to ->": "/y"}')
    wait()
    other.set("/l", '{"to ->": "/x"}')
    for number in range(3):
        other.create(f"/x/{number}")
        wait_until(lambda n=number: f"/x/{n}" in linked, lambda: f"it shows {set(linked)}", 30)
    wait_until(lambda: "/y" not in watched(), lambda: f"/y is not watched: {watched()}", 30)
    blip(proxy, followed)
    followed.exists("/")
    assert "/x" in watched()


KINDS = ["tree", "properties", "children"]


@pytest.mark.parametrize("kinds", list(itertools.permutations(KINDS, 2)), ids="-".join)
def test_objects_that_were_at_the_same_node_are_not_watched_again(
    followed, other, watched, assert_no_reconnect_sets_any, kinds
) -> None:
    """A tree has a recursive watch, beside which nothing else is removed at the server."""
    made: list[Any] = []
    for number in range(MANY):
        other.create(f"/{number}")
        made += [getattr(followed, kind)(f"/{number}") for kind in kinds]
    assert len(watched()) == MANY
    del made[::2]
    gc.collect()
    wait_until(lambda: len(followed.watches) == MANY, "half of them are gone")
    made.clear()
    gc.collect()
    wait_until(lambda: watched() == set(), lambda: f"none is watched: {watched()}", 30)
    assert_no_reconnect_sets_any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_dropped_object_leaves_no_watch_if_its_removal_is_lost(
    followed, other, lose_removal, watched, assert_no_reconnect_sets_any, kind
) -> None:
    other.create("/a")
    made = getattr(followed, kind)("/a")
    assert watched() == {"/a"} or kind == "children"  # of which real servers do not tell
    wait = lose_removal()
    del made
    gc.collect()
    wait()
    wait_until(lambda: watched() == set(), lambda: f"none is watched: {watched()}", 30)
    assert_no_reconnect_sets_any()
