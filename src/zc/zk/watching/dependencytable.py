"""The table of the nodes that something depends on, and of the subscriptions that do.

Pure bookkeeping: nothing here talks to a server. `Dependencies` has a lock of its own, and holds it
for no longer than the bookkeeping takes.

A finaliser or a signal handler may come back to it in the thread that holds the lock, which is
re-entrant, and finds all as it should be: what belongs together is *one step*, statements that call
nothing, make no object and jump nowhere, between which Python runs neither of these.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from zc.zk._speedups import FewEntries
from zc.zk.watching.dependencies import CachedNode, Key, Kind, Subscription


def drop(table: dict[Any, Any], key: object, value: object) -> bool:
    """Delete an entry if its value is that object, in one step; say whether."""
    keys = (_NO_KEY, key)
    try:
        del table[keys[table[key] is value]]
    except KeyError:
        return False
    return True


_NO_KEY = object()


class Dependencies:
    """The nodes that something depends on, and the subscriptions that do.

    `find` gives a node by its key, or None. `lock` guards what is known of the nodes, too.
    """

    def __init__(self) -> None:
        self._nodes: dict[Key, CachedNode] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self.find = self._nodes.get
        # Watches, (kind, path) as the server knows them, that may be needed no more. They are
        # put in with the lock, and taken out and put back without.
        self.unneeded: deque[tuple[int, str]] = deque()
        self.lock = threading.RLock()

    def after_fork(self) -> None:
        """Keep who depends on what, in a child process, and forget the answers."""
        self.lock = threading.RLock()
        self.unneeded.clear()
        self._nodes.clear()
        for subscription in list(self._subscriptions):
            if subscription.has_ended:
                del self._subscriptions[subscription]
                continue
            known, subscription.nodes = subscription.nodes, FewEntries()
            for (kind, path), node in known.items():
                self._connect(subscription, kind, path).good = node.good

    # Without the lock, which in a forked child may be held for ever: `list` is one step anyway.

    def objects(self) -> int:
        """Count the subscribers that are held weakly."""
        subscriptions = list(self._subscriptions)
        return sum(each.is_weak and not each.has_ended for each in subscriptions)

    def kinds(self) -> list[type[Any]]:
        """Return the class of each of these."""
        owners = [each.owner() for each in list(self._subscriptions) if each.is_weak]
        return [type(owner) for owner in owners if owner is not None]

    def watched(self) -> list[Key]:
        """Return the keys of all nodes."""
        return list(self._nodes)

    @property
    def has_nodes(self) -> bool:
        return bool(self._nodes)

    def nodes(self) -> list[CachedNode]:
        with self.lock:
            return list(self._nodes.values())

    def subscriptions(self) -> list[Subscription]:
        with self.lock:
            return list(self._subscriptions)

    def enter(self, subscription: Subscription) -> None:
        with self.lock:
            self._subscriptions[subscription] = None

    def leave(self, subscription: Subscription) -> None:
        with self.lock:
            self._subscriptions.pop(subscription, None)
            for node in list(subscription.nodes.values()):
                self._disconnect(subscription, node)

    def connect(self, subscription: Subscription, kind: Kind, path: str) -> CachedNode:
        """Let `subscription` depend on a node, and return the node."""
        with self.lock:
            return self._connect(subscription, kind, path)

    def release(self, subscription: Subscription, keys: Iterable[Key]) -> bool:
        """Let `subscription` not depend on `keys`; say whether it did."""
        with self.lock:
            nodes = subscription.nodes
            gone = [node for key in keys if (node := nodes.get(key)) is not None]
            for node in gone:
                self._disconnect(subscription, node)
        return bool(gone)

    def retain(self, subscription: Subscription, keys: Iterable[Key]) -> bool:
        """Let `subscription` depend on `keys` alone; say whether it had others."""
        wanted = set(keys)
        with self.lock:
            known = list(subscription.nodes.values())
            gone = [node for node in known if node.key not in wanted]
            for node in gone:
                self._disconnect(subscription, node)
        return bool(gone)

    def _connect(self, subscription: Subscription, kind: Kind, path: str) -> CachedNode:
        # An exact string: to hash or compare another one might call something in the one step.
        key = (kind, str.__str__(path))
        while True:
            node = self._nodes.get(key)
            if node is None:
                node = self._nodes.setdefault(key, CachedNode(key))
            # One step.
            node.subscriptions[subscription] = None
            subscription.nodes[node.key] = node
            is_gone = node.is_gone
            if not is_gone:
                return node
            self._disconnect(subscription, node)

    def _disconnect(self, subscription: Subscription, node: CachedNode) -> None:
        key, nodes, subscriptions = node.key, subscription.nodes, node.subscriptions
        keys: tuple[Any, Key] = (_NO_KEY, key)
        try:
            # One step. Another node may have taken this one's place.
            del nodes[keys[nodes[key] is node]]
            del subscriptions[subscription]
        except KeyError:
            return
        node.is_gone |= not subscriptions  # one step, after which none takes it
        if node.is_gone and drop(self._nodes, key, node):
            for kind in node.server_watches():
                self.unneeded.append((kind, node.path))

    def needing(self, kind: int, path: str) -> list[CachedNode]:
        """Return the nodes that may need a watch of this kind at a server."""
        with self.lock:
            nodes = [self._nodes.get((any_kind, path)) for any_kind in Kind]
        return [node for node in nodes if node is not None and kind in node.server_watches()]
