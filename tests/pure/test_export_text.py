"""Exports are written by hundreds of nodes, and come out as written one by one."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from tests.pure.exported import Node
from tests.pure.test_plain import plain_properties
from zc.zk import _speedups
from zc.zk.owners import CONTAINER, of_ttl
from zc.zk.tree.exporting import Marked, exported
from zc.zk.tree.exporttext import NODES_AT_A_TIME, Writer, export_text
from zc.zk.tree.render import literal_of, render
from zookeeper.constants import NOAUTH
from zookeeper.errors import NoAuthException, error

pytestmark = pytest.mark.quick

ROOT = Path(__file__).resolve().parent.parent.parent

names = st.sampled_from(["a", "b", "zookeeper", "10.0.0.1:80", "a:", ".a", "é", "x y"])
plain_data = plain_properties.map(
    lambda properties: json.dumps(properties, separators=(",", ":"), sort_keys=True)
)
owners = st.sampled_from([0, 0, 0, 0, 5, -5, CONTAINER, of_ttl(5)])


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Draw nodes depth first, each at most one level below the one before."""
    steps = draw(st.lists(st.sampled_from([1, 1, 0, -1, -3]), max_size=8))
    depths = accumulate(steps, lambda depth, step: max(1, depth + step), initial=0)
    above: list[str] = []
    nodes = []
    for depth in depths:
        del above[depth:]
        above.append(draw(names | strategies.names) if depth else "")
        data = draw(st.just("") | plain_data | strategies.data)
        nodes.append(Node("/".join(above) or "/", depth, data, draw(owners)))
    return nodes


def one_by_one(
    nodes: list[Node], top_name: str, reserved: str | None, *, ephemeral: bool, kinds: bool
) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_speedups, "render_data", lambda data, lead, decode: None)
        rows = exported(nodes, top_name, reserved, ephemeral=ephemeral, marked=Marked(kinds=kinds))
        return "".join(render(rows))


# A tree, the name of its top, the path that is left out, and whether ephemeral nodes are written.
EXPORTED = (
    trees(),
    st.sampled_from(["", "top", "odd name", "é"]),
    st.sampled_from([None, "/zookeeper"]),
    st.booleans(),
)


@settings(deadline=None, max_examples=300)
@given(*EXPORTED, st.booleans())
def test_exports_are_written_as_one_by_one(
    nodes: list[Node], top_name: str, reserved: str | None, ephemeral: bool, kinds: bool
) -> None:
    assert export_text(
        nodes, top_name, reserved, ephemeral=ephemeral, marked=Marked(kinds=kinds)
    ) == one_by_one(nodes, top_name, reserved, ephemeral=ephemeral, kinds=kinds)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab", min_size=20, max_size=150), st.data())
def test_a_long_value_is_written_as_it_is_wherever_it_is_odd(
    text: str, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(text)))
    odd = draw.draw(st.sampled_from([*map(chr, range(128)), "é", "\u2028"]))
    data = json.dumps({"a": text[:at] + odd + text[at:], "b": 1}, separators=(",", ":"))
    nodes = [Node("/", 0), Node("/a", 1, data)]
    assert export_text(nodes, "", None, ephemeral=False) == one_by_one(
        nodes, "", None, ephemeral=False, kinds=False
    )


@pytest.mark.parametrize("behind", ["", ',"b":""', ',"b":"' + "b" * 15, ',"b":"' + "b" * 40])
@pytest.mark.parametrize("whole", [True, False])
def test_a_value_is_written_alike_wherever_the_data_end(behind: str, whole: bool) -> None:
    numbers = ["0", "1", "-1", "-0", "01", "1.", "1.5", "1e3", "1x"]
    numbers += ["1" * count for count in range(14, 20)] + ["-" + "1" * 17]
    words = ["true", "false", "null", "True", "nul", "fals", "falsey", "nulls", "t", ""]
    strings = ['""', '"', '"a', *(f'"{"a" * count}"' for count in range(14, 34))]
    paths = ["/", "a", "/a", "/a/", "//a", "/a//b", "/a b", "/a:b", "/:", "/é", "/a'", "/a\\"]
    paths += [f"/{'a' * count}/b{end}" for count in range(10, 34) for end in ("", "/", "//c")]
    values = [f'"a":{value}' for value in numbers + words + strings]
    values += [f'"a ->":"{path}"' for path in paths] + ['"a ->":1', '"a ->":"/b']
    end = ('"' if behind and not behind.endswith('""') else "") + "}"
    nodes = [Node("/", 0)] + [
        Node(f"/n{number}", 1, f"{{{value}{behind}{end if whole else ''}")
        for number, value in enumerate(values)
    ]
    assert export_text(nodes, "", None, ephemeral=False) == one_by_one(
        nodes, "", None, ephemeral=False, kinds=False
    )


digits = st.text(alphabet="0001259", min_size=1, max_size=18)


@settings(deadline=None, max_examples=1000)
@given(st.sampled_from(["", "-"]), digits, digits)
def test_a_decimal_is_plain_if_both_languages_write_it_so(
    sign: str, whole: str, fraction: str
) -> None:
    number = f"{sign}{whole}.{fraction}"
    plain = _speedups.render_data(f'{{"a":[{number}]}}', "\n", lambda text: None)
    is_short = len(whole) <= 17 and len(number) < 35
    assert plain == (f"\na = [{number}]" if repr(float(number)) == number and is_short else None)


@pytest.mark.parametrize("size", [1 << 18, 1 << 19, 1 << 20, 34 << 20])
def test_text_that_outgrows_its_room_stays_as_it_is(size: int) -> None:
    values = [f"{number:49} " * 10 for number in range(size // 500)]
    nodes = [Node("/top", 0)] + [
        Node(f"/top/n{number}", 1, f'{{"a":"{value}"}}') for number, value in enumerate(values)
    ]
    lines = [f"  /n{number}\n    a = '{value}'\n" for number, value in enumerate(values)]
    text = export_text(nodes, "top", None, ephemeral=False)
    assert len(text) > size
    assert text.splitlines(keepends=True) == ["/top\n", *"".join(lines).splitlines(keepends=True)]


def test_a_process_with_little_room_has_long_texts_as_well() -> None:
    """Long texts get much address room, if the process may have so much."""
    program = """
import resource
from pathlib import Path
from tests.pure.exported import Node
from zc.zk.tree.exporttext import export_text

nodes = [Node(f"/{number:05}", 1, '{"x":"' + 400 * "x" + '"}') for number in range(4000)]
export_text(nodes[:9], "", None, ephemeral=False)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 20_000_000, -1))
print(len(export_text(nodes, "", None, ephemeral=False)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    expected = 4000 * len(f"/00000\n  x = '{400 * 'x'}'\n")
    assert (ended.stdout, ended.stderr) == (f"{expected}\n", "")


@pytest.mark.parametrize("odd", ["", "é"])
def test_more_nodes_than_are_taken_at_a_time_are_one_text(odd: str) -> None:
    count = 3 * NODES_AT_A_TIME + 1
    nodes = [Node("/", 0)] + [
        Node(f"/n{number}", 1, json.dumps({"a": odd if number % 700 == 0 else "b" * 40}))
        for number in range(count)
    ]
    text = export_text(nodes, "", None, ephemeral=False)
    assert text == one_by_one(nodes, "", None, ephemeral=False, kinds=False)
    assert text.count("/n") == count


def test_chains_deeper_than_any_indentation_before_are_one_text() -> None:
    nodes = [Node("/" + "/".join("a" * depth), depth, '{"b":1}') for depth in range(200)]
    assert export_text(nodes, "top", None, ephemeral=False) == one_by_one(
        nodes, "top", None, ephemeral=False, kinds=False
    )


def test_an_export_ends_at_a_node_that_cannot_be_read() -> None:
    fault = error(NOAUTH, "/b")
    nodes = [Node("/", 0), Node("/a", 1, "{}"), Node("/b", 1, None, 0, fault)]
    with pytest.raises(NoAuthException):
        export_text(nodes, "", None, ephemeral=False)


def test_plain_nodes_are_asked_of_nobody_else() -> None:
    def fail(node: object) -> str:
        raise AssertionError(node)

    data = '{"a":1,"b":"x","c":true,"d":0.5,"e":[1,null],"main ->":"/db","type":"app"}'
    text = _speedups.TreeText("top", None, literal_of, fail)
    assert text.add([Node("/top", 0), Node("/top/a:1", 1, data)]) == 2
    assert text.whole() == (
        "/top\n  /a:1 : app\n    a = 1\n    b = 'x'\n    c = True\n    d = 0.5\n"
        "    e = [1, None]\n    main -> /db\n"
    )
    assert text.whole() == ""


def test_text_that_is_not_ascii_keeps_its_place() -> None:
    text = _speedups.TreeText("top", None, literal_of, lambda node: f"{node.name}\n")
    text.add([Node("/t", 0), Node("/t/é", 1), Node("/t/a", 1), Node("/t/\U0001f600", 1)])
    assert text.whole() == "/top\né\n  /a\n\U0001f600\n"


class Subtree(list[Node]):
    """Nodes depth first; `numbers` are their places in the order in which they came."""

    def __init__(self, nodes: list[Node], numbers: list[int]) -> None:
        super().__init__(nodes)
        self.arrivals = struct.pack(f"@{len(numbers)}q", *numbers)
        self.came = [node for _, node in sorted(zip(numbers, nodes, strict=True), key=_first)]


def _first(pair: tuple[int, Node]) -> int:
    return pair[0]


@settings(deadline=None, max_examples=300)
@given(*EXPORTED, st.data())
def test_nodes_that_came_in_another_order_are_one_text(
    nodes: list[Node], top_name: str, reserved: str | None, ephemeral: bool, draw: st.DataObject
) -> None:
    tree = Subtree(nodes, draw.draw(st.permutations(range(len(nodes)))))
    writer = Writer(top_name, reserved, ephemeral=ephemeral)
    told = draw.draw(st.integers(0, len(nodes)))
    half = draw.draw(st.integers(0, told))
    writer.take(tree.came[:half])
    writer.take(tree.came[half:told])
    assert writer.whole(tree) == one_by_one(
        nodes, top_name, reserved, ephemeral=ephemeral, kinds=False
    )


@settings(deadline=None, max_examples=300)
@given(*EXPORTED, st.data())
def test_nodes_that_came_in_order_and_a_part_of_the_rest_are_one_text(
    nodes: list[Node], top_name: str, reserved: str | None, ephemeral: bool, draw: st.DataObject
) -> None:
    """The last ones came in any order, or not before the end."""
    ordered, told = sorted(draw.draw(st.integers(0, len(nodes))) for _ in range(2))
    rest = draw.draw(st.permutations(range(ordered, len(nodes))))
    tree = Subtree(nodes, [*range(ordered), *rest])
    one, other = (Writer(top_name, reserved, ephemeral=ephemeral) for _ in range(2))
    for writer in (one, other):
        writer.take(tree.came[:told])
    expected = one_by_one(nodes, top_name, reserved, ephemeral=ephemeral, kinds=False)
    assert one.whole(tree) == expected
    assert "".join(text for _, text in other.parts(tree)) == expected


def test_text_of_nodes_that_came_in_order_is_taken_over() -> None:
    nodes = [Node("/", 0), *(Node(f"/n{n}", 1, '{"a":1}') for n in range(5))]
    text, first = (_speedups.TreeText("top", None, literal_of, str) for _ in range(2))
    ahead = _speedups.TextAhead(first)
    assert text.take_over(b"", ahead) == 0
    assert ahead.take(nodes[:4])
    assert text.take_over(struct.pack("@4q", 0, 2, 1, 3), ahead) == 0
    assert text.take_over(struct.pack("@3q", 0, 1, 2), ahead) == 0
    assert text.take_over(struct.pack("@6q", *range(6)), ahead) == 4
    assert (len(ahead), first.whole()) == (0, "")
    text.add(nodes[4:])
    assert text.whole() == "/top\n" + "".join(f"  /n{n}\n    a = 1\n" for n in range(5))


def test_nodes_that_vanished_after_they_came_are_left_out() -> None:
    nodes = [Node("/", 0), Node("/a", 1, '{"x":1}'), Node("/b", 1, '{"é":2}'), Node("/c", 1)]
    gone = Node("/a/gone", 2, None, 0, error(NOAUTH, "/a/gone"))
    writer = Writer("", None, ephemeral=False)
    writer.take([nodes[0], gone, nodes[3], nodes[1], gone, nodes[2]])
    tree = Subtree(nodes, [0, 3, 5, 2])
    assert writer.whole(tree) == one_by_one(nodes, "", None, ephemeral=False, kinds=False)


def test_the_first_node_that_cannot_be_read_is_told_of_whatever_came_first() -> None:
    nodes = [
        Node("/", 0),
        *(Node(path, path.count("/"), None, 0, error(NOAUTH, path)) for path in ("/a/b/c", "/z")),
    ]
    writer = Writer("", None, ephemeral=False)
    writer.take([nodes[0], nodes[2], nodes[1]])
    with pytest.raises(NoAuthException) as caught:
        writer.whole(Subtree(nodes, [0, 2, 1]))
    assert caught.value.path == "/a/b/c"


def test_text_that_is_kept_ahead_is_bounded_and_the_rest_follows() -> None:
    value = "x" * 1_000_000
    nodes = [Node("/", 0)] + [Node(f"/n{n}", 1, f'{{"a":"{value}"}}') for n in range(40)]
    text = _speedups.TreeText("", None, literal_of, lambda node: "")
    ahead = _speedups.TextAhead(text)
    assert ahead.take(nodes[:3])
    assert not ahead.take(nodes[3:])
    assert 15 < len(ahead) < 19
    writer = Writer("", None, ephemeral=False)
    tree = Subtree(nodes, [0, *range(40, 0, -1)])
    writer.take(tree.came)
    assert writer.whole(tree) == export_text(nodes, "", None, ephemeral=False)


def test_parts_are_those_of_nodes_in_their_order() -> None:
    count = 2 * NODES_AT_A_TIME
    nodes = [Node("/", 0)] + [
        Node(f"/n{n:05}", 1, '{"a":"é"}' if n % 3 else "") for n in range(count)
    ]
    tree = Subtree(nodes, [0, *range(count, 0, -1)])
    writer = Writer("top", None, ephemeral=False)
    writer.take(tree.came[: count // 2])
    parts = [*writer.parts(tree)]
    assert [size for size, _ in parts] == [NODES_AT_A_TIME, NODES_AT_A_TIME, 1]
    assert "".join(text for _, text in parts) == export_text(nodes, "top", None, ephemeral=False)
