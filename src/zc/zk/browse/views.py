"""Views: all that the page shows of a node, and which other nodes that depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zc.zk import codec
from zc.zk.browse.watchedtree import WatchedTree
from zc.zk.errors import BadPropertyLink, LinkLoop
from zc.zk.links import LINK, PROPERTY_LINK, join
from zc.zk.resolver import Resolver
from zc.zk.tree.literals import write_literal
from zc.zk.watching.treenode import TreeNode
from zookeeper.errors import ZooKeeperException
from zookeeper.messages import zerror

# Of longer values the page shows the beginning. Characters.
MAX_VALUE = 2000


class Asking(Resolver):
    """A tree that notes what it is asked for when links are followed."""

    def __init__(self, tree: WatchedTree) -> None:
        self.tree = tree
        self.asked: set[str] = set()

    def exists(self, path: str) -> bool:
        self.asked.add(path)
        return self.tree.exists(path)

    def get_properties(self, path: str) -> Mapping[str, Any]:
        self.asked.add(path)
        return self.tree.get_properties(path)


def view(asking: Asking, node: TreeNode) -> dict[str, Any]:
    """Return the text that the page shows of a node."""
    stat: Mapping[str, Any] = node.stat or {}
    owner = stat.get("ephemeralOwner", 0) & 2**64 - 1
    kind = node.properties.get("type")
    return {
        "type": _cut(kind) if isinstance(kind, str) else None,
        "properties": list(_properties(asking, node)),
        "fault": None if node.error is None else zerror(node.error.code),
        "children": len(asking.tree.names(node)),
        "hidden": asking.tree.hidden(node),
        "owner": f"0x{owner:x}" if owner else None,
        "created": stat.get("ctime"),
        "modified": stat.get("mtime"),
        "version": stat.get("version"),
        "size": stat.get("dataLength"),
    }


def _properties(asking: Asking, node: TreeNode) -> Iterator[dict[str, Any]]:
    if node.data is None and node.stat is not None:
        yield {"name": "data", "value": "None", "is_data": True}
    for key, value in sorted(node.properties.items()):
        if key == codec.STRING_VALUE and value == node.data:
            yield {"name": "data", "value": _shown(value), "is_data": True}
        elif key.endswith(LINK) and isinstance(value, str):
            name = key.removesuffix(LINK)
            yield {"name": name, "value": _cut(value), **_symbolic(asking, node, name)}
        elif key.endswith(PROPERTY_LINK) and isinstance(value, str):
            name = key.removesuffix(PROPERTY_LINK)
            yield {"name": name, "value": _cut(value), **_property_link(asking, node, name, value)}
        else:
            yield {"name": key, "value": _shown(value)}


def _symbolic(asking: Asking, node: TreeNode, name: str) -> dict[str, Any]:
    try:
        return {"link": "->", "target": asking.resolve(join(node.path, name))}
    except (LinkLoop, ZooKeeperException) as fault:
        return {"link": "->", "fault": str(fault)}


def _property_link(asking: Asking, node: TreeNode, name: str, value: str) -> dict[str, Any]:
    try:
        found = asking.follow_property_link(node.path, name, value)
    except BadPropertyLink as fault:
        return {"link": "=>", "fault": fault.reason}
    return {"link": "=>", "target": found.path, "means": _shown(found.value)}


def _shown(value: object) -> str:
    return _cut(write_literal(value))


def _cut(text: str) -> str:
    if len(text) <= MAX_VALUE:
        return text
    return f"{text[:MAX_VALUE]}... ({len(text):,} characters)"
