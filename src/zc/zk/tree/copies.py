"""Copies of nodes, as plain data: what of a subtree is missing at another place.

A copy has the data and the ACL of its original. An ephemeral node belongs to a session, and has no
copy. Servers do not tell clients which nodes are containers or have a time to live, so a copy is
neither.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.links import join
from zc.zk.tree.changes import AddNode, DeleteNode

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation
else:
    Acl = Any  # a large module, for a type


class Original(NamedTuple):
    """A node as it was read. `aversion` is the version of its ACL."""

    data: str | None
    acl: Acl
    version: int
    aversion: int
    czxid: int

    def is_like(self, other: "Original") -> bool:
        """Say whether one may be the copy of the other."""
        return self.data == other.data and self.acl == other.acl


class CopyNode(AddNode):
    """Create the copy of a node."""

    __slots__ = ("original",)

    def __init__(self, path: str, original: Original, is_nested: bool = False) -> None:
        super().__init__(path, original.data, is_nested)
        self.original = original

    def attributes(self) -> tuple[object, ...]:
        return self.path, self.original, self.is_nested

    def operation(self, acl: Acl) -> "Operation":
        return ("create", self.path, self.original.data, self.original.acl, 0)


class Different(Exception):
    """A node at the new place is another one than the copy would be, or its copy is not all."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path


def moved(path: str, source: str, target: str) -> str:
    """Return the path of the copy of a node at or below `source`."""
    rest = path[len(source.rstrip("/")) :].strip("/")
    return join(target, rest) if rest else target


def missing_copies(
    originals: Mapping[str, Original],
    source: str,
    target: str,
    there: Mapping[str, Original],
    *,
    merge: bool = False,
    is_one_service: bool = False,
) -> list[CopyNode]:
    """Return the copies that are missing at `target`, in the order of the originals.

    `there` are the nodes at `target`. Those that are there may be the beginning of the same copy,
    which was interrupted, and, unless any is missing, others may be beside them: the originals of
    these may have been deleted since. With `merge` others may be there in any case. Within one
    service (`is_one_service`) the numbers of changes tell what is older than its original, and so
    no copy. Raises Different.
    """
    copies: list[CopyNode] = []
    expected: set[str] = set()
    made: set[str] = set()
    for path, original in originals.items():
        copy = moved(path, source, target)
        expected.add(copy)
        found = there.get(copy)
        if found is None:
            is_nested = copy.rpartition("/")[0] in made
            copies.append(CopyNode(copy, original, is_nested))
            made.add(copy)
        elif not found.is_like(original):
            raise Different(copy, f"this node is there, and not as {path} is")
        elif is_one_service and not merge and found.czxid < original.czxid:
            raise Different(copy, f"this node is there, and older than {path}: it is no copy of it")
    if copies and not merge:
        for path in there:
            if path not in expected:
                raise Different(path, "this node is there, and there is none like it to be copied")
    return copies


def deletions(originals: Mapping[str, Original]) -> list[DeleteNode]:
    """Return the deletions of the originals, children first, each if it is as it was read."""
    return [DeleteNode(path, originals[path].version) for path in reversed(list(originals))]


def differing(before: Mapping[str, Original], now: Mapping[str, Original]) -> str | None:
    """Return the path of a node that is not as it was; None if there is none."""
    for path in {*before, *now}:
        if before.get(path) != now.get(path):
            return path
    return None


def size_of(originals: Iterable[Original]) -> int:
    """Return how many bytes of data there are."""
    return sum(len(each.data.encode("utf-8", "surrogateescape")) for each in originals if each.data)
