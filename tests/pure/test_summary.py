"""A large plan in a few lines."""

from __future__ import annotations

import pytest

from zc.zk.tree.changes import AddNode, Change, DeleteNode, KeepEphemeral, KeepExtra, SetData
from zc.zk.tree.summary import MAX_SUBTREES, summary

pytestmark = pytest.mark.quick


def test_kinds_and_subtrees_are_counted() -> None:
    plan: list[Change] = [DeleteNode(f"/a/p10/n{number}", 0) for number in range(1200)]
    plan += [AddNode(f"/a/p2/n{number}", "") for number in range(3)]
    plan += [SetData("/a/p2/x", "1", "2", 0), KeepExtra("/a/p3"), KeepEphemeral("/a/p10/e")]
    plan += [DeleteNode("/a/p1", 0)]
    assert list(summary(plan)) == [
        "    1,201 nodes to delete",
        "        3 nodes to add",
        "        1 node to change",
        "        1 node to keep, as they are ephemeral",
        "        1 node to keep, as they are not to be trimmed",
        "    1,201 at and below /a/p10: 1,200 to delete, 1 to keep, as they are ephemeral",
        "        4 at and below /a/p2: 3 to add, 1 to change",
        "        1 at and below /a/p1: 1 to delete",
        "        1 at and below /a/p3: 1 to keep, as they are not to be trimmed",
    ]


def test_few_subtrees_are_named_and_the_others_counted() -> None:
    plan = [DeleteNode(f"/s{top}/n{number}", 0) for top in range(50) for number in range(top + 1)]
    lines = list(summary(plan))
    assert len(lines) == 1 + MAX_SUBTREES + 1
    assert lines[1] == "       50 at and below /s49: 50 to delete"
    assert lines[-1] == "      820 at and below 40 more"


@pytest.mark.parametrize(
    ("paths", "tops"),
    [
        (["/"], ["/"]),
        (["/a"], ["/a"]),
        (["/", "/a"], ["/", "/a"]),
        (["/a", "/a/b", "/a/c"], ["/a"]),
        (["/a/b/c", "/a/b/d"], ["/a/b"]),
        (["/a/b/c", "/a/b/c/x", "/a/b/d", "/a/b/d/x"], ["/a/b/c", "/a/b/d"]),
        (["/ab", "/a"], ["/a", "/ab"]),
    ],
)
def test_subtrees_begin_where_paths_part(paths: list[str], tops: list[str]) -> None:
    lines = list(summary([DeleteNode(path, 0) for path in paths]))
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines[1:]] == tops


def test_hostile_names_forge_no_lines() -> None:
    for line in summary([DeleteNode("/x\x1b[8m\nwould delete /", 0)]):
        assert line.isprintable()
