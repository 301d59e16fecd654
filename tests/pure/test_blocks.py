"""Values of many lines are blocks in tree text; binary data are marked as base64."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import ParseNode, parse_tree
from zc.zk.tree.blocks import MIN_LINE_FEEDS, block_of, is_opening
from zc.zk.tree.render import render

pytestmark = pytest.mark.quick


def text_of(data: str | None) -> str:
    return "".join(render([(0, "n", data), (0, "z", "")]))


def node_in(text: str) -> ParseNode:
    node = parse_tree(text).children["n"]
    assert isinstance(node, ParseNode)
    return node


def test_a_text_of_many_lines_is_shown_as_it_is() -> None:
    data = "[server]\nport = 80\n  name = 'x'\n\n# end\n"
    assert text_of(data) == (
        "/n\n"
        "  string_value = '''\n"
        "    [server]\n"
        "    port = 80\n"
        "      name = 'x'\n"
        "\n"
        "    # end\n"
        "    '''\n"
        "/z\n"
    )
    assert node_in(text_of(data)).data == data


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("a\nb\nc", ["'''", "  a", "  b", "  c'''"]),
        ("a\nb\n", ["'''", "  a", "  b", "  '''"]),
        ("\n\n", ["'''", "", "", "  '''"]),
        ("a\\b\n\\\n", ["r'''", "  a\\b", "  \\", "  '''"]),
        ("a\\b\n\nc\\", ["'''", "  a\\\\b", "", "  c\\\\'''"]),
        ("it's\n'''\nx", ['"""', "  it's", "  '''", '  x"""']),
        ("'''\n\"\"\"\nx\n", ['"""', "  '''", '  \\"\\"\\"', "  x", '  """']),
        ("a\nb\nit's'", ["'''", "  a", "  b", "  it\\'s\\''''"]),
        ("a \n\t\nb\t\n", ["'''", "  a\\x20", "  \\t", "  b\\t", "  '''"]),
        ("\ta\n\tb\n", ["'''", "  \ta", "  \tb", "  '''"]),
        ("\ta\n  \n b", ["'''", "  \\ta", "   \\x20", "   b'''"]),
        ("  a\n  b\n c", ["'''", "  \\x20 a", "    b", "   c'''"]),
        ("a\r\nb\r\n", ["'''", "  a\\r", "  b\\r", "  '''"]),
        ("\x1b[8m\n\u202e\n\u2028é\n", ["'''", "  \\x1b[8m", "  \\u202e", "  \\u2028é", "  '''"]),
    ],
)
def test_how_blocks_are_written(value: str, lines: list[str]) -> None:
    block = "\n".join(lines)
    assert block_of(value, "  ") == block
    assert node_in(f"/n\n a = {block}\n b = 1\n").properties == {"a": value, "b": 1}
    with_returns = f"/n\n a = {block}\n b = 1\n".replace("\n", "\r\n")
    assert node_in(with_returns).properties == {"a": value, "b": 1}


@pytest.mark.parametrize("value", ["", "one", "one\n", "one\ntwo", 5, None, ["a\nb\nc\n"]])
def test_fewer_lines_are_literals_as_ever(value: object) -> None:
    assert block_of(value, "") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'''\nx\n'''", "x\n"),
        ("'''\n    x\n  y\n  '''", "  x\ny\n"),
        ("'''\n    x\n'''", "    x\n"),
        ('"""\n  x\n\n\n  y"""', "x\n\n\ny"),
        ("R'''\n  \\x41'''", "\\x41"),
        ("'''\n  \\x41 \\\n  y\n  '''", "A y\n"),
        ("'''   \n  x'''  ", "x"),
        ("'''\n'''", ""),
        ("'''\n\n'''", "\n"),
        ("'''\n/node\n  # no comment\n  b = 2\n'''", "/node\n  # no comment\n  b = 2\n"),
        ("'''x'''", "x"),
        ("'''x''' # a comment", "x"),
        ("'it''' + ''".replace(" + ", ""), "it"),
    ],
)
def test_blocks_by_people_are_read(text: str, value: str) -> None:
    for space in (" ", "", "\t "):
        assert node_in(f"/n\n a ={space}{text}\n b = 1\n").properties == {"a": value, "b": 1}
    assert node_in(f"/n\n a = {text}").properties == {"a": value}


@pytest.mark.parametrize(
    ("text", "lineno", "reason"),
    [
        ("/n\n a = '''\n x\n b = 1\n", 2, "bad expression: a block is not closed: ''' is missing"),
        ("/n\n a = '''\n x\n \\'''\n", 2, "bad expression: a block is not closed"),
        ("/n\n a = '''", 2, "bad expression: a block is not closed"),
        ("/n\n a = '''\n x''' y\n", 2, "bad expression: text behind the ''' that close a block"),
        ("/n\n a = '''\n \\xq\n '''", 2, "bad expression: an unfinished \\x escape"),
        ("/n\n a = '''\n x\n y\n '''\n !\n", 6, "unrecognised line"),
        ("/n\n a = '''\n x\n y\n '''\n b = '''\n z'''\n !\n", 8, "unrecognised line"),
        ("/n\n a = '''\n x\n '''\n a = 1\n", 5, "duplicate property 'a'"),
        ("/n\n a = '''x\n '''\n", 2, "bad expression"),
        ("/n\n = base64 '''\n  !\n '''\n", 2, "bad base64: "),
        ("/n\n = base64 x\n", 2, "bad base64: "),
        ("/n\n a = 1\n = base64 eA==\n", 3, "duplicate property: data as a whole"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, lineno: int, reason: str) -> None:
    with pytest.raises(TreeSyntaxError, match=re.escape(reason)) as caught:
        parse_tree(text)
    assert caught.value.lineno == lineno


def test_a_property_among_others_is_a_block() -> None:
    data = '{"a":1,"text":"x\\ny\\nz\\n","type":"app"}'
    text = "/n : app\n  a = 1\n  text = '''\n    x\n    y\n    z\n    '''\n"
    assert text_of(data) == text + "/z\n"
    assert node_in(text).data == data


def test_blocks_below_one_another_are_indented_with_their_nodes() -> None:
    nodes = [(depth, "n", "x\ny\nz\n") for depth in range(4)]
    text = "".join(render(nodes))
    assert "\n          '''\n" in text
    again = [(depth - 1, node.name, node.data) for depth, node in parse_tree(text).walk() if depth]
    assert again == nodes


values = st.text("ab '\"\\\n\t\r#/=\x1b\udcff", max_size=30) | st.text(max_size=30)


@settings(deadline=None, max_examples=600)
@given(values, st.sampled_from(["", "  ", "      "]))
def test_every_text_comes_back(value: str, lead: str) -> None:
    block = block_of(value, lead)
    assert (block is not None) == (value.count("\n") >= MIN_LINE_FEEDS)
    if block is not None:
        assert is_opening(block.partition("\n")[0])
        assert all(line.replace("\t", "").isprintable() for line in block.split("\n"))
        assert not any(line != line.rstrip() for line in block.split("\n"))
        assert node_in(f"/n\n a = {block}\n b = 1").properties == {"a": value, "b": 1}


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["'''", '"""', "\\", "\n", " ", "x", "r'''\n", "\t"])).map("".join))
def test_any_text_behind_an_equals_sign_is_a_value_or_a_fault(text: str) -> None:
    try:
        node = node_in(f"/n\n  a = {text}\n")
    except TreeSyntaxError as fault:
        lineno = fault.lineno
    else:
        lineno = 1
        assert isinstance(node.properties["a"], str)
    assert 1 <= lineno <= text.count("\n") + 3


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("\udcff\udcfe", "= base64 //4="),
        ("x\udcff", "= base64 eP8="),
        ('{"a": 1, "a":"\udcff"}', "= base64 eyJhIjogMSwgImEiOiL/In0="),
        # Keys that no property has.
        ('{"a\nb":1,"c":"\udcff"}', "= base64 eyJhCmIiOjEsImMiOiL/In0="),
        ('{"a":1,"b\n ->":"/x\udcc3"}', "= base64 eyJhIjoxLCJiCiAtPiI6Ii94wyJ9"),
        ('{"a":1,"c\x01":"\udcff"}', "= base64 eyJhIjoxLCJjASI6Iv8ifQ=="),
    ],
)
def test_data_that_are_no_text_are_marked_as_base64(data: str, line: str) -> None:
    assert text_of(data) == f"/n\n  {line}\n/z\n"
    assert node_in(text_of(data)).data == data


def test_much_base64_is_broken_into_lines() -> None:
    data = "\udcff" * 1000
    text = text_of(data)
    assert text.startswith("/n\n  = base64 '''\n    ////")
    assert max(map(len, text.split("\n"))) == 80
    assert node_in(text).data == data


def test_exports_of_earlier_releases_are_read() -> None:
    text = "/n\n  string_value = '\\udcff\\udcfe'\n"
    assert node_in(text).data == "\udcff\udcfe"
    text = "/n\n  string_value = 'a\\nb\\nc\\n'\n"
    assert node_in(text).data == "a\nb\nc\n"
