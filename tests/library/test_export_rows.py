"""Nodes of a server are written from memory as they would be from their attributes."""

from __future__ import annotations

import json
import struct
from itertools import product
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.pure.exported import Node
from zc.zk import _speedups
from zc.zk.tree.exporting import Marked, exported
from zc.zk.tree.exporttext import Writer
from zc.zk.tree.render import render

DATA: list[bytes | None] = [
    None,
    b"",
    b"{}",
    b"{",
    b"}",
    b'{"a":1}',
    b'{"a": 1}',
    b'{"a":1,"a":2}',
    b'{"b":1,"a":2}',
    b'{"a":1}\0',
    b'{"a":"\0"}',
    b'{"a":"b\0',
    b'{"a":[',
    b'{"a":',
    b'{"a',
    b'{"a":1.5,"b":[1,2.50],"c":null}',
    b'{"a":"it\'s","b":"\\n","c":"\\u00e9"}',
    '{"a":"é"}'.encode(),
    '{"a":"\\"é"}'.encode(),
    '{"é":1}'.encode(),
    '{"a":["é"]}'.encode(),
    b'{"a":"\xff"}',
    b'{"a":["\xff"]}',
    b'{"a":\xff}',
    b"\xff\x00\x80",
    b'{"string_value":"x"}',
    b'{"type":"app","x ->":"/a/b"}',
    b'{"type":"an app ","x ->":"/a/"}',
    json.dumps({f"p{n:02}": "v" * n for n in range(64)}, separators=(",", ":")).encode(),
    json.dumps({f"p{n:02}": "v" * n for n in range(65)}, separators=(",", ":")).encode(),
    b'{"a":' + b"[" * 50 + b"]" * 50 + b"}",
    b'{"a":"' + b"x" * 100_000 + b'"}',
]

NAMES = ["a", "a:b", "a:", ".a", "é", "x y", "n" * 200, "-", "'"]


@pytest.fixture
def tree(zk: zc.zk.ZooKeeper) -> zookeeper.types.Subtree:
    """Create nodes with data and names of all kinds, and read them."""
    zk.create("/top", '{"type":"t"}')
    for name in NAMES:
        zk.create(f"/top/{name}", '{"a":1}')
    for number, data in enumerate(DATA):
        zk.create(f"/top/a/d{number:02}", data)
    zk.create("/top/a/alive", '{"a":1}', flags=zookeeper.EPHEMERAL)
    found = zk.read_tree("/top")
    assert len(found) == 2 + len(NAMES) + len(DATA)
    return found


def copies(tree: zookeeper.types.Subtree) -> list[Node]:
    return [
        Node(node.path, node.depth, node.data, node.ephemeralOwner, node.error) for node in tree
    ]


def test_a_tree_is_written_as_its_nodes_one_by_one(tree) -> None:
    numbers = struct.unpack(f"@{len(tree)}q", tree.arrivals)
    came = [tree[place] for place in sorted(range(len(tree)), key=numbers.__getitem__)]
    paths = [None, "/top/a", "/top/é", "/top/a/d", "/to", "/top"]
    top_names = ["top", "", "é", "odd name"]
    for top_name, reserved, ephemeral in product(top_names, paths, [False, True]):
        rows = exported(copies(tree), top_name, reserved, ephemeral=ephemeral, marked=Marked())
        expected = "".join(render(rows))
        late, ahead = (Writer(top_name, reserved, ephemeral=ephemeral) for _ in range(2))
        assert late.whole(tree) == expected
        ahead.take(came[: len(tree) // 2])
        assert ahead.whole(tree) == expected


def test_plain_nodes_are_asked_of_nobody_else(zk) -> None:
    zk.create("/top", "")
    zk.create("/top/a:1", '{"a":1,"b":"x","d":0.5,"e":[1,null],"main ->":"/db","type":"app"}')

    def fail(node: object) -> str:
        raise AssertionError(node)

    text = _speedups.TreeText("top", "/zookeeper", fail, fail)
    assert text.add(zk.read_tree("/top")) == 2
    assert text.whole() == (
        "/top\n  /a:1 : app\n    a = 1\n    b = 'x'\n    d = 0.5\n"
        "    e = [1, None]\n    main -> /db\n"
    )


def test_an_exception_of_what_writes_odd_nodes_is_raised(tree) -> None:
    def fail(node: object) -> str:
        raise LookupError(node)

    for decode, other in ((fail, str), (str, fail)):
        text = _speedups.TreeText("top", None, decode, other)
        with pytest.raises(LookupError):
            text.add(tree)
        with pytest.raises(LookupError):
            _speedups.TextAhead(text).take(tree)


def test_a_node_of_no_tree_is_refused(tree) -> None:
    node: Any = type(tree[0])
    with pytest.raises((TypeError, AttributeError)):
        Writer("top", None, ephemeral=False).take([node.__new__(node)])


def test_an_attribute_of_the_name_that_is_no_capsule_is_not_called() -> None:
    class Odd(Node):
        _look_at = 3

    writer = Writer("top", None, ephemeral=False)
    assert writer.whole([Odd("/top", 0, '{"a":1}')]) == "/top\n  a = 1\n"
