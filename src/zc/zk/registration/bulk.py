"""Reconciling many ephemeral nodes with few requests, as after a lost session.

Each node has its attempt, as when it is reconciled alone (`zc.zk.registration.attempt`), and all
take their next actions together: nodes are created, replaced and deleted in transactions of
hundreds, looked at in one bulk read, and a path above them that has links in it is followed once.
The rest, seldom needed, is left to be done one by one.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk.errors import LinkLoop
from zc.zk.links import parent_of
from zc.zk.registration.attempt import ACTIONS, Attempt
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.setbacks import MAX_LOSSES
from zc.zk.registration.step import Action, Do, Observed, Presence
from zc.zk.session.session import Session
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.types import Operation

# Up to so many nodes go one by one.
MAX_SINGLE = 3

# A node that keeps changing, or that stands in the way of others, is left after so many rounds.
MAX_ROUNDS = 10

# A node is deleted and created in one transaction, of so many nodes and characters of data.
MAX_REPLACED = 250
MAX_REPLACED_CHARACTERS = 100_000

# Refusals about the node above, which concern all that are to be below it.
OF_PARENTS = (
    zookeeper.NoNodeException,
    zookeeper.NoAuthException,
    zookeeper.NoChildrenForEphemeralsException,
)

# Another operation of the transaction has failed, or the connection before it.
UNDONE = (zookeeper.RuntimeInconsistencyException, zookeeper.NothingException)


# Attempts, and the action that each is about to do.
Chosen = list[tuple[Attempt, Action]]


class Outcome(NamedTuple):
    """The nodes that are left to be seen to one by one, and those that the servers refuse."""

    left: list[EphemeralNode]
    refused: dict[EphemeralNode, Exception]


class BulkReconciliation:
    """Reconciles many nodes, for one thread.

    Connections that are lost under transactions are counted: after a few in a row nodes go one by
    one, which shows the one that does it.
    """

    def __init__(self, session: Session, watches: Subscriptions) -> None:
        self.session = session
        self.watches = watches
        self.losses = 0

    def reconcile(self, handle: int, nodes: Collection[EphemeralNode]) -> Outcome:
        """Have as many of the nodes as possible become as desired. Raises SessionError."""
        if len(nodes) <= MAX_SINGLE or self.losses >= MAX_LOSSES:
            return Outcome(list(nodes), {})
        together = _Together(self, handle, nodes)
        for _ in range(MAX_ROUNDS):
            if not together.act():
                break
        return Outcome(list(together.attempts), together.refused)


class _Together:
    """The attempts of many nodes. Those that are at rest, or refused, are taken out."""

    def __init__(
        self, bulk: BulkReconciliation, handle: int, nodes: Iterable[EphemeralNode]
    ) -> None:
        self.bulk = bulk
        self.handle = handle
        self.binding = bulk.session.binding
        self.attempts = {node: Attempt(node, handle) for node in nodes}
        self.refused: dict[EphemeralNode, Exception] = {}
        # The trouble of the connection or the session; and whether all go one by one.
        self.trouble: Exception | None = None
        self.is_over = False
        self._undone: set[EphemeralNode] = set()
        self._followed: set[str] = set()

    def act(self) -> bool:
        """Do the next actions of all. False if there are none left that are done together."""
        groups: dict[Do, Chosen] = {}
        for node, attempt in self.attempts.items():
            if attempt.desired is not node.desired:
                attempt.begin()
            action = attempt.choose()
            groups.setdefault(action.do, []).append((attempt, action))
        for do in groups:
            if do in TOGETHER and not self.is_over:
                TOGETHER[do](self, groups[do])
            if self.trouble is not None:
                raise self.trouble
        return not self.is_over and not groups.keys().isdisjoint(TOGETHER)

    # Actions

    def create(self, chosen: Chosen) -> None:
        results = self._write(chosen, [attempt.creation() for attempt, _ in chosen])
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
        for some in _pieces(chosen):
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
                    self.is_over = True  # as it is too large for this client
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
        for (attempt, _), result in zip(chosen, self._write(chosen, operations), strict=False):
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

    def rest(self, chosen: Chosen) -> None:
        for attempt, action in chosen:
            ACTIONS[action.do](attempt, action.version)
            if action.do is Do.END or attempt.desired is attempt.node.desired:
                del self.attempts[attempt.node]

    # Requests, and what they lead to

    def _write(self, chosen: Chosen, operations: "list[Operation]") -> list[Any]:
        """Return the results; none if one of the operations can be no part of a request."""
        try:
            results = self.binding.write_many(self.handle, operations, stop=False)
        except zookeeper.BadArgumentsException:
            self.is_over = True
            return []
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


TOGETHER: Mapping[Do, Callable[[_Together, Chosen], None]] = {
    Do.CREATE: _Together.create,
    Do.LOOK: _Together.look,
    Do.SYNC_AND_LOOK: _Together.sync_and_look,
    Do.FOLLOW_LINKS: _Together.follow_links,
    Do.REPLACE: _Together.replace,
    Do.DELETE: _Together.delete,
    Do.SETTLE: _Together.rest,
    Do.AWAIT_OWNER: _Together.rest,
    Do.END: _Together.rest,
}


def _pieces(chosen: Chosen) -> Iterator[Chosen]:
    """Cut what is to be replaced into transactions, none of which servers find too large."""
    piece: Chosen = []
    characters = 0
    for each in chosen:
        attempt, _ = each
        size = len(attempt.desired.data or "") if attempt.desired is not None else 0
        if piece and (len(piece) == MAX_REPLACED or characters + size > MAX_REPLACED_CHARACTERS):
            yield piece
            piece, characters = [], 0
        piece.append(each)
        characters += size
    yield piece
