"""Names in the order that people expect."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.naturalorder import natural_key, sorted_naturally

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    "names",
    [
        ["p1", "p2", "p10", "p100"],
        ["0", "00", "1", "01", "2", "10"],
        ["10.0.0.9:80", "10.0.0.9:8080", "10.0.0.10:80", "10.0.1.1:80"],
        ["", "a", "a1", "a1b", "a1b2", "a1b10", "b"],
        ["lock-0000000009", "lock-0000000010", "lock-2147483647"],
        ["1.2", "1.10", "1.10.1", "2"],
        ["A2", "A10", "a1", "é1", "é2", "\udcff"],
        ["x9", "x" + "9" * 5000, "x1" + "0" * 5000],  # more digits than Python makes integers of
        ["x\u0662", "x\u0661\u0660"][::-1],  # digits, and none of ours
        ["/a", "/a/b", "/a/b/c2", "/a/b/c10", "/a1", "/a1/x", "/a01", "/a01/x", "/a2", "/a-b"],
    ],
)
def test_names_are_sorted_as_people_count(names: list[str]) -> None:
    shuffled = random.Random(5).sample(names, len(names))
    assert sorted_naturally(shuffled) == names


names = st.text("a0129/-é", max_size=8)


@given(names, names)
def test_only_equal_names_have_equal_keys(one: str, other: str) -> None:
    assert (natural_key(one) == natural_key(other)) == (one == other)


paths = st.lists(st.text("a019-", min_size=1, max_size=4), min_size=1).map(
    lambda path: "/" + "/".join(path)
)


@given(st.lists(paths, unique=True))
def test_all_below_a_node_come_directly_behind_it(paths: list[str]) -> None:
    ordered = sorted_naturally(paths)
    for index, path in enumerate(ordered):
        below = [other for other in ordered if other.startswith(path + "/")]
        assert ordered[index + 1 : index + 1 + len(below)] == below


@given(st.lists(st.text("019", min_size=3, max_size=3).map("q-{}".format)), st.booleans())
def test_names_that_are_alike_are_in_the_same_order(names, has_other):
    names += ["q-10000"] * has_other
    assert sorted_naturally(names) == sorted(names, key=natural_key)
