"""A whole tree, live: a node and everything below it, kept up to date by one recursive watch.

To make one reads the tree, in a few round trips. All that it is asked for then is in memory: that
part of it is a `TreeView`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.errors import LinkLoop, printable
from zc.zk.links import NotRead, is_direct
from zc.zk.tree.exporting import is_at_root
from zc.zk.watching import subscriptions
from zc.zk.watching.callbacks import Callback
from zc.zk.watching.dependencies import Care
from zc.zk.watching.readers import NodeReader, WatchingSource
from zc.zk.watching.subscriptions import Subscriptions
from zc.zk.watching.telling import Telling
from zc.zk.watching.treechanges import REMOVED, Changes, Log, merge
from zc.zk.watching.treekeeper import Upkeep
from zc.zk.watching.treenodes import Nodes
from zc.zk.watching.treeview import TreeView

if TYPE_CHECKING:
    from typing import TypeVar

    Self = TypeVar("Self", bound="Tree")

logger = logging.getLogger("zc.zk")


class Tree(Telling, TreeView):
    """A node and all nodes below it, kept up to date: a mapping from paths to `TreeNode`.

    `zc.zk.ZooKeeper.tree` makes them. The paths are those of the nodes themselves, from
    `real_path` on, which is what `path` led to, links followed. Links among the nodes appear as
    properties. Iteration goes depth first, siblings by name; while it is under way a change may be
    seen or not.

    Callbacks are called with the tree and a `Changes`, which says what was added, removed and
    changed since the last call; at first, that all is new. Otherwise they are as those of
    `LiveObject`. When the node at the top is gone, or links lead nowhere, the tree is empty and
    `deleted`; it returns when there is a node to be shown.
    """

    def __init__(
        self,
        watches: Subscriptions,
        path: str,
        depth: int | None = None,
        filter: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(watches, path)
        if depth is not None and depth < 0:
            raise ValueError(f"a depth must not be negative: {depth}")
        # The changes that each callback, by its id, has yet to be told; the lock guards it, which
        # is the tree's own, as changes may be many.
        self._lock = threading.RLock()
        self._logs: dict[int, Log] = {}
        self._starting: list[Callback] = []
        # Guarded by the lock: whether nodes on the path changed before there was an upkeep to tell.
        self._has_missed = False
        accepts = None if filter is None else _Filter(filter)
        self._subscription = watches.subscribe(
            self, Care(Tree._follow_links, after_fork=Tree._after_fork)
        )
        try:
            begin = partial(Upkeep, watches.session, watches.wake_trees, depth=depth)
            upkeep = self._begin(partial(begin, accepts=accepts))
            with self._lock:
                self._upkeep = upkeep
                has_missed = self._has_missed
            if accepts is not None:
                accepts.has_begun = True
            watches.enter_tree(upkeep, self)
            if has_missed:
                watches.watch_soon(self._subscription, [*self._subscription.nodes], refresh=True)
        except BaseException:
            watches.unsubscribe(self._subscription)
            raise

    def _begin(self, make: Callable[[str], Upkeep]) -> Upkeep:
        """Read the tree that the path leads to."""
        if is_direct(self.path):
            try:
                return self._read(make(self.path))
            except zookeeper.NoNodeException:
                pass  # there may be links in it
        assert self._subscription is not None
        source = WatchingSource(self._watches, self._subscription, fresh=True)
        real_path = NodeReader(source).complete(lambda reader: reader.resolve(self.path))
        return self._read(make(real_path))

    def _read(self, upkeep: Upkeep) -> Upkeep:
        try:
            upkeep.begin()
        except BaseException:
            self._watches.drop_tree(upkeep)
            raise
        return upkeep

    @property
    def _nodes(self) -> Nodes:
        if subscriptions.is_child:
            self._watches.warn_of_fork()
        return self._upkeep.agenda.nodes

    @property
    def _is_at_root(self) -> bool:
        return is_at_root(self._watches.session.connection_string)

    @property
    def real_path(self) -> str:
        """The path of the top node itself, links followed; where it was, when it is gone."""
        return self._upkeep.root

    @property
    def deleted(self) -> bool:
        """Whether the top node is gone."""
        return self._nodes.count == 0

    # Callbacks

    def __call__(self: Self, callback: Callback) -> Self:
        """Call `callback` now, and again whenever something has changed.

        It gets the tree and a `Changes`. It returns the tree, so that it can be used as a
        decorator. An exception from the first call propagates, and there will be no other calls
        then.
        """
        with self._lock:
            self._starting.append(callback)
            self._logs.setdefault(id(callback), {})
        try:
            nodes = self._nodes
            callback(self, Changes({}, lambda: [path for path, _, _ in nodes.walk(nodes.root)]))
            self.callbacks.append(callback)
        finally:
            with self._lock:
                self._starting.remove(callback)
        if self._logs.get(id(callback)):
            self._note_change()
        return self

    def _take_changes(self, log: Log) -> None:
        """Tell the program of changes, on the worker."""
        with self._lock:
            known = self._logs
            self._logs = {}
            for callback in (*self.callbacks, *self._starting):
                self._logs[id(callback)] = its = known.pop(id(callback), {})
                merge(its, log)
        self._note_change()
        if log.get(self.real_path) is REMOVED:
            self._follow_links(always=True)

    def _tell(self, callback: Callback) -> None:
        with self._lock:
            log = self._logs.get(id(callback))
            if not log:
                return
            self._logs[id(callback)] = {}
        try:
            callback(self, Changes(log))
        except BaseException:
            with self._lock:
                merge(log, self._logs.get(id(callback), {}))
                self._logs[id(callback)] = log
            raise

    def __repr__(self) -> str:
        kind = type(self).__name__
        deleted = "DELETED: " if hasattr(self, "_upkeep") and self._nodes.count == 0 else ""
        return printable(f"{deleted}zc.zk.{kind}({self._watches.session.handle}, {self.path})")

    def _after_fork(self) -> None:
        super()._after_fork()
        self._lock = threading.RLock()

    # Links in the path, on the worker

    def _follow_links(self, tell: bool = False, *, always: bool = False) -> None:
        """Look where the path leads, as a node on the way has changed, or that at its end is gone.

        A path that leads straight to a node has nothing on its way, and nothing is subscribed to.
        """
        with self._lock:
            if not hasattr(self, "_upkeep"):
                self._has_missed = True
                return
        subscription = self._subscription
        assert subscription is not None
        if not (subscription.nodes or always):
            return
        reader = NodeReader(WatchingSource(self._watches, subscription))
        real_path: str | None
        try:
            real_path = reader.resolve(self.path)
        except NotRead:
            self._watches.watch_soon(subscription, reader.lacking, refresh=True)
            return
        except (zookeeper.NoNodeException, LinkLoop):
            # A node that no links led to is looked for where it was.
            real_path = self.path if self.real_path == self.path else None
        except zookeeper.ZooKeeperException:
            real_path = self._upkeep.wanted_root
        self._watches.watch_only(subscription, reader.answers)
        if real_path != self._upkeep.wanted_root:
            self._upkeep.wanted_root = real_path
            self._watches.wake_trees()


class _Filter:
    """A program's filter. When it fails later on, a node is rather shown than lost."""

    def __init__(self, function: Callable[[str], object]) -> None:
        self._function = function
        self.has_begun = False

    def __call__(self, path: str) -> bool:
        try:
            return bool(self._function(path))
        except Exception:
            if not self.has_begun:
                raise
            logger.exception("the filter of a tree failed, and %s is taken into it", path)
            return True
