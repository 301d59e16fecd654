"""The nodes of a tree that are exported, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.errors import excerpt
from zc.zk.links import is_at_or_below, is_direct
from zc.zk.owners import is_session
from zc.zk.tree.leftbehind import LeftBehind
from zc.zk.tree.marks import EPHEMERAL, Marks
from zc.zk.tree.syntax import is_node_name
from zookeeper.errors import NoNodeException

if TYPE_CHECKING:
    from typing import Protocol

    from zookeeper.types import Acl

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


class Marked:
    """The things that an export writes about nodes besides names and data.

    Ephemeral nodes are marked if `kinds`; other kinds are not known to clients. `acls` are those of
    all nodes, by path, or why each cannot be read; none are written if it is None.
    """

    __slots__ = ("acls", "kinds")

    def __init__(
        self, kinds: bool = False, acls: Mapping[str, Acl | Exception] | None = None
    ) -> None:
        self.kinds = kinds
        self.acls = acls


def exported(
    nodes: Iterable[Exported],
    top_name: str,
    reserved: str | None,
    skip: Skip | None = None,
    *,
    ephemeral: bool,
    marked: Marked | None = None,
    behind: LeftBehind | None = None,
) -> Iterator[tuple[int, str, str | None, Marks | None]]:
    """Yield depth, name, data and marks of nodes to be exported, which come depth first.

    Without a name the top is left out, and so is all of the path `reserved`. An ACL is written
    where it is not that of the parent, or, at the top, the one that allows everything to everybody.
    `behind` is told of what cannot be exported.
    """
    marked = marked or Marked()
    acls = marked.acls
    lift = 0 if top_name else 1
    above: list[Acl] = []  # the ACLs of the last node and those above it
    left_out: str | None = None
    # Making a path takes as long as all else here.
    needs_path = bool(reserved) or acls is not None or behind is not None
    for node in nodes:
        depth = node.depth - lift
        path = node.path if needs_path or left_out is not None else ""
        if depth < 0 or (reserved and is_at_or_below(path, reserved)):
            if behind is not None:
                behind.note_left_out(node, None if acls is None else acls.get(path))
            continue
        if left_out is not None and is_at_or_below(path, left_out):
            continue
        found = None if acls is None else acls.get(path)
        if isinstance(found, NoNodeException):
            left_out = path  # it has vanished since its data were read
            continue
        fault = node.error or (found if isinstance(found, Exception) else None)
        if fault is not None:
            if skip is None:
                raise fault
            left_out = node.path
            skip(left_out, fault)
            continue
        if behind is not None and path[-1].isdecimal():
            behind.note_number(path)
        marks = None
        if (owner := node.ephemeralOwner) and is_session(owner):
            if not ephemeral:
                continue
            marks = Marks(kind=EPHEMERAL) if marked.kinds else None
        if found is not None:
            assert not isinstance(found, Exception)
            del above[depth:]
            if found != (above[-1] if above else OPEN_ACL_UNSAFE):
                marks = (marks or Marks())._replace(acl=found)
            above.append(found)
        yield depth, top_name if node.depth == 0 else node.name, node.data, marks
