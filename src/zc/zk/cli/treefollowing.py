"""`zk watch -R`: an event for each change of a node and of all nodes below it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from zc.zk.cli.nodeevents import ADDED, CHANGED, REMOVED, Event
from zc.zk.naturalorder import sorted_naturally

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.watching.tree import Tree
    from zc.zk.watching.treechanges import Changes


logger = logging.getLogger("zc.zk")


class TreeFollower:
    """Follows a tree, and tells what changes. Raises NoNodeException if there is none."""

    def __init__(
        self,
        zk: ZooKeeper,
        path: str,
        note: Callable[[Event], object],
        *,
        children: bool,
        properties: bool,
    ) -> None:
        self._note = note
        self._children = children
        self._properties = properties
        # The data that were told, by path. The first call comes in our thread and later ones not,
        # but none before the first has ended.
        self._known: dict[str, str | None] = {}
        # Nodes that were found shut since the last word about them.
        self._shut: list[str] = []
        self._tree = zk.tree(path)(self._note_changes)

    def _note_changes(self, tree: Tree, changes: Changes) -> None:
        for path in reversed(sorted_naturally(changes.removed)):
            if path in self._known:
                self._tell(tree, Event(path, REMOVED, self._known.pop(path)))
        for path in sorted_naturally(changes.added):
            if path in tree and path not in self._known:
                self._known[path] = new = self._data(tree, path)
                self._tell(tree, Event(path, ADDED, None if new is None else "", new))
        for path in sorted_naturally(changes.changed):
            if path in self._known and path in tree:
                old, self._known[path] = self._known[path], self._data(tree, path)
                self._tell(tree, Event(path, CHANGED, old, self._known[path]))
        self._warn()

    def _warn(self) -> None:
        if not self._shut:
            return
        first, others = self._shut[0], len(self._shut) - 1
        more = f", and {others} more," if others else ""
        logger.warning("%s%s may not be read: properties and nodes below are not told", first, more)
        self._shut.clear()

    def _tell(self, tree: Tree, event: Event) -> None:
        if not event.is_nothing:
            self._note(event._replace(is_top=event.path == tree.real_path, is_child=self._children))

    def _data(self, tree: Tree, path: str) -> str | None:
        """Return the data, if they are followed and may be read."""
        node = tree.get(path) if self._properties else None
        if node is not None and node.error is not None:
            self._shut.append(path)
            return None
        return None if node is None else node.data or ""
