"""`zk watch -R`: a line a change of a node and of all nodes below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from zc.zk.naturalorder import sorted_naturally
from zc.zk.tree.changes import SetData

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.watching.tree import Tree
    from zc.zk.watching.treechanges import Changes


class TreeFollower:
    """Follows a tree, and writes down what changes: nodes as children of those above them."""

    def __init__(
        self,
        zk: ZooKeeper,
        path: str,
        note: Callable[[str], object],
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
        self._tree = zk.tree(path)(self._note_changes)

    def _note_changes(self, tree: Tree, changes: Changes) -> None:
        for path in reversed(sorted_naturally(changes.removed)):
            if path in self._known:
                del self._known[path]
                self._note_node(tree, path, "remove")
        for path in sorted_naturally(changes.added):
            if path in tree and path not in self._known:
                self._known[path] = ""
                self._note_node(tree, path, "add")
                self._note_data(tree, path)
        for path in sorted_naturally(changes.changed):
            if path in self._known:
                self._note_data(tree, path)

    def _note_node(self, tree: Tree, path: str, verb: str) -> None:
        above, _, name = path.rpartition("/")
        if path == tree.real_path:
            if verb == "remove":
                self._note(f"{path} deleted")
        elif self._children:
            self._note(f"{above or '/'} {verb} child {name}")

    def _note_data(self, tree: Tree, path: str) -> None:
        node = tree.get(path)
        if node is None or not self._properties:
            return  # it is gone, which is told next
        old, self._known[path] = self._known[path], node.data
        for line in _lines(path, old, node.data):
            self._note(line)


def _lines(path: str, old: str | None, new: str | None) -> Iterator[str]:
    if (old or "") != (new or ""):
        yield from SetData(path, old, new, 0).lines()
