"""The nodes of a tree that are exported, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from zc.zk.errors import excerpt
from zc.zk.links import is_direct
from zc.zk.tree.syntax import is_node_name

if TYPE_CHECKING:
    from typing import Protocol

    class Exported(Protocol):
        """A node to be exported."""

        @property
        def path(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def depth(self) -> int: ...
        @property
        def data(self) -> str | None: ...
        @property
        def error(self) -> Exception | None: ...
        @property
        def ephemeralOwner(self) -> int: ...


# The servers' own node, which is no part of anybody's tree, where paths begin at their root.
RESERVED = "/zookeeper"

# Called with the path of a node that cannot be read, and the reason.
Skip = Callable[[str, Exception], object]


def is_at_root(connection_string: str) -> bool:
    """Say whether paths begin at the servers' own root, and not at a node of somebody's."""
    return not connection_string.partition("/")[2].strip("/ ")


def check_name(name: str | None) -> None:
    """Raise ValueError, or TypeError, for what cannot be the name of the top node."""
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(f"a node's name must be str, not {type(name).__name__}")
    if not is_node_name(name):
        raise ValueError(f"bad node name {excerpt(name)}")


def name_of_top(asked: str, path: str) -> str:
    """Return the name of the node at `path`, which was asked for by a path that leads there.

    A link's name is its own; `.` and `..` are none. The root has a blank one.
    """
    return (asked if is_direct(asked) else path).rpartition("/")[2]


def exported(
    nodes: Iterable[Exported],
    top_name: str,
    reserved: str | None,
    skip: Skip | None = None,
    *,
    ephemeral: bool,
) -> Iterator[tuple[int, str, str | None]]:
    """Yield depth, name and data of the nodes to be exported; without a name the top is left out.

    `nodes` come depth first. Nothing of the path `reserved` is exported.
    """
    lift = 0 if top_name else 1
    for node in nodes:
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
