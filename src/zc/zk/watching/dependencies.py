"""Nodes that are watched, and those who depend on them kept up to date.

A live object shows what the servers have and hears when that changes. What it reads, it reads
here, which makes it depend on what it read; however many objects depend on a node, there is one
watch on the server for it. A watch fires once: it says "look again", not what is new. So every
event only marks its node as unread; the keeper reads it again, which sets the next watch, and has
the objects that depend on it look again. The same after any gap in the connection, for all nodes.

A missing node is watched too, for its creation.

Threads. The event thread appends to `_events`; finalisers, which may run in any thread between any
two instructions, also while a lock is held, append to `_dropped`. `_unread`, `_stale` and
`_troubled` are the keeper's.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
import weakref
from collections import deque
from collections.abc import Iterable
from copy import copy

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.session.backoff import pause, soonest
from zc.zk.session.session import Session
from zc.zk.watching.cache import UNREAD, Answer, Interest, Node, Nodes, Observer
from zc.zk.watching.cache import Kind as Kind
from zc.zk.watching.fetch import Fetcher

logger = logging.getLogger("zc.zk")

_CONCERNED: dict[int, tuple[Kind, ...]] = {
    zookeeper.CREATED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.DELETED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.CHANGED_EVENT: (Kind.DATA, Kind.EXISTS),
    zookeeper.CHILD_EVENT: (Kind.CHILDREN,),
}


class Watches:
    """The watches of a client. Its length is the number of live objects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # What live objects that are made from now on do about callbacks that fail.
        self.keep_callbacks = False
        self._nodes = Nodes()
        self._tickets = itertools.count(1)
        self._events: deque[tuple[int, str]] = deque()
        self._wanted: deque[Node] = deque()
        self._dropped: deque[Interest] = deque()
        self._unread: dict[Node, None] = {}
        self._stale: dict[Interest, bool] = {}
        self._troubled: dict[Node, float] = {}
        self._epoch = 0
        self._connects = 0
        self._warned_in = 0  # the process
        # One callable for all watches, the same object every time: the binding calls it once for
        # an event, however often it was given for a path.
        self._fetcher = Fetcher(session.binding, self._note_event)

    def begin_again(self) -> None:
        """In a child process, whose session is to watch what the parent's does."""
        for waiting in (self._events, self._wanted, self._dropped):
            waiting.clear()
        for seen_to in (self._unread, self._stale, self._troubled):
            seen_to.clear()
        self._nodes.begin_again()
        for interest in self._nodes.interests():
            observer = interest.observer()
            if observer is not None:
                observer.begin_again()

    def warn_of_fork(self) -> None:
        """Have it logged, once, when nothing is kept up to date in this process."""
        session = self.session
        if session.is_forked and self._warned_in != (process := os.getpid()):
            self._warned_in = process
            logger.warning(
                "%s: what live objects show is as it was at the fork, and does not change in this"
                " process: call `reopen` of the client first, or make a new one",
                session.connection_string,
            )

    def __len__(self) -> int:
        return self._nodes.objects()

    def __repr__(self) -> str:
        return f"<{len(self)} watch objects of {self.session.connection_string}>"

    def enter(self, observer: Observer, *, weakly: bool = True) -> Interest:
        """An interest for `observer`, in nothing yet.

        When the program drops an observer held weakly, its interest ends; otherwise with `leave`.
        """
        self.session.check_process()
        interest: Interest
        if weakly:
            reference = weakref.ref(observer, lambda _: self.leave(interest))
            interest = Interest(reference, self.session.epoch, True)
        else:
            interest = Interest(lambda: observer, self.session.epoch, False)
        self._nodes.enter(interest)
        return interest

    def leave(self, interest: Interest) -> None:
        """Depend on nothing any more. May be called in the middle of anything."""
        interest.has_ended = True
        self._dropped.append(interest)
        self.session.nudge()

    def read(self, interest: Interest, kind: Kind, path: str, *, fresh: bool = False) -> Answer:
        """What there is at `path`, which `interest` depends on from now on.

        That is (data, stat), the list of child names, or the stat. Only if `fresh`, or if nothing
        is known yet, the server is asked. Raises what the server says, NoNodeException for one.
        """
        answer = UNREAD if fresh else self.known(interest, kind, path)
        if answer is UNREAD:
            answer = self.read_many(interest, [(kind, path)])[kind, path]
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise copy(answer)  # to be raised means to refer to frames
        return answer

    def known(self, interest: Interest, kind: Kind, path: str) -> Answer:
        """What is known of a node, which `interest` depends on from now on: UNREAD if nothing is.

        What the servers say against it is an answer, too.
        """
        return self._connect(interest, kind, path).answer

    def read_many(
        self, interest: Interest, keys: Iterable[tuple[Kind, str]]
    ) -> dict[tuple[Kind, str], Answer]:
        """What the servers say of these nodes, all of which `interest` depends on from now on."""
        # Connected before they are read, so that what happens meanwhile is not missed.
        nodes = {key: self._connect(interest, *key) for key in keys}
        ticket = next(self._tickets)
        for node in nodes.values():
            self._nodes.begin_read(node)
        try:
            answers = self.session.call(self._fetcher.fetch_many, [*nodes.values()])
            for node, answer in answers.items():
                self._nodes.settle(node, ticket, answer)
        finally:
            for node in nodes.values():
                self._nodes.end_read(node)
        refused = [node for node in nodes.values() if node.is_refused]
        if refused:
            # Nothing watches them: the keeper is to try again from time to time.
            self._wanted.extend(refused)
            self.session.nudge()
        return {key: answers[node] for key, node in nodes.items()}

    def peek_many(self, keys: Iterable[tuple[Kind, str]]) -> dict[tuple[Kind, str], Answer]:
        """What the servers say of these nodes now, and nobody depends on."""
        return self.session.call(self._fetcher.peek_many, list(keys))

    def depend(self, interest: Interest, kind: Kind, path: str) -> None:
        """Let `interest` depend on a node that the keeper is to read soon."""
        node = self._connect(interest, kind, path)
        if node.answer is UNREAD:
            self._wanted.append(node)
            self.session.wake()

    def retain(self, interest: Interest, nodes: Iterable[tuple[Kind, str]]) -> None:
        """Let `interest` depend on none but `nodes`."""
        if self._nodes.retain(interest, nodes):
            self.session.nudge()

    def _connect(self, interest: Interest, kind: Kind, path: str) -> Node:
        node = self._nodes.connect(interest, kind, path)
        if interest.has_ended:
            # Somebody was still using it, and it has got a new node.
            self.leave(interest)
        return node

    def properties(self, path: str, answer: Answer) -> Properties:
        """The properties of a node that was read with this answer, as `decode` has it.

        They are shared. Bad JSON is logged once.
        """
        data, _ = answer
        node = self._nodes.find(Kind.DATA, path)
        if node is None:
            return self.decode(data, path)
        if node.decoded is None or node.decoded[0] != data:
            properties, is_good = self._decode(data, path)
            if is_good:
                node.good = properties if codec.is_in_braces(data) else None
            node.decoded = data, properties
        return node.decoded[1]

    def decode(self, data: str | None, path: str) -> Properties:
        """The properties of a node that has been read just now.

        Of bad JSON in braces, the last good ones if it was JSON when it was read before, for a live
        object; a node that never held JSON has another language, and shows what is there. Bad JSON
        is logged.
        """
        return self._decode(data, path)[0]

    def _decode(self, data: str | None, path: str) -> tuple[Properties, bool]:
        try:
            return codec.decode_strictly(data), True
        except ValueError as fault:
            node = self._nodes.find(Kind.DATA, path)
            if node is not None and node.good is not None:
                logger.error("bad JSON data at %s, keeping the last good: %s", path, fault)
                return dict(node.good), False
        return codec.decode(data, path), False

    # The event thread

    def _note_event(self, handle: int, type: int, state: int, path: str) -> None:
        if type != zookeeper.SESSION_EVENT:
            self._events.append((type, path))
            self.session.wake()

    # The keeper

    def keep(self, handle: int) -> float | None:
        """The session's duty to have what is known of the nodes up to date."""
        self._note_gap()
        self._end_dropped()
        self._remove_watches(handle)
        self._take_events()
        self._read_unread(handle)
        self._refresh()
        now = time.monotonic()
        return soonest(*[max(0.0, due - now) for due in self._troubled.values()])

    def _note_gap(self) -> None:
        if self._connects == self.session.connects:
            return
        self._connects = self.session.connects
        if self._epoch != self.session.epoch:
            self._epoch = self.session.epoch
            self._nodes.unneeded.clear()  # they went with the session
        self._unread.update(dict.fromkeys(self._nodes.all()))
        for interest in self._nodes.interests():
            # An object made in this session has missed nothing.
            if interest.epoch < self._epoch:
                interest.epoch = self._epoch
                self._stale[interest] = True

    def _take_events(self) -> None:
        while self._wanted:
            self._unread[self._wanted.popleft()] = None
        while self._events:
            type, path = self._events.popleft()
            for kind in _CONCERNED.get(type, ()):
                node = self._nodes.find(kind, path)
                if node is not None:
                    self._unread[node] = None
        now = time.monotonic()
        for node in [node for node, due in self._troubled.items() if due <= now]:
            del self._troubled[node]
            self._unread[node] = None

    def _read_unread(self, handle: int) -> None:
        nodes = [node for node in self._unread if node.interests]
        ticket = next(self._tickets)
        for node, answer in self._fetcher.fetch_many(handle, nodes).items():
            self._nodes.settle(node, ticket, answer)
            for interest in self._nodes.interests_in(node):
                self._stale.setdefault(interest, False)
            self._note_trouble(node)
        # Only now: what could not be read for a trouble of the connection is still unread.
        self._unread.clear()

    def _note_trouble(self, node: Node) -> None:
        """Nothing watches a node that cannot be read: try again, at growing intervals."""
        self._troubled.pop(node, None)
        if not node.is_refused:
            node.failures = 0
            return
        node.failures += 1
        self._troubled[node] = time.monotonic() + pause(node.failures)
        # The first is told by an exception to whoever has just asked for it, and given up since.
        if node.failures == 2:
            logger.warning("cannot read %s, will try again: %s", node.path, node.answer)

    def _refresh(self) -> None:
        for interest in list(self._stale):
            observer = interest.observer()
            if observer is not None:
                try:
                    observer.look_again(self._stale[interest])
                except zookeeper.SessionError:
                    raise
                except Exception:
                    # One object's fault must not keep the others from hearing.
                    logger.exception("%r could not be updated", observer)
            del self._stale[interest]

    # Nodes that nobody depends on any more

    def _end_dropped(self) -> None:
        while self._dropped:
            interest = self._dropped.popleft()
            self._stale.pop(interest, None)
            self._nodes.leave(interest)

    def _remove_watches(self, handle: int) -> None:
        while self._nodes.unneeded:
            kind, path = self._nodes.unneeded.popleft()
            if self._nodes.needing(kind, path):
                continue
            self._remove_watch(handle, kind, path)
            # Whoever began to depend on it meanwhile may have set the watch just before it was
            # removed. Anybody later sets it afterwards, as the server keeps the order.
            self._unread.update(dict.fromkeys(self._nodes.needing(kind, path)))

    def _remove_watch(self, handle: int, kind: int, path: str) -> None:
        def done(_: int, code: int) -> None:
            if code in (zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT):
                self._nodes.unneeded.append((kind, path))

        try:
            self.session.binding.aremove_watches(
                handle, path, kind, self._fetcher.watcher, completion=done
            )
        except zookeeper.ConnectionLossException:
            self._nodes.unneeded.append((kind, path))
            raise
        except zookeeper.ZooKeeperException as fault:
            # It has fired just now, or went with the session.
            logger.debug("no watch to remove at %s: %s", path, fault)
