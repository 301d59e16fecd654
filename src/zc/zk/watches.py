"""Which live objects depend on which nodes, and what is known of those nodes.

A live object shows what the servers have and hears when that changes. What it reads, it reads
here, which makes it depend on what it read; however many objects depend on a node, there is one
watch on the server for it. A watch fires once: it says "look again", not what is new. So every
event only marks its node as unread; the keeper reads it again, which sets the next watch, and has
the objects that depend on it look again. The same after any gap in the connection, for all nodes.

A missing node is watched too, for its creation.

Threads. The event thread appends to `_events`; finalisers, which may run in any thread between any
two instructions, also while `_lock` is held, append to `_dropped`. `_unread`, `_stale` and
`_troubled` are the keeper's. `_lock` guards the rest, and is not held while the binding is called.
"""

from __future__ import annotations

import enum
import itertools
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import zookeeper
from zc.zk import nodedata
from zc.zk.nodedata import Properties
from zc.zk.session import SESSION_TROUBLE, Session
from zc.zk.upkeep import pause, soonest

logger = logging.getLogger("zc.zk")

# Up to so many nodes are read one by one; more in bulk.
FEW = 3

# How often to look at a node that is gone when it is read and there when its absence is watched.
FLICKERS = 10


class Kind(enum.Enum):
    """What of a node is watched. The kinds of a node are watched, and change, independently."""

    DATA = "data"
    CHILDREN = "children"
    EXISTS = "exists"


_CONCERNED: dict[int, tuple[Kind, ...]] = {
    zookeeper.CREATED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.DELETED_EVENT: (Kind.DATA, Kind.CHILDREN, Kind.EXISTS),
    zookeeper.CHANGED_EVENT: (Kind.DATA, Kind.EXISTS),
    zookeeper.CHILD_EVENT: (Kind.CHILDREN,),
}

Stat = dict[str, int]

# (data, stat), child names, or stat, depending on the kind; or why there is none of these.
Answer = Any
_UNREAD = object()


class Observer(Protocol):
    """Something that depends on nodes."""

    def look_again(self, tell: bool) -> None:
        """A node has been read again. `tell`: in a new session, so count it as a change anyway."""


class Interest:
    """What one observer depends on; a stand-in for it that does not keep it alive."""

    __slots__ = ("epoch", "has_ended", "is_weak", "nodes", "observer")

    def __init__(self, observer: Callable[[], Observer | None], epoch: int, is_weak: bool) -> None:
        self.observer = observer
        self.epoch = epoch
        self.is_weak = is_weak
        self.has_ended = False
        self.nodes: set[Node] = set()


class Node:
    """One kind of knowledge of one node, and who depends on it."""

    __slots__ = (
        "answer", "decoded", "failures", "interests", "kind", "path", "reads_under_way", "ticket",
    )  # fmt: skip

    def __init__(self, kind: Kind, path: str) -> None:
        self.kind = kind
        self.path = path
        # In the order in which they came, which is the order in which objects are told.
        self.interests: dict[Interest, None] = {}
        self.answer: Answer = _UNREAD
        # Reads may overlap; each draws a ticket before it begins. An answer is dropped when a read
        # that began later has answered. If the dropped one was newer after all, then the change
        # came after the other one's watch was set, and that watch causes another read.
        self.ticket = 0
        self.reads_under_way = 0  # by threads of the program
        # The properties last made of the data, and of which data.
        self.decoded: tuple[str | None, Properties] | None = None
        self.failures = 0

    @property
    def is_missing(self) -> bool:
        return isinstance(self.answer, zookeeper.NoNodeException)

    def server_watches(self) -> set[int]:
        """The kinds of watches, as the server knows them, that there may be for this."""
        if self.kind is not Kind.CHILDREN:
            return {zookeeper.WATCH_DATA}
        if self.answer is _UNREAD or self.reads_under_way:
            return {zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN}
        return {zookeeper.WATCH_DATA if self.is_missing else zookeeper.WATCH_CHILDREN}


class Watches:
    """The watches of a client. Its length is the number of live objects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()
        self._interests: dict[Interest, None] = {}
        self._nodes: dict[tuple[Kind, str], Node] = {}
        self._tickets = itertools.count(1)
        self._events: deque[tuple[int, str]] = deque()
        self._wanted: deque[Node] = deque()
        self._dropped: deque[Interest] = deque()
        self._unread: dict[Node, None] = {}
        self._stale: dict[Interest, bool] = {}
        self._troubled: dict[Node, float] = {}
        self._removals: deque[tuple[int, str]] = deque()
        self._epoch = 0
        self._connects = 0
        # One callable for all watches, the same object every time: the binding calls it once for
        # an event, however often it was given for a path.
        self._watcher = self._note_event

    def __len__(self) -> int:
        # Without the lock, which in a forked child may be held for ever: this is one step anyway.
        interests = list(self._interests)
        return sum(interest.is_weak and not interest.has_ended for interest in interests)

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
        with self._lock:
            self._interests[interest] = None
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
        with self._lock:
            # Before it is read, so that what happens meanwhile is not missed.
            node = self._connect(interest, kind, path)
        answer = self._read_now(node) if fresh or node.answer is _UNREAD else node.answer
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise zookeeper.error(answer.code, path)
        return answer

    def _read_now(self, node: Node) -> Answer:
        ticket = next(self._tickets)
        with self._lock:
            node.reads_under_way += 1
        try:
            answer = self._ask(self.session.require_handle(), node)
            self._settle(node, ticket, answer)
        finally:
            with self._lock:
                node.reads_under_way -= 1
        if _is_refusal(answer):
            # Nothing watches it: the keeper is to try again from time to time.
            self._wanted.append(node)
            self.session.nudge()
        return answer

    def properties(self, path: str, answer: Answer) -> Properties:
        """The properties of a node that was read with this answer.

        Bad JSON is logged, once, and changes nothing: they are what they were before.
        """
        with self._lock:
            node = self._nodes.get((Kind.DATA, path))
            decoded = node.decoded if node is not None else None
        if decoded is not None and decoded[0] == answer[0]:
            return decoded[1]
        if decoded is None:
            properties = nodedata.decode(answer[0], path)
        else:
            try:
                properties = nodedata.decode_strictly(answer[0])
            except ValueError as fault:
                logger.error("bad JSON data at %s, keeping the last good: %s", path, fault)
                properties = decoded[1]
        if node is not None:
            node.decoded = answer[0], properties
        return properties

    def depend(self, interest: Interest, kind: Kind, path: str) -> None:
        """Let `interest` depend on a node that the keeper is to read soon."""
        with self._lock:
            node = self._connect(interest, kind, path)
        if node.answer is _UNREAD:
            self._wanted.append(node)
            self.session.wake()

    def retain(self, interest: Interest, nodes: Iterable[tuple[Kind, str]]) -> None:
        """Let `interest` depend on none but `nodes`."""
        wanted = set(nodes)
        with self._lock:
            gone = {node for node in interest.nodes if (node.kind, node.path) not in wanted}
            for node in gone:
                self._disconnect(interest, node)
        if gone:
            self.session.nudge()

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
        is_new_session = self._epoch != self.session.epoch
        self._epoch = self.session.epoch
        if is_new_session:
            self._removals.clear()
        with self._lock:
            self._unread.update(dict.fromkeys(self._nodes.values()))
            for interest in self._interests:
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
                node = self._nodes.get((kind, path))
                if node is not None:
                    self._unread[node] = None
        now = time.monotonic()
        for node in [node for node, due in self._troubled.items() if due <= now]:
            del self._troubled[node]
            self._unread[node] = None

    def _read_unread(self, handle: int) -> None:
        nodes = [node for node in self._unread if node.interests]
        ticket = next(self._tickets)
        for node, answer in self._ask_many(handle, nodes).items():
            self._settle(node, ticket, answer)
            with self._lock:
                interests = list(node.interests)
            for interest in interests:
                self._stale.setdefault(interest, False)
            self._note_trouble(node, answer)
        # Only now: what could not be read for a trouble of the connection is still unread.
        self._unread.clear()

    def _note_trouble(self, node: Node, answer: Answer) -> None:
        """Nothing watches a node that cannot be read: try again, at growing intervals."""
        self._troubled.pop(node, None)
        if not _is_refusal(answer):
            node.failures = 0
            return
        node.failures += 1
        self._troubled[node] = time.monotonic() + pause(node.failures)
        if node.failures == 1:
            logger.warning("cannot read %s, will try again: %s", node.path, answer)

    def _refresh(self) -> None:
        for interest in list(self._stale):
            observer = interest.observer()
            if observer is not None:
                try:
                    observer.look_again(self._stale[interest])
                except SESSION_TROUBLE:
                    raise
                except Exception:
                    # One object's fault must not keep the others from hearing.
                    logger.exception("%r could not be updated", observer)
            del self._stale[interest]

    # Reading

    def _ask(self, handle: int, node: Node) -> Answer:
        """Read one node, and watch it. Node errors are answers; the others are raised.

        The answers are not the exceptions that were caught: these refer to frames, and so keep
        alive whoever asked.
        """
        try:
            for _ in range(FLICKERS):
                try:
                    if node.kind is Kind.DATA:
                        return zookeeper.get(handle, node.path, self._watcher)
                    if node.kind is Kind.CHILDREN:
                        return zookeeper.get_children(handle, node.path, self._watcher)
                except zookeeper.NoNodeException:
                    if zookeeper.exists(handle, node.path, self._watcher) is None:
                        return zookeeper.error(zookeeper.NONODE, node.path)
                else:
                    stat = zookeeper.exists(handle, node.path, self._watcher)
                    return stat or zookeeper.error(zookeeper.NONODE, node.path)
        except SESSION_TROUBLE:
            raise
        except zookeeper.ZooKeeperException as refusal:
            return zookeeper.error(refusal.code, node.path)
        return zookeeper.error(zookeeper.DATAINCONSISTENCY, node.path, "it comes and goes")

    def _ask_many(self, handle: int, nodes: list[Node]) -> dict[Node, Answer]:
        if len(nodes) <= FEW:
            return {node: self._ask(handle, node) for node in nodes}
        of_kind = {kind: [node for node in nodes if node.kind is kind] for kind in Kind}
        results = self._watch_many(handle, **{kind.value: of_kind[kind] for kind in Kind})
        answers = {
            node: zookeeper.error(zookeeper.NONODE, node.path) if answer is None else answer
            for kind, kind_results in zip(Kind, results, strict=True)
            for node, answer in zip(of_kind[kind], kind_results, strict=True)
        }
        for node in of_kind[Kind.EXISTS]:
            if isinstance(answers[node], zookeeper.NoAuthException):
                # In bulk existence is seen by reading, which needs a permission that it does not.
                answers[node] = self._ask(handle, node)
        missing = [
            node
            for node, answer in answers.items()
            if isinstance(answer, zookeeper.NoNodeException) and node.kind is not Kind.EXISTS
        ]
        if missing:
            _, _, found = self._watch_many(handle, exists=missing)
            for node, stat in zip(missing, found, strict=True):
                if stat is not None:
                    answers[node] = self._ask(handle, node)
        return answers

    def _watch_many(
        self,
        handle: int,
        data: Iterable[Node] = (),
        children: Iterable[Node] = (),
        exists: Iterable[Node] = (),
    ) -> Any:
        return zookeeper.watch_many(
            handle,
            [node.path for node in data],
            [node.path for node in children],
            [node.path for node in exists],
            self._watcher,
        )

    def _settle(self, node: Node, ticket: int, answer: Answer) -> None:
        with self._lock:
            if ticket > node.ticket:
                node.ticket = ticket
                node.answer = answer
                if node.is_missing:
                    node.decoded = None

    # Nodes that nobody depends on any more

    def _end_dropped(self) -> None:
        while self._dropped:
            interest = self._dropped.popleft()
            self._stale.pop(interest, None)
            with self._lock:
                self._interests.pop(interest, None)
                for node in list(interest.nodes):
                    self._disconnect(interest, node)

    def _connect(self, interest: Interest, kind: Kind, path: str) -> Node:
        """With the lock held."""
        node = self._nodes.get((kind, path))
        if node is None:
            node = self._nodes[kind, path] = Node(kind, path)
        node.interests[interest] = None
        interest.nodes.add(node)
        return node

    def _disconnect(self, interest: Interest, node: Node) -> None:
        """With the lock held."""
        interest.nodes.discard(node)
        node.interests.pop(interest, None)
        if node.interests or self._nodes.get((node.kind, node.path)) is not node:
            return
        del self._nodes[node.kind, node.path]
        for kind in node.server_watches():
            self._removals.append((kind, node.path))

    def _remove_watches(self, handle: int) -> None:
        while self._removals:
            kind, path = self._removals.popleft()
            if self._needing(kind, path):
                continue
            self._remove_watch(handle, kind, path)
            # Whoever began to depend on it meanwhile may have set the watch just before it was
            # removed. Anybody later sets it afterwards, as the server keeps the order.
            self._unread.update(dict.fromkeys(self._needing(kind, path)))

    def _remove_watch(self, handle: int, kind: int, path: str) -> None:
        def done(_: int, code: int) -> None:
            if code in (zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT):
                self._removals.append((kind, path))

        try:
            zookeeper.aremove_watches(handle, path, kind, self._watcher, completion=done)
        except zookeeper.ConnectionLossException:
            self._removals.append((kind, path))
            raise
        except zookeeper.ZooKeeperException as fault:
            # It has fired just now, or went with the session.
            logger.debug("no watch to remove at %s: %s", path, fault)

    def _needing(self, kind: int, path: str) -> list[Node]:
        with self._lock:
            nodes = [self._nodes.get((any_kind, path)) for any_kind in Kind]
        return [node for node in nodes if node is not None and kind in node.server_watches()]


def _is_refusal(answer: Answer) -> bool:
    """Whether a node could not be read, though it may be there."""
    return isinstance(answer, zookeeper.ZooKeeperException) and not isinstance(
        answer, zookeeper.NoNodeException
    )
