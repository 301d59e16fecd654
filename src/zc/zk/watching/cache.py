"""What is known of nodes, and who depends on it.

Pure bookkeeping: nothing here talks to a server. `Nodes` has a lock of its own, and holds it for no
longer than the bookkeeping takes.

A finaliser or a signal handler may come back to it in the thread that holds the lock, which is
re-entrant, and finds all as it should be: what belongs together is *one step*, statements that call
nothing, make no object and jump nowhere, between which Python runs neither of these.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import zookeeper
from zc.zk.codec import Properties


class Kind(enum.Enum):
    """What of a node is watched. The kinds of a node are watched, and change, independently."""

    DATA = "data"
    CHILDREN = "children"
    EXISTS = "exists"

    # There is one of each, and millions of look-ups; Enum's own hashes the name every time.
    __hash__ = object.__hash__


# (data, stat), child names, or stat, depending on the kind; or an exception: why there is none of
# these. UNREAD before the first answer.
Answer = Any
UNREAD = object()


class Observer(Protocol):
    """Something that depends on nodes."""

    def begin_again(self) -> None:
        """In a child process: a thread that does not exist here may have left things half done."""

    def look_again(self, tell: bool) -> None:
        """A node has been read again. `tell`: in a new session, so count it as a change anyway."""


class Interest:
    """What one observer depends on; a stand-in for it that need not keep it alive.

    `epoch` is that of the session in which it was last up to date.
    """

    __slots__ = ("epoch", "has_ended", "is_weak", "nodes", "observer")

    def __init__(self, observer: Callable[[], Observer | None], epoch: int, is_weak: bool) -> None:
        self.observer = observer
        self.epoch = epoch
        self.is_weak = is_weak
        self.has_ended = False
        self.nodes: dict[Node, None] = {}


class Node:
    """One kind of knowledge of one node, and who depends on it."""

    __slots__ = (
        "answer", "decoded", "failures", "good", "interests", "is_gone", "kind", "path",
        "reads_under_way", "ticket",
    )  # fmt: skip

    def __init__(self, kind: Kind, path: str) -> None:
        self.kind = kind
        self.path = path
        # In the order in which they came, which is the order in which objects are told.
        self.interests: dict[Interest, None] = {}
        # Whether nobody has depended on it, once, and another one is to take its place.
        self.is_gone = False
        self.answer: Answer = UNREAD
        # Reads may overlap; each draws a ticket before it begins. An answer is dropped when a read
        # that began later has answered. If the dropped one was newer after all, then the change
        # came after the other one's watch was set, and that watch causes another read.
        self.ticket = 0
        self.reads_under_way = 0  # by threads of the program
        # The properties last made of the data, and of which data.
        self.decoded: tuple[str | None, Properties] | None = None
        # These, if it was a JSON object; the last that was one, if the data have become bad JSON.
        self.good: Properties | None = None
        self.failures = 0

    @property
    def is_missing(self) -> bool:
        return isinstance(self.answer, zookeeper.NoNodeException)

    @property
    def is_refused(self) -> bool:
        """Whether it could not be read, though it may be there."""
        return isinstance(self.answer, zookeeper.ZooKeeperException) and not self.is_missing

    def server_watches(self) -> set[int]:
        """The kinds of watches, as the server knows them, that there may be for this."""
        if self.kind is not Kind.CHILDREN:
            return {zookeeper.WATCH_DATA}
        if self.answer is UNREAD or self.reads_under_way:
            return {zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN}
        return {zookeeper.WATCH_DATA if self.is_missing else zookeeper.WATCH_CHILDREN}


def drop(table: dict[Any, Any], key: object, value: object) -> bool:
    """Delete an entry of a table if its value is that object, in one step. Whether it was."""
    keys = (_NO_KEY, key)
    try:
        del table[keys[table[key] is value]]
    except KeyError:
        return False
    return True


_NO_KEY = object()


class Nodes:
    """The nodes that somebody depends on, and those who do."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._nodes: dict[tuple[Kind, str], Node] = {}
        self._interests: dict[Interest, None] = {}
        # Watches, (kind, path) as the server knows them, that nobody may need any more. They are
        # put in with the lock, and taken out and put back without.
        self.unneeded: deque[tuple[int, str]] = deque()

    def begin_again(self) -> None:
        """In a child process: know who depends on what, and nothing of it."""
        self._lock = threading.RLock()
        self.unneeded.clear()
        self._nodes.clear()
        for interest in list(self._interests):
            if interest.has_ended:
                del self._interests[interest]
                continue
            known, interest.nodes = interest.nodes, {}
            for node in known:
                self._connect(interest, node.kind, node.path).good = node.good

    def objects(self) -> int:
        """How many observers are held weakly."""
        # Without the lock, which in a forked child may be held for ever: `list` is one step anyway.
        interests = list(self._interests)
        return sum(interest.is_weak and not interest.has_ended for interest in interests)

    def all(self) -> list[Node]:
        with self._lock:
            return list(self._nodes.values())

    def interests(self) -> list[Interest]:
        with self._lock:
            return list(self._interests)

    def interests_in(self, node: Node) -> list[Interest]:
        with self._lock:
            return list(node.interests)

    def find(self, kind: Kind, path: str) -> Node | None:
        return self._nodes.get((kind, path))

    def enter(self, interest: Interest) -> None:
        with self._lock:
            self._interests[interest] = None

    def leave(self, interest: Interest) -> None:
        with self._lock:
            self._interests.pop(interest, None)
            for node in list(interest.nodes):
                self._disconnect(interest, node)

    def connect(self, interest: Interest, kind: Kind, path: str) -> Node:
        """The node, which `interest` depends on from now on."""
        with self._lock:
            return self._connect(interest, kind, path)

    def retain(self, interest: Interest, nodes: Iterable[tuple[Kind, str]]) -> bool:
        """Let `interest` depend on none but `nodes`. Whether it did."""
        wanted = set(nodes)
        with self._lock:
            known = list(interest.nodes)
            gone = [node for node in known if (node.kind, node.path) not in wanted]
            for node in gone:
                self._disconnect(interest, node)
        return bool(gone)

    def _connect(self, interest: Interest, kind: Kind, path: str) -> Node:
        key = (kind, path)
        while True:
            node = self._nodes.get(key)
            if node is None:
                node = self._nodes.setdefault(key, Node(kind, path))
            # One step.
            node.interests[interest] = None
            interest.nodes[node] = None
            is_gone = node.is_gone
            if not is_gone:
                return node
            self._disconnect(interest, node)

    def _disconnect(self, interest: Interest, node: Node) -> None:
        try:
            # One step.
            del interest.nodes[node]
            del node.interests[interest]
        except KeyError:
            return
        node.is_gone |= not node.interests  # one step, after which nobody takes it
        if node.is_gone and drop(self._nodes, (node.kind, node.path), node):
            for kind in node.server_watches():
                self.unneeded.append((kind, node.path))

    def needing(self, kind: int, path: str) -> list[Node]:
        """The nodes for which there may be a watch, of a kind as the server knows it."""
        with self._lock:
            nodes = [self._nodes.get((any_kind, path)) for any_kind in Kind]
        return [node for node in nodes if node is not None and kind in node.server_watches()]

    def begin_read(self, node: Node) -> None:
        with self._lock:
            node.reads_under_way += 1

    def end_read(self, node: Node) -> None:
        with self._lock:
            node.reads_under_way -= 1

    def settle(self, node: Node, ticket: int, answer: Answer) -> None:
        """Take in an answer to a read that drew `ticket`."""
        with self._lock:
            if ticket > node.ticket:
                node.ticket = ticket
                node.answer = answer
                if node.is_missing:
                    node.decoded = node.good = None
