"""A node and everything below it, read at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from zc.zk.testing.emulation import values
from zc.zk.testing.engine import Client, Engine, Refusal, StatRecord
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.types import NestedNode, Stat


# The C client's `struct Stat`.
_PACKED = struct.Struct("@4q3iq2iq")


def packed_stat(stat: Stat) -> bytes:
    """Return a stat as bytes, its fields in order."""
    return _PACKED.pack(*stat.values())


class Znode:
    """One node of a Subtree."""

    def __init__(
        self, path: str, depth: int, data: bytes | None, stat: StatRecord | None, code: int
    ) -> None:
        self.path = path
        self.depth = depth
        self._data = data
        self._stat = stat
        self._code = code

    @property
    def name(self) -> str:
        """The last part of the path; '' for '/'."""
        return self.path.rpartition("/")[2]

    @property
    def data(self) -> str | None:
        """The data as text, None for null data and for nodes that could not be read."""
        return values.text(self._data)

    @property
    def error(self) -> errors.ZooKeeperException | None:
        """Why the node could not be read, or None."""
        return None if self._stat is not None else errors.error(self._code, self.path)

    @property
    def stat(self) -> Stat | None:
        """The stat as a dict, None for nodes that could not be read."""
        return None if self._stat is None else values.stat(self._stat)

    @property
    def packed_stat(self) -> bytes | None:
        """The stat as bytes, its fields in order."""
        stat = self.stat
        return None if stat is None else packed_stat(stat)

    @property
    def version(self) -> int:
        """The data version."""
        return self._stat.version if self._stat else 0

    @property
    def ephemeralOwner(self) -> int:
        """The session that an ephemeral node lives with; 0 for others."""
        return self._stat.ephemeralOwner if self._stat else 0

    @property
    def numChildren(self) -> int:
        """How many children the node has."""
        return self._stat.numChildren if self._stat else 0

    def __repr__(self) -> str:
        return f"<Znode {self.path}>"


class Subtree(Sequence[Znode]):
    """A sequence of Znode, depth first, siblings by name."""

    def __init__(self, nodes: list[Znode], zxid: int) -> None:
        self._nodes = nodes
        self.zxid = zxid

    @property
    def arrivals(self) -> bytes:
        """For each node how many came before it, packed."""
        return struct.pack(f"@{len(self)}q", *range(len(self)))

    @property
    def unreadable(self) -> list[str]:
        """The paths of nodes that could not be read."""
        return [node.path for node in self._nodes if node.error is not None]

    def __len__(self) -> int:
        return len(self._nodes)

    @overload
    def __getitem__(self, place: int) -> Znode: ...
    @overload
    def __getitem__(self, place: slice) -> list[Znode]: ...
    def __getitem__(self, place: int | slice) -> Znode | list[Znode]:
        return self._nodes[place]

    def nested(self) -> NestedNode:
        """Return the tree as tuples: (data, packed stat or error, children by name or None)."""
        families: list[dict[str, NestedNode]] = [{}]  # by depth
        for node in self._nodes:
            known = node.packed_stat or node.error
            assert known is not None
            children: dict[str, NestedNode] | None = {} if node.numChildren else None
            families[node.depth][node.name if node.depth else ""] = node.data, known, children
            if children is not None:
                families[node.depth + 1 :] = [children]
        return families[0][""]


def walk(engine: Engine, client: Client, root: str, shown: str) -> Iterator[Znode]:
    """Yield the nodes from `root` on, under the name `shown`.

    Refuses when there is no such node.
    """
    pending = [(root, shown, 0)]
    while pending:
        where, path, depth = pending.pop()
        try:
            data, stat = engine.get_data(client, where)
        except Refusal as refusal:
            if refusal.code == constants.NONODE:
                raise  # the root: below it nothing vanishes meanwhile
            yield Znode(path, depth, None, None, refusal.code)
            continue
        yield Znode(path, depth, data, stat, constants.OK)
        names = engine.get_children(client, where)[0]
        for name in sorted(names, reverse=True):
            pending.append((_child(where, name), _child(path, name), depth + 1))


def _child(path: str, name: str) -> str:
    return f"/{name}" if path == "/" else f"{path}/{name}"
