"""The nodes that the page shows: a live tree, or as much of it as the page may show.

Threads. `WatchedTree._take` is called in the client's thread of callbacks, and the rest by any
thread. The lock guards which nodes are shown, and is not held while others are called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import zookeeper
from zc.zk.links import join
from zc.zk.resolver import Resolver
from zc.zk.tree.exporting import RESERVED, is_at_root
from zc.zk.watching.subscriptions import Subscriptions
from zc.zk.watching.tree import Tree
from zc.zk.watching.treechanges import Changes
from zc.zk.watching.treenode import TreeNode

TOP = "/"


class WatchedTree(Resolver):
    """The nodes from the root down, of which no more than `limit` are shown: upper ones first.

    `changed` is called with the paths of nodes that may look different, shown or not, and with
    those that came, changed or went. That nodes are there at first is no change.
    """

    def __init__(
        self,
        watches: Subscriptions,
        limit: int,
        changed: Callable[[Iterable[str], Iterable[str]], object],
    ) -> None:
        self.limit = limit
        self._watches = watches
        self._changed = changed
        self._lock = threading.Lock()
        self._tree: Tree | None = None
        self._shown: set[str] = {TOP}
        self._is_full = False
        self._is_read = False
        self._has_reserved = is_at_root(watches.session.connection_string)

    def start(self) -> None:
        """Read all. Raises what servers say against it, NoNodeException without root."""
        tree = Tree(self._watches, TOP)
        tree.keep_callbacks = True
        self._tree = tree
        tree(self._take)

    def close(self) -> None:
        """Watch nothing any more."""
        tree = self._tree
        if tree is not None:
            # It is meant to go: nobody is to be warned of a tree with callbacks that is gone.
            tree.callbacks.clear()
        self._tree = None

    def __len__(self) -> int:
        return len(self._shown)

    def find(self, path: str) -> TreeNode | None:
        """Return the node at `path`, if it is shown."""
        tree = self._tree
        if tree is None or path not in self._shown:
            return None
        node = tree.get(path)
        if node is None and path == TOP:
            # The page stays, as the root may return.
            return TreeNode(TOP, 0, (None, zookeeper.error(zookeeper.NONODE, TOP), None))
        return node

    def nodes(self) -> Iterator[TreeNode]:
        """Yield the nodes that are shown, parents before their children."""
        tree = self._tree
        if tree is not None:
            yield from (node for node in tree.nodes() if node.path in self._shown)

    def names(self, node: TreeNode) -> list[str]:
        """Return the names of a node's children, shown or not."""
        names = node.children
        return [name for name in names if not self._is_reserved(join(node.path, name))]

    def hidden(self, node: TreeNode) -> int:
        """Count the children of a node that are not shown, as there are too many."""
        if not self._is_full:
            return 0
        return sum(join(node.path, name) not in self._shown for name in self.names(node))

    def exists(self, path: str) -> bool:
        tree = self._tree
        return tree is not None and path in tree

    def get_properties(self, path: str) -> Mapping[str, Any]:
        node = self._tree.get(path) if self._tree is not None else None
        return {} if node is None else node.properties

    def _is_reserved(self, path: str) -> bool:
        return self._has_reserved and (path == RESERVED or path.startswith(RESERVED + "/"))

    def _take(self, tree: Tree, changes: Changes) -> None:
        """Take in what has changed in the tree."""
        with self._lock:
            gone = self._shown.intersection(changes.removed) - {TOP}
            self._shown -= gone
            new = self._make_room(tree, changes.added)
            told = gone | new
            told |= self._shown & (_above(changes.added) | _above(changes.removed))
            happened = set(changes.added).union(changes.removed, changes.changed)
            is_first, self._is_read = not self._is_read, True
        # Of those that are not shown, too: links may lead through them.
        self._changed(told | happened, () if is_first else happened)

    def _make_room(self, tree: Tree, added: list[str]) -> set[str]:
        """Let nodes be shown, as many as may be; return the paths of new ones. With the lock."""
        room = self.limit - len(self._shown)
        new = {path for path in added if not self._is_reserved(path)} - self._shown
        if self._is_full or len(new) > room:
            self._is_full = True
            new = set(self._upper(tree)) - self._shown if room > 0 else set()
        self._shown |= new
        return new

    def _upper(self, tree: Tree) -> Iterator[str]:
        """Yield as many paths as may be shown, one level after the other."""
        count = 0
        level = [TOP]
        while level:
            below: list[str] = []
            for path in level:
                if count == self.limit:
                    return
                node = tree.get(path)
                if node is not None:
                    count += 1
                    yield path
                    below += [join(path, name) for name in self.names(node)]
            level = below


def _above(paths: Iterable[str]) -> set[str]:
    """Return the parents of nodes, whose views count their children."""
    return {path.rpartition("/")[0] or TOP for path in paths}
