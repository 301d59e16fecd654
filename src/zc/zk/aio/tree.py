"""A node and all nodes below it, live, for an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zc.zk.aio.live import LiveObject
from zc.zk.watching.callbacks import Callback
from zc.zk.watching.tree import Tree as Blocking
from zc.zk.watching.treechanges import ADDED, CHANGED, REMOVED, Changes, Log, note
from zc.zk.watching.treenodes import Nodes
from zc.zk.watching.treeview import TreeView

if TYPE_CHECKING:
    from zc.zk.aio.forms import Face


class Tree(LiveObject[Blocking], TreeView):
    """A node and all nodes below it, kept up to date: a mapping from paths to `TreeNode`.

    As the blocking client's tree. Callbacks are called with the tree and a `Changes`, at first with
    one that says that all is new.
    """

    def __init__(
        self,
        zk: Face,
        path: str,
        depth: int | None,
        filter: Callable[[str], object] | None,
    ) -> None:
        super().__init__(zk, path)
        self._depth = depth
        self._filter = filter
        # The changes that each callback, by its id, has yet to be told.
        self._logs: dict[int, Log] = {}

    def _make(self) -> Blocking:
        return self._zk._ready().tree(self.path, depth=self._depth, filter=self._filter)

    @property
    def _nodes(self) -> Nodes:
        return self._object._nodes

    @property
    def _is_at_root(self) -> bool:
        return self._object._is_at_root

    def _first(self, callback: Callback) -> object:
        nodes = self._nodes
        return callback(self, Changes({}, lambda: [path for path, _, _ in nodes.walk(nodes.root)]))

    def _note_change(self, *told: Any) -> None:
        for changes in told[1:]:
            known, self._logs = self._logs, {}
            for callback in self.callbacks:
                log = self._logs[id(callback)] = known.get(id(callback), {})
                _note_all(log, changes)
        super()._note_change()

    def _tell(self, callback: Callback) -> object:
        log = self._logs.get(id(callback))
        if not log:
            return None
        self._logs[id(callback)] = {}
        try:
            return callback(self, Changes(log))
        except BaseException:
            self._logs[id(callback)] = log
            raise


def _note_all(log: Log, changes: Changes) -> None:
    for path in changes.removed:
        note(log, path, REMOVED)
    for path in changes.changed:
        note(log, path, CHANGED)
    for path in changes.added:
        note(log, path, ADDED)
