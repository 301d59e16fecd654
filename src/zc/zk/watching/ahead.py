"""Reads of many nodes that are under way while the worker does something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.imports import importing
from zc.zk.watching.dependencies import CachedNode, Kind

if TYPE_CHECKING:
    from zc.zk.session.bulkcall import BulkCall
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

# Up to so many nodes are read and watched by requests of their own, in one round trip. More are in
# bulk, which is less work for servers, and reads first and then watches.
MAX_SINGLE_READS = 10


class Wanted:
    """Nodes that are to be read in bulk, by their kinds, and their paths."""

    def __init__(self, nodes: list[CachedNode]) -> None:
        self.of_kind = by_kind(nodes)
        self.paths = [[node.path for node in some] for some in self.of_kind.values()]


def begin(
    handle: int, wanted: Wanted, ticket: int, watcher: Watcher, binding: Binding
) -> Begun | None:
    """Begin to read and watch nodes; None for few, and where it has to be done at once."""
    if sum(map(len, wanted.paths)) <= MAX_SINGLE_READS:
        return None
    data, children, exists = wanted.paths

    def later(completion: Any) -> Any:
        return binding.awatch_many(handle, data, children, exists, watcher, completion, packed=True)

    try:
        with importing:
            from zc.zk.session import bulkcall
        call = bulkcall.begin(handle, later, binding)
    except (ImportError, OSError, zookeeper.BadArgumentsException):
        return None  # a path that can be none, or no descriptors
    return None if call is None else Begun(wanted.of_kind, ticket, call)


class Begun:
    """Nodes that are being read and watched in bulk; `ticket` was drawn before (`CachedNode`)."""

    def __init__(self, of_kind: dict[Kind, list[CachedNode]], ticket: int, call: BulkCall) -> None:
        self.of_kind = of_kind
        self.ticket = ticket
        self.wait = call.wait
        self.close = call.close


def by_kind(nodes: list[CachedNode]) -> dict[Kind, list[CachedNode]]:
    """Return nodes by their kinds, in their order."""
    of_kind: dict[Kind, list[CachedNode]] = {kind: [] for kind in Kind}
    for node in nodes:
        of_kind[node.key[0]].append(node)
    return of_kind
