"""Plain values take a short cut, and come out as they would without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from zc.zk import _speedups, codec
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import parse_tree
from zc.zk.tree.render import render

pytestmark = pytest.mark.quick

words = st.from_regex(r"[a-zA-Z_]\w{0,3}", fullmatch=True) | st.sampled_from(
    ["type", "string_value", "a", "a ->", "b ->", "a_", "é", "a.b", "1a", ""]
)
values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-100, 100),
    st.sampled_from([10**16, 10**17 - 1, 10**17, -(10**17), 10**18, 0.5, -0.0, 1e22, 1e-7, [], {}]),
    st.text(alphabet="ab /'\"\\\n\x7fé .-", max_size=6),
    st.sampled_from(["/a/b", "/a//b", "/", "a", " x", "x ", "NaN", "/a.b:1"]),
    strategies.json_values,
)
plain_properties = st.dictionaries(words, values, max_size=4)


def without_short_cut(nodes: strategies.Nodes) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_speedups, "render_data", lambda data, lead, decode: None)
        patch.setattr(_speedups, "encode", lambda properties: None)
        return "".join(render(nodes))


@settings(deadline=None, max_examples=2000)
@given(plain_properties)
def test_plain_properties_are_encoded_as_all_are(properties: dict[str, Any]) -> None:
    def outcome() -> str:
        try:
            return codec.encode(properties)
        except ValueError as fault:
            return str(fault)

    quickest = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_speedups, "encode", lambda properties: None)
        assert outcome() == quickest


@settings(deadline=None, max_examples=2000)
@given(plain_properties, st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_plain_data_are_rendered_as_all_are(
    properties: dict[str, Any], separators: tuple[str, str], sort: bool
) -> None:
    data = json.dumps(properties, separators=separators, sort_keys=sort)
    nodes: strategies.Nodes = [(0, "a", data), (1, "b", data)]
    assert "".join(render(nodes)) == without_short_cut(nodes)


@settings(deadline=None, max_examples=2000)
@given(plain_properties, st.data())
def test_spoilt_data_are_rendered_as_all_are(
    properties: dict[str, Any], draw: st.DataObject
) -> None:
    data = json.dumps(properties, separators=(",", ":"), sort_keys=True)
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(start, min(len(data), start + 2)))
    spoilt = (
        data[:start] + draw.draw(st.text(alphabet='{}[]",:\\ 0-1.ae\0', max_size=2)) + data[end:]
    )
    nodes: strategies.Nodes = [(0, "a", spoilt)]
    assert "".join(render(nodes)) == without_short_cut(nodes)


@settings(deadline=None, max_examples=1000)
@given(strategies.data)
def test_any_data_are_rendered_as_without_the_short_cut(data: str | None) -> None:
    nodes: strategies.Nodes = [(0, "a", data)]
    assert "".join(render(nodes)) == without_short_cut(nodes)


@pytest.mark.parametrize("depth", [198, 199, 200, 201])
def test_the_nesting_that_is_too_deep_is_the_same(depth: int) -> None:
    nodes: strategies.Nodes = [(0, "a", '{"a":' + "[" * depth + "]" * depth + ',"b":"x"}')]
    assert "".join(render(nodes)) == without_short_cut(nodes)


def test_most_of_what_the_library_writes_is_plain() -> None:
    properties = {"a": 1, "b": "it's", "main ->": "/db/main", "on": True, "type": "web app"}
    data = codec.encode(properties)
    assert _speedups.encode(properties) == data
    assert _speedups.render_data(data, "\n  ", repr) is not None


# Texts whose characters take one, two and four bytes, and names that differ in the middle only.
@pytest.mark.parametrize("widest", ["a", "\u3042", "\U0001f600"])
@pytest.mark.parametrize("name", ["name_{}", "name_{}_end", "{}"])
def test_a_name_that_comes_again_is_an_error_among_many(widest: str, name: str) -> None:
    names = [name.format(f"n{number}") for number in range(60)]
    indent = 9 * " "
    for again in names:
        lines = [f"{indent}{each} = {place}" for place, each in enumerate([*names, again])]
        with pytest.raises(TreeSyntaxError, match=f"line 63: duplicate property '{again}'"):
            parse_tree("\n".join([f"# {widest}", "/a", *lines]))
        assert parse_tree("\n".join([f"# {widest}", "/a", *lines[:-1]])).children["a"].data
