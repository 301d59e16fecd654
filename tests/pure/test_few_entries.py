"""A mapping that is small while it has one entry does as a dictionary does, in one step."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk._speedups import FewEntries

pytestmark = pytest.mark.quick

KEYS = [("data", "/a"), ("data", "/b"), ("children", "/a")]


def empty() -> FewEntries[Any, Any]:
    return FewEntries()


class Node:
    """Something that can be told from others, and seen to be gone."""


def same_state(few: FewEntries[Any, Any], entries: dict[Any, Any]) -> None:
    assert few.items() == list(entries.items())
    assert few.keys() == [*few] == list(entries)
    assert few.values() == list(entries.values())
    assert (len(few), bool(few)) == (len(entries), bool(entries))
    for key in [*KEYS, ("other", "/a"), None]:
        assert (key in few) == (key in entries)
        assert few.get(key) == entries.get(key)


def done(mapping: Any, what: str, key: object, value: object) -> object:
    """Change a mapping, or look; return the result, or the exception with its arguments."""
    try:
        if what == "set":
            mapping[key] = value
        elif what == "delete":
            del mapping[key]
        else:
            return mapping[key]
    except KeyError as missing:
        return type(missing), missing.args
    return None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["set", "delete", "look"]), st.sampled_from(KEYS), st.integers(0, 9)
        )
    )
)
def test_it_does_as_a_dictionary_does_in_every_story(story):
    few, entries = empty(), dict[Any, Any]()
    for what, (kind, path), value in story:
        key = (kind, "".join(path))  # another one that is equal
        assert done(few, what, key, value) == done(entries, what, key, value)
        same_state(few, entries)


def test_of_equal_keys_the_first_is_kept():
    few = empty()
    first, second = (("data", "/a" * count) for count in (2, 2))
    few[first] = 1
    few[second] = 2
    assert few.keys()[0] is first
    assert few.values() == [2]


def test_none_is_no_key():
    few = empty()
    with pytest.raises(TypeError, match="None is no key"):
        few[None] = 1
    assert not few


def test_it_can_be_changed_while_it_is_iterated_over():
    for count in (1, 3):
        few = empty()
        for key in KEYS[:count]:
            few[key] = None
        for key in few:
            del few[key]
            few[key, "new"] = None
        assert len(few) == count


def test_one_entry_takes_a_fraction_of_a_dictionary():
    few, entries = empty(), dict[Any, Any]()
    few[KEYS[0]] = entries[KEYS[0]] = 1
    assert sys.getsizeof(few) * 4 < sys.getsizeof(entries)


@pytest.mark.parametrize("count", [1, 2])
def test_its_entries_go_with_it_in_a_ring_too(count):
    few, node = empty(), Node()
    for key in KEYS[:count]:
        few[key] = node
    node.few = few  # type: ignore[attr-defined]
    gone = weakref.ref(node)
    del few, node
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("count", [1, 2])
def test_entries_taken_out_or_replaced_are_freed_when_that_is_done(count):
    few = empty()
    seen: list[list[object]] = []

    class Leaving:
        def __del__(self) -> None:
            seen.append(few.keys())

    kept = KEYS[1:count]
    for key in kept:
        few[key] = None
    few[KEYS[0]] = Leaving()
    few[KEYS[0]] = Leaving()
    del few[KEYS[0]]
    assert seen == [[*kept, KEYS[0]], kept]


def test_finalisers_find_two_tables_that_agree():
    one, other = empty(), empty()
    disagreed: list[object] = []
    kept: list[object] = []  # as Python takes freed dictionaries again, and searches for nothing
    searches = 0

    def look(phase: str, info: object) -> None:
        nonlocal searches
        searches += 1
        if len(one) != len(other):
            disagreed.append((len(one), len(other)))

    first, second = KEYS[:2]
    gc.callbacks.append(look)
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            one, other = empty(), empty()
            kept += one, other
            one[first] = None
            other[first] = None
            # One step: each makes a dictionary of its own.
            one[second] = None
            other[second] = None
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(look)
    assert searches
    assert not disagreed
