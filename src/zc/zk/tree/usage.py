"""How many nodes there are below each of a few, and how many bytes of data they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import TYPE_CHECKING, Protocol

from zc.zk import owners

if TYPE_CHECKING:
    from zookeeper.types import Stat


class Sized(Protocol):
    """A node of a tree, which come depth first."""

    @property
    def path(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def stat(self) -> Stat: ...


class Usage:
    """A node, and all below it: the number of nodes, of those of sessions, and of bytes."""

    __slots__ = ("bytes", "depth", "ephemerals", "nodes", "path")

    def __init__(self, path: str, depth: int) -> None:
        self.path = path
        self.depth = depth
        self.nodes = 0
        self.ephemerals = 0
        self.bytes = 0

    def add(self, other: Usage) -> None:
        """Count what is below a child."""
        self.nodes += other.nodes
        self.ephemerals += other.ephemerals
        self.bytes += other.bytes


def usages(nodes: Iterable[Sized], depth: int) -> Iterator[Usage]:
    """Yield the nodes down to `depth`, each when all below it has been seen."""
    open_usages: list[Usage] = []
    for node in nodes:
        while open_usages and open_usages[-1].depth >= node.depth:
            yield _closed(open_usages)
        if node.depth <= depth:
            open_usages.append(Usage(node.path, node.depth))
        usage = open_usages[-1]
        usage.nodes += 1
        usage.ephemerals += owners.is_session(node.stat["ephemeralOwner"])
        usage.bytes += node.stat["dataLength"]
    while open_usages:
        yield _closed(open_usages)


def largest(found: Iterable[Usage], count: int, *, by_nodes: bool = False) -> list[Usage]:
    """Return the largest ones, the largest first."""

    def size(usage: Usage) -> tuple[int, int]:
        sizes = usage.bytes, usage.nodes
        return sizes[::-1] if by_nodes else sizes

    return nlargest(count, found, key=size)


def _closed(open_usages: list[Usage]) -> Usage:
    usage = open_usages.pop()
    if open_usages:
        open_usages[-1].add(usage)
    return usage
