"""New nodes of a text that is not parsed are those of the same text, parsed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from tests.pure.test_grammar import CHARACTERS, LINES, NUMBERS
from tests.pure.test_plain import plain_properties
from tests.pure.test_unparsed import Tops, altered, export_of, tops
from zc.zk._speedups import has_marks, outline_of
from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.codec import encode
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree.changes import AddNode
from zc.zk.tree.diff import NodeState, plan_import, plan_outline
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.planned import Changes
from zc.zk.tree.render import render
from zc.zk.tree.unparsed import Unparsed, checked

pytestmark = pytest.mark.quick


def planned(text: str, path: str = "/") -> Changes:
    return plan_import(parse_tree(text), path, {path: NodeState("", 0, False)})


def outlined(text: str, path: str = "/") -> Changes | None:
    outline = outline_of(text)
    return None if outline is None else plan_outline(outline, path)


def is_as_parsed(text: str, path: str = "/") -> bool:
    """Return whether a text has no outline, or that of the nodes that it is parsed to."""
    outline = outline_of(text)
    if outline is None:
        return True
    try:
        tree = parse_tree(text)
    except TreeSyntaxError:
        return False
    quickly, slowly = plan_outline(outline, path), planned(text, path)
    return (
        not has_marks(tree)
        and outline.names == [*tree.children]
        and [change.attributes() for change in quickly]
        == [change.attributes() for change in slowly]
        and [*quickly.operations(READ_ACL_UNSAFE)] == [*slowly.operations(READ_ACL_UNSAFE)]
        and all(change.is_sure for change in quickly if change not in quickly.explicit())
    )


@settings(deadline=None, max_examples=300)
@given(tops(), st.sampled_from(["/", "/a/b", "/é"]), st.data())
def test_an_altered_export_is_planned_as_parsed(tops: Tops, path: str, draw: st.DataObject) -> None:
    assert is_as_parsed(draw.draw(altered(export_of(tops))), path)


plain_trees: st.SearchStrategy[dict[str, object]] = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(st.sampled_from(["a", "b", "c-1", "1:2"]), below, max_size=4),
    max_leaves=20,
)


@st.composite
def plain_texts(draw: st.DrawFn) -> str:
    """Draw a text of lines that are plain, or nearly so, indented in one way or another."""
    trees = draw(plain_trees)
    line = st.sampled_from(
        [
            "a = 1",
            "b = 'x y'",
            "a.b = -0.50",
            "type = 'x'",
            "c -> /x/y",
            "c.2 -> /x//y",
            "c.3 -> /x/",
            "d = [1, {'a': None}]",
            "e = True",
            "a -> /b",
            "string_value = 'x'",
            "# c",
            "",
            "f = 'é'",
            "= ephemeral",
            "1",
        ]
    )

    def lines_of(name: str, below: object, indent: str) -> list[str]:
        assert isinstance(below, dict)
        deeper = indent + draw(st.sampled_from(["  ", "  ", "    ", "\t"]))
        kind = draw(st.sampled_from(["", "", " : web"]))
        lines = [f"{indent}/{name}{kind}"]
        lines += [deeper + each for each in draw(st.lists(line, max_size=3))]
        for child in draw(st.permutations(sorted(below))) if draw(st.booleans()) else sorted(below):
            lines += lines_of(child, below[child], deeper)
        return lines

    lines = [each for name in trees for each in lines_of(name, trees[name], "")]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n", LONG]))


@settings(deadline=None, max_examples=300)
@given(plain_texts(), st.sampled_from(["/", "/a/b"]))
def test_plain_lines_are_planned_as_parsed(text: str, path: str) -> None:
    assert is_as_parsed(text, path)


@settings(deadline=None, max_examples=300)
@given(plain_properties, plain_properties)
def test_properties_of_all_kinds_are_planned_as_parsed(
    top: dict[str, object], below: dict[str, object]
) -> None:
    nodes: strategies.Nodes = []
    for depth, name, properties in ((0, "a", top), (1, "b", below), (1, "c", top)):
        try:
            nodes.append((depth, name, encode(properties)))
        except ValueError:
            return
    assert is_as_parsed("".join(render(nodes)))


# Text of which a line is not among the last characters, where it is read in another way.
LONG = "\n# " + 90 * "-"

# Lines behind another one of the same node, and such as may go wrong there.
BEHIND = [
    "@b = 1", "b@ = 1", "b@= 1", "b =@1", "b = @1", "b = 1@", "b = @", "b = '@'", "b = 'x'@",
    "b = @'x'", "b = @True", "b = Fal@se", "b = None@", "@", "b = 1234567890123@",
    "b = '0123456789abcde@'", "a@ = 1", "b -> @/c", "b -> /c@", "b = [@]", "b = 0.@5", " b = @",
    "type = @1", "string_value = '@'", "b.@c = 1",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_each_character_is_read_the_same(line: str) -> None:
    for below in ("", "\n  /c", "\n/c\n  d = 1", LONG):
        texts = [line.replace("@", character) + below for character in CHARACTERS]
        assert [text for text in texts if not is_as_parsed(text)] == []


@pytest.mark.parametrize("line", BEHIND)
@pytest.mark.parametrize("indent", [1, 7, 8, 20])
def test_each_character_behind_another_line_is_read_the_same(line: str, indent: int) -> None:
    space = indent * " "
    for node in ("/a", "/a : t"):
        start = f"{node}\n{space}a = 1\n{space}"
        texts = [
            start + line.replace("@", character) + below + LONG
            for character in CHARACTERS
            for below in ("", f"\n{space}c = 2\n{space}/d")
        ]
        assert [text for text in texts if not is_as_parsed(text)] == []


usual_names = st.text("ab_1.Z", max_size=20).map(lambda name: f"p{name}") | st.sampled_from(
    ["string_value", "type", "a", "Ab", "_"]
)
usual_values = st.sampled_from(
    [
        "1",
        "0",
        "-5",
        "123456789012345",
        "1234567890123456",
        "''",
        "'x'",
        f"'{15 * 'x'}'",
        f"'{32 * 'x y'}'",
        "'é'",
        "True",
        "False",
        "None",
        "0.5",
        "[1]",
        "'x",
        "Nonesuch",
        "01",
    ]
)


@settings(deadline=None, max_examples=500)
@given(
    st.lists(st.tuples(usual_names, st.sampled_from([" = ", " = ", " = ", " -> /"]), usual_values)),
    st.integers(1, 25),
    st.sampled_from(["", "sorted", "links last", "two runs"]),
    st.sampled_from(["", LONG]),
)
def test_many_usual_lines_are_planned_as_parsed(
    lines: list[tuple[str, str, str]], indent: int, order: str, end: str
) -> None:
    if order in ("sorted", "links last"):
        lines = sorted({line[0]: line for line in lines}.values())
    if order == "links last":
        lines.sort(key=lambda line: line[1] == " -> /")
    if order == "two runs":
        half = len(lines) // 2
        lines = sorted(lines[:half]) + sorted(lines[half:])
    text = "".join(f"{indent * ' '}{name}{sign}{value}\n" for name, sign, value in lines)
    assert is_as_parsed(f"/a\n{text}{indent * ' '}/b{end}")


@pytest.mark.parametrize(
    "values",
    [
        [f"= '{length * 'x'}'" for length in range(90)],
        [f"= {'1' * length}" for length in range(1, 40)],
        [f"= {'1' * length}.{'5' * (16 - length)}" for length in range(1, 16)],
        [f"-> /{length * 'x'}" for length in range(1, 60)],
        ["= True", "= False", "= None"],
    ],
    ids=["strings", "integers", "decimals", "links", "words"],
)
def test_the_text_may_end_anywhere_behind_usual_lines(values: list[str]) -> None:
    """Blocks of characters are read there; a sanitizer sees those that go beyond the text."""
    for value in values:
        for name in ("b", "b" * 15):
            lines = f"/a\n  a = 1\n  {name} {value}\n"
            for cut in range(len(lines) - len(value) - 1, len(lines) + 1):
                assert is_as_parsed(lines[:cut])
                assert is_as_parsed(f"{lines[:cut]}\n  /c\n")


def test_each_number_is_read_the_same() -> None:
    texts = [
        f"/a\n  b = {number}\n  c = [{number}]\n{end}" for number in NUMBERS for end in ("", LONG)
    ]
    assert [text for text in texts if not is_as_parsed(text)] == []


OUTLINED = [
    "",
    "/a",
    "/a : web\n  b = 'x y'\n  c = 0.50\n  d -> /x/y\n  e = [1, {'f': None}]\n  /b\n/b-2\n",
    "/a\n     b = 1\n     /c\n       d = 2\n       /e\n     /f\n/g\n",
    "# Why\n\n/a\n  x = 1\n  # and\n  /b\n\n/c\n   \n# End",
    "/a\n  x = ''\n  y = True\n",
    "/a\n" + "".join(f"  p{number} = {number}\n" for number in range(63)),
    "/a\n" + "".join(f"  p{number:02} = {number}\n" for number in range(63)) + "# " + 90 * "-",
    f"/a\n  a = 1\n  b = '{70_000 * 'x'}'\n  c = 2\n  /d\n    {300 * 'n'} = 1\n#" + 90 * "-",
    "/a\n  x = '" + 200_000 * "x" + "'\n  /b\n    x = '" + 200_000 * "x" + "'\n    /c\n",
]


@pytest.mark.parametrize("text", OUTLINED, ids=range(len(OUTLINED)))
def test_plain_text_has_an_outline(text: str) -> None:
    assert outline_of(text) is not None
    assert is_as_parsed(text)
    assert is_as_parsed(text, "/a/b")


NOT_OUTLINED = [
    "/b\n/a", "/a\n/a", "/a\n  /c\n  /b", "/a\n  x = 1\n  x = 2", "/a : t\n  type = 'u'",
    "/a\n  /b\n  x = 1", "/a\n  x = 1\n# why\n  y = 1", "/a\n  x = 1\n    /b", "/a\n  /b\n /c",
    "x = 1", "  /a", "/a\n\t/b", "/a\n  x = 'é'", "/a\n  x = 'it\\'s'", "/a\n  = container",
    "/a\n  = 'x'", "/a\n  string_value = 'x'", "/a\n  x => /b", "/'a b'", "/a\r\n", "/a\n  x = 1e5",
    "/a\n  x = '''\n  y\n  '''", "/a\n  x = 1\0", "\ufeff/a", "/a\n  x",
    "/a\n" + "".join(f"  p{number} = {number}\n" for number in range(64)),
    "/a\n" + "".join(f"  p{number:02} = {number}\n" for number in range(64)) + "# " + 90 * "-",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_OUTLINED, ids=range(len(NOT_OUTLINED)))
def test_text_for_the_parser_has_no_outline(text: str) -> None:
    assert outline_of(text) is None


@settings(deadline=None, max_examples=300)
@given(plain_texts() | tops().map(export_of), st.data())
def test_text_that_is_checked_is_parsed_or_without_fault(text: str, draw: st.DataObject) -> None:
    text = draw.draw(altered(text))
    fault = None
    try:
        tree = parse_tree(text)
    except TreeSyntaxError as problem:
        fault = str(problem)
    if fault is not None:
        with pytest.raises(TreeSyntaxError) as caught:
            checked(text)
        assert str(caught.value) == fault
        return
    source = checked(text)
    if isinstance(source, Unparsed):
        assert not source.is_parsed
        assert not has_marks(tree)
        source = source.parse()
    nodes = [(node.path, node.data) for _, node in source.walk()]
    assert nodes == [(node.path, node.data) for _, node in tree.walk()]


def test_plain_text_is_checked_without_parsing() -> None:
    assert isinstance(checked("/a\n  x = 1\n  /b\n"), Unparsed)
    assert not isinstance(checked("/a\n  x = 'é'\n  /b\n"), Unparsed)


def test_data_that_fit_into_any_request_wait() -> None:
    def waiting(size: int) -> list[bool]:
        text = f"/a\n  /b\n    x = '{size * 'x'}'\n"
        plan = outlined(text)
        assert plan is not None
        assert is_as_parsed(text)
        return [isinstance(item, AddNode) for item in plan.items]

    assert waiting(90_000) == [True, False]
    assert waiting(100_001) == [True, True]


@given(plain_texts(), st.data())
def test_operations_of_a_part_of_a_plan_are_those_of_its_changes(
    text: str, draw: st.DataObject
) -> None:
    changes = outlined(text, "/p")
    if not changes:
        return
    some = draw.draw(st.lists(st.sampled_from(changes.items), unique_by=id))
    for part in (changes[1:], changes.of(some)):
        made = [*part.operations(READ_ACL_UNSAFE)]
        assert made == [change.operation(READ_ACL_UNSAFE) for change in part]


def test_a_plan_keeps_what_it_is_made_of() -> None:
    changes = outlined("/a\n  x = 1\n  /b\n    y = 'z'\n")
    assert changes is not None
    assert [change.attributes() for change in [*changes]] == [
        ("/a", '{"x":1}', False),
        ("/a/b", '{"y":"z"}', True),
    ]
    assert hash(changes[1]) == hash(AddNode("/a/b", '{"y":"z"}', is_nested=True))


def test_five_thousand_levels_are_outlined() -> None:
    text = "".join(f"{' ' * level}/n\n" for level in range(5000))
    changes = outlined(text)
    assert changes is not None
    assert changes[4999].path == 5000 * "/n"
    assert [*changes[4998:].operations([])][1][1] == 5000 * "/n"
