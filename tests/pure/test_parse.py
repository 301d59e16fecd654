"""Tree text is parsed by the reference's rules; faults are told by line."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import REFERENCE
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import ParseNode, parse_tree, render_tree

pytestmark = pytest.mark.quick


def test_property_links_as_release_2_1_exported_them() -> None:
    text = "/a\n  tea => = u'/prices'\n  vat => = '/prices tax'\n  up => =\"..\"\n"
    tree = parse_tree(text)
    properties = {"tea =>": "/prices", "vat =>": "/prices tax", "up =>": ".."}
    assert tree.children["a"].properties == properties
    assert "".join(render_tree(tree)) == "/a\n  tea => /prices\n  up => ..\n  vat => /prices tax\n"


@pytest.mark.parametrize(
    ("value", "fault"),
    [("'/x", "expression"), ("'/a b c'", "link"), ("'//'", "link"), ("u''", "link")],
)
def test_such_a_property_link_that_leads_nowhere_is_refused(value: str, fault: str) -> None:
    with pytest.raises(TreeSyntaxError, match=f"line 2: bad {fault}"):
        parse_tree(f"/a\n  tea => = {value}\n")


def test_a_property_link_that_looks_like_one_of_them_comes_back() -> None:
    node = parse_tree("/a\n  'x =>' = \"= 'y'\"\n  z => = y\n").children["a"]
    assert node.properties == {"x =>": "= 'y'", "z =>": "= y"}
    again = parse_tree("".join(render_tree(node.parent))).children["a"]
    assert again.properties == node.properties


def only_node(text: str) -> ParseNode:
    [node] = parse_tree(text).children.values()
    assert isinstance(node, ParseNode)
    return node


def properties_of(lines: str) -> dict[str, object]:
    return only_node("/n\n" + "".join(f" {line}\n" for line in lines.split("\n"))).properties


def test_the_reference_s_example() -> None:
    tree = parse_tree(REFERENCE)
    assert sorted(tree.children) == ["cms", "lb", "retail"]
    assert tree.children["lb"].properties == {"type": "ipvs"}
    assert [node.path for _, node in tree.walk()] == [
        "/",
        "/cms",
        "/cms/databases",
        "/cms/databases/main",
        "/cms/databases/main/providers",
        "/cms/providers",
        "/lb",
        "/lb/pools",
        "/lb/pools/cms",
        "/lb/pools/retail",
        "/retail",
        "/retail/databases",
        "/retail/databases/ugc",
        "/retail/databases/ugc/providers",
        "/retail/providers",
    ]
    assert tree.children["cms"].properties == {"type": "z4m cms", "threads": 3}
    cms_pool = tree.children["lb"].children["pools"].children["cms"]
    assert cms_pool.properties == {"address": "1.2.3.4:80", "providers ->": "/cms/providers"}
    assert cms_pool.parent.parent is tree.children["lb"]


def test_the_root_has_no_name_parent_or_properties() -> None:
    root = parse_tree("")
    assert (root.name, root.parent, root.properties, root.children) == ("", None, {}, {})
    assert root.path == "/"


def test_nodes_are_made_by_the_class_that_is_asked_for() -> None:
    class Mine(ParseNode):
        pass

    tree = parse_tree("/a\n /b", Mine)
    assert type(tree) is Mine
    assert type(tree.children["a"].children["b"]) is Mine
    assert repr(tree.children["a"].children["b"]) == "<Mine /a/b>"


@pytest.mark.parametrize(
    ("line", "properties"),
    [
        ("a = 'x=1'", {"a": "x=1"}),
        ("a = 'b=>c'", {"a": "b=>c"}),
        ("a = 'b -> c'", {"a": "b -> c"}),
        ("a='x'", {"a": "x"}),
        ("a =u'x'", {"a": "x"}),
        ("a b = 1", {"a b": 1}),
        ("a-b = 1", {"a-b": 1}),
        ("a -> /b", {"a ->": "/b"}),
        ("a->/b", {"a ->": "/b"}),
        ("a   ->   ../b/./c", {"a ->": "../b/./c"}),
        ("a -> /x=y", {"a ->": "/x=y"}),
        ("a -> '/odd name'", {"a ->": "/odd name"}),
        ("a => /b", {"a =>": "/b"}),
        ("a => /b   c", {"a =>": "/b c"}),
        ("a=>b c", {"a =>": "b c"}),
        ("'a = b' = 1", {"a = b": 1}),
        ("'a -> b' -> /c", {"a -> b ->": "/c"}),
        ("'a ->' = 5", {"a ->": 5}),
        ('"it\'s" => x', {"it's =>": "x"}),
        ("'' = 1", {"": 1}),
        ("'' -> /x", {" ->": "/x"}),
        ("'/a' = 1", {"/a": 1}),
        ("type = 5", {"type": 5}),
        ("a = 'line\\nline'", {"a": "line\nline"}),
        ("a = '\u2028\x0c\x85'", {"a": "\u2028\x0c\x85"}),
        ("a = 1 # one", {"a": 1}),
        ("= 'text'", {"string_value": "text"}),
        ('= \' {"b": 1, "a": 2} \'', {"b": 1, "a": 2}),
        ("= None", {}),
        ("= ' '", {}),
    ],
)
def test_a_line_gives_properties(line: str, properties: object) -> None:
    assert properties_of(line) == properties


@pytest.mark.parametrize(
    ("line", "name", "node_type"),
    [
        ("/a", "a", None),
        ("/a : b", "a", "b"),
        ("/a: b", "a", "b"),
        ("/a :b", "a", "b"),
        ("/a  :  b : c ", "a", "b : c"),
        ("/127.0.0.1:80", "127.0.0.1:80", None),
        ("/[::1]:80 : server", "[::1]:80", "server"),
        ("/a:", "a:", None),
        ("/a b", "a b", None),
        ("/a=b -> c", "a=b -> c", None),
        ("/#a", "#a", None),
        ("/'a : b'", "a : b", None),
        ("/'a : b' : c", "a : b", "c"),
        ('/"it\'s"', "it's", None),
        ("/'\\'quoted\\''", "'quoted'", None),
        ("/' lead\\x1f'", " lead\x1f", None),
    ],
)
def test_a_line_gives_a_node(line: str, name: str, node_type: str | None) -> None:
    node = only_node(line)
    assert node.name == name
    assert node.properties.get("type") == node_type


def test_data_as_a_whole_are_kept_as_they_are() -> None:
    assert only_node("/a\n  = '{\"b\": 1}'").data == '{"b": 1}'
    assert only_node("/a\n  = None").data is None
    assert only_node("/a\n  = '\\udcff'").data == "\udcff"
    assert only_node("/a").data == ""


@pytest.mark.parametrize(
    "text",
    [
        "/a\n  x = 1\n  /b\n    y = 2\n",
        "/a\r\n  x = 1\r\n  /b\r\n    y = 2\r\n",
        "\ufeff/a\n  x = 1\n  /b\n    y = 2",
        "\n\n   # first\n     /a\n     \tx = 1\n  # anywhere\n     \t/b\n     \t \ty = 2\n\n",
        "\t/a\n\t\tx = 1\n\t\t/b\n\t\t\ty = 2\n",
        "\x0c\n/a\n /b\n      y = 2\n\u2028\n x = 1\n",
    ],
)
def test_layout_is_free_as_long_as_it_is_consistent(text: str) -> None:
    a = only_node(text)
    assert (a.name, a.properties) == ("a", {"x": 1})
    assert a.children["b"].properties == {"y": 2}


@pytest.mark.parametrize(
    ("text", "lineno", "reason"),
    [
        ("/a\n  /b\n /c", 3, "bad indentation"),
        ("  /a\n/b", 2, "bad indentation"),
        ("/a\n\t/b\n  /c", 3, "bad indentation"),
        ("/a\n\xa0/b", 2, "bad indentation: neither spaces nor tabs"),
        ("/a\n  x = 1\n    y = 2", 3, "bad indentation: nothing can be under a property"),
        ("/a\n  x -> /y\n    /z", 3, "bad indentation: nothing can be under a property"),
        ("/a\n  = ''\n    /z", 3, "bad indentation: nothing can be under a property"),
        ("x = 1", 1, "property above any node"),
        ("x -> /y\n/a", 1, "property above any node"),
        ("= 'data'", 1, "property above any node"),
        ("/a\nx = 1", 2, "property above any node"),
        ("/a\n/b\n\n# c\n/a", 5, "duplicate node"),
        ("/a\n/'a'", 2, "duplicate node"),
        ("/a : b\n  type = 1", 2, "duplicate property 'type'"),
        ("/a\n  x = 1\n  x = 1", 3, "duplicate property 'x'"),
        ("/a\n  x -> y\n  'x ->' = 1", 3, "duplicate property 'x ->'"),
        ("/a\n  x = 1\n  = 'y'", 3, "duplicate property: data as a whole"),
        ("/a : b\n  = 'y'", 2, "duplicate property: data as a whole"),
        ("/a\n  = None\n  x = 1", 3, "duplicate property: the node's data are given as a whole"),
        ("/a\n  = None\n  = None", 3, "duplicate property"),
        ("/a\n  = 5", 2, "bad expression: a node's data are a string or None"),
        ("/a\n  = '\\ud800'", 2, "bad expression: a lone surrogate"),
        ("/a\n  x = ", 2, "bad expression: a value is missing"),
        ("/a\n  x = y", 2, "bad expression: neither a literal"),
        ("/a\n  x = __import__('os')", 2, "bad expression: neither a literal"),
        ("/a\n  x = b'y'", 2, "bad expression"),
        ("/a\n  x = {1, 2}", 2, "bad expression"),
        ("/a\n  x ==> y", 2, "bad expression"),
        ("/a\n  x ->", 2, "bad link: no path"),
        ("/a\n  x -> /b c", 2, "bad link: a path with spaces must be quoted"),
        ("/a\n  x -> //b", 2, "bad link: no path"),
        ("/a\n  x -> '/b' c", 2, "bad link: text behind the quoted path"),
        ("/a\n  x -> '/b", 2, "a quote is not closed"),
        ("/a\n  -> /b", 2, "bad link: no name"),
        ("/a\n  => /b", 2, "bad link: no name"),
        ("/a\n  x =>", 2, "bad link: neither a path nor a path and a property"),
        ("/a\n  x => /b c d", 2, "bad link: neither a path nor a path and a property"),
        ("/a\n  x => /b/ c", 2, "bad link: neither a path nor a path and a property"),
        ("/a\n  x", 2, "unrecognised line: neither a node, nor a property, nor a link"),
        ("/a\n  x : y", 2, "unrecognised line"),
        ("/a\n  'x' y = 1", 2, "unrecognised line"),
        ("/a\n  'x = 1", 2, "a quote is not closed"),
        ("/a :", 1, "unrecognised line: no type"),
        ("/'a' :", 1, "unrecognised line: no type"),
        ("/'a' b", 1, "unrecognised line: text behind the quoted name"),
        ("/'a", 1, "a quote is not closed"),
        ("/", 1, "bad node name ''"),
        ("/ : b", 1, "bad node name ''"),
        ("/a/b", 1, "bad node name 'a/b'"),
        ("/..", 1, "bad node name '..'"),
        ("/'.'", 1, "bad node name '.'"),
        ("/'\\0'", 1, "bad node name '\\x00'"),
        ("/'\\ud800'", 1, "bad node name '\\ud800'"),
    ],
)
def test_an_error_names_line_and_fault(text: str, lineno: int, reason: str) -> None:
    with pytest.raises(TreeSyntaxError) as caught:
        parse_tree(text)
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.lineno == lineno
    assert error.line == text.split("\n")[lineno - 1]
    assert error.reason.startswith(reason)
    assert str(error) == f"line {lineno}: {error.reason}: {error.line!r}"


@pytest.mark.parametrize("text", [b"/a\n", bytearray(b"/a\n"), None, ["/a"]])
def test_an_argument_that_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(TypeError, match=f"tree text must be str, not {type(text).__name__}"):
        parse_tree(text)


@pytest.mark.parametrize(
    "line", ["x = [", "x => a b c", "x -> //", "x", "/", "x = '\\N{", "type = 1 # ", "/a/"]
)
def test_the_message_about_a_huge_line_is_short(line: str) -> None:
    with pytest.raises(TreeSyntaxError) as caught:
        parse_tree("/a : b\n  " + line + line[-1] * 1_000_000)
    assert len(str(caught.value)) < 600
    assert len(caught.value.line) > 1_000_000


@pytest.mark.parametrize(
    "line",
    [
        "x" + " " * 200_000 + "y", "/a" + " " * 200_000 + "b", "-" * 200_000, "'" * 200_001,
        ":" * 200_000, "x = " + "'' " * 100_000 + "'", "x = " + "''' " * 100_001,
        "x = " + "1_" * 100_000,
    ],
)  # fmt: skip
def test_a_huge_line_of_no_sense_is_dealt_with(line: str) -> None:
    parse_or_complain("/n\n  " + line)


def test_a_tree_of_two_thousand_levels_is_read() -> None:
    text = "".join(f"{'  ' * depth}/n\n" for depth in range(2000))
    *_, (depth, node) = parse_tree(text).walk()
    assert depth == 2000
    assert node.path == "/n" * 2000


def parse_or_complain(text: str) -> ParseNode | None:
    """Return the tree, or None for a faulty text whose complaint is proper."""
    try:
        return parse_tree(text)
    except TreeSyntaxError as error:
        complaint = error
    lines = text.removeprefix("\ufeff").split("\n")
    assert complaint.line == lines[complaint.lineno - 1].rstrip("\r")
    return None


SOURCES = [
    REFERENCE,
    "/'odd name' : type\n  'a = b' = [1, {'x': (2, 3)}]\n  l -> ../x\n  p => /y z\n  /b:80\n",
    '/raw\n  = \'{"b": "\\udcff"}\'\n  /null\n    = None\n\t/bad\n',
    "/l : t\n  b = 1\n  a -> /x\n  = spaced unicode order type, b, 'a ->'\n  /m\n    = indent 2\n",
    "\ufeff# note\r\n\r\n   /a\r\n     x = u'y' 'z' # 1\r\n     y = -0x1F\r\n   /b : c: d\r\n",
]
FRAGMENTS = [
    *" \t\n\r/:#='\"->\\[](){},u-0", "=>", "->", " = ", "\n  ", "\n/", "'''", "\\x", "\\N{",
    "\ufeff", "\0", "\ud800", "\u2028", "\x0c", "None", "1e999", "9" * 5000, "[" * 300,
    "__import__('os')", "é", "..", "= spaced", "= order ", " indent 2", "json", ",",
]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 2, 10]))
        lines = text.split("\n")
        match chance.randrange(6):
            case 0 | 1 | 2:
                text = text[:start] + chance.choice(FRAGMENTS) + text[end:]
            case 3:
                text = text[:start] + text[end:]
            case 4:
                chance.shuffle(lines)
                text = "\n".join(lines)
            case 5:
                line = chance.randrange(len(lines))
                lines[line] = chance.choice(["", " ", "  ", "\t"]) + lines[line]
                text = "\n".join(lines)
    return text


nested_keys = st.sampled_from(["'a'", "'b'", "'ab'", "1", "''"])
# Lists and dictionaries as they are written, and nearly so.
nested_like = st.recursive(
    st.sampled_from(
        [
            *("1", "-0", "01", "0.5", "0.50", "-.5", "1.", "1e3", "None", "true", "True", "nan"),
            *("'a'", "'b'", "''", "'\"'", "'é'", '"q"', "u'x'", "'\\\\'", "(1, 2)", "[]", "{}", ""),
            "1" * 18,
        ]
    ),
    lambda values: (
        st.builds(
            "{}{}{}".format,
            st.sampled_from(["[", "[", "[ ", "("]),
            st.tuples(st.lists(values, max_size=3), st.sampled_from([", ", ",", " ,", ",,"])).map(
                lambda items: items[1].join(items[0])
            ),
            st.sampled_from(["]", "]", " ]", "}", ",]", "] "]),
        )
        | st.builds(
            "{{{}{}".format,
            st.tuples(
                st.lists(
                    st.tuples(st.sampled_from(["'a'", "'b'", "'ab'", "1", "''"]), values),
                    max_size=3,
                ),
                st.sampled_from([": ", ":", " : ", "="]),
            ).map(lambda items: ", ".join(f"{key}{items[1]}{value}" for key, value in items[0])),
            st.sampled_from(["}", "}", "]", ",}"]),
        )
    ),
    max_leaves=6,
)

line_like = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", " ", "\t", " \t", "\x0c"]),
        st.sampled_from(
            [
                "a",
                "a.b",
                "type",
                "/a",
                "/a.b",
                "/.a",
                "/a-",
                "a-",
                "/a:",
                "/a:1",
                "/a:b:",
                "'a'",
                "é",
            ]
        ),
        st.sampled_from([" = ", " -> ", " => ", " : ", "=", "", " =", " ->"]),
        st.sampled_from(
            [
                *("'x'", "5", "-5", "-0", "05", "0.5", "-0.5", "5.", ".5", "5.5.5", "1e5", "None"),
                *("True", "Falsehood", "'é'", "'a\\n'", "''", "1" * 17, "1" * 18, "1." + "1" * 16),
                *("/x", "/x/", "/x/y", "b c", "> c", "", "'y' # c", "t\r", "'u", "'u' 'v'", "[1]"),
            ]
        )
        | nested_like,
    ),
    st.text(alphabet="/ab.=-> :'5\t\r#", max_size=12),
)


def data_of(node: ParseNode) -> str | None:
    """Return the node's data, or the reason why it cannot have these properties."""
    try:
        return node.data
    except ValueError as fault:
        return str(fault)


@settings(deadline=None, max_examples=2000)
@given(st.lists(line_like, max_size=4).map("\n".join))
def test_plain_lines_are_read_as_all_lines_are(lines: str) -> None:
    def outcome() -> object:
        try:
            tree = parse_tree("/top\n" + lines)
        except TreeSyntaxError as fault:
            return str(fault)
        return [(node.path, data_of(node), node.properties, node.raw) for _, node in tree.walk()]

    with pytest.MonkeyPatch.context() as patch:
        quickest = outcome()
        patch.setattr("zc.zk._speedups.read_lines", lambda text, parser: None)
        assert outcome() == quickest


@pytest.mark.parametrize("seed", range(10))
def test_mutated_texts_are_read_or_complained_about(seed: int) -> None:
    chance = random.Random(seed)
    outcomes = {True: 0, False: 0}
    for _ in range(1000):
        tree = parse_or_complain(mutated(chance.choice(SOURCES), chance))
        outcomes[tree is not None] += 1
        if tree is not None:
            # The nodes that were parsed can be written, and say the same.
            again = parse_tree("".join(render_tree(tree)))
            assert [(depth, node.name, node.data) for depth, node in again.walk()] == [
                (depth, node.name, node.data) for depth, node in tree.walk()
            ]
    assert min(outcomes.values()) > 50, "the mutations are too tame or too wild to tell anything"
