"""Reading nodes from the servers, each with a watch for what changes next.

A missing node is watched, too, for its creation.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.watching.cache import Answer, Kind, Node

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Watcher

# Up to so many nodes are read one by one; more in bulk.
FEW = 3

# How often to look at a node that is gone when it is read and there when its absence is watched.
FLICKERS = 10


class Fetcher:
    """Reads nodes and has `watcher` called when they change, once.

    Of many nodes it takes a few round trips, and nothing that happens in between is missed.
    """

    def __init__(self, binding: Binding, watcher: Watcher) -> None:
        self._binding = binding
        self.watcher = watcher

    def fetch(self, handle: int, node: Node) -> Answer:
        """Read one node, and watch it. Node errors are answers; the others are raised.

        The answers are not the exceptions that were caught: these refer to frames, and so keep
        alive whoever asked.
        """
        try:
            for _ in range(FLICKERS):
                try:
                    if node.kind is Kind.DATA:
                        return self._binding.get(handle, node.path, self.watcher)
                    if node.kind is Kind.CHILDREN:
                        return self._binding.get_children(handle, node.path, self.watcher)
                except zookeeper.NoNodeException:
                    if self._binding.exists(handle, node.path, self.watcher) is None:
                        return zookeeper.error(zookeeper.NONODE, node.path)
                else:
                    stat = self._binding.exists(handle, node.path, self.watcher)
                    return stat or zookeeper.error(zookeeper.NONODE, node.path)
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            return copy(refusal)
        return zookeeper.error(zookeeper.DATAINCONSISTENCY, node.path, "it comes and goes")

    def fetch_many(self, handle: int, nodes: list[Node]) -> dict[Node, Answer]:
        """Read many nodes, and watch them, like `fetch`."""
        if len(nodes) <= FEW:
            return {node: self.fetch(handle, node) for node in nodes}
        try:
            return self._fetch_in_bulk(handle, nodes)
        except zookeeper.BadArgumentsException:
            # One of the paths is none that can be asked for, which is an answer about that one.
            return {node: self.fetch(handle, node) for node in nodes}

    def _fetch_in_bulk(self, handle: int, nodes: list[Node]) -> dict[Node, Answer]:
        of_kind = {kind: [node for node in nodes if node.kind is kind] for kind in Kind}
        results = self._watch_many(handle, **{kind.value: of_kind[kind] for kind in Kind})
        answers = {
            node: zookeeper.error(zookeeper.NONODE, node.path) if answer is None else answer
            for kind, kind_results in zip(Kind, results, strict=True)
            for node, answer in zip(of_kind[kind], kind_results, strict=True)
        }
        for node in of_kind[Kind.EXISTS]:
            if isinstance(answers[node], zookeeper.NoAuthException):
                # In bulk existence is seen by reading, which needs a permission that it does not.
                answers[node] = self.fetch(handle, node)
        missing = [
            node
            for node, answer in answers.items()
            if isinstance(answer, zookeeper.NoNodeException) and node.kind is not Kind.EXISTS
        ]
        if missing:
            _, _, found = self._watch_many(handle, exists=missing)
            for node, stat in zip(missing, found, strict=True):
                if stat is not None:
                    answers[node] = self.fetch(handle, node)
        return answers

    def peek_many(
        self, handle: int, keys: list[tuple[Kind, str]]
    ) -> dict[tuple[Kind, str], Answer]:
        """Data, or the names of the children, of nodes, and watch none of them."""
        if len(keys) > FEW:
            try:
                return self._peek_in_bulk(handle, keys)
            except zookeeper.BadArgumentsException:
                pass  # it is one of the paths
        return {key: _peek(self._binding, handle, *key) for key in keys}

    def _peek_in_bulk(
        self, handle: int, keys: list[tuple[Kind, str]]
    ) -> dict[tuple[Kind, str], Answer]:
        answers: dict[tuple[Kind, str], Answer] = {}
        for kind, read in (
            (Kind.DATA, self._binding.get_many),
            (Kind.CHILDREN, self._binding.get_children_many),
        ):
            asked = [key for key in keys if key[0] is kind]
            if asked:
                answers.update(zip(asked, read(handle, [path for _, path in asked]), strict=True))
        return answers

    def _watch_many(
        self,
        handle: int,
        data: Iterable[Node] = (),
        children: Iterable[Node] = (),
        exists: Iterable[Node] = (),
    ) -> Any:
        return self._binding.watch_many(
            handle,
            [node.path for node in data],
            [node.path for node in children],
            [node.path for node in exists],
            self.watcher,
        )


def _peek(binding: Binding, handle: int, kind: Kind, path: str) -> Answer:
    try:
        if kind is Kind.DATA:
            return binding.get(handle, path)
        return binding.get_children(handle, path)
    except zookeeper.SessionError:
        raise
    except zookeeper.ZooKeeperException as refusal:
        return copy(refusal)
