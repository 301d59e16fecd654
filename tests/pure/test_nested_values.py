"""Lists and dictionaries are translated by blocks, and come out as character by character."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.test_grammar import read, without_speedups, written
from tests.pure.test_plain import values
from zc.zk import _speedups

pytestmark = pytest.mark.quick

# Characters behind a value: its text ends within a block behind it, or does not.
MORE = (0, 1, 2, 14, 15, 16, 17, 31, 32, 33, 47, 48, 49, 200)
# Of a value, beyond which it is not plain.
MAX_NESTED = 400


def data_with(value: str, more: int) -> str:
    return f'{{"a":{value},"b":"{more * "x"}"}}' if more else f'{{"a":{value}}}'


def same_as_slowly(values: list[str]) -> None:
    """Write and read the values in JSON with the extension, and without."""
    data = [data_with(value, more) for value in values for more in MORE]
    quickly = [written(each) for each in data]
    # Characters of one, two and four bytes.
    texts = [
        f"/a\n{line}\n# {more * '#'}{widest}"
        for value in values
        for line in written(data_with(value, 0)).split("\n")[1:2]
        for more in MORE
        for widest in ("x", "\u3042", "\U0001f600")
    ]
    read_quickly = [read(each) for each in texts]
    with without_speedups():
        assert [written(each) for each in data] == quickly
        assert [read(each) for each in texts] == read_quickly


@pytest.mark.parametrize("size", [*range(36), 46, 47, 48, 49, 63, 64, 65])
def test_tokens_of_each_size_are_translated_wherever_the_text_ends(size: int) -> None:
    token = size * "x"
    same_as_slowly(
        [
            f'["{token}"]',
            f'["{token}",1]',
            f'{{"{token}":"{token}"}}',
            f"[1{size * '0'}]",
            f"[-1{size * '0'},null]",
            f"[0.{size * '1'},true]",
            f'[1{size * "0"}.5,{{"x":false}}]',
            f'{{"x":[["{token}",[]],{{}}]}}',
        ]
    )


@pytest.mark.parametrize("size", [1, 7, 14, 15, 16, 17, 31, 32, 33, 60])
def test_keys_in_any_order_are_the_same_whatever_they_begin_with(size: int) -> None:
    start = size * "k"
    keys = [start, start + "a", start + "b", start + " ", start + "!", start[:-1], start + "ab"]
    same_as_slowly([f'{{"{one}":1,"{other}":2}}' for one in keys for other in keys])


@pytest.mark.parametrize("length", range(MAX_NESTED - 2, MAX_NESTED + 3))
def test_values_about_the_longest_plain_one_are_the_same(length: int) -> None:
    same_as_slowly(
        [
            f'["{(length - 4) * "x"}"]',
            f"[{(length - 2) // 2 * '1,'}{'1' if length % 2 else '22'}]",
            f'[{(length - 6) // 5 * "true,"}"{(length - 4) % 5 * "x"}"]',
            f'["{(length - 10) * "x"}",12345]',
        ]
    )


@pytest.mark.parametrize("length", [MAX_NESTED - 1, MAX_NESTED, MAX_NESTED + 1])
def test_a_value_is_plain_up_to_a_length(length: int) -> None:
    asked: list[str] = []

    def decode(value: str) -> str:
        asked.append(value)
        return "5"

    text = f'["{(length - 4) * "x"}"]'
    for more in MORE:
        assert _speedups.render_data(data_with(text, more), "\n  ", decode)
    assert asked == ([] if length <= MAX_NESTED else len(MORE) * [text])


@pytest.mark.parametrize("depth", range(18, 24))
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_depths_about_the_deepest_plain_one_are_the_same(depth: int, brackets: str) -> None:
    opening, closing = brackets[:-1], brackets[-1]
    same_as_slowly([depth * opening + inner + depth * closing for inner in ("1", "[]", '["x"]')])


@pytest.mark.parametrize("place", range(12))
def test_nested_values_among_many_properties_are_written_the_same(place: int) -> None:
    for value in ("[1,2]", "[]", '{"a":"b"}', '["x",{"y":0.5}]', '["\\n"]', "[1e5]", "[1.50]"):
        for more in ("", "]", " ", ",1", "x", ":1", "1"):
            for key in ("name", "type", "string_value", "name ->", "a"):
                items = [f'"{chr(98 + i)}_name":{i},' for i in range(12)]
                items[place] = f'"{chr(98 + place)}_{key}":{value}{more},'
                data = "{" + "".join(items) + '"z":"' + 80 * "x" + '"}'
                quickly = written(data)
                with without_speedups():
                    assert written(data) == quickly


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.lists(values, max_size=3) | values, max_size=4), st.sampled_from(MORE))
def test_any_nested_values_are_written_and_read_the_same(nested: list[Any], more: int) -> None:
    data = json.dumps(
        {"a": nested, "b": nested and nested[0], "c": "x" * more},
        separators=(",", ":"),
        sort_keys=True,
    )
    quickly = written(data)
    read_quickly = read(quickly)
    with without_speedups():
        assert written(data) == quickly
        assert read(quickly) == read_quickly
