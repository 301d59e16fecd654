"""Nodes into tree text. `zc.zk.tree.syntax` describes the lines.

The text reads back as the same names and the same data, byte for byte. Properties are
written where they, and perhaps their layout, say all about the data; else the data themselves are,
on a line of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from zc.zk import _speedups
from zc.zk.imports import importing
from zc.zk.tree.syntax import is_plain_node_name, is_plain_type

if TYPE_CHECKING:
    from zc.zk.tree.marks import Marks
    from zc.zk.tree.model import ParseNode

INDENT = "  "


def render(
    nodes: Iterable[tuple[int, str, str | None] | tuple[int, str, str | None, Marks | None]],
) -> Iterator[str]:
    """Yield the text of each node and its properties, with a final line feed.

    `nodes` are (depth, name, data), and marks if there are any, depth first, each node's children
    sorted by name; depth counts from 0, and `data` is what the node holds, None for null. Takes one
    node at a time.
    """
    for row in nodes:
        if len(row) == 3:
            depth, name, data = row
            marks = None
        else:
            depth, name, data, marks = row
        indent = INDENT * depth
        head = f"{indent}/{name if is_plain_node_name(name) else _literal(name)}"
        end = "\n"
        if marks is not None:
            end = "".join(f"\n{indent}{INDENT}{line}" for line in marks.lines()) + end
        if data == "":
            yield head + end
            continue
        if data is not None:
            plain = _speedups.render_data(data, f"\n{indent}{INDENT}", literal_of)
            if plain is not None:
                yield f"{head}{plain}{end}"
                continue
        with importing:
            from zc.zk.tree.oddtext import contents, property_lines
        lead = f"{indent}{INDENT * 2}"
        properties, whole = contents(data, lead)
        if "type" in properties and is_plain_type(properties["type"]):
            head += f" : {properties.pop('type')}"
        lines = property_lines(properties, lead)
        if whole is not None:
            lines.append(f"= {whole}")
        yield f"\n{indent}{INDENT}".join([head, *lines]) + end


def literal_of(text: str) -> str | None:
    """Return a JSON value's literal; None unless the library writes it so."""
    with importing:
        from zc.zk.tree import oddtext
    return oddtext.literal_of(text)


def _literal(name: str) -> str:
    with importing:
        from zc.zk.tree.literals import write_literal
    return write_literal(name)


def render_tree(root: ParseNode) -> Iterator[str]:
    """Yield the text of each node below `root`, a parsed tree; see `render`.

    Raises ValueError for properties that JSON cannot hold.
    """
    nodes = root.walk()
    next(nodes)
    return render((depth - 1, node.name, node.data, node.marks) for depth, node in nodes)
