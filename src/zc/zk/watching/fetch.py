"""Reading many nodes from the servers in a few round trips, watched or not.

Changes in between are not missed. A node whose answer needs a closer look is left out of the
answers: the caller reads it by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.imports import importing
from zc.zk.watching.ahead import MAX_SINGLE_READS, Begun, by_kind
from zc.zk.watching.dependencies import Answer, CachedNode, Key, Kind
from zc.zk.watching.packedstats import kept

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

# Reads of different kinds, up to so many, are requests of their own, and one round trip.
MAX_MIXED_READS = 100

# How often to look at a node that is gone when it is read and there when its absence is watched.
MAX_FLICKERS = 10


def watch(
    handle: int,
    nodes: list[CachedNode],
    watcher: Watcher,
    binding: Binding,
    begun: Begun | None = None,
) -> dict[CachedNode, Answer]:
    """Read nodes, and have `watcher` called once when they change.

    Missing ones are watched for their creation. Errors of nodes are answers; the others are raised.
    """
    answers: dict[CachedNode, Answer] = {}
    if begun is not None:
        answers = _answers_of(begun.of_kind, *begun.wait())
        _watch_missing(handle, watcher, binding, answers)
    elif len(nodes) > MAX_SINGLE_READS:
        answers = watch_many(handle, nodes, watcher, binding)
    elif len(nodes) > 1:
        answers = _watch_side_by_side(handle, nodes, watcher, binding)
    for node in nodes if len(answers) < len(nodes) else ():
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
                    return in_little_memory(binding.get(handle, path, watcher))
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


def ask_together(
    handle: int, requests: Sequence[tuple[str, tuple[Any, ...]]], binding: Binding
) -> list[Any] | None:
    """Return the answers to calls whose requests are under way together.

    Returns None if that is not possible now. Raises SessionError.
    """
    try:
        with importing:
            from zc.zk.session.pipelining import ask_all
        told = ask_all(handle, requests, binding)
    except (ImportError, OSError, zookeeper.SystemErrorException):
        return None  # as when there are no descriptors left
    for answer in told:
        if isinstance(answer, zookeeper.SessionError):
            raise answer
    return told


def _watch_side_by_side(
    handle: int, nodes: list[CachedNode], watcher: Watcher, binding: Binding
) -> dict[CachedNode, Answer]:
    """Do `watch` by a request for each, and leave out what has to be read again."""
    answers: dict[CachedNode, Answer] = {}
    asked = {node: node.kind for node in nodes}
    while asked:
        requests = [(CALLS[kind], (node.path, watcher)) for node, kind in asked.items()]
        told = ask_together(handle, requests, binding)
        if told is None:
            return answers
        missing = []
        for (node, kind), answer in zip(asked.items(), told, strict=True):
            if kind is not Kind.EXISTS and isinstance(answer, zookeeper.NoNodeException):
                missing.append(node)
            elif answer is None:
                answers[node] = zookeeper.error(zookeeper.NONODE, node.path)
            elif kind is node.kind or isinstance(answer, zookeeper.ZooKeeperException):
                answers[node] = in_little_memory(answer) if kind is Kind.DATA else answer
        asked = dict.fromkeys(missing, Kind.EXISTS)
    return answers


CALLS = {Kind.DATA: "get", Kind.CHILDREN: "get_children", Kind.EXISTS: "exists"}


def watch_many(
    handle: int,
    nodes: list[CachedNode],
    watcher: Watcher,
    binding: Binding,
) -> dict[CachedNode, Answer]:
    """Do `watch` in bulk, and leave out of the answers what has to be read one by one."""
    of_kind = by_kind(nodes)
    try:
        results = _watch(handle, watcher, binding, **{kind.value: of_kind[kind] for kind in Kind})
    except zookeeper.BadArgumentsException:
        return {}  # one of the paths is none that can be asked for: an answer about that one
    answers = _answers_of(of_kind, *results)
    _watch_missing(handle, watcher, binding, answers)
    return answers


def _answers_of(
    of_kind: dict[Kind, list[CachedNode]], data: list[Any], children: list[Any], exists: list[Any]
) -> dict[CachedNode, Answer]:
    answers: dict[CachedNode, Answer] = dict(zip(of_kind[Kind.DATA], data, strict=True))
    answers.update(zip(of_kind[Kind.CHILDREN], children, strict=True))
    for node, stat in zip(of_kind[Kind.EXISTS], exists, strict=True):
        if stat is None:
            answers[node] = zookeeper.error(zookeeper.NONODE, node.path)
        # In bulk existence is seen by reading, which needs a permission that it does not.
        elif not isinstance(stat, zookeeper.NoAuthException):
            answers[node] = stat
    return answers


def in_little_memory(answer: Any) -> Answer:
    """Return the answer to a read of data, or what there is instead, as it is kept."""
    if isinstance(answer, tuple):
        data, stat = answer
        return data, kept(stat)
    return answer


def _watch_missing(
    handle: int,
    watcher: Watcher,
    binding: Binding,
    answers: dict[CachedNode, Answer],
) -> None:
    """Watch missing nodes, and leave out those that have come meanwhile."""
    if zookeeper.NoNodeException not in set(map(type, answers.values())):
        return
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
        packed=True,
    )


def read_many(handle: int, keys: list[Key], binding: Binding) -> dict[Key, Answer]:
    """Read nodes, and watch none of them.

    Errors of nodes are answers; the others are raised.
    """
    answers: dict[Key, Answer] = {}
    if 1 < len(keys) <= MAX_MIXED_READS and len({kind for kind, _ in keys}) > 1:
        requests = [(CALLS[kind], (path,)) for kind, path in keys]
        told = ask_together(handle, requests, binding) or ()
        for key, answer in zip(keys, told, strict=False):
            answers[key] = in_little_memory(answer) if key[0] is Kind.DATA else answer
    elif len(keys) > 1:
        try:
            answers = _read_in_bulk(handle, keys, binding)
        except zookeeper.BadArgumentsException:
            pass  # it is one of the paths
    for key in keys:
        if key not in answers:
            answers[key] = read(handle, *key, binding)
    return answers


def _read_in_bulk(handle: int, keys: list[Key], binding: Binding) -> dict[Key, Answer]:
    answers: dict[Key, Answer] = {}
    for kind, read_all in (
        (Kind.DATA, binding.get_many),
        (Kind.CHILDREN, binding.get_children_many),
    ):
        asked = [key for key in keys if key[0] is kind]
        if asked:
            found = read_all(handle, [path for _, path in asked])
            answers.update(zip(asked, map(in_little_memory, found), strict=True))
    return answers


def read(handle: int, kind: Kind, path: str, binding: Binding) -> Answer:
    """Read one node, and do not watch it; see `read_many`."""
    try:
        if kind is Kind.DATA:
            return in_little_memory(binding.get(handle, path))
        if kind is Kind.CHILDREN:
            return binding.get_children(handle, path)
        stat = binding.exists(handle, path)
        return zookeeper.error(zookeeper.NONODE, path) if stat is None else stat
    except zookeeper.SessionError:
        raise
    except zookeeper.ZooKeeperException as refusal:
        return copy(refusal)  # one that was raised refers to frames
