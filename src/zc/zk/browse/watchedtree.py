"""All nodes of a tree, up to a limit, kept up to date by watches.

Each node observes itself: it is told when it has been read again, and has its children enter and
leave the tree. Watches are set in bulk, one level of the tree after the other.

Threads. `WatchedTree.refresh` is called by the session's maintenance worker, and the rest by any
thread. The lock guards the nodes. It is not held while others are called, but for `Subscriptions`,
which never calls back with a lock of its own held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import zookeeper
from zc.zk import codec
from zc.zk.links import join
from zc.zk.resolver import Resolver
from zc.zk.tree.exporting import RESERVED, is_at_root
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.subscriptions import Subscriptions

TOP = "/"


class WatchedNode:
    """A node as it was last read: data and stat, or why it could not be read.

    `names` are those of its children, sorted; not all of them need be in the tree.
    """

    __slots__ = ("_tree", "data", "fault", "names", "path", "properties", "stat", "subscription")

    def __init__(self, tree: WatchedTree, path: str) -> None:
        self._tree = tree
        self.path = path
        self.data: str | None = None
        self.properties: Mapping[str, Any] = {}
        self.stat: Mapping[str, int] | None = None
        self.names: list[str] = []
        self.fault: str | None = None
        self.subscription = tree.watches.subscribe(
            self, tree.refresh, weakly=False, after_fork=tree.after_fork
        )


class WatchedTree(Resolver):
    """The nodes from the root down, no more than `limit` of them.

    `changed` is called with the paths of nodes that came, changed or went.
    """

    def __init__(
        self, watches: Subscriptions, limit: int, changed: Callable[[Iterable[str]], object]
    ) -> None:
        self.watches = watches
        self.limit = limit
        self._changed = changed
        self._lock = threading.RLock()
        self._nodes: dict[str, WatchedNode] = {}
        self._top = self._nodes[TOP] = WatchedNode(self, TOP)

    def start(self) -> None:
        """Read the root, and have the rest read. Raise NoNodeException without root."""
        for kind in (Kind.DATA, Kind.CHILDREN):
            self.watches.watch_and_read(self._top.subscription, kind, TOP, fresh=True)
        self.refresh(self._top)

    def after_fork(self, node: WatchedNode) -> None:
        """Renew the lock in a child process: a thread of the parent may hold it."""
        self._lock = threading.RLock()

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            self._drop(TOP)

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, path: str) -> WatchedNode | None:
        """Return the node at `path`, if it is in the tree and has been read."""
        with self._lock:
            node = self._nodes.get(path)
        return node if node is not None and (node.stat or node.fault) else None

    def nodes(self) -> Iterator[WatchedNode]:
        """Return the nodes that have been read, parents before their children."""
        with self._lock:
            nodes = list(self._nodes.values())
        return (node for node in nodes if node.stat or node.fault)

    def hidden(self, node: WatchedNode) -> int:
        """Count the children of a node that are not in the tree, as it is full."""
        with self._lock:
            return sum(join(node.path, name) not in self._nodes for name in node.names)

    def exists(self, path: str) -> bool:
        """Return whether there is such a node; assume so beyond the limit."""
        with self._lock:
            while path not in self._nodes:
                path, _, name = path.rpartition("/")
                above = self._nodes.get(path or TOP)
                if above is not None:
                    return name in above.names
        return True

    def get_properties(self, path: str) -> Mapping[str, Any]:
        node = self._nodes.get(path)
        return {} if node is None else node.properties

    def refresh(self, node: WatchedNode, tell: bool = False) -> None:
        """Take in what is known of a node now."""
        path = node.path
        data: str | None = None
        stat: Mapping[str, int] | None = None
        names: list[str] = []
        fault = None
        try:
            data, stat = self.watches.watch_and_read(node.subscription, Kind.DATA, path)
            names = sorted(self.watches.watch_and_read(node.subscription, Kind.CHILDREN, path))
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            # One that is gone leaves with its parent's next look; the root stays, as it may return.
            data, stat, fault = None, None, zookeeper.zerror(refusal.code)
        if path == TOP and is_at_root(self.watches.session.connection_string):
            names = [name for name in names if join(path, name) != RESERVED]
        with self._lock:
            if self._nodes.get(path) is not node:
                return
            node.data, node.stat, node.fault = data, stat, fault
            node.properties = codec.decode(data, path)
            changed = [path, *self._set_names(node, names)]
        self._changed(changed)

    def _set_names(self, node: WatchedNode, names: list[str]) -> list[str]:
        """Let children enter and leave, with the lock; return the paths that left."""
        gone = set(node.names).difference(names)
        node.names = names
        left = [path for name in gone for path in self._drop(join(node.path, name))]
        for name in names:
            path = join(node.path, name)
            if len(self._nodes) >= self.limit:
                break
            if path not in self._nodes:
                child = self._nodes[path] = WatchedNode(self, path)
                keys = [(kind, path) for kind in (Kind.DATA, Kind.CHILDREN)]
                self.watches.watch_soon(child.subscription, keys, refresh=True)
        return left

    def _drop(self, path: str) -> list[str]:
        """Let a node and those below it leave; returns their paths. With the lock."""
        dropped = []
        to_do = [path]
        while to_do:
            node = self._nodes.pop(to_do.pop(), None)
            if node is not None:
                dropped.append(node.path)
                self.watches.unsubscribe(node.subscription)
                to_do += [join(node.path, name) for name in node.names]
        return dropped
