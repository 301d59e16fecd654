"""The queue for a lock, from names."""

from __future__ import annotations

import pytest

from zc.zk.tree.lockqueue import in_order, mine

pytestmark = pytest.mark.quick


def test_the_order_is_that_of_the_numbers_and_not_of_the_names():
    names = ["ff-lock-0000000001", "00-lock-0000000003", "aa-lock-0000000002"]
    assert in_order(names) == ["ff-lock-0000000001", "aa-lock-0000000002", "00-lock-0000000003"]


def test_names_of_others_are_left_out():
    assert in_order(["notes", "x-lock-12", "x-lock-", "x-lock-0000000001x"]) == []


def test_the_smallest_number_comes_behind_the_largest():
    names = ["b-lock--2147483648", "a-lock-2147483647", "c-lock--2147483647"]
    assert in_order(names) == ["a-lock-2147483647", "b-lock--2147483648", "c-lock--2147483647"]


def test_nodes_of_ours_are_found_by_their_guid():
    names = ["ff-lock-0000000001", "f-lock-0000000002"]
    assert mine(names, "f") == ["f-lock-0000000002"]
