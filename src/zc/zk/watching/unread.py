"""The nodes of the cache that are to be read, and when each of them is due."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from functools import partial

from zc.zk.session.backoff import pause
from zc.zk.session.pace import Pace, Urgency
from zc.zk.watching.dependencies import NEVER, UNREAD, CachedNode

logger = logging.getLogger("zc.zk")


class Unread:
    """Nodes that have changed, or are in doubt, until they have been read.

    Each goes out as soon as the pace allows (`zc.zk.session.pace`), and one that was refused, which
    is unwatched, again and again, with backoff. All of it is the worker's.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._nodes: dict[CachedNode, float] = {}  # since when; NEVER: at once
        self._unverified: set[CachedNode] = set()
        self._refused: dict[CachedNode, float] = {}  # when it is due
        self._failures: dict[CachedNode, int] = {}  # of its reads in a row
        # When the next one is due that was not due yet.
        self._next_due = math.inf

    def seconds_left(self) -> float | None:
        """Return how long the next node waits that was not due before; None if there is none."""
        due = min(self._next_due, min(self._refused.values(), default=math.inf))
        return None if due == math.inf else max(0.0, due - time.monotonic())

    @property
    def has_unverified(self) -> bool:
        """Whether something has not been read in this session."""
        return bool(self._unverified)

    def is_unverified(self, nodes: Iterable[CachedNode]) -> bool:
        """Say whether one of these has not been read in this session."""
        return not self._unverified.isdisjoint(nodes)

    def unverified_among(self, nodes: Iterable[CachedNode]) -> set[CachedNode]:
        """Return those that have not been read in this session."""
        return self._unverified and self._unverified.intersection(nodes)

    def add(self, nodes: Iterable[CachedNode], *, at_once: bool = False) -> None:
        """Have nodes read; if `at_once`, without regard to the pace."""
        since = NEVER if at_once else time.monotonic()
        for node in nodes:
            self._nodes[node] = min(since, self._nodes.get(node, since))

    def doubt(self, nodes: Iterable[CachedNode]) -> None:
        """Have nodes read that are not known in this session."""
        doubted = dict.fromkeys(nodes, time.monotonic())
        for node in doubted:
            node.read_at = NEVER
        self._unverified = self._unverified | doubted.keys() if self._unverified else set(doubted)
        self._nodes = {**doubted, **self._nodes} if self._nodes else doubted

    def hasten(self) -> None:
        """Have those read that were refused: another server may not refuse them."""
        self.add(self._refused, at_once=True)

    def take_due(self, now: float) -> list[CachedNode]:
        """Return what is to be read now; it stays in here until `note_all_read`.

        Nodes that nothing depends on any more are forgotten.
        """
        for node in [node for node, when in self._refused.items() if when <= now]:
            del self._refused[node]
            self.add([node], at_once=True)
        due, self._next_due = [], math.inf
        is_calm = not self._pace.heard.late
        if is_calm:
            due = [node for node in self._nodes if node.subscriptions and node.read_at == NEVER]
            if len(due) == len(self._nodes):
                return due  # as in a new session
            due = []
        for node in list(self._nodes):  # not pairs, each of which the collector would look at
            if not node.subscriptions:
                self._forget(node)
                continue
            if is_calm and node.read_at == NEVER:
                due.append(node)
                continue
            when, since = NEVER, self._nodes.get(node, NEVER)
            if since != NEVER and node.answer is not UNREAD:
                when = self._pace.due(node.read_at, since, partial(urgency_of, node))
            if when <= now:
                due.append(node)
            else:
                self._next_due = min(self._next_due, when)
        return due

    def note_all_read(self, nodes: Iterable[CachedNode], at: float) -> None:
        """Note that nodes were read, by a request at that moment."""
        unread = self._nodes.pop
        for node in nodes:
            unread(node, None)
            node.read_at = at
        if self._unverified:
            self._unverified.difference_update(nodes)

    def note_failures(self, nodes: Iterable[CachedNode]) -> None:
        """Note which of the nodes whose answers are new were refused."""
        for node in nodes:
            if node.is_refused:
                self._note_refused(node)
            elif self._failures.pop(node, 0):
                self._refused.pop(node, None)

    def _note_refused(self, node: CachedNode) -> None:
        failures = self._failures[node] = self._failures.get(node, 0) + 1
        self._refused[node] = time.monotonic() + pause(failures)
        # The first is told by an exception to the caller that has asked for it, and given up since.
        if failures == 2:
            logger.warning("cannot read %s, will try again: %s", node.path, node.answer)

    def _forget(self, node: CachedNode) -> None:
        self._nodes.pop(node, None)
        self._unverified.discard(node)
        self._failures.pop(node, None)

    def clear(self) -> None:
        self._nodes.clear()
        self._unverified.clear()
        self._refused.clear()
        self._failures.clear()


def urgency_of(node: CachedNode) -> Urgency:
    """Return how urgent a node is to the most urgent of those that depend on it."""
    most = Urgency.SHOWN
    for subscription in list(node.subscriptions):
        owner = subscription.owner()
        if owner is not None:
            most = min(most, subscription.care.urgency(owner))
    return most
