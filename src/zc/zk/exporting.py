"""Trees as text, from the servers. Little is imported here: commands that export start quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.errors import excerpt
from zc.zk.riding import ride
from zc.zk.session import Session
from zc.zk.tree.render import render
from zc.zk.tree.syntax import is_node_name

if TYPE_CHECKING:
    from zc.zk.writing import Progress

# The servers' own node, which is no part of anybody's tree.
RESERVED = "/zookeeper"


def export_tree(
    session: Session,
    path: str,
    *,
    ephemeral: bool,
    name: str | None,
    progress: Progress | None = None,
) -> str:
    """A subtree as text; see `zc.zk.ZooKeeper.export_tree`."""

    if name is not None and not is_node_name(name):
        raise ValueError(f"bad node name {excerpt(name)}")

    def read(handle: int) -> Any:
        try:
            return zookeeper.read_tree(handle, path, progress=progress)
        except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
            from zc.zk.reading import PlainReader  # seldom is there a link in the path

            real_path = PlainReader(session).resolve(path)
            return zookeeper.read_tree(handle, real_path, progress=progress)

    tree = ride(session, read)
    top_name = name if name is not None else path.rpartition("/")[2]
    lift = 0 if top_name else 1

    def nodes() -> Iterator[tuple[int, str, str | None]]:
        for node in tree:
            if node.depth == 0:
                if top_name:
                    yield 0, top_name, node.data
                continue
            if path == "/" and (node.path == RESERVED or node.path.startswith(RESERVED + "/")):
                continue
            if node.error is not None:
                raise node.error
            if ephemeral or not node.ephemeralOwner:
                yield node.depth - lift, node.name, node.data

    if tree[0].error is not None:
        raise tree[0].error
    return "".join(render(nodes()))
