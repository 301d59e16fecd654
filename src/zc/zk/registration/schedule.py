"""When nodes are to be seen to, and which of them are in somebody's hands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from weakref import ref

from zc.zk.registration.node import EphemeralNode
from zc.zk.session.backoff import soonest


class Hold:
    """A deletion of a node by the program itself, while it is under way.

    `path` is what the program deletes. `is_contested` is set when the node is reconciled at the
    same time, so that it may have been made just after it was deleted.
    """

    __slots__ = ("__weakref__", "is_contested", "node", "path")

    def __init__(self, node: EphemeralNode, path: str) -> None:
        self.node = node
        self.path = path
        self.is_contested = False


class Hand:
    """Some nodes that are reconciled, while they are."""

    __slots__ = ("__weakref__",)


class Schedule:
    """The nodes that may not be as desired, by the time when they are due.

    Holds and hands are the caller's, and end with it: an interrupt may come before it has them.
    `nudge` is called then, perhaps by a finaliser, since a node may be due.

    Danger: a finaliser or a signal handler may come here in the thread that holds the lock.
    *One step* (see `zc.zk.watching.dependencies`) lets none of them come between, and what is taken
    out or marked is so before anything is decided by it. The lock is the registry's.
    """

    def __init__(self, lock: threading.RLock, nudge: Callable[[], object]) -> None:
        self._lock = lock
        self._nudge = nudge
        self._due: dict[EphemeralNode, float] = {}
        self._in_hand: dict[ref[Hand], Collection[EphemeralNode]] = {}
        self._holds: dict[ref[Hold], EphemeralNode] = {}

    def add(self, node: EphemeralNode, when: float = 0.0) -> None:
        """Have a node seen to at that time, or before if it is due before.

        Not before it has rested, though.
        """
        when = max(when, node.setbacks.rests_until)
        with self._lock:
            self._due.setdefault(node, when)
            try:
                if when < self._due[node]:
                    self._due[node] = when  # in one step
            except KeyError:
                self._due[node] = when

    def hasten(self, nodes: Iterable[EphemeralNode] = ()) -> None:
        """Have these, and all that were put off, seen to as soon as they have rested."""
        with self._lock:
            due = [*self._due, *nodes]
            self._due.update({node: node.setbacks.rests_until for node in due})

    def drop(self, node: EphemeralNode) -> None:
        """Have a node seen to no more."""
        with self._lock:
            self._due.pop(node, None)

    def seconds_left(self) -> float | None:
        """Return in how many seconds the next node is due; None if there is none.

        Of those that are in hand, `end` tells.
        """
        with self._lock:
            due = self._due_and_free()
        now = time.monotonic()
        return soonest(*[max(0.0, when - now) for _, when in due])

    # Nodes that are reconciled

    def take_due(self) -> list[EphemeralNode]:
        """Take out what is due: what makes a node due from now on counts again.

        Nodes that another thread has in hand stay due until its `end`, as two would undo or repeat
        each other's requests. Of those that the program deletes, `release` is heard of.
        """
        now = time.monotonic()
        with self._lock:
            due = [node for node, when in self._due_and_free() if when <= now]
            for node in due:
                self._due.pop(node, None)
            held = set(self._holds.values())
        return [node for node in due if node not in held]

    def _due_and_free(self) -> list[tuple[EphemeralNode, float]]:
        due = list(self._due.items())
        hands = list(self._in_hand.values())
        return [item for item in due if not any(item[0] in nodes for nodes in hands)]

    def put_back(self, nodes: Iterable[EphemeralNode]) -> None:
        """Have nodes seen to that were taken out, and not come to."""
        with self._lock:
            for node in nodes:
                self._due.setdefault(node, node.setbacks.rests_until)

    def begin(self, nodes: Collection[EphemeralNode]) -> Hand:
        """Note that these are reconciled from now on, until `end`.

        `nodes` may grow meanwhile.
        """
        hand = Hand()
        with self._lock:
            self._in_hand[ref(hand, self._drop)] = nodes
            for reference in list(self._holds):
                hold = reference()
                if hold is not None and hold.node in nodes:
                    hold.is_contested = True
        return hand

    def end(self, hand: Hand) -> bool:
        """Note that these are reconciled no more, and tell whether any has become due meanwhile."""
        with self._lock:
            nodes = self._in_hand.pop(ref(hand), ())
            return any(node in self._due for node in nodes)

    def _drop(self, reference: ref[Hand]) -> None:
        """Let go of nodes whose reconciling was cut off."""
        self._in_hand.pop(reference, None)
        self._nudge()

    # Nodes that the program deletes by itself

    def hold(self, node: EphemeralNode, path: str) -> Hold:
        """Have a node left alone until `release`."""
        hold = Hold(node, path)
        with self._lock:
            self._holds[ref(hold, self._lose)] = node
            if any(node in nodes for nodes in list(self._in_hand.values())):
                hold.is_contested = True
        return hold

    def release(self, hold: Hold) -> None:
        """Leave it alone no more."""
        with self._lock:
            self._holds.pop(ref(hold), None)

    def _lose(self, reference: ref[Hold]) -> None:
        """Leave a node alone no more whose deletion was cut off."""
        self.add(self._holds.pop(reference))
        self._nudge()
