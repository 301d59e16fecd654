"""A cache of nodes, kept fresh by watches, and of subscriptions to them.

A subscriber, such as a live object, has the nodes that it reads watched; however many depend on a
node, there is one watch on the server for it. A watch fires once: it says "read again", not what is
new. So an event only marks its node as unread; the session's worker reads it again, which sets the
next watch, and refreshes the subscribers that depend on it. A missing node is watched too, for its
creation.

A gap in the connection loses no event within a session: the binding sets all watches again, and
those fire whose nodes have changed meanwhile. So a node is read again after it only if that fires,
or if there is doubt about what is known of it: a read that failed or was refused. A new session
knows no watches: all nodes are read. Reads wait for the session's pace (`zc.zk.session.pace`).

An event becomes a callback by way of `NodeCache._note_event`, in the event thread, `NodeCache.keep`
and `LiveObject._refresh`, in the worker's, and `callbacks.call_back`, in the callbacks' thread.

Threads. The event thread appends to `_events`; finalisers, which may run in any thread between any
two instructions, also while a lock is held, append to `_dropped`. `_unread` and `_stale` are the
worker's.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.maintenance import Steps
from zc.zk.session.session import Session
from zc.zk.watching import fetch
from zc.zk.watching.ahead import Begun, Wanted, begin
from zc.zk.watching.dependencies import (
    UNREAD,
    Answer,
    CachedNode,
    Key,
    Kind,
    Subscription,
)
from zc.zk.watching.dependencytable import Dependencies
from zc.zk.watching.looking import look
from zc.zk.watching.removing import remove_watches
from zc.zk.watching.settling import ask, note_first, settle, take_untold
from zc.zk.watching.stale import Stale
from zc.zk.watching.unread import Unread

if TYPE_CHECKING:
    from zookeeper.types import Watcher

logger = logging.getLogger("zc.zk")

# The answers for so many nodes are taken in under one lock.
MAX_SETTLED = 1000

Answers = dict[CachedNode, Answer]

_CONCERNED: dict[int, tuple[Kind, ...]] = {
    zookeeper.CREATED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.DELETED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.CHANGED_EVENT: (Kind.DATA, Kind.EXISTS),
    zookeeper.CHILD_EVENT: (Kind.CHILDREN,),
}


class NodeCache:
    """The knowledge of nodes that something depends on, kept up to date."""

    def __init__(self, session: Session, dependencies: Dependencies) -> None:
        self._session = session
        self._dependencies = dependencies
        self._tickets = itertools.count(1)
        self._events: deque[tuple[int, str]] = deque()
        self._wanted: deque[CachedNode] = deque()
        self._dropped: deque[Subscription] = deque()
        self._pace = session.pace
        self._unread = Unread(session.pace)
        self._stale = Stale()
        self._moment = (0, 0)  # in which all that is known was up to date
        self._epoch = 0  # of the session in which nodes are doubted, or known
        # One callable for all watches, the same object every time: the binding calls it once for
        # an event, however often it was given for a path.
        self._watcher: Watcher = self._note_event

    def after_fork(self) -> None:
        """Begin anew in a child process, to watch what the parent does."""
        for waiting in (self._events, self._wanted, self._dropped):
            waiting.clear()
        for seen_to in (self._unread, self._stale):
            seen_to.clear()

    # For subscriptions

    def read_soon(self, nodes: Iterable[CachedNode]) -> None:
        """Have the worker read these and refresh the subscribers to them."""
        self._wanted.extend(nodes)
        self._session.wake(self.keep)

    def end(self, subscription: Subscription) -> None:
        """End a subscription. A finaliser may call this at any point."""
        self._dropped.append(subscription)
        self._session.nudge(self.keep)

    def read_now(self, nodes: list[CachedNode]) -> Answers:
        """Read nodes that something depends on, and return the answers."""
        with self._reading(nodes) as take_in:
            return take_in(self._session.call(self._fetch_many, nodes))

    def look_now(
        self, nodes: list[CachedNode], absent: Collection[Key], unwatched: Collection[Key]
    ) -> tuple[dict[Key, Answer], dict[Key, Answer]]:
        """Do as `Subscriptions.watch_and_look`."""
        with self._reading(nodes) as take_in:
            answers, loose = self._session.call(self._look, nodes, absent, unwatched)
            return {node.key: answer for node, answer in take_in(answers).items()}, loose

    @contextmanager
    def _reading(self, nodes: list[CachedNode]) -> Iterator[Callable[[Answers], Answers]]:
        """Read nodes in a thread of the program; what is given takes the answers in."""
        lock = self._dependencies.lock
        ticket = next(self._tickets)

        def take_in(answers: Answers) -> Answers:
            with lock:
                settle(answers.items(), ticket)
                note_first(nodes)
            return answers

        with lock:
            for node in nodes:
                node.reads_under_way += 1
        try:
            yield take_in
        except BaseException:
            # Its subscriber may stay, as that of a live object whose link leads there.
            self._read_later([node for node in nodes if node.answer is UNREAD])
            raise
        finally:
            with lock:
                for node in nodes:
                    node.reads_under_way -= 1
        # Nothing watches them: the worker is to try again (backoff with jitter).
        self._read_later([node for node in nodes if node.is_refused])

    def _read_later(self, nodes: list[CachedNode]) -> None:
        if nodes:
            self._wanted.extend(nodes)
            self._session.nudge(self.keep)

    # The event thread

    def _note_event(self, handle: int, type: int, state: int, path: str) -> None:
        if type != zookeeper.SESSION_EVENT:
            self._events.append((type, path))
            self._session.wake(self.keep)

    # The worker

    def keep(self, handle: int) -> Steps:
        """Bring what is known of the nodes up to date: a duty of the session, in steps."""
        moment = self._session.maintenance.moment
        if self._moment != moment:
            self._note_gap(moment)
        if self._dropped:
            self._end_dropped()
        if self._dependencies.unneeded:
            binding = self._session.binding
            for nodes in remove_watches(handle, self._dependencies, self._watcher, binding):
                self._unread.add(nodes, at_once=True)
        self._take_events()
        yield from self._read_unread(handle, moment)
        self._stale.refresh(self._unread, self._ask)
        # A new session is restored when all is read, however late.
        self._session.maintenance.note_unfinished(self.keep, self._unread.has_unverified)
        return self._unread.seconds_left()

    def _see_session_go_on(self, handle: int) -> None:
        """Ask for something: answers come in order, so the watches are set again when it is there.

        A server may take a connection and refuse all that needs the session, as when that is over
        or a credential has become due. It says so to those who ask, and to nobody else. And the
        time that it takes says how busy it is, before much is asked for.
        """
        asked_at = time.monotonic()
        try:
            self._session.binding.exists(handle, "/")
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            logger.debug("the root is refused: %s", refusal)  # an answer as good as any
        self._pace.note_answer(asked_at)

    def _note_gap(self, moment: tuple[int, int]) -> None:
        epoch, _ = moment
        if self._epoch == epoch:
            # Unread nodes stay so, and events that have come or will come name those that have
            # changed.
            self._unread.hasten()
        else:
            self._note_new_session(epoch)
            self._epoch = epoch

    def _note_new_session(self, epoch: int) -> None:
        self._dependencies.unneeded.clear()  # they went with the session
        self._unread.doubt(self._dependencies.nodes())
        self._stale.note_session(self._dependencies.subscriptions(), epoch)

    def _take_events(self) -> None:
        while self._wanted:
            nodes = [self._wanted.popleft()]
            self._ask(nodes)
            self._unread.add(nodes, at_once=True)
        while self._events:
            type, path = self._events.popleft()
            self._session.counts.watch_events += 1
            for kind in _CONCERNED.get(type, ()):
                node = self._dependencies.find((kind, path))
                if node is not None:
                    self._ask([node])
                    self._unread.add([node])

    def _ask(self, nodes: Collection[CachedNode]) -> None:
        """Have those refreshed that depend on these, when they are read and whatever is read."""
        with self._dependencies.lock:
            ask(nodes)

    def _read_unread(self, handle: int, moment: tuple[int, int]) -> Iterator[None]:
        """Read what is due; after a gap, others' requests may be under way meanwhile."""
        now = time.monotonic()
        nodes = self._unread.take_due(now)
        begun: Begun | None = None
        if self._moment != moment:
            wanted = Wanted(nodes)  # made while servers are at what they were asked for
            if self._moment[0] and self._dependencies.has_nodes:
                self._see_session_go_on(handle)
                if self._pace.heard.late:
                    nodes = self._unread.take_due(now)
                    wanted = Wanted(nodes)
            self._moment = moment
            ticket = next(self._tickets)
            begun = begin(handle, wanted, ticket, self._watcher, self._session.binding)
        try:
            yield
        except BaseException:
            if begun is not None:
                begun.close()
            raise
        if nodes:
            self._read(handle, nodes, now, begun)

    def _read(self, handle: int, nodes: list[CachedNode], now: float, begun: Begun | None) -> None:
        ticket = next(self._tickets) if begun is None else begun.ticket
        doubted = self._unread.unverified_among(nodes)
        # A node that is not read for a trouble of the connection stays unread.
        answers = self._fetch_many(handle, nodes, begun)
        self._session.counts.reads_after_gaps += len(doubted)
        self._session.counts.reads_after_events += len(nodes) - len(doubted)
        epoch, _ = self._moment
        # The program's threads are let in between.
        for start in range(0, len(nodes), MAX_SETTLED):
            some = nodes[start : start + MAX_SETTLED]
            with self._dependencies.lock:
                settle(zip(some, map(answers.__getitem__, some), strict=True), ticket)
                untold = take_untold(some)
                self._stale.add(untold, doubted, epoch)
            self._unread.note_failures(untold)
        self._unread.note_all_read(nodes, now)

    def _fetch_many(
        self, handle: int, nodes: list[CachedNode], begun: Begun | None = None
    ) -> Answers:
        asked_at = time.monotonic()
        answers = fetch.watch(handle, nodes, self._watcher, self._session.binding, begun)
        self._pace.note_answer(asked_at, len(nodes))
        return answers

    def _look(
        self,
        handle: int,
        nodes: list[CachedNode],
        absent: Collection[Key],
        unwatched: Collection[Key],
    ) -> tuple[Answers, dict[Key, Answer]]:
        asked_at = time.monotonic()
        found = look(handle, nodes, absent, unwatched, self._watcher, self._session.binding)
        self._pace.note_answer(asked_at, len(nodes))
        return found

    # Nodes that nothing depends on any more

    def _end_dropped(self) -> None:
        while self._dropped:
            subscription = self._dropped.popleft()
            self._stale.drop(subscription)
            self._dependencies.leave(subscription)
