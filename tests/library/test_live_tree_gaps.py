"""Live trees on bad days, with a real server and with our own."""

from __future__ import annotations

import gc
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.awkward import awkward, deny
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library import eachserver
from tests.library.bad_days import expire
from tests.library.forked import Child
from tests.library.test_gaps import blip
from tests.sessions import OPEN
from tests.wireframes import Op, Request

pytestmark = pytest.mark.not_emulated("it has no network")

# One server will do where it is the client that is tried.
by_a_real_one = pytest.mark.parametrize("server", ["real"], indirect=True, scope="module")
by_our_own = pytest.mark.parametrize("server", ["wire"], indirect=True, scope="module")

MANY = 400


server = eachserver.server
connection_string = eachserver.connection_string
followed = eachserver.followed


@pytest.fixture
def tree(followed: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper) -> Any:
    steps = [("create", "/top", "", OPEN)]
    steps += [("create", f"/top/{number}", "x" * 50, OPEN) for number in range(MANY)]
    steps += [("create", f"/top/{number}/leaf", "", OPEN) for number in range(10)]
    steps += [("create", "/top/long", "y" * 20_000, OPEN)]
    assert other.handle is not None
    zookeeper.write_many(other.handle, steps)
    return followed.tree("/top")


def is_right(tree: Any, other: zc.zk.ZooKeeper) -> Callable[[], bool]:
    """Return what says whether a tree is as the servers have it, stats included."""

    def check() -> bool:
        nodes = {node.path: (node.data, node.stat) for node in other.read_tree("/top")}
        return {path: (node.data, node.stat) for path, node in tree.items()} == nodes

    return check


def change_all_kinds(other: zc.zk.ZooKeeper) -> None:
    other.set("/top/1", "new")
    other.set("/top/2/leaf", "new")
    other.set("/top/long", "z" * 20_000)
    other.create("/top/new")
    other.create("/top/new/leaf")
    other.create("/top/20/leaf")
    other.delete("/top/30")
    other.delete_recursive("/top/3")
    other.delete_recursive("/top/4")
    other.create("/top/4", "anew")
    other.create("/top/4/other")


def reads_of(request: Request) -> list[tuple[int, str]]:
    """Return the operations in a MultiRead, and their paths."""
    reads: list[tuple[int, str]] = []
    at = 12  # behind length, number and type
    while True:
        op, is_end, _ = struct.unpack_from(">i?i", request.frame, at)
        if is_end:
            return reads
        (length,) = struct.unpack_from(">i", request.frame, at + 9)
        at += 13
        reads.append((op, request.frame[at : at + length].decode()))
        at += length + 1


def test_all_kinds_of_changes_in_a_gap_are_seen(followed, other, proxy, tree) -> None:
    assert is_right(tree, other)()
    told, seen = Calls(), Calls()
    tree(lambda tree, changes: told(changes))
    followed.add_watch("/top", zookeeper.PERSISTENT_RECURSIVE, seen)
    blip(proxy, followed, lambda: change_all_kinds(other))
    wait_until(is_right(tree, other), "it is right", 30)
    wait_until(lambda: sum(len(changes.added) for (changes,) in told.all()[1:]) == 4, "it is told")
    changes = [changes for (changes,) in told.all()[1:]]
    removed = {path for each in changes for path in each.removed}
    assert removed == {"/top/30", "/top/3", "/top/3/leaf", "/top/4/leaf"}
    changed = {path for each in changes for path in each.changed}
    assert changed == {"/top/1", "/top/2/leaf", "/top/long", "/top/4"}
    # The reason why all is doubted: servers set a recursive watch again, and say nothing.
    assert {type for _, type, _, _ in seen.all()} == {zookeeper.SESSION_EVENT}


@by_our_own
def test_after_a_gap_names_and_long_data_are_read_where_they_changed(
    followed, other, proxy, tree
) -> None:
    other.create("/top/5/second")
    wait_until(is_right(tree, other), "it is right")
    asked: list[list[tuple[int, str]]] = []

    def note(request: Request) -> bool:
        if request.op == Op.MULTI_READ:
            asked.append(reads_of(request))
        return True

    proxy.on_request = note
    exists = proxy.requests[Op.EXISTS]
    blip(proxy, followed, lambda: other.create("/top/new"))
    wait_until(is_right(tree, other), "it is right", 30)
    reads = [read for each in asked for read in each]
    names = [path[path.index("/top") :] for op, path in reads if op == Op.GET_CHILDREN]
    assert sorted(names) == ["/top", "/top/5"], "those that differ since the gap before"
    assert not any(path.endswith("/long") for _, path in reads), "its stat is as it was"
    assert proxy.requests[Op.EXISTS] <= exists + 2
    assert len(asked) <= MANY // 20, "a few requests"


@by_a_real_one
def test_another_session_verifies_all(followed, other, proxy, tree, server) -> None:
    told = Calls()
    tree(lambda tree, changes: told(changes))
    proxy.refuse()
    proxy.cut()
    change_all_kinds(other)
    proxy.allow()
    expire(followed, server.connection_string)
    wait_until(is_right(tree, other), "it is right", 30)
    other.set("/top/7", "later")
    wait_until(is_right(tree, other), "it is watched", 30)
    told.wait(2)
    assert tree.callbacks


@by_our_own
def test_a_gap_while_it_is_read_for_the_first_time_is_doubted(followed, other, proxy, tree) -> None:
    """The connection breaks between the watch and the reads, and things change meanwhile."""
    once = threading.Lock()

    def cut_once(request: Request) -> bool:
        if request.op == Op.MULTI_READ and once.acquire(blocking=False):
            other.set("/top/1", "between")
            return False
        return True

    proxy.on_request = cut_once
    try:
        second = followed.tree("/top")
    except zookeeper.ConnectionLossException:
        second = None
    assert not once.acquire(blocking=False), "it was cut"
    wait_until(lambda: followed.state == zookeeper.CONNECTED_STATE, "it is back", 30)
    for each in (tree, second or followed.tree("/top")):
        wait_until(is_right(each, other), "it is right", 30)


@by_a_real_one
def test_ten_thousand_changes_are_few_requests(followed, other, proxy, tree) -> None:
    told = Calls()
    tree(lambda tree, changes: told(changes))
    before = sum(proxy.requests.values())
    steps = [("set", f"/top/{number % MANY}", str(number)) for number in range(7_000)]
    steps += [("create", f"/top/9/{number}", "", OPEN) for number in range(3_000)]
    zookeeper.write_many(other.handle, steps)
    wait_until(is_right(tree, other), "it is right", 60)
    assert sum(proxy.requests.values()) - before < 1_000
    assert len(tree) == MANY + 12 + 3_000


@by_our_own
def test_a_server_before_3_6_gives_a_clear_error(followed, other, proxy, tree) -> None:
    proxy.on_request = awkward(deny(Op.ADD_WATCH))
    with pytest.raises(zookeeper.UnimplementedException, match=r"3\.6"):
        followed.tree("/top/1")
    wait_until(lambda: len(followed.watches) == 1, "nothing is left of it")


@by_our_own
def test_it_goes_on_in_a_child_process_that_reopens(followed, other, tree) -> None:
    def work(child: Child) -> None:
        followed.reopen()
        wait_until(lambda: tree["/top"].data == "new", "it is seen", 60)
        child.tell(len(tree))
        followed.close()

    child = Child(work)
    other.set("/top", "new")
    assert int(child.hear()) == len(tree)
    child.join()
    wait_until(lambda: tree["/top"].data == "new", "it is seen here, too")


@by_our_own
def test_a_watch_is_removed_though_the_connection_is_lost_meanwhile(
    followed, other, proxy, tree
) -> None:
    lost = threading.Event()

    def lose_once(request: Request) -> bool:
        if request.op == Op.REMOVE_WATCHES and not lost.is_set():
            lost.set()
            return False
        return True

    second = followed.tree("/top/1")
    upkeep = second._upkeep
    proxy.on_request = lose_once
    del second
    gc.collect()
    wait_until(lost.is_set, "it is asked for")
    wait_until(lambda: followed.watches._trees.keys() == {tree._upkeep}, "it is done", 30)

    def nobody_tells_it_any_more() -> bool:
        upkeep._noted.clear()
        other.set("/top/1", "later")
        wait_until(is_right(tree, other), "the other one goes on", 30)
        return not upkeep._noted

    wait_until(nobody_tells_it_any_more, "it is done", 30)
