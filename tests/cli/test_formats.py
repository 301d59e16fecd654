"""Trees as JSON and YAML are the trees that they were as text."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from tests.reference import REFERENCE
from zc.zk import formats
from zc.zk.errors import TreeSyntaxError
from zc.zk.formats import jsontext
from zc.zk.tree import ParseNode, parse_tree
from zc.zk.tree.model import RawData

OTHERS = [formats.JSON, formats.YAML]


def tree_of(tree: strategies.Tree) -> ParseNode:
    root = ParseNode()
    to_do = [(root, tree)]
    while to_do:
        parent, below = to_do.pop()
        for name, (data, children) in below.items():
            node = ParseNode(name)
            node.raw = RawData(data)
            parent.add(node)
            to_do.append((node, children))
    return root


def nodes_of(root: ParseNode) -> list[tuple[str, str | None]]:
    return [(node.path, node.data) for depth, node in root.walk() if depth]


def there_and_back(root: ParseNode, format: str) -> ParseNode:
    return formats.parse("".join(formats.render(root, format)), format)


@pytest.mark.parametrize("format", OTHERS)
@given(tree=strategies.trees)
@settings(max_examples=400, deadline=None)
def test_every_byte_comes_back(format, tree):
    root = tree_of(tree)
    assert nodes_of(there_and_back(root, format)) == nodes_of(root)


@pytest.mark.parametrize("format", OTHERS)
def test_names_of_many_lines_come_back(format):
    root = tree_of({"a": (None, {}), "\n\n": (None, {}), "b\nc\nd\n": (None, {})})
    root.add(ParseNode("properties", {"k\nl\nm\n": "v\nw\nx\ny\n", "\n\n": 1}))
    assert nodes_of(there_and_back(root, format)) == nodes_of(root)


@pytest.mark.parametrize("format", OTHERS)
def test_the_reference_s_tree(format):
    root = parse_tree(REFERENCE)
    again = there_and_back(root, format)
    assert nodes_of(again) == nodes_of(root)
    assert "".join(formats.render(again, formats.TEXT)) == "".join(
        formats.render(root, formats.TEXT)
    )


@pytest.mark.parametrize("format", OTHERS)
def test_a_tree_is_as_deep_as_it_likes(format):
    root = node = ParseNode()
    for level in range(2000):
        child = ParseNode(str(level))
        node.add(child)
        node = child
    assert nodes_of(there_and_back(root, format)) == nodes_of(root)


@pytest.mark.parametrize("format", OTHERS)
def test_an_empty_tree(format):
    assert nodes_of(there_and_back(ParseNode(), format)) == []


JSON_OF = {
    "": "{}",
    '{"a":1,"b ->":"/x","c =>":"/y z"}': '{"a": 1, "b ->": "/x", "c =>": "/y z"}',
    "plain text": '"plain text"',
    "größe": '"größe"',
    None: "null",
    "\udcff\udcfe": '{"base64": "//4="}',
    '{"base64":"x"}': '"{\\"base64\\":\\"x\\"}"',
    '{"a":  1}': '{"a": 1},\n  "= /n": {"layout": "like \'{\\"a\\":  _}\'"}',
    '{"b": 1, "a": 2}': '{"a": 2, "b": 1},\n  "= /n": {"layout": "spaced order b, a"}',
    "{}": '{},\n  "= /n": {"layout": "json"}',
    '{"a":NaN}': '"{\\"a\\":NaN}"',
    '{"a":"\\ud800"}': '"{\\"a\\":\\"\\\\ud800\\"}"',
    "[1]": '"[1]"',
}


@pytest.mark.parametrize("data", JSON_OF)
def test_how_a_node_looks_in_json(data):
    root = tree_of({"n": (data, {})})
    text = "".join(formats.render(root, formats.JSON))
    assert text == f'{{\n  "/n": {JSON_OF[data]}\n}}\n'
    json.loads(text, parse_constant=pytest.fail)


def test_json_is_what_other_programs_make_of_it_too():
    text = json.dumps({"/a": {"x": [1, {"y": None}]}, "/a/b": "text", "/a/c": None}, indent=4)
    assert nodes_of(formats.parse(text, formats.JSON)) == [
        ("/a", '{"x":[1,{"y":null}]}'),
        ("/a/b", "text"),
        ("/a/c", None),
    ]


def test_yaml_is_what_people_write_too():
    text = """\
# a comment
/a:
  type: web        # another one
  names: [x, 'y', "z"]
  text: |
    two
    lines
/a/b:
  {}
/a/c: ''
/a/d: "plain"
/a/e: ~
"""
    root = formats.parse(text, formats.YAML)
    assert root.children["a"].properties == {
        "type": "web",
        "names": ["x", "y", "z"],
        "text": "two\nlines\n",
    }
    assert nodes_of(root)[1:] == [("/a/b", ""), ("/a/c", ""), ("/a/d", "plain"), ("/a/e", None)]


BAD = {
    formats.JSON: [
        ("", 1, "expected '{'"),
        ("[]", 1, "expected '{'"),
        ('{"/a": {}', 1, "expected ',' or '}'"),
        ('{"/a": {},}', 1, "expected a path in double quotes"),
        ('{\n"/a" {}}', 2, "expected ':'"),
        ('{"/a": {}} x', 1, "more text behind the tree"),
        ('{"/a": 1}', 1, "a node is an object, a string or null, not 1"),
        ('{"/a": [1]}', 1, "a node is an object, a string or null, not [1]"),
        ('{"a": {}}', 1, "bad path 'a'"),
        ('{"/": {}}', 1, "bad path '/'"),
        ('{"": {}}', 1, "bad path ''"),
        ('{"/a/": {}}', 1, "bad path '/a/'"),
        ('{"/..": {}}', 1, "bad path '/..'"),
        ('{"/a": {},\n"/a": {}}', 2, "duplicate node '/a'"),
        ('{"/a": {},\n\n"/b/c": {}}', 3, "no node above '/b/c'"),
        ('{"/a": {"x": 1, "x": 2}}', 1, "duplicate property 'x'"),
        ('{"/a": {"x": NaN}}', 1, "NaN and infinity are no numbers in JSON"),
        ('{"/a": {"x": -Infinity}}', 1, "NaN and infinity are no numbers in JSON"),
        ('{"/a": {"base64": "!"}}', 1, "bad base64: "),
        ('{"/a": {"base64": 5}}', 1, "bad base64: no string"),
        ('{"/a": "\\ud800"}', 1, "a lone surrogate, which UTF-8 cannot hold"),
        ('{"/a": ' + "[" * 100_000, 1, "nested too deeply"),
        ('{"/a": ' + '{"a":' * 300 + "1" + "}" * 300 + "}", 1, "nested deeper than 200 levels"),
        ('{"/a": {"x": ' + "9" * 5000 + "}}", 1, "Exceeds the limit (4300"),
    ],
    formats.YAML: [
        ("[]", 1, "a tree is a mapping of paths to nodes"),
        ("text", 1, "a tree is a mapping of paths to nodes"),
        ("/a: {}\n/a: {}", 2, "duplicate node '/a'"),
        ("/a: {x: 1, x: 2}", 1, "duplicate property 'x'"),
        ("/a: {}\n---\n/b: {}", 2, "more text behind the tree"),
        ("/a: 2026-01-01", 1, "a timestamp, which JSON does not have: quote it"),
        ("/a: {x: 2026-01-01}", 1, "a timestamp, which JSON does not have: quote it"),
        ("/a: {x: =}", 1, "a value, which JSON does not have: quote it"),
        ("/a: {1: x}", 1, "a name that is no string: quote it"),
        ("1: x", 1, "a name that is no string: quote it"),
        ("/a: {yes: x}", 1, "a name that is no string: quote it"),
        ("/a: {[x]: y}", 1, "a name that is no string: quote it"),
        ("/a: {x: .inf}", 1, "NaN and infinity are no numbers in JSON"),
        ("/a: &x {y: 1}\n/b: *x", 2, "an alias (*name)"),
        ("/a: {<<: {b: 1}}", 1, "a merge, which JSON does not have: quote it"),
        ("/a: {x: !!python/object:os.system y}", 1, "a tag (tag:yaml.org,2002:python/object:"),
        ("/a: {x: !!binary AA==}", 1, "a tag (tag:yaml.org,2002:binary), which JSON does not"),
        ("/a: {x: !!set {y}}", 1, "a tag (tag:yaml.org,2002:set), which JSON does not have"),
        ("/a: {x: !!timestamp y}", 1, "a tag (tag:yaml.org,2002:timestamp)"),
        ("/a: {x: 0x_}", 1, ""),
        ("/a:\n\tx: 1", 2, "found character"),
        ("/a: {x: [}", 1, ""),
        ("/a: \x00", 1, "no YAML: "),
        ("/a: {}\n/b: {x: \ud800}", 2, "no YAML: "),
        ("/a: " + "[" * 100_000, 1, "nested too deeply"),
        ("/a: " + "{a: " * 100_000, 1, "nested too deeply"),
        ("/a: " + "[" * 202, 1, "nested too deeply"),
        ("/a: " + "[" * 1_010 + "]" * 1_010, 1, "nested too deeply"),
        ("/a: {x: 1,\n b: '[[', c: " + "[" * 2_000, 2, "nested too deeply"),
        ("/a:\n " + "- " * 100_000 + "x", 2, "nested too deeply"),
        ("/a:\n " + "? " * 100_000 + "x", 2, "a name that is no string"),
        ("/a:\n  x: 1\n y: 2\n", 3, ""),
        ("/a: {}\r{", 1, ""),
        ("\r\x85\u2028A: 1", 1, "bad path 'A'"),
        ("\ufeff/a: {}\nA: 1", 2, "bad path 'A'"),
        ("/a: {x: " + "9" * 5000 + "}", 1, "Exceeds the limit (4300"),
        ("/a: {x: " + "1:" * 200 + "1.5}", 1, "the number is too large"),
        ("/a: {x: " + "1:" * 100_000 + "1}", 1, "the number is too large"),
        ("/a: {x: " + "1:" * 100_000 + "1.5}", 1, "the number is too large"),
    ],
}


@pytest.mark.parametrize(
    ("format", "text", "lineno", "reason"),
    [(format, *case) for format, cases in BAD.items() for case in cases],
    ids=lambda value: repr(value)[:30],
)
def test_a_fault_in_a_file_is_named_with_its_line(format, text, lineno, reason):
    with pytest.raises(TreeSyntaxError) as raised:
        formats.parse(text, format)
    assert raised.value.lineno == lineno
    assert raised.value.reason.startswith(reason)
    assert raised.value.line == text.split("\n")[lineno - 1]


class Counted(str):
    """Text that counts the characters that are looked through for line feeds."""

    looked_through = 0

    def count(self, part: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        end = len(self) if end is None else end
        self.looked_through += end - start
        return super().count(part, start, end)


class Key(str):
    """A property's name that counts comparisons with others."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Key.comparisons += 1
        return super().__eq__(other)


def test_the_lines_of_a_large_tree_are_counted_once():
    text = Counted("{\n" + ",\n".join(f'"/n{number}": {{}}' for number in range(5000)) + "\n}")
    assert [lineno for lineno, _, _ in jsontext.read(text)] == list(range(2, 5002))
    assert text.looked_through <= len(text)


def test_a_duplicate_key_is_found_without_comparing_all_with_all():
    pairs = [(Key(f"key{number}"), 0) for number in range(5000)]
    Key.comparisons = 0
    with pytest.raises(ValueError, match="duplicate property 'key4999'"):
        jsontext.distinct_members([*pairs, (Key("key4999"), 0)])
    assert Key.comparisons < 5 * len(pairs)


@pytest.mark.parametrize(
    "text",
    [
        "/a: {x: '" + "[" * 2_000 + "'}}",
        "/a: [" + "[b], " * 180 + "}",
        "/a: [x] # " + "[" * 999 + "\n]",
    ],
)
def test_brackets_that_open_nothing_are_not_called_nesting(text):
    with pytest.raises(TreeSyntaxError) as raised:
        formats.parse(text, formats.YAML)
    assert "nested" not in raised.value.reason


@pytest.mark.parametrize("case", range(len(BAD[formats.YAML])))
def test_without_libyaml_the_same_is_refused(monkeypatch, case):
    """A refusal of ours has the same words with either parser."""
    text, lineno, reason = BAD[formats.YAML][case]
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    with pytest.raises(TreeSyntaxError) as raised:
        formats.parse(text, formats.YAML)
    assert raised.value.lineno == lineno
    assert raised.value.reason.startswith(reason)


mutated = st.builds(
    lambda tree, place, junk: place.join([tree[: len(tree) // 2], junk, tree[len(tree) // 2 :]]),
    strategies.trees.map(lambda tree: "".join(formats.render(tree_of(tree), formats.JSON))),
    st.sampled_from(["", ",", "}", "{", '"', "\n", ":", "/a", "'"]),
    st.text(max_size=3),
)


@pytest.mark.parametrize("format", OTHERS)
@given(text=st.text() | mutated)
@example(text="? [a]\n: b")
@example(text="%YAML 9.9\n---\n/a: {}")
@example(text="--- >\n")
@example(text="\r{")
@example(text="\x85A: 1")
@settings(max_examples=700, deadline=None)
def test_any_text_is_read_or_refused_with_a_line(format, text):
    fault = None
    try:
        root = formats.parse(text, format)
    except TreeSyntaxError as refusal:
        fault = refusal
    if fault is None:
        assert nodes_of(there_and_back(root, format)) == nodes_of(root)
    else:
        assert 1 <= fault.lineno <= text.count("\n") + 2
