"""The nodes of a live tree, in little memory, for a million of them.

A node is an exact tuple: its data, its stat as bytes (or why it cannot be read), and its children
by name, None if there have been none. Python's garbage collector gives up looking at tuples and
dictionaries that lead to nothing but text and bytes. No node knows its path, of which the names
are in the dictionaries.

Pure. One thread changes the nodes, and any number of others may read them meanwhile: a node is
replaced in one step, and to go through them is to pass over those that vanish.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.links import join
from zc.zk.watching.packedstats import STAT

if TYPE_CHECKING:
    from zookeeper.errors import ZooKeeperException
    from zookeeper.types import Subtree

# Not a NamedTuple: the garbage collector would go on looking at it.
Entry = tuple["str | None", "bytes | ZooKeeperException", "dict[str, Any] | None"]
Family = dict[str, Entry]

_CZXID, _MZXID, _CVERSION, _OWNER, _LENGTH, _CHILDREN, _PZXID = 0, 1, 5, 7, 8, 9, 10


class Signs(NamedTuple):
    """The numbers in a stat that tell what has changed."""

    czxid: int
    mzxid: int
    names: tuple[int, int]  # they change with the names of the children
    owner: int
    length: int
    children: int


def signs(stat: bytes) -> Signs:
    fields = STAT.unpack(stat)
    return Signs(
        fields[_CZXID],
        fields[_MZXID],
        (fields[_PZXID], fields[_CVERSION]),
        fields[_OWNER],
        fields[_LENGTH],
        fields[_CHILDREN],
    )


class Nodes:
    """The node at `root` and those below it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.count = 0
        self._start = len(root.rstrip("/")) + 1
        self._top: Family = {}  # the root, by the name ""

    def covers(self, path: str) -> bool:
        """Say whether there could be a node with that path."""
        return path == self.root or path.startswith("/" if self.root == "/" else self.root + "/")

    def names(self, path: str) -> list[str]:
        """Return the names that lead from the root to `path`, which is covered."""
        return [] if path == self.root else path[self._start :].split("/")

    def find(self, path: str) -> Entry | None:
        """Return a node; None if it is not there."""
        if not self.covers(path):
            return None
        entry = self._top.get("")
        for name in self.names(path):
            if entry is None or entry[2] is None:
                return None
            entry = entry[2].get(name)
        return entry

    def put(self, path: str, data: str | None, stat: "bytes | ZooKeeperException") -> Entry | None:
        """Set data and stat of a node, new or not; return the former node.

        Raises KeyError if there is no node above it.
        """
        family, name = self._family(path)
        former = family.get(name)
        family[name] = data, stat, former[2] if former else None
        self.count += former is None
        return former

    def remove(self, path: str) -> list[str]:
        """Remove a node and all below it, if it is there, and return their paths."""
        entry = self.find(path)
        if entry is None:
            return []
        removed = [path for path, _, _ in self.walk(path)]
        family, name = self._family(path)
        del family[name]
        self.count -= len(removed)
        return removed

    def walk(self, top: str) -> Iterator[tuple[str, int, Entry]]:
        """Yield (path, depth, node) from `top` on, parents first, siblings by name."""
        if self.find(top) is None:
            return
        to_do = [(top, 0, *self._family(top))]
        while to_do:
            path, depth, family, name = to_do.pop()
            entry = family.get(name)
            if entry is None:
                continue
            yield path, depth, entry
            below: Family | None = family.get(name, entry)[2]
            if below:
                start = join(path, "")
                names = sorted(below, reverse=True)
                to_do += [(start + name, depth + 1, below, name) for name in names]

    def fill(self, subtree: "Subtree") -> list[str]:
        """Take in a whole subtree that was read at once; return what cannot be read."""
        self._top = {"": subtree.nested()}
        self.count = len(subtree)
        return subtree.unreadable

    def _family(self, path: str) -> tuple[Family, str]:
        """Return the dictionary that a node belongs into, and its name there."""
        if path == self.root:
            return self._top, ""
        family, name = self._top, ""
        for next_name in self.names(path):
            data, stat, children = family[name]
            if children is None:
                children = {}
                family[name] = data, stat, children
            family, name = children, next_name
        return family, name
