"""Removing the watches of nodes that nothing depends on any more."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.watching.dependencies import CachedNode
from zc.zk.watching.dependencytable import Dependencies

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

logger = logging.getLogger("zc.zk")

# The faults that leave the watch there.
_NOT_DONE = (zookeeper.SessionError, zookeeper.ThrottledOpException)


def remove_watches(
    handle: int, dependencies: Dependencies, watcher: Watcher, binding: Binding
) -> Iterator[list[CachedNode]]:
    """Remove the watches that are not needed; yield nodes that have to be read again.

    Raises ConnectionLossException, and the rest is left for another time. So are those whose
    removal has failed meanwhile: a server that has too much to do is not asked at once.
    """
    unneeded, needing = dependencies.unneeded, dependencies.needing
    for _ in range(len(unneeded)):
        kind, path = unneeded.popleft()
        if needing(kind, path):
            continue
        _remove_watch(handle, kind, path, unneeded, watcher, binding)
        # A read that has begun meanwhile may have set the watch just before it was removed. A
        # later one sets it afterwards, as the server keeps the order.
        yield needing(kind, path)


def _remove_watch(
    handle: int,
    kind: int,
    path: str,
    unneeded: deque[tuple[int, str]],
    watcher: Watcher,
    binding: Binding,
) -> None:
    def done(_: int, code: int) -> None:
        # Any other answer says that there is no watch, or that no server can remove one.
        if code != zookeeper.OK and isinstance(zookeeper.error(code, path), _NOT_DONE):
            unneeded.append((kind, path))

    try:
        binding.aremove_watches(handle, path, kind, watcher, completion=done)
    except zookeeper.ConnectionLossException:
        unneeded.append((kind, path))
        raise
    except zookeeper.ZooKeeperException as fault:
        # It has fired just now, or went with the session.
        logger.debug("no watch to remove at %s: %s", path, fault)
