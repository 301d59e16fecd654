"""A node of a live tree, as it is shown to the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zc.zk import codec
from zc.zk.errors import printable
from zc.zk.watching.packedstats import unpacked
from zc.zk.watching.treenodes import Entry, signs

if TYPE_CHECKING:
    from zookeeper.errors import ZooKeeperException
    from zookeeper.types import Stat


class TreeNode:
    """One node of a live tree as it was at one moment: it does not change, the tree does.

    `depth` counts from the node at which it was asked for.
    """

    __slots__ = ("_entry", "_properties", "depth", "path")

    def __init__(self, path: str, depth: int, entry: Entry) -> None:
        self.path = path
        self.depth = depth
        self._entry = entry
        self._properties: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The last part of the path; '' for '/'."""
        return self.path.rpartition("/")[2]

    @property
    def data(self) -> str | None:
        """The data as text, None for null data and for nodes that cannot be read."""
        return self._entry[0]

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties that the data stand for, links as they are; decoded when asked for."""
        if self._properties is None:
            try:
                self._properties = codec.decode_strictly(self.data)
            except ValueError:
                self._properties = {codec.STRING_VALUE: self.data}
        return self._properties

    @property
    def error(self) -> ZooKeeperException | None:
        """Why the node cannot be read (NoAuthException, as a rule), or None."""
        stat = self._entry[1]
        return None if isinstance(stat, bytes) else stat

    @property
    def stat(self) -> Stat | None:
        """The stat as a dict, None for nodes that cannot be read."""
        stat = self._entry[1]
        return unpacked(stat) if isinstance(stat, bytes) else None

    @property
    def ephemeralOwner(self) -> int:
        """The session that an ephemeral node lives with; 0 for others."""
        stat = self._entry[1]
        return signs(stat).owner if isinstance(stat, bytes) else 0

    @property
    def children(self) -> list[str]:
        """The names of the children that belong to the tree, sorted."""
        return sorted(self._entry[2] or ())

    def __repr__(self) -> str:
        return printable(f"<TreeNode {self.path}>")
