"""Copies of subtrees, as plain data."""

from __future__ import annotations

import pytest

from zc.zk.links import is_within
from zc.zk.tree.copies import (
    CopyNode,
    Different,
    Original,
    deletions,
    differing,
    missing_copies,
    moved,
)

pytestmark = pytest.mark.quick

ACL = [{"perms": 31, "scheme": "world", "id": "anyone"}]


def original(data="", version=0, acl=ACL):
    return Original(data, acl, version, 0, 0)


TREE = {"/a": original("top"), "/a/b": original("b", version=3), "/a/b/c": original("c")}


@pytest.mark.parametrize(
    ("path", "source", "target", "expected"),
    [
        ("/a", "/a", "/x", "/x"),
        ("/a/b", "/a", "/x/y", "/x/y/b"),
        ("/a/b", "/", "/x", "/x/a/b"),
        ("/", "/", "/x", "/x"),
        ("/a/b", "/a", "/", "/b"),
        ("/", "/", "/", "/"),
    ],
)
def test_the_path_of_a_copy(path, source, target, expected):
    assert moved(path, source, target) == expected


def test_names_that_begin_alike_are_not_within():
    assert is_within("/a/b", "/a")
    assert is_within("/a", "/a")
    assert is_within("/a", "/")
    assert not is_within("/ab", "/a")
    assert not is_within("/", "/a")


class TestMissing:
    def test_all_parents_first(self):
        copies = missing_copies(TREE, "/a", "/x", {})
        assert [(copy.path, copy.is_nested) for copy in copies] == [
            ("/x", False), ("/x/b", True), ("/x/b/c", True),
        ]  # fmt: skip

    def test_a_copy_that_was_begun_is_gone_on_with(self):
        copies = missing_copies(TREE, "/a", "/x", {"/x": TREE["/a"]})
        assert [(copy.path, copy.is_nested) for copy in copies] == [
            ("/x/b", False),
            ("/x/b/c", True),
        ]

    def test_versions_of_the_copy_do_not_matter(self):
        there = {moved(path, "/a", "/x"): each._replace(version=9) for path, each in TREE.items()}
        assert missing_copies(TREE, "/a", "/x", there) == []

    def test_a_node_older_than_its_original_is_no_copy(self):
        originals = {"/a": original()._replace(czxid=5)}
        there = {"/x": original()._replace(czxid=4)}
        with pytest.raises(Different, match=r"^/x: .*older than /a"):
            missing_copies(originals, "/a", "/x", there, is_one_service=True)
        assert missing_copies(originals, "/a", "/x", there) == []
        assert missing_copies(originals, "/a", "/x", there, merge=True, is_one_service=True) == []

    @pytest.mark.parametrize("other", [original("other"), original(None), original("top", acl=[])])
    def test_another_node_at_the_place_is_an_error(self, other):
        with pytest.raises(Different, match=r"^/x: "):
            missing_copies(TREE, "/a", "/x", {"/x": other}, merge=True)

    def test_nodes_beside_are_an_error_unless_nothing_is_missing(self):
        there = {"/x": TREE["/a"], "/x/other": original()}
        with pytest.raises(Different, match=r"^/x/other: "):
            missing_copies(TREE, "/a", "/x", there)
        assert len(missing_copies(TREE, "/a", "/x", there, merge=True)) == 2
        whole = {moved(path, "/a", "/x"): each for path, each in TREE.items()}
        assert missing_copies(TREE, "/a", "/x", {**whole, **there}) == []


def test_the_operation_of_a_copy_has_the_acl_of_the_original():
    assert CopyNode("/x", original("d")).operation([]) == ("create", "/x", "d", ACL, 0)
    assert CopyNode("/x", original(None)).operation([]) == ("create", "/x", None, ACL, 0)


def test_deletions_are_of_the_version_that_was_read_children_first():
    assert [(each.path, each.version) for each in deletions(TREE)] == [
        ("/a/b/c", 0), ("/a/b", 3), ("/a", 0),
    ]  # fmt: skip


def test_a_node_that_differs_is_named():
    assert differing(TREE, dict(TREE)) is None
    assert differing(TREE, {**TREE, "/a/new": original()}) == "/a/new"
    assert differing(TREE, {**TREE, "/a/b": original("b", version=4)}) == "/a/b"
