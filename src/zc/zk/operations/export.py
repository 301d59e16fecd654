"""Trees as text, from the servers. Little is imported here: commands that export start quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.errors import excerpt
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.render import render
from zc.zk.tree.syntax import is_node_name

if TYPE_CHECKING:
    from zookeeper.types import Progress, Subtree

# The servers' own node, which is no part of anybody's tree, where paths begin at their root.
RESERVED = "/zookeeper"

# Called with the path of a node that cannot be read, and the reason.
Skip = Callable[[str, Exception], object]


def is_at_root(connection_string: str) -> bool:
    """Say whether paths begin at the servers' own root, and not at a node of somebody's."""
    return not connection_string.partition("/")[2].strip("/ ")


def _read(session: Session, path: str, progress: Progress | None) -> Subtree:
    try:
        return session.call(session.binding.read_tree, path, progress=progress)
    except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
        from zc.zk.watching.readers import resolve  # seldom is there a link in the path

        real_path = resolve(session, path)
        return session.call(session.binding.read_tree, real_path, progress=progress)


def export_tree(
    session: Session,
    path: str,
    *,
    ephemeral: bool,
    name: str | None,
    progress: Progress | None = None,
    skip: Skip | None = None,
) -> str:
    """Return a subtree as text; see `zc.zk.ZooKeeper.export_tree`.

    With `skip`, nodes that cannot be read are left out, with all below them, and it is called with
    their paths and why. The one at `path` is an error all the same.
    """
    if name is not None and not is_node_name(name):
        raise ValueError(f"bad node name {excerpt(name)}")

    for attempt in attempts(session):
        with attempt:
            tree = _read(session, path, progress)
    if tree[0].error is not None:
        raise tree[0].error
    top_name = name if name is not None else path.rpartition("/")[2]
    reserved = RESERVED if path == "/" and is_at_root(session.connection_string) else None
    return "".join(render(_nodes(tree, top_name, reserved, skip, ephemeral=ephemeral)))


def _nodes(
    tree: Subtree, top_name: str, reserved: str | None, skip: Skip | None, *, ephemeral: bool
) -> Iterator[tuple[int, str, str | None]]:
    """Yield depth, name and data of the nodes to be exported; without a name the top is left out.

    Nothing of the path `reserved` is exported.
    """
    lift = 0 if top_name else 1
    for node in tree:
        if node.depth == 0:
            if top_name:
                yield 0, top_name, node.data
            continue
        if reserved and (node.path == reserved or node.path.startswith(reserved + "/")):
            continue
        if node.error is not None:
            if skip is None:
                raise node.error
            skip(node.path, node.error)
            continue
        if ephemeral or not node.ephemeralOwner:
            yield node.depth - lift, node.name, node.data
