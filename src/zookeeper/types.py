"""The types of the binding's arguments and results, each defined once, for annotations.

The library, the emulation and the stub take them from here, and programs may. Nothing imports this
module at run time to do its work, so the definitions cost no program any start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
    overload,
    runtime_checkable,
)

if TYPE_CHECKING:
    from zookeeper.errors import ZooKeeperException


class Stat(TypedDict):
    """A server's record of a node beside its data, by ZooKeeper's names."""

    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    ephemeralOwner: int
    dataLength: int
    numChildren: int
    pzxid: int


class AclEntry(TypedDict):
    """One entry of an access control list: `perms` is a sum of `PERM_` constants."""

    perms: int
    scheme: str
    id: str


Acl: TypeAlias = Sequence[AclEntry]

# A node's data as they are written; what is read is str, or None for null data.
Data: TypeAlias = str | bytes | None

# A scheme, and a secret to authenticate with by that scheme.
Credential: TypeAlias = tuple[str, str | bytes]

# A scheme, and an id by that scheme, which a server takes a session for.
ProvenIdentity: TypeAlias = tuple[str, str]

# A session's number and password, to resume the session with.
ClientId: TypeAlias = tuple[int, str | bytes]

# `watcher(handle, type, state, path)`.
Watcher: TypeAlias = Callable[[int, int, int, str], object]

# `progress(done, total)`; the total is None where nobody knows it.
Progress: TypeAlias = Callable[[int, int | None], object]

# An operation of a transaction: its name, its path, and more as the name asks for.
Operation: TypeAlias = tuple[Any, ...]

# Completions: `completion(handle, code, ...)`. The results behind the code are None after an error,
# but for a transaction's, which are the codes of its operations. The C client has these names.
VoidCompletion: TypeAlias = Callable[[int, int], object]
StringCompletion: TypeAlias = Callable[[int, int, str | None], object]
StringStatCompletion: TypeAlias = Callable[[int, int, str | None, Stat | None], object]
StatCompletion: TypeAlias = Callable[[int, int, Stat | None], object]
DataCompletion: TypeAlias = Callable[[int, int, str | None, Stat | None], object]
StringsCompletion: TypeAlias = Callable[[int, int, list[str] | None], object]
StringsStatCompletion: TypeAlias = Callable[[int, int, list[str] | None, Stat | None], object]
NumberCompletion: TypeAlias = Callable[[int, int, int | None], object]
IdentitiesCompletion: TypeAlias = Callable[[int, int, list[ProvenIdentity] | None], object]
AclCompletion: TypeAlias = Callable[[int, int, list[AclEntry] | None, Stat | None], object]
MultiCompletion: TypeAlias = Callable[[int, int, list[Any] | None], object]

R = TypeVar("R")
BulkCompletion: TypeAlias = Callable[[int, int, R | None], object]

# The results of watch_many: those of data, of children and of exists. If they are to be `packed`,
# the stats of data are bytes: `cast` tells a type checker.
WatchedNodes: TypeAlias = tuple[
    "list[tuple[str | None, Stat] | ZooKeeperException]",
    "list[list[str] | ZooKeeperException]",
    "list[Stat | ZooKeeperException | None]",
]


class Cancellable(Protocol):
    """A bulk operation that is under way, as its asynchronous function returns it."""

    def cancel(self) -> None: ...


@runtime_checkable
class Znode(Protocol):
    """One node of a `Subtree`. Its numbers are 0, and its stat is None, if it has an `error`."""

    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def data(self) -> str | None: ...
    @property
    def error(self) -> ZooKeeperException | None: ...
    @property
    def stat(self) -> Stat | None: ...
    @property
    def packed_stat(self) -> bytes | None: ...
    @property
    def version(self) -> int: ...
    @property
    def ephemeralOwner(self) -> int: ...
    @property
    def numChildren(self) -> int: ...


class TakesNodes(Protocol):
    """Something that takes nodes of a subtree while more come, until False; see `read_tree`."""

    def take(self, nodes: Sequence[Znode], /) -> object: ...


# Data, packed stat or the error of one that could not be read, and such tuples by name.
NestedNode = tuple["str | None", "bytes | ZooKeeperException", "dict[str, Any] | None"]


@runtime_checkable
class Subtree(Protocol):
    """A node and all nodes below it, as a sequence: depth first, siblings by name."""

    @property
    def zxid(self) -> int: ...
    @property
    def unreadable(self) -> list[str]: ...
    @property
    def arrivals(self) -> bytes: ...
    @overload
    def __getitem__(self, place: int) -> Znode: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Znode]: ...
    def __iter__(self) -> Iterator[Znode]: ...
    def __len__(self) -> int: ...
    def nested(self) -> NestedNode: ...
