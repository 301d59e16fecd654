"""Exports are written while more nodes come, and are as if they were written in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import zc.zk
import zookeeper
from zc.zk import OPEN_ACL_UNSAFE

pytestmark = pytest.mark.not_emulated("it has no network")

# Folders, and nodes in each of them.
FOLDERS, NODES = 12, 150

THIRTY = json.dumps({f"p{n:02}": n for n in range(30)}, separators=(",", ":"))
DATA = [
    "",
    '{"x":1}',
    THIRTY,
    '{"a":"\u00e9"}',
    "plain",
    "\udcff\udc80",
    '{"x": 1 }',
    "{",
    "[1]",
    "a\nb",
]

SECRET = [zc.zk.world_permission(zookeeper.PERM_ALL & ~1)]


@pytest.fixture
def planted(zk: zc.zk.ZooKeeper) -> str:
    """Create nodes with data of many kinds, and return their text as read from near by."""
    paths = ["/top"] + [f"/top/f{folder}" for folder in range(FOLDERS)]
    steps = [("create", path, '{"type":"t"}', OPEN_ACL_UNSAFE) for path in paths]
    steps += [
        ("create", f"/top/f{folder}/n{number}", DATA[number % len(DATA)], OPEN_ACL_UNSAFE)
        for folder in range(FOLDERS)
        for number in range(NODES)
    ]
    for result in zk.write_many(steps):
        assert not isinstance(result, Exception)
    return zk.export_tree("/top")


@pytest.fixture
def far(client, proxy, root, planted) -> Iterator[zc.zk.ZooKeeper]:
    """Yield a client so far away that answers come one by one."""
    zk = client(proxy.connection_string + root)
    proxy.delay(40)
    yield zk
    proxy.delay(0)


def test_a_far_tree_is_the_text_of_a_near_one(zk, far, planted) -> None:
    assert planted.count("\n") > FOLDERS * NODES
    assert far.export_tree("/top") == planted
    assert far.export_tree("/") == zk.export_tree("/") == planted
    zk.create("/link", '{"to ->":"/top"}')
    assert far.export_tree("/link/to", name="top") == planted


def test_an_unchanged_import_of_a_far_tree_writes_nothing(zk, far, planted) -> None:
    zxid = zk.get("/top/f0/n0")[1]["mzxid"]
    assert len(far.plan_import(planted)) == 0
    far.import_tree(planted)
    assert zk.get("/top/f0/n0")[1]["mzxid"] == zxid
    plan = far.plan_import(planted.replace("      x = 1\n", "      x = 2\n", 1))
    assert [change.path for change in plan] == ["/top/f0/n1"]


def test_nodes_that_are_deleted_meanwhile_are_left_out(zk, far, planted, monkeypatch) -> None:
    """Some are deleted before they are read, and some after."""
    read_tree = zookeeper.read_tree

    class Deleting:
        """Takes nodes for another, and deletes some each time."""

        def __init__(self, other) -> None:
            self.other = other
            self.left = [f"/top/f{folder}" for folder in range(1, FOLDERS)]

        def take(self, nodes) -> None:
            self.other.take(nodes)
            if self.left:
                zk.delete_recursive(self.left.pop())

    def deleting(handle, path, *, nodes=None, **options):
        return read_tree(handle, path, nodes=nodes and Deleting(nodes), **options)

    monkeypatch.setattr(zookeeper, "read_tree", deleting)
    text = far.export_tree("/top")
    monkeypatch.undo()
    assert "/f0\n" in text.replace(" : t", "")
    assert set(zk.export_tree("/top").splitlines()) <= set(text.splitlines())
    assert set(text.splitlines()) <= set(planted.splitlines())


def test_the_first_unreadable_node_of_the_tree_is_told_of(zk, far) -> None:
    for path in ("/top/f9", "/top/f10/n7"):
        zk.set_acl(path, -1, SECRET)
    with pytest.raises(zookeeper.NoAuthException) as caught:
        far.export_tree("/top")
    assert caught.value.path == "/top/f10/n7"


@pytest.mark.parametrize("bytes_before", [2_000, 60_000, 150_000])
def test_an_export_whose_connection_is_lost_in_the_middle_is_whole(
    far, proxy, planted, bytes_before
) -> None:
    proxy.cut_after(bytes_before)
    assert far.export_tree("/top") == planted


def test_an_export_is_given_up_by_its_progress_in_the_middle(far, proxy, planted) -> None:
    class Enough(Exception):
        pass

    def enough(done: int, total: int | None) -> None:
        raise Enough

    with pytest.raises(Enough):
        far.export_tree("/top", progress=enough)
    proxy.delay(0)
    assert far.export_tree("/top") == planted
