"""Quotas as servers keep them."""

from __future__ import annotations

import pytest

from zc.zk.tree.quotatext import (
    Overlapping,
    check_alone,
    limited_paths,
    read_numbers,
    removal,
    setting,
    write_limits,
)

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"count": 5}, "count=5,bytes=-1"),
        ({"bytes": 7}, "count=-1,bytes=7"),
        (
            {"count": 5, "bytes": 7, "hard-count": 10, "hard-bytes": 1000},
            "count=5,bytes=7=;byteHardLimit=1000;countHardLimit=10",
        ),
        ({"hard-count": 10}, "count=-1,bytes=-1=;countHardLimit=10"),
    ],
)
def test_limits_are_written_as_java_does(limits, text):
    assert write_limits(limits) == text
    assert read_numbers(text) == limits


@pytest.mark.parametrize("text", ["", None, "x", "count", "count=", "count=x,bytes", "=;,="])
def test_nonsense_has_no_numbers(text):
    assert read_numbers(text) == {}


def test_limits_of_minus_one_are_none():
    assert read_numbers("count=-1,bytes=3=;byteHardLimit=-1;countHardLimit=-1") == {"bytes": 3}


Q = "/zookeeper/quota"
OTHER = {Q: 0, f"{Q}/a": 0, f"{Q}/a/zookeeper_limits": 4, f"{Q}/a/zookeeper_stats": 0}


def test_paths_with_limits_are_found():
    assert limited_paths(OTHER) == ["/a"]


def test_a_first_quota_makes_what_is_missing_the_stats_last():
    steps = setting("/b/c", {"count": 1}, OTHER, [])
    assert [step[:3] for step in steps] == [
        ("create", f"{Q}/b", ""),
        ("create", f"{Q}/b/c", ""),
        ("create", f"{Q}/b/c/zookeeper_limits", "count=1,bytes=-1"),
        ("create", f"{Q}/b/c/zookeeper_stats", "count=0,bytes=0"),
    ]
    assert setting("/b", {"count": 1}, {}, [])[0][:2] == ("create", Q)


def test_a_quota_that_is_there_is_changed_if_nobody_else_has_changed_it():
    steps = setting("/a", {"count": 1}, OTHER, [])
    assert steps == [("set", f"{Q}/a/zookeeper_limits", "count=1,bytes=-1", 4)]


def test_a_removal_takes_blank_nodes_above_away_too():
    assert removal("/a", OTHER) == [
        ("delete", f"{Q}/a/zookeeper_stats", -1),
        ("delete", f"{Q}/a/zookeeper_limits", 4),
        ("delete", f"{Q}/a", -1),
    ]
    deep = {f"{Q}/x": 0, f"{Q}/x/y": 0, f"{Q}/x/y/zookeeper_limits": 0, f"{Q}/x/z": 0, Q: 0}
    assert [step[1] for step in removal("/x/y", deep)] == [
        f"{Q}/x/y/zookeeper_limits", f"{Q}/x/y",
    ]  # fmt: skip
    assert removal("/none", OTHER) == []


def test_a_quota_is_alone():
    check_alone("/a", ["/a", "/ab", "/b/c"])
    for path in ("/a/b", "/"):
        with pytest.raises(Overlapping, match=r"^/a has a quota"):
            check_alone(path.rstrip("/"), ["/a"])
