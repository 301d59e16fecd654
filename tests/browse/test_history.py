"""What the page's history tells: changes of nodes, by their views."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browse.javascript import view
from zc.zk.browse import history
from zc.zk.browse.history import History, change_of, told_together

pytestmark = pytest.mark.quick


def change(before: Any, after: Any) -> Any:
    return change_of("/a", before, after, 5)


class TestChanges:
    def test_a_node_that_comes_or_goes(self):
        assert change(None, view()) == {"time": 5, "kind": "added", "path": "/a"}
        assert change(view(), None) == {"time": 5, "kind": "removed", "path": "/a"}
        assert change(None, view(owner="0x5"))["ephemeral"] is True
        assert change(None, None) is None

    def test_properties_that_differ(self):
        before = view(x="1", y="2", same="3", l=("->", "/b", "/b"))
        after = view(x="2", z="4", same="3", l=("->", "/c", "/c")) | {"version": 1}
        assert change(before, after) == {
            "time": 5, "kind": "changed", "path": "/a", "more": 0,
            "details": [["l ->", "/b", "/c"], ["x", "1", "2"], ["y", "2", None], ["z", None, "4"]],
        }  # fmt: skip

    @pytest.mark.parametrize(
        "after",
        [view(x="1"), view(x="1", children=7), view(x="1", hidden=2, modified=9),
         view(x="1", l=("->", "/b", "/b"))],
    )  # fmt: skip
    def test_changes_of_other_nodes_are_none_of_this_one(self, after):
        before = view(x="1")
        if len(after["properties"]) == 2:
            before = view(x="1", l=("->", None, "/b"))
        assert change(before, after) is None

    def test_the_same_data_written_again(self):
        assert change(view(x="1"), view(x="1") | {"version": 1})["kind"] == "changed"

    def test_a_node_that_was_made_anew_meanwhile(self):
        found = change(view(x="1"), view(x="2", created=2))
        assert (found["kind"], found["details"]) == ("replaced", [["x", "1", "2"]])

    def test_a_node_that_may_be_read_no_more(self):
        found = change(view(x="1"), view(fault="no authority"))
        assert found["details"] == [["", None, "no authority"]]

    def test_its_size_is_bounded_whatever_is_written(self):
        before = view(**{f"{'n' * 900}{number}": "<" * 2000 for number in range(300)})
        after = view(**{f"{'n' * 900}{number}": ">" * 2000 for number in range(300)})
        found = change(before, after)
        assert (len(found["details"]), found["more"]) == (5, 295)
        assert len(json.dumps(found)) < 2000


def came(*paths: str, kind: str = "added") -> list[Any]:
    return [{"time": 5, "kind": kind, "path": path} for path in paths]


class TestTogether:
    def test_a_subtree_is_one_change(self):
        assert told_together(came("/a/b/c", "/a", "/a/b", "/b", "/ab")) == [
            {"time": 5, "kind": "added", "path": "/a", "below": 2},
            *came("/ab", "/b"),
        ]

    def test_nodes_that_come_are_not_told_with_those_that_go(self):
        told = told_together(came("/a") + came("/a/b", kind="removed"))
        assert [(each["kind"], each["path"]) for each in told] == [
            ("added", "/a"), ("removed", "/a/b"),
        ]  # fmt: skip

    def test_many_siblings_are_one_change_of_their_parent(self):
        told = told_together(came(*(f"/p/{number}" for number in range(1000)), "/p/1/x", "/q"))
        assert {"time": 5, "kind": "added", "path": "/p", "count": 1001} in told
        assert len(told) == 2

    def test_changes_are_told_each(self):
        changes = [{"time": 5, "kind": "changed", "path": f"/{n:02}"} for n in range(50)]
        assert told_together(changes) == changes

    def test_the_root_comes_too(self):
        assert told_together(came("/", "/a")) == [
            {"time": 5, "kind": "added", "path": "/", "below": 1}
        ]


class TestHistory:
    def test_the_last_ones_are_kept_and_told_once(self):
        kept = History(3)
        assert kept.since(0) == []
        kept.add({"path": str(number)} for number in range(5))
        assert [json.loads(each)["number"] for each in kept.since(0)] == [3, 4, 5]
        assert [json.loads(each)["path"] for each in kept.since(4)] == ["4"]
        assert kept.since(5) == []

    def test_it_is_of_bounded_size(self):
        kept = History()
        kept.add({"path": str(number)} for number in range(10_000))
        assert len(kept.since(0)) == history.MAX_CHANGES
