"""JSON in the layout of others exports as properties.

It imports as the same bytes.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zc.zk import codec
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import ParseNode, parse_tree
from zc.zk.tree.diff import NodeState, plan_import
from zc.zk.tree.layout import Layout, is_layout, layout_of, read_layout
from zc.zk.tree.render import render

from . import strategies

pytestmark = pytest.mark.quick

PROPERTIES = {"threads": 3, "database": "é", "main ->": "/databases", "tags": [1, {"b": 1, "a": 2}]}


def text_of(data: str | None) -> str:
    return "".join(render([(0, "n", data)]))


def only_node(text: str) -> ParseNode:
    [node] = parse_tree(text).children.values()
    assert isinstance(node, ParseNode)
    return node


@pytest.mark.parametrize(
    ("options", "layout"),
    [
        ({}, "spaced order threads, database, 'main ->', tags"),
        ({"separators": (",", ":")}, "order threads, database, 'main ->', tags"),
        ({"ensure_ascii": False}, "spaced unicode order threads, database, 'main ->', tags"),
        ({"indent": 2}, "indent 2 order threads, database, 'main ->', tags"),
        ({"indent": 0, "ensure_ascii": False, "sort_keys": True}, "unicode indent 0"),
        ({"sort_keys": True}, "spaced"),
    ],
)
def test_json_of_the_standard_library_reads_well(options: dict[str, Any], layout: str) -> None:
    data = json.dumps(PROPERTIES, **options)
    tags = "[1, {'a': 2, 'b': 1}]" if options.get("sort_keys") else "[1, {'b': 1, 'a': 2}]"
    text = (
        f"/n\n  database = 'é'\n  tags = {tags}\n  threads = 3\n  main -> /databases\n"
        f"  = {layout}\n"
    )
    assert text_of(data) == text
    assert only_node(text).data == data


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ("{}", ["= json"]),
        ('{"string_value":"x"}', ["string_value = 'x'", "= json"]),
        ('{"string_value": "x"}', ["string_value = 'x'", "= spaced"]),
        ('{"a":{"c":1,"b":2}}', ["a = {'c': 1, 'b': 2}", "= json"]),
        ('{"a": 1}', ["a = 1", "= spaced"]),
        ('{"a":"\\": "}', ["a = '\": '"]),
        ('{"b":"\\": ","a":1}', ["a = 1", "b = '\": '", "= order b, a"]),
        ('{\n"a": 1\n}', ["a = 1", "= indent 0"]),
        ('{"a":"é"}', ["a = 'é'", "= unicode"]),
        ('{"a":"\x7f"}', ["a = '\\x7f'", "= unicode"]),
        ('{"a":"\udcff"}', ["a = '\\udcff'", "= unicode"]),
        ('{"é":1,"a b":2}', ["'a b' = 2", "é = 1", "= unicode order é, 'a b'"]),
        ('{"b,c":1,"a":2}', ["a = 2", "b,c = 1", "= order 'b,c', a"]),
        ('{"x =>":"/y z","":1}', ["'' = 1", "x => /y z", "= order 'x =>', ''"]),
    ],
)
def test_a_layout_is_told_where_it_differs_from_the_library_s(data: str, lines: list[str]) -> None:
    text = "/n\n" + "".join(f"  {line}\n" for line in lines)
    assert text_of(data) == text
    assert only_node(text).data == data


def test_a_type_is_a_key_like_others() -> None:
    data = '{"type":"shop","rent":1}'
    assert text_of(data) == "/n : shop\n  rent = 1\n  = order type, rent\n"
    assert only_node(text_of(data)).data == data


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("json", Layout()),
        ("order a", Layout(("a",))),
        (
            "order  a b ,c,'d, e' , \"it's\",main ->",
            Layout(("a b", "c", "d, e", "it's", "main ->")),
        ),
        ("order spaced, order", Layout(("spaced", "order"))),
        ("spaced  unicode", Layout(is_spaced=True, is_unicode=True)),
        ("json unicode indent 16 order a", Layout(("a",), indent=16, is_unicode=True)),
    ],
)
def test_layouts_are_read(text: str, layout: Layout) -> None:
    assert is_layout(text)
    assert read_layout(text) == layout
    assert read_layout(str(layout)) == layout
    assert only_node(f"/n\n  = {text}\n  a = 1").layout == layout


@pytest.mark.parametrize(
    "text", ["None", "True", "'x'", "u'x'", 'R"x"', "5", "-1", "[order]", "", "'''x'''"]
)
def test_literals_are_no_layouts(text: str) -> None:
    assert not is_layout(text)


@pytest.mark.parametrize(
    ("lines", "lineno", "reason"),
    [
        ("= sorted", 2, "bad layout: unknown word 'sorted'"),
        ("= none", 2, "bad layout: unknown word 'none'"),
        ("= spaced, unicode", 2, "bad layout: unknown word 'spaced,'"),
        ("= spaced 'x'", 2, "bad layout: unknown word \"'x'\""),
        ("= spaced spaced", 2, "bad layout: 'spaced' twice"),
        ("= json json", 2, "bad layout: 'json' twice"),
        ("= spaced indent 2", 2, "bad layout: 'spaced' and 'indent' exclude each other"),
        ("= indent", 2, "bad layout: 'indent' needs a number from 0 to 16"),
        ("= indent two", 2, "bad layout: 'indent' needs a number from 0 to 16"),
        ("= indent 17", 2, "bad layout: 'indent' needs a number from 0 to 16"),
        ("= indent " + "9" * 5000, 2, "bad layout: 'indent' needs a number from 0 to 16"),
        ("= order", 2, "bad layout: a key is missing"),
        ("= order a,", 2, "bad layout: a key is missing"),
        ("= order a,,b", 2, "bad layout: a key is missing"),
        ("= order 'a", 2, "bad layout: a quote is not closed"),
        ("= order 'a' 'b'", 2, "bad layout: a comma is missing before \"'b'\""),
        ("= order a, b, 'a'", 2, "bad layout: duplicate key 'a'"),
        ("= spaced\n a = 1\n = spaced", 4, "duplicate layout: the node has one already"),
        ("= 'x'\n = spaced", 3, "duplicate layout: the node's data are given as a whole already"),
        ("= None\n = spaced", 3, "duplicate layout: the node's data are given as a whole already"),
        ("= spaced\n = 'x'", 3, "duplicate property: data as a whole, and the node has a layout"),
        ("= spaced\n a = 1\n = 'x'", 4, "duplicate property: data as a whole"),
        ("= spaced\n  a = 1", 3, "bad indentation: nothing can be under a property"),
    ],
)  # fmt: skip
def test_an_error_names_line_and_fault(lines: str, lineno: int, reason: str) -> None:
    with pytest.raises(TreeSyntaxError, match=re.escape(reason)) as caught:
        parse_tree("/n\n " + lines)
    assert caught.value.lineno == lineno
    assert caught.value.reason.startswith(reason)


def test_a_layout_above_any_node_is_an_error() -> None:
    with pytest.raises(TreeSyntaxError, match="line 1: property above any node"):
        parse_tree("= spaced\n/n")


@pytest.mark.parametrize(
    ("lines", "data"),
    [
        (["c = 1", "a = 2", "b = 3"], '{"b":3,"a":2,"c":1}'),
        (["c = 1", "a = 2", "b = 3", "d = 4", "0 = 5"], '{"b":3,"a":2,"0":5,"c":1,"d":4}'),
        (["a = 2"], '{"a":2}'),
        (["z = 2"], '{"z":2}'),
        ([], "{}"),
    ],
)
@pytest.mark.parametrize("place", ["above", "below"])
def test_properties_may_be_edited_and_the_layout_left(
    lines: list[str], data: str, place: str
) -> None:
    layout = ["= order b, a, gone"]
    lines = layout + lines if place == "above" else lines + layout
    assert only_node("/n\n" + "".join(f"  {line}\n" for line in lines)).data == data


def test_a_program_may_change_the_properties_of_a_node_that_has_a_layout() -> None:
    node = only_node("/n\n  b = 1\n  a = 2\n  = spaced order b\n")
    node.properties["c"] = [(1, 2)]
    assert node.data == '{"b": 1, "a": 2, "c": [[1, 2]]}'
    node.properties["d"] = object()
    with pytest.raises(ValueError, match="JSON cannot hold it"):
        _ = node.data
    node.properties = {1: "x"}  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="must be a string"):
        _ = node.data


def test_a_lone_surrogate_is_escaped_whatever_the_layout_says() -> None:
    node = only_node("/n\n  a = 'é\\ud800'\n  = unicode spaced\n")
    assert node.data == '{"a": "\\u00e9\\ud800"}'


def test_with_a_layout_the_bytes_decide_and_without_one_the_properties() -> None:
    present = {"/": NodeState("", 0, False, ["n"]), "/n": NodeState('{"b": 1, "a": 2}', 7, False)}
    for layout in ("", "= spaced order b, a"):
        assert not plan_import(parse_tree(f"/n\n  a = 2\n  b = 1\n  {layout}"), "/", present)
    [change] = plan_import(parse_tree("/n\n  a = 2\n  b = 1\n  = spaced"), "/", present)
    assert str(change) == """/n data change from '{"b": 1, "a": 2}' to '{"a": 2, "b": 1}'"""
    [change] = plan_import(parse_tree("/n\n  a = 2\n  b = 0\n  = spaced order b"), "/", present)
    assert str(change) == "/n b change from 1 to 0"
    assert change.operation([]) == ("set", "/n", '{"b": 0, "a": 2}', 7)


def test_an_indentation_without_end_is_not_written_again() -> None:
    data = "{\n" + " " * 100_000 + '"a": ' + "[" * 190 + "]" * 190 + "\n}"
    assert text_of(data).startswith("/n\n  = '''\n    {\n     ")
    assert only_node(text_of(data)).data == data


def is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    if isinstance(value, list):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@settings(deadline=None, max_examples=500)
@given(strategies.properties.filter(is_finite), strategies.known_layouts)
def test_json_of_the_standard_library_never_needs_a_raw_line(
    properties: dict[str, Any], options: dict[str, Any]
) -> None:
    data = json.dumps(properties, **options)
    # Two halves of a character, escaped one by one, are the whole character to a reader.
    assume(strategies.is_text(data) and json.dumps(json.loads(data), **options) == data)
    text = text_of(data)
    node = only_node(text)
    assert node.data == data
    assert node.raw is None
    assert node.properties == json.loads(data)
    assert text.count("\n  = ") <= 1


@settings(deadline=None)
@given(
    strategies.properties.filter(is_finite),
    strategies.properties.filter(is_finite),
    strategies.known_layouts,
)
def test_any_properties_can_be_laid_out_like_any_others(
    old: dict[str, Any], new: dict[str, Any], options: dict[str, Any]
) -> None:
    layout = layout_of(json.dumps(old, **options), json.loads(json.dumps(old)))
    if layout is None:
        return
    data = layout.encode(new)
    assert codec.is_storable(data)
    assert json.dumps(json.loads(data), sort_keys=True) == json.dumps(
        json.loads(json.dumps(new)), sort_keys=True
    )


layouts = st.builds(
    Layout,
    order=st.lists(strategies.keys, unique=True).map(tuple),
    is_spaced=st.booleans(),
    indent=st.none(),
    is_unicode=st.booleans(),
    is_slashed=st.booleans(),
    has_newline=st.booleans(),
    template=st.just(""),
) | st.builds(
    Layout,
    order=st.just(()),
    is_spaced=st.just(False),
    indent=st.integers(0, 16) | st.just("\t"),
    is_unicode=st.booleans(),
    is_slashed=st.booleans(),
    has_newline=st.booleans(),
    template=st.just(""),
)


@settings(deadline=None, max_examples=500)
@given(layouts)
def test_a_layout_that_is_written_is_read_back(layout: Layout) -> None:
    assert is_layout(str(layout))
    assert "\n" not in str(layout)
    assert read_layout(str(layout)) == layout
    assert only_node(f"/n\n  = {layout}\n").layout == layout


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet="order spaced indent2,'\"\\=>-\n\udcffé", max_size=40))
def test_any_text_is_a_layout_or_a_value_error(text: str) -> None:
    try:
        layout = read_layout(text)
    except ValueError:
        return
    assert read_layout(str(layout)) == layout


class Sliced(str):
    """Text that counts the characters that are copied out of it."""

    copied = 0

    def __getitem__(self, place):
        return self.noted(super().__getitem__(place))

    def lstrip(self, characters=None):
        return self.noted(super().lstrip(characters))

    @classmethod
    def noted(cls, part):
        cls.copied += len(part)
        return cls(part)


def test_many_keys_are_read_without_copying_the_rest_for_each():
    Sliced.copied = 0
    text = Sliced(", ".join(f"key{number}" for number in range(5000)))
    assert len(read_layout(Sliced("order " + text)).order) == 5000
    assert Sliced.copied < 3 * len(text)
