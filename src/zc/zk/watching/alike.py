"""Refreshing many live objects that show the same node, and nothing else, as one.

Each of them would come to the same view by itself, by ten calls of functions and two locks; here
the view is found once, compared once with what they have shown, and given to all.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from zc.zk.watching.dependencies import CachedNode, Key, Subscription

# So many are done under one lock, which the program's threads wait for.
MAX_AT_ONCE = 500

Round = Callable[[], object]


class _Session(Protocol):
    call_all_soon: Callable[[Collection[Round]], object]


class _Watches(Protocol):
    lock: threading.RLock
    serials: itertools.count[int]

    @property
    def session(self) -> _Session: ...


class _Owner(Protocol):
    """A live object."""

    _key: Key
    _view: Any
    _serial: int
    _complaint: str
    _is_told_then: bool

    @property
    def _watches(self) -> _Watches: ...

    def _view_of(self, node: CachedNode) -> Any: ...

    def _count_change(self) -> Round | None: ...


def refresh_alike(
    waiting: Sequence[Subscription], start: int, told: Mapping[Subscription, bool]
) -> int:
    """Refresh live objects of one kind and node from `start` on, and return how many.

    0 if that at `start` takes more than a new view of one node, or is told of a new session.
    """
    owner: _Owner | None = waiting[start].owner()
    if owner is None:
        return 0
    watches = owner._watches
    serial = next(watches.serials)  # before the view that it numbers
    node = waiting[start].nodes.get(owner._key)
    view = None if node is None else owner._view_of(node)
    if node is None or view is None:
        return 0
    rounds: list[Round] = []
    # Kept until the lock is free: with the last reference to one, things of the program's may end.
    kept: list[_Owner] = [owner]
    # No part of a list, which each of those that are like no other would have copied.
    some = map(waiting.__getitem__, range(start, min(start + MAX_AT_ONCE, len(waiting))))
    try:
        with watches.lock:
            return _show(some, told, view, serial, node, rounds, kept)
    finally:
        # Those that are queued must be called, whatever has come in between.
        if rounds:
            watches.session.call_all_soon(rounds)


def _show(
    subscriptions: Iterable[Subscription],
    told: Mapping[Subscription, bool],
    view: Any,
    serial: int,
    node: CachedNode,
    rounds: list[Round],
    kept: list[_Owner],
) -> int:
    """Show a view in the first ones that show this node alone, with the lock; count them.

    The rounds of callbacks that are due are added to `rounds`, and those looked at to `kept`, which
    begins with the first one.
    """
    kind: Any = type(kept[0])
    key = node.key
    former, differs = view, False
    count = 0
    for subscription in subscriptions:
        owner: Any = subscription.owner()
        nodes = subscription.nodes
        if owner is not None:
            kept.append(owner)
            if (
                type(owner) is not kind
                or len(nodes) != 1
                or nodes.get(key) is not node
                or told.get(subscription, False)
                or owner._complaint
                or owner._is_told_then
            ):
                break
            shown = owner._view
            if shown is not former:
                former, differs = shown, shown is not None and view.differs_from(shown)
            # One step, in which no signal's handler runs that takes a later view itself.
            if serial >= owner._serial:
                owner._serial = serial
                owner._view = view
                if differs and (due := owner._count_change()) is not None:
                    rounds.append(due)
        count += 1
    return count
