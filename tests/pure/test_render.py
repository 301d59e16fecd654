"""Nodes become tree text that reads well, and parses as the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings

from tests.reference import EXPORTED, REFERENCE
from zc.zk.tree import ParseNode, parse_tree, render_tree
from zc.zk.tree.render import render

from . import strategies

pytestmark = pytest.mark.quick


def text_of(data: str | None, name: str = "n") -> str:
    return "".join(render([(0, name, data)]))


def nodes_of(text: str) -> strategies.Nodes:
    return [(depth - 1, node.name, node.data) for depth, node in parse_tree(text).walk()][1:]


def test_the_reference_s_example() -> None:
    assert "".join(render_tree(parse_tree(REFERENCE))) == EXPORTED


def test_a_node_has_sorted_properties_then_links_then_property_links() -> None:
    data = '{"a":1,"b ->":"/x","c =>":"/y z","d ->":"x","e":"text","f =>":"y","type":"kind"}'
    assert text_of(data) == (
        "/n : kind\n  a = 1\n  e = 'text'\n  b -> /x\n  d -> x\n  c => /y z\n  f => y\n"
    )


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ('{"a":true,"b":null,"c":false}', ["a = True", "b = None", "c = False"]),
        ('{"a":[1,{"b":"it\'s"}]}', ["a = [1, {'b': \"it's\"}]"]),
        ('{"a":"line\\nline"}', ["a = 'line\\nline'"]),
        ('{"a":"\\u2028"}', ["a = '\\u2028'"]),
        ('{"a":"\\u00e9"}', ["a = 'é'"]),
        ('{"a":"\\ud800"}', ["a = '\\ud800'"]),
        ('{"a":1e+16}', ["a = 1e+16"]),
        ("plain text", ["string_value = 'plain text'"]),
        ("\udcff", ["= base64 /w=="]),
        ("{bad}", ["string_value = '{bad}'"]),
        ('{"string_value":5}', ["string_value = 5"]),
        ('{"":1}', ["'' = 1"]),
        ('{"a b":1}', ["'a b' = 1"]),
        ('{"a=b":1}', ["'a=b' = 1"]),
        ('{"a->b":1}', ["'a->b' = 1"]),
        ('{"/a":1}', ["'/a' = 1"]),
        ('{"#a":1}', ["'#a' = 1"]),
        ("{\"'a'\":1}", ["\"'a'\" = 1"]),
        ('{"a b ->":"/x"}', ["'a b' -> /x"]),
        ('{"a ->":"/x y"}', ["a -> '/x y'"]),
        ('{"a ->":""}', ["'a ->' = ''"]),
        ('{"a ->":5}', ["'a ->' = 5"]),
        ('{"a =>":"/x y z"}', ["'a =>' = '/x y z'"]),
        ('{"a =>":"/x  y"}', ["'a =>' = '/x  y'"]),
        ('{"type":5}', ["type = 5"]),
        ('{"type":""}', ["type = ''"]),
        ('{"type":" a"}', ["type = ' a'"]),
        ('{"type":"a\\nb"}', ["type = 'a\\nb'"]),
    ],
)
def test_properties_are_written_as_they_read_best(data: str, lines: list[str]) -> None:
    assert text_of(data) == "/n\n" + "".join(f"  {line}\n" for line in lines)
    assert nodes_of(text_of(data)) == [(0, "n", data)]


@pytest.mark.parametrize(
    "data",
    [
        None,
        " ",
        '{"a":1,"a":1}',
        '{"a":NaN}',
        '{"a":[Infinity]}',
        '{"b":NaN, "a": 1}',
        '{"a":1e400}',
    ],
)
def test_data_that_properties_would_not_bring_back_are_written_as_a_whole(data: str | None) -> None:
    assert text_of(data) == f"/n\n  = {data!r}\n"
    assert nodes_of(text_of(data)) == [(0, "n", data)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("127.0.0.1:80", "/127.0.0.1:80"),
        ("[::1]:80", "/[::1]:80"),
        ("é=#->", "/é=#->"),
        ("odd name", "/'odd name'"),
        ("a : b", "/'a : b'"),
        ("a:", "/'a:'"),
        ("'a'", "/\"'a'\""),
        ("a\x1f", "/'a\\x1f'"),
        ("a\u2028", "/'a\\u2028'"),
    ],
)
def test_names_are_quoted_where_they_must_be(name: str, text: str) -> None:
    assert text_of("", name) == text + "\n"
    assert nodes_of(text_of('{"type":"t"}', name)) == [(0, name, '{"type":"t"}')]


@settings(deadline=None, max_examples=300)
@given(strategies.trees)
def test_a_tree_that_is_written_reads_back_as_the_same_names_and_bytes(
    tree: strategies.Tree,
) -> None:
    nodes = strategies.depth_first(tree)
    text = "".join(render(nodes))
    assert nodes_of(text) == nodes
    assert "".join(render_tree(parse_tree(text))) == text


@settings(deadline=None, max_examples=1000)
@given(strategies.names, strategies.data)
def test_a_node_reads_back_as_the_same_name_and_bytes(name: str, data: str | None) -> None:
    assert nodes_of(text_of(data, name)) == [(0, name, data)]


def test_a_tree_of_two_thousand_levels_is_written() -> None:
    nodes: strategies.Nodes = [(depth, "n", '{"a":1}') for depth in range(2000)]
    assert nodes_of("".join(render(nodes))) == nodes


def test_nodes_are_written_while_they_come() -> None:
    def endless() -> Iterator[tuple[int, str, str]]:
        while True:
            yield 0, "n", "x"

    assert list(islice(render(endless()), 2)) == ["/n\n  string_value = 'x'\n"] * 2


def test_a_tree_made_by_hand_is_written() -> None:
    root = ParseNode()
    root.add(ParseNode("a", {"x": (1, 2)}, {"any": ParseNode("b")}))
    assert "".join(render_tree(root)) == "/a\n  x = [1, 2]\n  /b\n"


def test_properties_that_json_cannot_hold_are_a_value_error() -> None:
    root = ParseNode("", {}, {"a": ParseNode("a", {"x": object()})})
    with pytest.raises(ValueError, match="JSON cannot hold it"):
        list(render_tree(root))
