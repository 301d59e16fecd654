"""Nodes into tree text. `zc.zk.tree.syntax` describes the lines.

The text reads back as the same names and the same data, byte for byte. Properties are
written where they, and perhaps their layout, say all about the data; else the data themselves are,
on a line of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from zc.zk import _speedups, codec
from zc.zk.codec import Properties
from zc.zk.links import LINK, PROPERTY_LINK, is_path
from zc.zk.tree import binary
from zc.zk.tree.blocks import MIN_LINE_FEEDS, block_of
from zc.zk.tree.literals import write_literal
from zc.zk.tree.marks import Marks
from zc.zk.tree.syntax import (
    is_plain_node_name,
    is_plain_property_link,
    is_plain_property_name,
    is_plain_type,
    is_plain_word,
)

if TYPE_CHECKING:
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
        head = f"{indent}/{name if is_plain_node_name(name) else write_literal(name)}"
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
        lead = f"{indent}{INDENT * 2}"
        properties, whole = _contents(data, lead)
        if "type" in properties and is_plain_type(properties["type"]):
            head += f" : {properties.pop('type')}"
        lines = _property_lines(properties, lead)
        if whole is not None:
            lines.append(f"= {whole}")
        yield f"\n{indent}{INDENT}".join([head, *lines]) + end


def literal_of(text: str) -> str | None:
    """Return a JSON value's literal; None unless the library writes it so."""
    # Nested as deeply as allowed, it would be too deep inside the node's own object.
    if text.count("[") + text.count("{") >= codec.MAX_NESTING:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if codec.to_json(value) != text or codec.has_number_beyond_json(text):
        return None
    if isinstance(value, str) and value.count("\n") >= MIN_LINE_FEEDS:
        return None
    return write_literal(value)


def _contents(data: str | None, lead: str) -> tuple[Properties, str | None]:
    """Return properties to write, sorted, and the text of a line about all data."""
    if data is None:
        return {}, write_literal(None)
    try:
        properties = codec.decode_strictly(data)
    except ValueError:
        properties = {codec.STRING_VALUE: data}
    is_whole = properties.get(codec.STRING_VALUE) == data
    if not codec.has_number_beyond_json(data):
        if codec.as_read(properties) == data and (not is_whole or binary.is_text(data)):
            return properties, None
        # Imported here: a tree that the library wrote has no layouts.
        from zc.zk.tree.layout import layout_of

        if layout := layout_of(data, properties):
            return {key: properties[key] for key in sorted(properties)}, str(layout)
    return {}, _value(data, lead) if binary.is_text(data) else binary.line_of(data, lead)


def _value(value: object, lead: str) -> str:
    """Return a value's literal, or its block, lines begun by `lead`."""
    if isinstance(value, str) and "\n" in value and (block := block_of(value, lead)):
        return block
    return write_literal(value)


def _property_lines(properties: Properties, lead: str) -> list[str]:
    values: list[str] = []
    links: list[str] = []
    property_links: list[str] = []
    for key, value in properties.items():
        if key.isidentifier() and key.isascii():  # as nearly all are
            values.append(f"{key} = {_value(value, lead)}")
        elif key.endswith(LINK) and is_path(value):
            target = value if is_plain_word(value) else write_literal(value)
            links.append(f"{_name(key.removesuffix(LINK))} -> {target}")
        elif key.endswith(PROPERTY_LINK) and is_plain_property_link(value):
            property_links.append(f"{_name(key.removesuffix(PROPERTY_LINK))} => {value}")
        else:
            values.append(f"{_name(key)} = {_value(value, lead)}")
    return values + links + property_links


def _name(name: str) -> str:
    return name if is_plain_property_name(name) else write_literal(name)


def render_tree(root: ParseNode) -> Iterator[str]:
    """Yield the text of each node below `root`, a parsed tree; see `render`.

    Raises ValueError for properties that JSON cannot hold.
    """
    nodes = root.walk()
    next(nodes)
    return render((depth - 1, node.name, node.data, node.marks) for depth, node in nodes)
