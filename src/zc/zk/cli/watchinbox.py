"""The news that threads of a client have for the one in which `zk watch` acts on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import zookeeper
from zc.zk.cli.nodeevents import Event, Pending, one_of_each
from zc.zk.cli.output import tell
from zc.zk.cli.runplan import RunPlan
from zc.zk.client import ZooKeeper
from zc.zk.operations.awaiting import Awaited
from zc.zk.operations.root import named
from zc.zk.tree.expectation import Expectation

# How long to wait for a connection before the next attempt to follow a node.
AGAIN_SECONDS = 1.0

# When so many events have not been taken, as nobody reads what is printed, those of a node become
# one; and again when there are twice as many as that has left.
MANY_EVENTS = 10_000


class Inbox:
    """Events, in their order; or, with a plan, one of each node, until the plan has them due.

    Of very many that nobody takes there is one of each node as well.
    While `is_muted`, the thread that made it notes nothing; what others note counts.
    """

    def __init__(self, plan: RunPlan | None = None) -> None:
        self.plan = plan
        self.is_muted = False
        self._owner = threading.get_ident()
        self._news = threading.Condition()
        self._events: list[Event] = []
        self._many = MANY_EVENTS
        self._pending = Pending()
        self._there: set[str] = set()

    def note(self, event: Event) -> None:
        """Note an event."""
        if self.is_muted and threading.get_ident() == self._owner:
            return
        with self._news:
            if self.plan is None:
                self._events.append(event)
                if len(self._events) >= self._many:
                    self._events = one_of_each(self._events)
                    self._many = max(MANY_EVENTS, 2 * len(self._events))
            else:
                self._pending.note(event)
                self.plan.note_change(time.monotonic())
            self._news.notify()

    def note_there(self, path: str) -> None:
        """Note that a node is there which has been waited for."""
        with self._news:
            self._there.add(path)
            self._news.notify()

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until there is something to do."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not (self._there or self._events):
                now = time.monotonic()
                left = deadline - now
                due = self.plan.seconds_left(now) if self.plan is not None else None
                if left <= 0 or due == 0.0:
                    return
                self._news.wait(left if due is None else min(left, due))

    def take_there(self) -> set[str]:
        """Return the nodes that are there at last, and forget them."""
        with self._news:
            there, self._there = self._there, set()
        return there

    def take(self) -> list[Event]:
        """Return the events that are due, and forget them."""
        with self._news:
            if self.plan is None:
                events, self._events = self._events, []
                self._many = MANY_EVENTS
                return events
            now = time.monotonic()
            if self.plan.seconds_left(now) != 0.0:
                return []
            self.plan.begin(now)
            return self._pending.take()

    def note_success(self) -> None:
        """Note that the events that were taken have been seen to."""
        assert self.plan is not None
        with self._news:
            self.plan.note_success()

    def note_failure(self, events: list[Event]) -> float | None:
        """Note that they have not; return the pause until they are due again, None if never.

        Events that are given up are told together with the next one.
        """
        assert self.plan is not None
        with self._news:
            self._pending.put_back(events)
            return self.plan.note_failure(time.monotonic())


class Following:
    """Followers of paths, of which some wait until there is a node."""

    def __init__(
        self,
        zk: ZooKeeper,
        inbox: Inbox,
        follow: Callable[[str], object],
        name: str,
        *,
        waits: bool,
    ) -> None:
        self._zk = zk
        self._inbox = inbox
        self._follow = follow
        self._name = name
        self._waits = waits
        self._followers: list[object] = []
        self._awaited: dict[str, Awaited] = {}

    def begin(self, path: str) -> None:
        """Follow a path, as soon as there is a node. Raises NoNodeException if not to wait."""
        try:
            self._followers.append(self._follow(path))
        except zookeeper.NoNodeException as missing:
            # A root that is missing is a mistake.
            if not self._waits or path == "/" or named(self._zk._session, missing) is not missing:
                raise
            if path not in self._awaited:
                tell(self._name, f"{missing}; waiting for it")
            self._forget(path)
            # Another one each time, which tells at once if the node has come meanwhile.
            awaited = Awaited(self._zk.watches, path, Expectation())
            self._awaited[path] = awaited(self._note)
        else:
            self._forget(path)

    def go_on(self) -> None:
        """Follow the nodes that are there at last."""
        for path in sorted(self._inbox.take_there()):
            try:
                self.begin(path)
            except zookeeper.SessionError:
                self._inbox.note_there(path)
                self._zk._session.wait_for_connection(AGAIN_SECONDS)

    def _forget(self, path: str) -> None:
        awaited = self._awaited.pop(path, None)
        if awaited is not None:
            awaited.callbacks.clear()

    def _note(self, awaited: Awaited) -> None:
        if awaited.seen.is_there:
            self._inbox.note_there(awaited.path)
