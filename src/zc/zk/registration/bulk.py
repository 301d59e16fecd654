"""Creating many nodes in few transactions, as after a lost session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import zookeeper
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.setbacks import MAX_LOSSES
from zc.zk.registration.step import Desired, RegistrationState
from zc.zk.session.session import Session

# Up to so many nodes go one by one.
MAX_SINGLE = 3

# A node that cannot be created undoes its whole transaction, which is then tried without it. After
# so many attempts the nodes that are left go one by one.
MAX_ATTEMPTS = 3


class BulkCreation:
    """Creates nodes in bulk, for one thread.

    Connections that are lost under transactions are counted: after a few in a row nodes go one by
    one, which shows the one that does it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._losses = 0

    def create(self, handle: int, nodes: Sequence[EphemeralNode]) -> list[EphemeralNode]:
        """Create as many of the nodes as possible. Returns the others."""
        if len(nodes) <= MAX_SINGLE or self._losses >= MAX_LOSSES:
            return list(nodes)
        pending = [node for node in nodes if node.state is RegistrationState.PENDING]
        left = {node: desired for node in pending if (desired := node.desired) is not None}
        made: set[EphemeralNode] = set()
        for _ in range(MAX_ATTEMPTS):
            before = len(left)
            made |= self._attempt(handle, left)
            if len(left) in (0, before):
                break
        return [node for node in nodes if node not in made]

    def _attempt(self, handle: int, left: dict[EphemeralNode, Desired]) -> set[EphemeralNode]:
        """Take out of `left` what is decided. Returns the nodes as desired."""
        epoch = self._session.epoch
        operations = [
            ("create", node.path, desired.data, desired.acl, zookeeper.EPHEMERAL)
            for node, desired in left.items()
        ]
        results = self._session.binding.write_many(handle, operations, stop=False)
        self._count_losses(results)
        outcomes = dict(zip(list(left), results, strict=True))
        trouble = _trouble_in(left, outcomes)
        made = set()
        for node, result in outcomes.items():
            if isinstance(
                result, (zookeeper.RuntimeInconsistencyException, zookeeper.SessionError)
            ):
                continue  # undone, because another one of its transaction failed; or not known
            desired = left.pop(node)
            if not isinstance(result, Exception):
                node.note_written(desired, epoch)
                if node.desired is desired:
                    made.add(node)
        if trouble is not None:
            raise trouble
        return made

    def _count_losses(self, results: Sequence[object]) -> None:
        is_lost = any(isinstance(result, zookeeper.ConnectionLossException) for result in results)
        self._losses = self._losses + 1 if is_lost else 0


def _trouble_in(
    desires: Mapping[EphemeralNode, Desired], outcomes: Mapping[EphemeralNode, object]
) -> Exception | None:
    """Return the first fault of the connection, and note what it leaves open."""
    first = None
    for node, result in outcomes.items():
        if isinstance(result, zookeeper.SessionError):
            if result.may_have_happened:
                node.note_uncertain(desires[node])
            first = first or result
    return first
