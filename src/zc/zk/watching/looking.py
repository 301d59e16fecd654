"""One look at nodes, some of which are watched: the next step of a way with links in it.

All requests are under way together, in one round trip. A server watches a node that is read if it
is there. So nothing is left behind at nodes that turn out to be missing.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.watching import fetch
from zc.zk.watching.dependencies import Answer, CachedNode, Key, Kind

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

# More are read and watched in bulk, which takes more round trips, and less work.
MAX_REQUESTS = 100


def look(
    handle: int,
    nodes: list[CachedNode],
    absent: Collection[Key],
    unwatched: Collection[Key],
    watcher: Watcher,
    binding: Binding,
) -> tuple[dict[CachedNode, Answer], dict[Key, Answer]]:
    """Return what there is at nodes that are watched now, and at others.

    A missing node is watched only if it is in `absent`. Those that are `unwatched` are read, too.
    Errors of nodes are answers; the others are raised.
    """
    told = _ask(handle, nodes, absent, unwatched, watcher, binding)
    if told is None:
        answers = fetch.watch(handle, nodes, watcher, binding)
        return answers, fetch.read_many(handle, [*unwatched], binding)
    answers, loose = {}, {}
    for node, answer in zip(nodes, told, strict=False):
        if node.kind is Kind.EXISTS or node.key in absent:
            if answer is None:
                answers[node] = zookeeper.error(zookeeper.NONODE, node.path)
            elif node.kind is Kind.EXISTS or isinstance(answer, zookeeper.ZooKeeperException):
                answers[node] = answer
            # Else it has come meanwhile, and is read by itself.
        elif isinstance(answer, zookeeper.NoNodeException):
            loose[node.key] = answer
        else:
            answers[node] = fetch.in_little_memory(answer) if node.kind is Kind.DATA else answer
    for node in nodes:
        if node not in answers and node.key not in loose:
            answers.update(fetch.watch(handle, [node], watcher, binding))
    for key, answer in zip(unwatched, told[len(nodes) :], strict=True):
        loose[key] = fetch.in_little_memory(answer) if key[0] is Kind.DATA else answer
    return answers, loose


def _ask(
    handle: int,
    nodes: list[CachedNode],
    absent: Collection[Key],
    unwatched: Collection[Key],
    watcher: Watcher,
    binding: Binding,
) -> list[Any] | None:
    """Return the answers, of all nodes in turn; None if they cannot be asked for like this."""
    if len(nodes) + len(unwatched) > MAX_REQUESTS:
        return None
    kinds = [Kind.EXISTS if node.key in absent else node.kind for node in nodes]
    requests: list[tuple[str, tuple[Any, ...]]] = [
        (fetch.CALLS[kind], (node.path, watcher)) for kind, node in zip(kinds, nodes, strict=True)
    ]
    requests += [(fetch.CALLS[kind], (path,)) for kind, path in unwatched]
    if len(requests) == 1:
        return [_ask_one(handle, *requests[0], binding)]
    return fetch.ask_together(handle, requests, binding)


def _ask_one(handle: int, name: str, arguments: tuple[Any, ...], binding: Binding) -> Any:
    """Ask as a plain call does, which takes less time."""
    try:
        return getattr(binding, name)(handle, *arguments)
    except zookeeper.SessionError:
        raise
    except zookeeper.ZooKeeperException as refusal:
        return copy(refusal)  # one that was raised refers to frames
