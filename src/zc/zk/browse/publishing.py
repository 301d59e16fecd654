"""The events that the page gets: which parts of the tree, and when.

A publisher turns nodes into views, JSON text that the page can show, whenever they change, and
passes the paths of views that became different on to everybody who has subscribed. A subscriber who
is slow misses intermediate states and nothing else.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zc.zk.browse.history import BACK, LOST, Change, History, change_of, told_together
from zc.zk.browse.pending import Pending
from zc.zk.browse.views import Asking, view
from zc.zk.browse.watchedtree import WatchedTree

logger = logging.getLogger("zc.zk")

# Changes that come shortly after one another are published together. Seconds.
GATHERING = 0.05

# So many views are made and published together. Of many, those that have just changed come first,
# and then those further up, as a page shows what there is already.
CHUNK = 1000

# Nodes in one event for the page, and about how many characters: each reader that does not read
# keeps an event in memory.
BATCH = 500
BATCH_CHARACTERS = 256 * 1024

# Before views that could not be made are tried again.
AGAIN_SECONDS = 5.0

# The thread ends after the view that it is making, which takes milliseconds. A node full of links
# through hundreds of others can take minutes, and nobody is to wait for that.
END_SECONDS = 5.0


class Subscription:
    """The events that one reader has not got yet."""

    def __init__(self, publisher: Publisher, paths: Sequence[str]) -> None:
        self._publisher = publisher
        # Guarded by the publisher's condition.
        self.pending = Pending(paths)
        self.status = ""
        self.changes = 0

    @property
    def is_behind(self) -> bool:
        """Whether it is too slow for nodes that come and go, and has to begin anew."""
        return self.pending.is_behind

    def next(self, seconds: float) -> list[tuple[str, str]]:
        """Return what is due, as (event, JSON): the status, changes, and a batch of views.

        Views are [[path, view or null], ...]. When there is nothing to tell for so many seconds it
        is an empty list.
        """
        return self._publisher._next(self, seconds)

    def close(self) -> None:
        self._publisher._unsubscribe(self)


class Publisher:
    """The views of all nodes of a tree."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._dirty: set[str] = set()
        # The nodes to which somebody has done something that is not in the history yet.
        self._happened: set[str] = set()
        self._history = History()
        self._views: dict[str, str] = {}
        # Their paths in order, for new readers; None when there are others.
        self._paths: list[str] | None = None
        # The thread's: nodes that are yet to be looked at, the next one last; the nodes that views
        # depend on besides their own, and the views that depend on a node.
        self._backlog: list[str] = []
        self._asked: dict[str, set[str]] = {}
        self._askers: dict[str, set[str]] = {}
        self._subscriptions: set[Subscription] = set()
        self._is_closed = False
        self._status = ""
        self._is_connected: object = True
        self.version = 0
        self._tree: WatchedTree | None = None
        self._thread = threading.Thread(target=self._run, name="zc.zk publisher", daemon=True)

    def start(self, tree: WatchedTree) -> None:
        self._tree = tree
        self._thread.start()

    def close(self) -> None:
        """Stop publishing; who waits for something is let go.

        A view that is being made for longer than END_SECONDS is left to be finished for nobody.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(END_SECONDS)
            if self._thread.is_alive():
                logger.warning("the page was closed while a node full of links was looked at")

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def note(self, paths: Iterable[str], happened: Iterable[str] = ()) -> None:
        """Take note of nodes that may look different, and of those that somebody has changed."""
        with self._changed:
            self._dirty.update(paths)
            self._happened.update(happened)
            self._changed.notify_all()

    def tell_status(self, status: Mapping[str, object]) -> None:
        """Tell readers the state of the connection."""
        with self._changed:
            self._status = json.dumps(status)
            if status["connected"] != self._is_connected:
                self._is_connected = status["connected"]
                kind = BACK if self._is_connected else LOST
                self._history.add([{"time": _now(), "kind": kind, "path": ""}])
            self._changed.notify_all()

    def subscribe(self) -> Subscription:
        """Begin to listen to all present views, and to their changes."""
        with self._changed:
            if self._paths is None:
                self._paths = sorted(self._views)
            subscription = Subscription(self, self._paths)
            self._subscriptions.add(subscription)
        return subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        with self._changed:
            self._subscriptions.discard(subscription)

    def _next(self, subscription: Subscription, seconds: float) -> list[tuple[str, str]]:
        events = []
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    subscription.pending
                    or subscription.is_behind
                    or subscription.status != self._status
                    or subscription.changes != self._history.count
                    or self._is_closed
                ),
                seconds,
            )
            if subscription.status != self._status:
                subscription.status = self._status
                events.append(("status", self._status))
            changes = self._history.since(subscription.changes)
            subscription.changes = self._history.count
            if changes:
                events.append(("changes", f"[{','.join(changes)}]"))
            views = self._batch(subscription)
            if views:
                events.append(("nodes", f"[{','.join(views)}]"))
        return events

    def _batch(self, subscription: Subscription) -> list[str]:
        """Take a batch of views out of those that are pending."""
        views: list[str] = []
        size = 0
        pending = subscription.pending
        while pending and len(views) < BATCH and size < BATCH_CHARACTERS:
            path, is_change = pending.pop()
            text = self._views.get(path)
            if text is not None or is_change:
                views.append(f"[{json.dumps(path)},{text or 'null'}]")
                size += len(views[-1])
        return views

    def _run(self) -> None:
        pause, told = GATHERING, ""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty or self._backlog or self._is_closed)
                self._changed.wait_for(lambda: self._is_closed, pause)
                if self._is_closed:
                    return
                dirty, self._dirty = self._dirty, set()
            started = time.monotonic()
            chosen = self._choose(dirty)
            try:
                self._publish(chosen)
            except Exception as fault:
                # As without a descriptor for the first import of a module. The page would be dead
                # with this thread, and its process would live.
                if repr(fault) != told:
                    logger.exception("the page could not be made, and is tried again")
                told = repr(fault)
                with self._changed:
                    self._dirty.update(chosen)
                    self._changed.wait_for(lambda: self._is_closed, AGAIN_SECONDS)
            else:
                told = ""
            # However many changes there are, a part of the time is left for others.
            pause = (time.monotonic() - started) / 4
            if not self._backlog:
                pause = max(GATHERING, pause)

    def _choose(self, dirty: set[str]) -> list[str]:
        """Return nodes whose views are to be made now: what has just changed comes first."""
        dirty.update(*[self._askers.get(path, ()) for path in dirty])
        chosen: list[str] = []
        if len(dirty) <= CHUNK:
            chosen = sorted(dirty)
        else:
            self._backlog = sorted(dirty.union(self._backlog), reverse=True)
        chosen += self._backlog[: -CHUNK - 1 : -1]
        del self._backlog[-CHUNK:]
        return chosen

    def _publish(self, paths: Iterable[str]) -> None:
        """Make new views of nodes. It gives up when it is closed meanwhile."""
        assert self._tree is not None
        views: dict[str, str | None] = {}
        for path in paths:
            if self._is_closed:
                return
            node = self._tree.find(path)
            asking = Asking(self._tree)
            views[path] = None if node is None else json.dumps(view(asking, node))
            self._note_asked(path, asking.asked)
        with self._changed:
            different = {path for path, text in views.items() if text != self._views.get(path)}
            self._history.add(told_together(self._changes(views)))
            for path in different:
                text = views[path]
                if text is None:
                    del self._views[path]
                    self._paths = None
                else:
                    if path not in self._views:
                        self._paths = None
                    self._views[path] = text
            if different:
                self.version += 1
                for subscription in self._subscriptions:
                    subscription.pending.add(different, len(self._views))
                self._changed.notify_all()

    def _changes(self, views: Mapping[str, str | None]) -> Iterable[Change]:
        """Yield what has happened to nodes, by their former views and the new ones."""
        time = _now()
        for path in self._happened.intersection(views):
            self._happened.remove(path)
            change = change_of(path, _read(self._views.get(path)), _read(views[path]), time)
            if change is not None:
                yield change

    def _note_asked(self, path: str, asked: set[str]) -> None:
        """Note which nodes a view depends on, as its links lead through them."""
        former = self._asked.pop(path, set())
        for other in former - asked:
            askers = self._askers[other]
            askers.discard(path)
            if not askers:
                del self._askers[other]
        for other in asked - former:
            self._askers.setdefault(other, set()).add(path)
        if asked:
            self._asked[path] = asked


def _read(view: str | None) -> dict[str, Any] | None:
    return None if view is None else json.loads(view)


def _now() -> int:
    return int(time.time() * 1000)
