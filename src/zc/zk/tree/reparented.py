"""Nodes that come below another one since the line of their parent was taken out (pure).

In tree text the children of a node are the deeper lines below its own. Without that line they
belong to the one before it, whose node was there and stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from zc.zk.tree.model import ParseNode


def reparented(old: ParseNode, new: ParseNode) -> Iterator[tuple[str, str]]:
    """Yield the old and new path of nodes whose parent is gone, and that another one has instead.

    They have the name and the data that they had. Nodes below them, and those of a node that has
    only another name, are none of them.
    """
    before, after = _by_path(old), _by_path(new)
    orphans: dict[tuple[str, str | None], list[str]] = {}
    for path, node in before.items():
        if path not in after and node.parent is not None and node.parent.path not in after:
            orphans.setdefault((node.name, node.data), []).append(path)
    if not orphans:
        return
    for path, node in after.items():
        if path in before or node.parent is None or node.parent.path not in before:
            continue
        if origins := orphans.get((node.name, node.data)):
            yield origins.pop(0), path


def _by_path(tree: ParseNode) -> dict[str, ParseNode]:
    return {node.path: node for _, node in tree.walk()}
