"""Pictures of systems have boxes and arrows, and no text breaks them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zc.zk
from tests.pure import strategies
from tests.reference import REFERENCE
from zc.zk.graphvis import Edge, GraphvizError, Unit, dot, picture, system, unit_path

SVG = "{http://www.w3.org/2000/svg}"

needs_graphviz = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")


def system_of(text: str, top: str = "/"):
    return system(zc.zk.parse_tree(text), top)


def test_the_reference_s_example():
    assert system_of(REFERENCE) == (
        [
            Unit("/cms", "z4m cms", []),
            Unit("/cms/databases/main", None, []),
            Unit("/lb", "ipvs", None),
            Unit("/retail", "z4m retail", []),
            Unit("/retail/databases/ugc", None, []),
        ],
        [
            Edge("/lb", "/cms", ["pools/cms", "pools/retail"]),
            Edge("/retail", "/cms/databases/main", ["databases/main"]),
        ],
    )


def test_nodes_with_links_and_nodes_that_are_linked_to_are_units_too():
    assert system_of("/a\n  /b\n    x -> /c/d\n/c\n  /d\n/e\n") == (
        [Unit("/a/b", None, None), Unit("/c/d", None, None)],
        [Edge("/a/b", "/c/d", ["x"])],
    )


def test_providers_are_counted():
    (unit,) = system_of("/a\n  /providers\n    /1.2.3.4:80\n    /1.2.3.5:80\n").units
    assert unit.providers == ["1.2.3.4:80", "1.2.3.5:80"]


def test_links_between_the_same_units_are_one_edge():
    text = "/a : x\n  b -> /c\n  /d\n    e -> /c/providers\n/c\n  /providers\n"
    assert system_of(text).edges == [Edge("/a", "/c", ["b", "d/e"])]


def test_links_within_a_unit_are_none_between_units():
    assert system_of("/a : x\n  b -> c\n  e => c f\n  /c\n    f = 1\n").edges == []


def test_real_nodes_hide_links():
    assert system_of("/a : x\n  b -> /c\n  /b\n/c : y\n").edges == []


def test_property_links_are_edges_of_another_kind():
    text = "/a : x\n  price => /b tea\n/b : y\n  tea = 4\n"
    assert system_of(text).edges == [Edge("/a", "/b", ["price"], is_property_link=True)]


@pytest.mark.parametrize(
    ("links", "target", "fault"),
    [
        ("b -> /nowhere", "/nowhere", "no node: /a/b"),
        ("b -> b", "b", "/a/b -> /a/b"),
        ("b => /nowhere", "/nowhere", "no node: /nowhere"),
        ("b => /c d", "/c d", "/c has no property 'd'"),
    ],
)
def test_broken_links_lead_to_what_they_say(links, target, fault):
    (edge,) = system_of(f"/a : x\n  {links}\n/c : y\n").edges
    assert (edge.target, edge.fault) == (target, fault)
    assert '"broken ' in dot(system_of(f"/a : x\n  {links}\n/c : y\n"))


def test_of_a_part_of_a_tree_what_is_linked_to_outside_is_told_apart():
    found = system_of("/a : x\n  c -> /c\n/b : x\n  a -> /a\n/c : y\n", "/a")
    assert found.units == [Unit("/a", "x", None), Unit("/c", "y", None, is_outside=True)]
    assert found.edges == [Edge("/a", "/c", ["c"])]


def test_a_top_that_is_not_there():
    with pytest.raises(Exception, match="no node: /b"):
        system_of("/a\n", "/b")


def test_units_of_one_top_level_node_are_a_group():
    text = dot(system_of(REFERENCE))
    assert text.count("subgraph cluster_") == 2
    assert ">/cms</TD>" in text
    assert ">/lb</TD>" not in text


def test_live_pictures_tell_how_many_providers_there_are():
    found = system_of(
        "/a\n  /providers\n    /x:1\n    /x:2\n/b\n  /providers\n    /y:1\n/c\n  /providers\n"
    )
    text = dot(found, live=True)
    assert [count in text for count in (">2 providers<", ">1 provider<", ">no providers<")] == [
        True,
        True,
        True,
    ]
    assert ">no providers<" not in dot(found)


def test_more_links_than_can_be_read_are_counted():
    links = "".join(f"  link{number} -> /b\n" for number in range(9))
    text = dot(system_of(f"/a : x\n{links}/b : y\n"))
    assert r'label="link0\nlink1\nlink2\nlink3\nand 5 more"' in text


@needs_graphviz
def test_a_link_to_the_root_is_drawn():
    found = system_of("/a : web\n  up -> /\n  /providers\n")
    drawn = picture(dot(found), "svg").decode()
    assert ">/</text>" in drawn
    assert ">a</text>" in drawn


@needs_graphviz
@given(tree=strategies.trees, title=st.text(max_size=5))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_a_picture(tree, title):
    root = zc.zk.ParseNode()
    to_do = [(root, tree)]
    while to_do:
        parent, below = to_do.pop()
        for name, (data, children) in below.items():
            node = zc.zk.ParseNode(name, zc.zk.codec.decode(data))
            parent.add(node)
            to_do.append((node, children))
    found = system(root)
    drawn = ElementTree.fromstring(picture(dot(found, live=True, title=title), "svg"))
    nodes = [
        group
        for group in drawn.iter("{http://www.w3.org/2000/svg}g")
        if group.get("class") == "node"
    ]
    broken = {edge.target for edge in found.edges if edge.fault}
    assert len(nodes) == len(found.units) + len(broken)


NASTY = [
    "\\\\",
    '"',
    "\\",
    "\\N",
    '\\"',
    "a\\",
    "<b>",
    "&amp;",
    "]]>",
    "]",
    "]]",
    "]x[",
    "\\n",
    "--",
    "->",
    "{",
    "}",
    ";",
    "é",
]


@needs_graphviz
@pytest.mark.parametrize("text", NASTY)
def test_text_is_drawn_as_it_is(text):
    root = zc.zk.ParseNode()
    root.add(zc.zk.ParseNode(text, {"type": text, f"{text} ->": text, f"x{text} ->": "/b"}))
    root.add(zc.zk.ParseNode("b", {"type": "y"}))
    drawn = ElementTree.fromstring(picture(dot(system(root), title=text), "svg"))
    shown = ["".join(each.itertext()) for each in drawn.iter(f"{SVG}text")]
    assert shown.count(text) >= 4, shown  # title, name, type, target
    assert f"x{text}" in shown
    titles = [unit_path(each.findtext(f"{SVG}title", "")) for each in drawn.iter(f"{SVG}g")]
    assert f"/{text}" in titles


def test_without_graphviz_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GraphvizError, match=r"apt-get install graphviz.*; the format dot works"):
        picture("digraph {}", "svg")


@needs_graphviz
def test_an_error_of_graphviz_is_passed_on():
    with pytest.raises(GraphvizError, match="syntax error in line 1"):
        picture("nonsense", "svg")


def test_a_picture_that_takes_too_long_is_given_up(monkeypatch):
    def too_slow(*_, timeout, **__):
        raise subprocess.TimeoutExpired("dot", timeout)

    monkeypatch.setattr(subprocess, "run", too_slow)
    with pytest.raises(GraphvizError, match="not drawn it within 60 seconds"):
        picture("digraph {}", "svg")


@needs_graphviz
@pytest.mark.parametrize(("name", "broken"), [("shop", []), ("bakery", ["/databases/archive"])])
def test_the_examples_can_be_drawn(name, broken):
    found = system_of((Path(__file__).parents[2] / f"examples/{name}.txt").read_text())
    assert [edge.target for edge in found.edges if edge.fault] == broken
    assert picture(dot(found), "png").startswith(b"\x89PNG")
