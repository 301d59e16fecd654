"""Reconciling many ephemeral nodes with few requests, as after a lost session.

Each node has its attempt, as when it is reconciled alone (`zc.zk.registration.attempt`), and all
take their next actions together (`zc.zk.registration.together`).
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Collection, Generator
from typing import NamedTuple

from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.setbacks import MAX_LOSSES
from zc.zk.registration.together import Together
from zc.zk.session.session import Session
from zc.zk.watching.subscriptions import Subscriptions

# Up to so many nodes go one by one.
MAX_SINGLE = 3

# A node that keeps changing, or that stands in the way of others, is left after so many rounds.
MAX_ROUNDS = 10


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
        if not self._is_for(nodes):
            return Outcome(list(nodes), {})
        return _finish(Together(self, handle, nodes))

    def in_steps(
        self, handle: int, nodes: Collection[EphemeralNode]
    ) -> Generator[None, None, Outcome]:
        """Do as `reconcile`, and yield while the creations are under way that come first."""
        if not self._is_for(nodes):
            return Outcome(list(nodes), {})
        together = Together(self, handle, nodes)
        if together.send():
            pace = self.session.pace
            pace.asked_besides = len(nodes)
            try:
                yield
            except BaseException:
                together.give_up()
                raise
            finally:
                pace.asked_besides = 0
            together.take_created()
        return _finish(together)

    def _is_for(self, nodes: Collection[EphemeralNode]) -> bool:
        return len(nodes) > MAX_SINGLE and self.losses < MAX_LOSSES


def _finish(together: Together) -> Outcome:
    for _ in range(MAX_ROUNDS):
        if not together.act():
            break
    return Outcome(list(together.attempts), together.refused)
