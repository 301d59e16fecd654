"""The number by which a program knows whether it may have changed nodes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import LONG_SESSION, wait_until
from zc.zk import OPEN_ACL_UNSAFE

pytestmark = pytest.mark.not_emulated("emulations do not count")

WRITES: dict[str, Any] = {
    "create": lambda z, h: z.create(h, "/new", "", OPEN_ACL_UNSAFE),
    "create2": lambda z, h: z.create2(h, "/new", "", OPEN_ACL_UNSAFE),
    "set": lambda z, h: z.set(h, "/node", "x"),
    "set2": lambda z, h: z.set2(h, "/node", "x"),
    "set_acl": lambda z, h: z.set_acl(h, "/node", -1, OPEN_ACL_UNSAFE),
    "delete": lambda z, h: z.delete(h, "/node"),
    "multi": lambda z, h: z.multi(h, [("set", "/node", "x")]),
    "write_many": lambda z, h: z.write_many(h, [("set", "/node", "x")]),
    "sync": lambda z, h: z.sync(h, "/"),
}
READS: dict[str, Any] = {
    "exists": lambda z, h: z.exists(h, "/node"),
    "get": lambda z, h: z.get(h, "/node"),
    "get_children": lambda z, h: z.get_children(h, "/"),
    "get_children2": lambda z, h: z.get_children2(h, "/"),
    "get_acl": lambda z, h: z.get_acl(h, "/node"),
    "get_many": lambda z, h: z.get_many(h, ["/node", "/"]),
    "get_acl_many": lambda z, h: z.get_acl_many(h, ["/node", "/"]),
    "get_children_many": lambda z, h: z.get_children_many(h, ["/node", "/"]),
    "read_tree": lambda z, h: list(z.read_tree(h, "/")),
    "get_ephemerals": lambda z, h: z.get_ephemerals(h),
    "get_all_children_number": lambda z, h: z.get_all_children_number(h, "/"),
    "whoami": lambda z, h: z.whoami(h),
    "add_watch": lambda z, h: (
        z.add_watch(h, "/node", z.PERSISTENT, print),
        z.remove_watches(h, "/node"),
    ),
    "watch_many": lambda z, h: z.watch_many(h, ["/node"], ["/"], ["/none"], lambda *event: None),
}


@pytest.fixture
def through(connect: Any, proxy: Any, root: str) -> int:
    handle: int = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    return handle


@pytest.fixture
def node(zookeeper: Any, handle: int) -> None:
    zookeeper.create(handle, "/node", "", OPEN_ACL_UNSAFE)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_counts_when_its_call_returns(zookeeper, handle, node, name) -> None:
    before = zookeeper.write_count()
    WRITES[name](zookeeper, handle)
    assert zookeeper.write_count() > before


@pytest.mark.parametrize("name", READS)
def test_a_read_does_not_count(zookeeper, handle, node, name) -> None:
    before = zookeeper.write_count()
    READS[name](zookeeper, handle)
    assert zookeeper.write_count() == before


def test_a_write_counts_before_its_completion_is_called(zookeeper, handle, node) -> None:
    counted = Calls()
    sent = zookeeper.write_count()
    zookeeper.aset(handle, "/node", "x", -1, lambda *_: counted(zookeeper.write_count()))
    assert counted.wait_one()[0] >= sent + 2


def test_a_refused_write_counts_as_well(zookeeper, handle) -> None:
    before = zookeeper.write_count()
    with pytest.raises(zookeeper.NoNodeException):
        zookeeper.set(handle, "/missing", "x")
    assert zookeeper.write_count() > before


def test_a_write_counts_though_its_answer_is_lost(zookeeper, through, proxy) -> None:
    zookeeper.create(through, "/node", "", OPEN_ACL_UNSAFE)
    before = zookeeper.write_count()
    proxy.stall()
    ended = Calls()
    zookeeper.aset(through, "/node", "x", -1, ended)
    wait_until(lambda: zookeeper.write_count() > before, "it has been sent")
    proxy.cut()
    proxy.resume()
    assert ended.wait_one(60)[1] != zookeeper.OK
    assert zookeeper.write_count() > before
