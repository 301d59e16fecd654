"""All output goes through one function: names and values may be hostile.

`zc.zk.errors.printable` escapes characters that cannot be printed. Requested data, such as an
export, are written as they are, by `zc.zk.cli.output.write`: formats escape by themselves.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zc.zk
from zc.zk import formats
from zc.zk.tree.changes import AddNode, DeleteNode, KeepAncestor, KeepEphemeral, KeepExtra, SetData
from zc.zk.tree.diff import KeepOwn

pytestmark = pytest.mark.quick

LIBRARY = Path(zc.zk.__file__).parent
MODULES = sorted(
    path
    for path in LIBRARY.rglob("*.py")
    if path.name != "waiting.py"  # the words are the test author's
)
STREAMS = ("sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__")

# An escape that hides the text after it, a forged line, and a character that reverses the text.
HOSTILE = "x\x1b[8m\nwould delete /\u202e\x9b2J"
ESCAPED = "x\\x1b[8m\\nwould delete /\\u202e\\x9b2J"


def is_printable(argument: ast.expr) -> bool:
    """Whether an expression can have only printable characters and ends of lines."""
    if isinstance(argument, ast.JoinedStr):
        return all(map(is_printable, argument.values))
    if isinstance(argument, ast.FormattedValue):
        return is_printable(argument.value)
    if isinstance(argument, ast.Name):
        return argument.id == "end"
    if isinstance(argument, ast.Subscript):
        return is_printable(argument.value)
    if isinstance(argument, ast.Attribute):
        return argument.attr == "strerror"  # the system's words
    if isinstance(argument, ast.Call):
        if isinstance(argument.func, ast.Attribute) and argument.func.attr == "encode":
            return is_printable(argument.func.value)
        return ast.unparse(argument.func) in ("printable", "ascii")
    return isinstance(argument, ast.Constant)


def unsafe(source: str) -> list[str]:
    """Return the calls in a module that print without escaping."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        function = ast.unparse(call.func)
        writes = function in {
            f"{stream}.{name}" for stream in STREAMS for name in ("write", "writelines")
        }
        written = call.args
        if function == "os.write":
            # The first argument says where to: also pipes, which are no streams for people.
            writes, written = ast.unparse(call.args[0]) in ("1", "2"), call.args[1:]
        if (writes or function == "print") and not all(map(is_printable, written)):
            found.append(f"line {call.lineno}: {ast.unparse(call)}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_nothing_is_printed_that_is_not_printable(path: Path) -> None:
    assert unsafe(path.read_text()) == []


def test_this_test_finds_what_it_looks_for() -> None:
    for line in (
        "print(x)", "sys.stdout.write(f'{x}\\n')", "sys.stderr.write(x)", "print(str(x))",
        "os.write(2, x)", "os.write(1, f'{x}'.encode())", "print(x[1])", "print(x.y)",
    ):  # fmt: skip
        assert unsafe(line), line
    for line in (
        "print(printable(x))", "sys.stderr.write(f'{printable(x)}\\n')", "print('x')",
        "os.write(2, f'{ascii(x)[1:-1]}'.encode())", "os.write(pipe, x)",
    ):  # fmt: skip
        assert not unsafe(line), line


CHANGES = [
    AddNode(f"/{HOSTILE}", ""),
    AddNode("/n", f'{{"{HOSTILE.encode("unicode_escape").decode()}": 1}}'.replace("\\x", "\\u00")),
    SetData(
        "/n",
        "",
        f'{{"{HOSTILE.encode("unicode_escape").decode()} ->": "/a"}}'.replace("\\x", "\\u00"),
        0,
    ),
    SetData(f"/{HOSTILE}", "[]", "[1]", 0),
    DeleteNode(f"/{HOSTILE}", 0),
    KeepExtra(f"/{HOSTILE}"),
    KeepOwn(f"/{HOSTILE}"),
    KeepEphemeral(f"/{HOSTILE}"),
    KeepAncestor(f"/{HOSTILE}"),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_the_lines_of_changes_are_printable(change) -> None:
    lines = [*change.lines(), change.notice]
    if isinstance(change, AddNode):
        lines += change.details()
    assert any(ESCAPED in line for line in lines)
    assert all(line.isprintable() for line in lines)
    assert str(change).split("\n") == change.lines()


@pytest.mark.parametrize("format", [formats.TEXT, formats.JSON, formats.YAML])
def test_formats_escape_what_cannot_be_printed(format) -> None:
    root = formats.parse("{}", formats.JSON)
    name = HOSTILE.replace("/", "")
    node = type(root)(name, {f"{HOSTILE} ->": HOSTILE, "value": [HOSTILE], "type": HOSTILE})
    root.add(node)
    plain = type(root)("plain", {"string_value": HOSTILE})
    root.add(plain)
    text = "".join(formats.render(root, format))
    assert all(line.isprintable() for line in text.split("\n"))
    assert formats.parse(text, format).children[name].data == node.data
