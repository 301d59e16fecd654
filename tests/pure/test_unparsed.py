"""Texts that are not parsed where nodes are as they say: a plan by way of them has no changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from tests.pure.exported import Node
from tests.pure.test_plain import plain_properties
from zc.zk._speedups import has_marks, is_same, top_lines
from zc.zk.codec import to_json
from zc.zk.errors import TreeSyntaxError
from zc.zk.owners import CONTAINER, of_ttl
from zc.zk.tree import exporttext
from zc.zk.tree.diff import NodeState, plan_import, snapshot
from zc.zk.tree.exporttext import NODES_AT_A_TIME, export_text
from zc.zk.tree.model import ParseNode
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.syntax import is_plain_node_name
from zc.zk.tree.unparsed import Unparsed, read_text
from zookeeper.constants import NOAUTH
from zookeeper.errors import NoAuthException, error

pytestmark = pytest.mark.quick


Tops = dict[str, list[Node]]

plain_names = st.sampled_from(["a", "b", "c", "10.0.0.1:80", "é", "a=b", "#c"])
names = plain_names | plain_names | strategies.names
data = st.just("") | plain_properties.map(to_json) | strategies.data
owners = st.sampled_from([0, 0, 0, 0, 0, 0, 0, 5, -5, CONTAINER, of_ttl(5)])
faults = st.sampled_from([None] * 20 + [error(NOAUTH, "/odd")])
trees: st.SearchStrategy[dict[str, object]] = st.recursive(
    st.just({}), lambda below: st.dictionaries(names, below, max_size=3), max_leaves=8
)


@st.composite
def tops(draw: st.DrawFn) -> Tops:
    """Draw top-level nodes by name, each with all below it, as servers tell them."""

    def nodes_of(path: str, depth: int, below: object) -> list[Node]:
        assert isinstance(below, dict)
        owner = 0 if below else draw(owners)
        fault = None if below else draw(faults)
        nodes = [Node(path, depth, None if fault else draw(data), 0 if fault else owner, fault)]
        for name in sorted(below):
            nodes += nodes_of(f"{path}/{name}", depth + 1, below[name])
        return nodes

    below = draw(trees)
    return {name: nodes_of(f"/{name}", 0, below[name]) for name in below}


def export_of(tops: Tops, *, ephemeral: bool = False) -> str:
    return "".join(
        export_text(tops[name], name, None, lambda path, fault: None, ephemeral=ephemeral)
        for name in sorted(tops)
    )


def states(tops: Tops) -> dict[str, NodeState]:
    nodes = [Node("/", 0)] + [node for name in sorted(tops) for node in tops[name]]
    return snapshot((node.path, node.data, 0, node.ephemeralOwner, node.error) for node in nodes)


INSERTED = [
    " ", "\n", "#", "# c\n", "\t", "\r", "'", "/", "/x\n", "\n/x\n", "  x = 1\n", "= acl world:r\n",
    "  = ephemeral\n", "    = container\n", "\ufeff", "é", "1", " : t", "'''",
]  # fmt: skip


@st.composite
def altered(draw: st.DrawFn, text: str) -> str:
    """Draw a text that differs a little: by a character, a line, an order, a quoted name."""
    kind = draw(
        st.sampled_from(["none", "insert", "cut", "line", "order", "quotes", "end", "twice"])
    )
    at = draw(st.integers(0, len(text)))
    lines = text.splitlines(keepends=True)
    line = draw(st.integers(0, max(0, len(lines) - 1)))
    if kind == "insert":
        return text[:at] + draw(st.sampled_from(INSERTED)) + text[at:]
    if kind == "cut":
        return text[:at] + text[at + draw(st.integers(1, 3)) :]
    if kind == "line":
        del lines[line : line + 1]
    elif kind == "order":
        lines[line : line + 2] = reversed(lines[line : line + 2])
    elif kind == "quotes":
        return text.replace("/a", "/'a'", 1)
    elif kind == "end":
        return text[:-1]
    elif kind == "twice":
        return text + text
    return "".join(lines)


def outcome(text: str, present: dict[str, NodeState], trim: bool | None) -> object:
    """Return what an import of a text that is parsed would do, or the kind of its fault."""
    try:
        tree = parse_tree(text)
        return [*plan_import(tree, "/", present, trim)], has_marks(tree)
    except (TreeSyntaxError, NoAuthException) as fault:
        return type(fault)


@settings(deadline=None, max_examples=300)
@given(tops(), st.booleans(), st.sampled_from([None, True, False]), st.data())
def test_a_text_that_is_taken_for_an_export_leaves_nothing_to_do(
    tops: Tops, ephemeral: bool, trim: bool | None, draw: st.DataObject
) -> None:
    text = draw.draw(altered(export_of(tops, ephemeral=ephemeral)))
    try:
        source = read_text(text)
    except TreeSyntaxError:
        return
    if isinstance(source, Unparsed):
        if source.is_export_of(tops):
            assert outcome(text, states(tops), trim) == ([], False)
        else:
            assert text != export_of(tops) or any(n.error for each in tops.values() for n in each)
    else:
        assert source.properties == {}
        assert text != export_of(tops) or not text or not all(map(is_plain_node_name, tops))


@settings(deadline=None, max_examples=200)
@given(tops(), st.booleans(), st.data())
def test_nodes_at_its_beginning_are_compared_as_far_as_more_may_follow(
    tops: Tops, ephemeral: bool, draw: st.DataObject
) -> None:
    text = draw.draw(altered(export_of(tops, ephemeral=ephemeral)))
    try:
        tree = parse_tree(text)
    except TreeSyntaxError:
        return
    source = read_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporttext, "NODES_AT_A_TIME", draw.draw(st.integers(1, 3)))
        if not isinstance(source, Unparsed) or source.is_export_of(tops):
            return
    for name in tops.keys() & tree.children.keys():
        if is_same(tree.children[name], tops[name], source.known.get(name, 0)):
            parsed = [(depth, node.name, node.data) for depth, node in tree.children[name].walk()]
            assert parsed == [(node.depth, node.name, node.data) for node in tops[name]]


@pytest.mark.parametrize(
    ("more", "is_as_it_was"),
    [
        ("", True),
        ("#\n", True),
        ("    y = 1\n", False),
        ("  y = 1\n", False),
        ("  /e\n    y = 1\n", False),
    ],
)
def test_later_lines_count_for_nodes_that_a_text_begins_with(more: str, is_as_it_was: bool) -> None:
    nodes = [Node("/a", 0), Node("/a/b", 1), Node("/a/e", 1, "", 5), Node("/a/f", 1)]
    shown = (
        nodes if more.startswith("  /e") else [node for node in nodes if not node.ephemeralOwner]
    )
    text = f"/a\n  /b\n  /f\n{more}#\n"
    source = read_text(text)
    assert isinstance(source, Unparsed)
    assert not source.is_export_of({"a": shown})
    assert source.known == {"a": len(shown)}
    assert is_same(source.parse().children["a"], shown, len(shown)) == is_as_it_was


@settings(deadline=None, max_examples=100)
@given(tops(), st.data())
def test_names_are_those_at_the_top_of_the_text(tops: Tops, draw: st.DataObject) -> None:
    text = draw.draw(altered(export_of(tops)))
    try:
        tree = parse_tree(text)
    except TreeSyntaxError:
        return
    source = read_text(text)
    if isinstance(source, Unparsed):
        # In a value of many lines that somebody else has written there may be more of them.
        assert set(tree.children) <= set(source.names)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a", "# c\n/a\n", " /a\n", "\n/a\n", "/a", "/a\n/b", "/a\n/a\n", "/'a'\n",
        "/a b\n", "/a: t\n", "/a :t\n", "/a\r\n", "/.\n", "/..\n", "/a/b\n", "/a\0\n", "/a : \n",
        "\ufeff/a\n",
    ],
)  # fmt: skip
def test_a_text_that_no_export_has_is_parsed_at_once(text: str) -> None:
    try:
        assert isinstance(read_text(text), ParseNode)
    except TreeSyntaxError:
        with pytest.raises(TreeSyntaxError):
            parse_tree(text)


def test_bytes_are_refused_as_by_the_parser() -> None:
    with pytest.raises(TypeError, match="tree text must be str, not bytes"):
        read_text(b"/a\n")  # type: ignore[arg-type]


def test_a_text_is_parsed_once_when_it_is_asked_for() -> None:
    source = read_text("/a : t\n  /b\n/c\n")
    assert isinstance(source, Unparsed)
    assert (source.names, source.is_parsed) == (["a", "c"], False)
    assert source.parse() is source.parse()
    assert (sorted(source.parse().children), source.is_parsed) == (["a", "c"], True)


def test_faults_are_told_when_the_text_is_asked_for() -> None:
    source = read_text("/a\n  what?\n")
    assert isinstance(source, Unparsed)
    for _ in range(2):
        with pytest.raises(TreeSyntaxError, match="line 2"):
            source.parse()
        assert not source.is_parsed


def test_no_more_is_written_than_is_as_the_text_says() -> None:
    count = 4 * NODES_AT_A_TIME
    nodes = [Node("/a", 0)] + [Node(f"/a/n{number}", 1) for number in range(count)]
    asked: list[str] = []

    class Asked(Node):
        @property
        def name(self) -> str:
            asked.append(self.path)
            return super().name

    text = export_text(nodes, "a", None, ephemeral=False)
    counted = [Asked(*node) for node in nodes]
    for changed, parts in [("/n0\n", 1), (f"/n{NODES_AT_A_TIME}\n", 2), (f"/n{count - 2}\n", 4)]:
        source = read_text(text.replace(changed, f"{changed}    x = 1\n"))
        assert isinstance(source, Unparsed)
        assert not source.is_export_of({"a": counted})
        assert NODES_AT_A_TIME * (parts - 1) < len(set(asked)) <= NODES_AT_A_TIME * parts
        asked.clear()


@given(
    st.lists(st.sampled_from(["\n", "/", "\n/", "\n  /", "abcdefgh", "x"]), max_size=40),
    st.sampled_from(["", "é", "\u20ac"]),
)
def test_lines_that_begin_with_a_slash_are_found_anywhere(parts: list[str], end: str) -> None:
    text = "".join(parts) + end
    wanted = [at for at, c in enumerate(text) if c == "/" and text[:at][-1:] in ("", "\n")]
    assert top_lines(text) == wanted
