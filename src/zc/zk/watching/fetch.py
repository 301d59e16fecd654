"""Reading many nodes from the servers in a few round trips, watched or not.

Changes in between are not missed. A node whose answer needs a closer look is left out of the
answers: the caller reads it by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.watching.dependencies import Answer, CachedNode, Key, Kind

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

# Up to so many nodes are read one by one; more in bulk.
MAX_SINGLE_READS = 3

# How often to look at a node that is gone when it is read and there when its absence is watched.
MAX_FLICKERS = 10


def watch(
    handle: int, nodes: list[CachedNode], watcher: Watcher, binding: Binding
) -> dict[CachedNode, Answer]:
    """Read nodes, and have `watcher` called once when they change.

    Missing ones are watched for their creation. Errors of nodes are answers; the others are raised.
    """
    answers: dict[CachedNode, Answer] = {}
    if len(nodes) > MAX_SINGLE_READS:
        answers = watch_many(handle, nodes, watcher, binding)
    for node in nodes:
        if node not in answers:
            answers[node] = _watch_one(handle, node, watcher, binding)
    return answers


def _watch_one(handle: int, node: CachedNode, watcher: Watcher, binding: Binding) -> Answer:
    """Read one node, and watch it, also if it is missing.

    An answer is never the exception that was caught: that refers to frames, and so would keep the
    caller alive.
    """
    path = node.path
    try:
        for _ in range(MAX_FLICKERS):
            try:
                if node.kind is Kind.DATA:
                    return binding.get(handle, path, watcher)
                if node.kind is Kind.CHILDREN:
                    return binding.get_children(handle, path, watcher)
            except zookeeper.NoNodeException:
                if binding.exists(handle, path, watcher) is None:
                    return zookeeper.error(zookeeper.NONODE, path)
            else:
                stat = binding.exists(handle, path, watcher)
                return stat or zookeeper.error(zookeeper.NONODE, path)
    except zookeeper.SessionError:
        raise
    except zookeeper.ZooKeeperException as refusal:
        return copy(refusal)
    return zookeeper.error(zookeeper.DATAINCONSISTENCY, path, "it comes and goes")


def watch_many(
    handle: int, nodes: list[CachedNode], watcher: Watcher, binding: Binding
) -> dict[CachedNode, Answer]:
    """Do `watch` in bulk, and leave out of the answers what has to be read one by one."""
    of_kind = {kind: [node for node in nodes if node.kind is kind] for kind in Kind}
    try:
        results = _watch(handle, watcher, binding, **{kind.value: of_kind[kind] for kind in Kind})
    except zookeeper.BadArgumentsException:
        return {}  # one of the paths is none that can be asked for: an answer about that one
    answers = {
        node: zookeeper.error(zookeeper.NONODE, node.path) if answer is None else answer
        for kind, kind_results in zip(Kind, results, strict=True)
        for node, answer in zip(of_kind[kind], kind_results, strict=True)
    }
    for node in of_kind[Kind.EXISTS]:
        if isinstance(answers[node], zookeeper.NoAuthException):
            # In bulk existence is seen by reading, which needs a permission that it does not.
            del answers[node]
    _watch_missing(handle, watcher, binding, answers)
    return answers


def _watch_missing(
    handle: int, watcher: Watcher, binding: Binding, answers: dict[CachedNode, Answer]
) -> None:
    """Watch missing nodes, and leave out those that have come meanwhile."""
    missing = [
        node
        for node, answer in answers.items()
        if isinstance(answer, zookeeper.NoNodeException) and node.kind is not Kind.EXISTS
    ]
    if missing:
        _, _, found = _watch(handle, watcher, binding, exists=missing)
        for node, stat in zip(missing, found, strict=True):
            if stat is not None:
                del answers[node]


def _watch(
    handle: int,
    watcher: Watcher,
    binding: Binding,
    data: Iterable[CachedNode] = (),
    children: Iterable[CachedNode] = (),
    exists: Iterable[CachedNode] = (),
) -> Any:
    return binding.watch_many(
        handle,
        [node.path for node in data],
        [node.path for node in children],
        [node.path for node in exists],
        watcher,
    )


def read_many(handle: int, keys: list[Key], binding: Binding) -> dict[Key, Answer]:
    """Read nodes, and watch none of them.

    Errors of nodes are answers; the others are raised.
    """
    if len(keys) > MAX_SINGLE_READS:
        try:
            return _read_in_bulk(handle, keys, binding)
        except zookeeper.BadArgumentsException:
            pass  # it is one of the paths
    return {key: read(handle, *key, binding) for key in keys}


def _read_in_bulk(handle: int, keys: list[Key], binding: Binding) -> dict[Key, Answer]:
    answers: dict[Key, Answer] = {}
    for kind, read_all in (
        (Kind.DATA, binding.get_many),
        (Kind.CHILDREN, binding.get_children_many),
    ):
        asked = [key for key in keys if key[0] is kind]
        if asked:
            answers.update(zip(asked, read_all(handle, [path for _, path in asked]), strict=True))
    return answers


def read(handle: int, kind: Kind, path: str, binding: Binding) -> Answer:
    """Read one node, and do not watch it; see `read_many`."""
    try:
        if kind is Kind.DATA:
            return binding.get(handle, path)
        if kind is Kind.CHILDREN:
            return binding.get_children(handle, path)
        stat = binding.exists(handle, path)
        return zookeeper.error(zookeeper.NONODE, path) if stat is None else stat
    except zookeeper.SessionError:
        raise
    except zookeeper.ZooKeeperException as refusal:
        return copy(refusal)  # one that was raised refers to frames
