"""The attempts of many ephemeral nodes, and their next actions, which they take together.

Nodes are created, replaced and deleted in transactions of hundreds, looked at in one bulk read, and
a path above them that has links in it is followed once. The rest, seldom needed, is left to be done
one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import zookeeper
from zc.zk.errors import LinkLoop
from zc.zk.garbage import collected_later
from zc.zk.links import parent_of
from zc.zk.registration.attempt import ACTIONS, Attempt
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.pieces import Chosen, pieces
from zc.zk.registration.step import Action, Do, Observed, Presence, Standing
from zc.zk.session import bulkcall
from zc.zk.session.bulkcall import BulkCall
from zc.zk.session.session import Session
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.types import Operation

# So many transactions of creations are under way together: reads that come next find all there.
MAX_IN_FLIGHT = 20

# Refusals about the node above, which concern all that are to be below it.
OF_PARENTS = (
    zookeeper.NoNodeException,
    zookeeper.NoAuthException,
    zookeeper.NoChildrenForEphemeralsException,
)

# Another operation of the transaction has failed, or the connection before it.
UNDONE = (zookeeper.RuntimeInconsistencyException, zookeeper.NothingException)


class Bulk(Protocol):
    """The part of a reconciliation that does not end with these nodes."""

    session: Session
    watches: Subscriptions
    losses: int  # of connections, in a row, under transactions


class Together:
    """The attempts of many nodes. Those that are at rest, or refused, are taken out."""

    def __init__(self, bulk: Bulk, handle: int, nodes: Iterable[EphemeralNode]) -> None:
        self.bulk = bulk
        self.handle = handle
        self.binding = bulk.session.binding
        self.attempts = self._attempts(nodes)
        self.refused: dict[EphemeralNode, Exception] = {}
        # The trouble of the connection or the session; and whether all go one by one.
        self.trouble: Exception | None = None
        self.is_over = False
        self._undone: set[EphemeralNode] = set()
        self._followed: set[str] = set()
        self._sent: tuple[Chosen, BulkCall] | None = None

    @collected_later
    def _attempts(self, nodes: Iterable[EphemeralNode]) -> dict[EphemeralNode, Attempt]:
        standing = self._standing()
        return {node: Attempt(node, self.handle, standing) for node in nodes}

    def _standing(self) -> Standing:
        session = self.bulk.session
        return Standing(session.lives_in, not session.is_kept_up)

    @collected_later
    def send(self) -> bool:
        """Send creations, if there are any, and wait for no answer; say whether that was done."""
        chosen = self._choose().get(Do.CREATE, [])
        operations = [attempt.creation() for attempt, _ in chosen]

        def later(completion: Any) -> Any:
            return self.binding.awrite_many(
                self.handle, operations, completion, in_flight=MAX_IN_FLIGHT, stop=False
            )

        try:
            call = bulkcall.begin(self.handle, later, self.binding) if chosen else None
        except zookeeper.BadArgumentsException:
            return False  # which is met with again
        if call is None:
            return False
        self._sent = chosen, call
        return True

    def take_created(self) -> None:
        """Take in the answers to what was sent, for which it waits."""
        assert self._sent is not None
        (chosen, call), self._sent = self._sent, None
        self._take_created(chosen, self._written(chosen, call.wait))
        if self.trouble is not None:
            raise self.trouble

    def give_up(self) -> None:
        """Wait for no answer to what was sent: nobody knows what has become of it."""
        if self._sent is not None:
            (chosen, call), self._sent = self._sent, None
            _note_uncertain(chosen)
            call.close()

    @collected_later
    def _choose(self) -> dict[Do, Chosen]:
        """Return the next actions of all."""
        groups: dict[Do, Chosen] = {}
        standing = self._standing()
        for node, attempt in self.attempts.items():
            if attempt.desired is not node.desired:
                attempt.begin(standing)
            action = attempt.choose(standing)
            groups.setdefault(action.do, []).append((attempt, action))
        return groups

    def act(self) -> bool:
        """Do the next actions of all. False if there are none left that are done together."""
        groups = self._choose()
        for do in groups:
            if do in TOGETHER and not self.is_over:
                TOGETHER[do](self, groups[do])
            if self.trouble is not None:
                raise self.trouble
        return not self.is_over and not groups.keys().isdisjoint(TOGETHER)

    # Actions

    def create(self, chosen: Chosen) -> None:
        operations = [attempt.creation() for attempt, _ in chosen]
        self._take_created(chosen, self._written(chosen, partial(self._write, operations)))

    @collected_later
    def _take_created(self, chosen: Chosen, results: list[Any]) -> None:
        # If one is refused for the node above it, all others below that are.
        refused_below = {
            parent_of(attempt.node.path): result.code
            for (attempt, _), result in zip(chosen, results, strict=False)
            if isinstance(result, OF_PARENTS)
        }
        for (attempt, _), result in zip(chosen, results, strict=False):
            path = attempt.node.path
            if isinstance(result, UNDONE) and (code := refused_below.get(parent_of(path))):
                result = zookeeper.error(code, path)
            if isinstance(result, UNDONE):
                self._note_undone(attempt)
            elif isinstance(result, Exception):
                self._take(attempt, attempt.after_creation, result)
            else:
                attempt.observed = attempt.written()

    def _note_undone(self, attempt: Attempt) -> None:
        """Have it tried again, and what is there looked at before it is tried once more."""
        if attempt.node in self._undone:
            attempt.observed = attempt.seen(Presence.EXISTS)
        self._undone.add(attempt.node)

    def look(self, chosen: Chosen) -> None:
        self.bulk.watches.watch_each_and_read(
            (attempt.node.subscription, Kind.EXISTS, attempt.node.path) for attempt, _ in chosen
        )
        for attempt, _ in chosen:
            try:
                attempt.observed = attempt.look(fresh=False)
            except zookeeper.ZooKeeperException as refusal:
                self._refuse(attempt, refusal)

    def sync_and_look(self, chosen: Chosen) -> None:
        self.binding.sync(self.handle, "/")
        self.look(chosen)

    def replace(self, chosen: Chosen) -> None:
        for some in pieces(chosen):
            operations = [
                operation
                for attempt, action in some
                for operation in attempt.replacement(action.version)
            ]
            try:
                self.binding.multi(self.handle, operations)
            except zookeeper.ZooKeeperException as fault:
                # One of them is at fault, without which the others are tried again; or all are.
                index: int | None = getattr(fault, "index", None)
                if index is None and isinstance(fault, zookeeper.BadArgumentsException):
                    self.is_over = True  # as it is too large for this client, or for the servers
                    return
                for attempt, _ in some if index is None else [some[index // 2]]:
                    self._take(attempt, attempt.after_replacement, fault)
            else:
                for attempt, _ in some:
                    attempt.observed = attempt.written()
            if self.trouble is not None:
                return

    def delete(self, chosen: Chosen) -> None:
        for attempt, _ in chosen:
            if attempt.has_ended:
                attempt.observed = attempt.missing()
        chosen = [each for each in chosen if not each[0].has_ended]
        if not chosen:
            return
        operations = [("delete", attempt.node.path, action.version) for attempt, action in chosen]
        results = self._written((), partial(self._write, operations))
        for (attempt, _), result in zip(chosen, results, strict=False):
            if result is None:
                attempt.observed = attempt.missing()
            elif isinstance(result, Exception) and not isinstance(result, UNDONE):
                self._take(attempt, attempt.after_deletion, result)

    def follow_links(self, chosen: Chosen) -> None:
        for attempt, _ in chosen:
            # A node that was read for one of them is watched, and so known to the others.
            parent = attempt.node.parent
            is_first = parent not in self._followed
            self._followed.add(parent)
            try:
                attempt.observed = attempt.follow_links(fresh=is_first)
            except (zookeeper.ZooKeeperException, LinkLoop) as refusal:
                self._refuse(attempt, refusal)

    @collected_later
    def rest(self, chosen: Chosen) -> None:
        for attempt, action in chosen:
            ACTIONS[action.do](attempt, action.version)
            if action.do is Do.END or attempt.desired is attempt.node.desired:
                del self.attempts[attempt.node]

    # Requests, and what they lead to

    def _write(self, operations: list[Operation]) -> list[Any]:
        return self.binding.write_many(self.handle, operations, stop=False)

    def _written(
        self, created: Iterable[tuple[Attempt, Action]], results_of: Callable[[], list[Any]]
    ) -> list[Any]:
        """Return the results; none if one of the operations can be no part of a request."""
        try:
            results = results_of()
        except zookeeper.BadArgumentsException:
            self.is_over = True
            return []
        except zookeeper.SessionError as fault:
            if fault.may_have_happened:
                _note_uncertain(created)
            raise
        is_lost = any(isinstance(result, zookeeper.ConnectionLossException) for result in results)
        self.bulk.losses = self.bulk.losses + 1 if is_lost else 0
        return results

    def _take(
        self, attempt: Attempt, after: Callable[[Exception], Observed], fault: Exception
    ) -> None:
        """Take in what a request has met with."""
        try:
            attempt.observed = after(fault)
        except zookeeper.ZooKeeperException as refusal:
            self._refuse(attempt, refusal)

    def _refuse(self, attempt: Attempt, refusal: Exception) -> None:
        if isinstance(refusal, zookeeper.SessionError):
            self.trouble = self.trouble or refusal
            return
        # A copy, since an exception that was raised refers to frames.
        self.refused[attempt.node] = copy(refusal)
        del self.attempts[attempt.node]


TOGETHER: Mapping[Do, Callable[[Together, Chosen], None]] = {
    Do.CREATE: Together.create,
    Do.LOOK: Together.look,
    Do.SYNC_AND_LOOK: Together.sync_and_look,
    Do.FOLLOW_LINKS: Together.follow_links,
    Do.REPLACE: Together.replace,
    Do.DELETE: Together.delete,
    Do.SETTLE: Together.rest,
    Do.AWAIT_OWNER: Together.rest,
    Do.END: Together.rest,
}


def _note_uncertain(created: Iterable[tuple[Attempt, Action]]) -> None:
    """Note that nobody knows whether these were created."""
    for attempt, _ in created:
        if attempt.desired is not None:
            attempt.node.note_uncertain(attempt.desired)
