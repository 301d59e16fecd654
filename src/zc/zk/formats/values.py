"""Nodes as values in JSON and YAML: an object, a string or null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from zc.zk import codec
from zc.zk.errors import excerpt
from zc.zk.formats.marks import as_member, from_member
from zc.zk.tree import binary
from zc.zk.tree.binary import BASE64
from zc.zk.tree.layout import Layout, layout_of, read_layout
from zc.zk.tree.model import ParseNode, RawData
from zc.zk.tree.syntax import is_node_name

# Before the path of a node, in the name of the member that has its marks and its layout.
MARKS = "= "
LAYOUT = "layout"


def members(root: ParseNode) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each node below `root`, and what else is told of it."""
    paths = [""]
    for depth, node in root.walk():
        if depth:
            del paths[depth:]
            paths.append(f"{paths[-1]}/{node.name}")
            value, layout = _laid_out(node) or _value(node.data)
            yield paths[-1], value
            told: dict[str, Any] = {} if layout is None else {LAYOUT: str(layout)}
            if node.marks is not None:
                told |= as_member(node.marks)
            if told:
                yield f"{MARKS}{paths[-1]}", told


def _laid_out(node: ParseNode) -> tuple[Any, Layout] | None:
    """Return the properties of a node and their layout; None if it has none, or these are odd."""
    if node.layout is None or list(node.properties) == [BASE64]:
        return None
    text = codec.to_json(node.properties)
    if "\\ud" in text or codec.has_number_beyond_json(text):
        return None
    return {key: node.properties[key] for key in sorted(node.properties)}, node.layout


def _value(data: str | None) -> tuple[Any, Layout | None]:
    """Return a node's value, and how an object is laid out, unless as the library does it."""
    if data is None:
        return None, None
    if not binary.is_text(data):
        return {BASE64: binary.encoded(data)}, None
    try:
        properties = codec.decode_strictly(data)
    except ValueError:
        return data, None
    if (
        properties.get(codec.STRING_VALUE) == data
        or list(properties) == [BASE64]
        or codec.has_number_beyond_json(data)
        or not binary.is_text(json.dumps(properties, ensure_ascii=False))
    ):
        return data, None
    if codec.as_read(properties) == data:
        return properties, None
    if layout := layout_of(data, properties):
        return {key: properties[key] for key in sorted(properties)}, layout
    return data, None


class Builder:
    """Makes a tree of paths and values, parents before their children."""

    def __init__(self) -> None:
        self.root = ParseNode()
        self._nodes = {"": self.root}
        self._marked: set[str] = set()

    def add(self, path: Any, value: Any) -> None:
        """Put a node into the tree, or what is told of one. Raises ValueError."""
        if isinstance(path, str) and path.startswith(MARKS):
            self._mark(path.removeprefix(MARKS), value)
            return
        above, slash, name = path.rpartition("/") if isinstance(path, str) else ("", "", "")
        if not slash or not is_node_name(name):
            raise ValueError(f"bad path {excerpt(path)}")
        if path in self._nodes:
            raise ValueError(f"duplicate node {excerpt(path)}")
        if above not in self._nodes:
            raise ValueError(f"no node above {excerpt(path)}: parents come before their children")
        node = ParseNode(name)
        _fill(node, value)
        self._nodes[above].add(node)
        self._nodes[path] = node

    def _mark(self, path: str, value: Any) -> None:
        node = self._nodes.get(path)
        if node is None or not path:
            raise ValueError(f"marks of a node that is not there yet: {excerpt(path)}")
        if path in self._marked:
            raise ValueError(f"duplicate marks of {excerpt(path)}")
        self._marked.add(path)
        if isinstance(value, dict) and LAYOUT in value:
            marks = dict(value)
            _lay_out(node, marks.pop(LAYOUT))
            value = marks
        node.marks = from_member(value)


def _lay_out(node: ParseNode, layout: Any) -> None:
    if node.raw is not None:
        raise ValueError("a layout is of an object, and the node is none")
    if not isinstance(layout, str):
        raise ValueError(f"a layout is a string, not {excerpt(layout)}")
    node.layout = read_layout(layout)


def _fill(node: ParseNode, value: Any) -> None:
    if isinstance(value, dict) and list(value) != [BASE64]:
        if codec.has_number_beyond_json(codec.as_read(value)):
            raise ValueError(codec.BEYOND_JSON)
        node.properties.update(value)
        return
    if isinstance(value, dict):
        value = binary.decoded(value[BASE64])
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"a node is an object, a string or null, not {excerpt(value)}")
    elif value is not None and not binary.is_text(value):
        raise ValueError("a lone surrogate, which UTF-8 cannot hold")
    node.raw = RawData(value)
    node.properties.update(codec.decode(value))
