"""Nodes as values in JSON and YAML: an object, a string or null."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from zc.zk import codec
from zc.zk.errors import excerpt
from zc.zk.formats.marks import as_member, from_member
from zc.zk.tree.model import ParseNode, RawData
from zc.zk.tree.syntax import is_node_name

BASE64 = "base64"

# Before the path of a node, in the name of the member that has its marks.
MARKS = "= "


def members(root: ParseNode) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each node below `root`, and its marks if it has any."""
    paths = [""]
    for depth, node in root.walk():
        if depth:
            del paths[depth:]
            paths.append(f"{paths[-1]}/{node.name}")
            yield paths[-1], _value(node.data)
            if node.marks is not None:
                yield f"{MARKS}{paths[-1]}", as_member(node.marks)


def _value(data: str | None) -> Any:
    if data is None:
        return None
    if not _is_text(data):
        content = data.encode("utf-8", "surrogateescape")
        return {BASE64: base64.b64encode(content).decode("ascii")}
    try:
        properties = codec.decode_strictly(data)
    except ValueError:
        return data
    says_it_all = (
        codec.as_read(properties) == data
        and properties.get(codec.STRING_VALUE) != data
        and list(properties) != [BASE64]
        and not codec.has_number_beyond_json(data)
        and _is_text(json.dumps(properties, ensure_ascii=False))
    )
    return properties if says_it_all else data


def _is_text(data: str) -> bool:
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return True


class Builder:
    """Makes a tree of paths and values, parents before their children."""

    def __init__(self) -> None:
        self.root = ParseNode()
        self._nodes = {"": self.root}

    def add(self, path: Any, value: Any) -> None:
        """Put a node into the tree. Raises ValueError."""
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
        if node.marks is not None:
            raise ValueError(f"duplicate marks of {excerpt(path)}")
        node.marks = from_member(value)


def _fill(node: ParseNode, value: Any) -> None:
    if isinstance(value, dict) and list(value) != [BASE64]:
        if codec.has_number_beyond_json(codec.as_read(value)):
            raise ValueError(codec.BEYOND_JSON)
        node.properties.update(value)
        return
    if isinstance(value, dict):
        value = _bytes_as_text(value[BASE64])
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"a node is an object, a string or null, not {excerpt(value)}")
    elif value is not None and not _is_text(value):
        raise ValueError("a lone surrogate, which UTF-8 cannot hold")
    node.raw = RawData(value)
    node.properties.update(codec.decode(value))


def _bytes_as_text(encoded: Any) -> str:
    try:
        if not isinstance(encoded, str):
            raise ValueError("no string")
        content = base64.b64decode(encoded, validate=True)
    except ValueError as fault:
        raise ValueError(f"bad base64: {fault}") from None
    return content.decode("utf-8", "surrogateescape")
