"""The ephemeral nodes of a client: which there are, and what makes them due.

A session's ephemeral nodes end with it. Each one that the program made is remembered here; when
there is a new session, or a registered one was deleted by somebody, the session's maintenance makes
it again: first `Registry.keep`, which takes what is due from the `Schedule`, then many at once by
`BulkReconciliation`, and each of the others by `reconcile`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

import zookeeper
from zc.zk.errors import LinkError
from zc.zk.registration.bulk import BulkReconciliation
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.persistent import MAX_ACTIONS, is_due, reconcile
from zc.zk.registration.schedule import Schedule
from zc.zk.registration.step import Desired, OnDeletion, RegistrationState
from zc.zk.session.backoff import pause
from zc.zk.session.maintenance import Steps
from zc.zk.session.pace import Urgency
from zc.zk.session.session import Session, State
from zc.zk.session.state import Moment
from zc.zk.watching.dependencies import Care, Subscription
from zc.zk.watching.dependencytable import drop
from zc.zk.watching.subscriptions import Subscriptions

logger = logging.getLogger("zc.zk")

# Faults that are found before a request for the node is sent, of links and of arguments.
SAID_BEFOREHAND = LinkError, TypeError, ValueError


class Registry:
    """The ephemeral nodes of a client.

    `wake` has the session's maintenance call `keep` soon.

    Danger: a finaliser or a signal handler may come here in the thread that holds the lock, which
    is re-entrant. The lock guards this table, the schedule, and what nodes are to be and known to
    be; it is never held over a request or a call of the program's. In a forked child it may be held
    by a thread that does not exist there: who can be called in a child asks `check_process` first.
    """

    def __init__(
        self, session: Session, watches: Subscriptions, wake: Callable[[], object]
    ) -> None:
        self.session = session
        self.watches = watches
        self._bulk = BulkReconciliation(session, watches)
        self._wake = wake
        # In which all were seen to that it may concern: no session before this one has had a node.
        self._moment = Moment(session.epoch, 0)
        self._by_path: dict[str, EphemeralNode] = {}
        self._renew()

    def _renew(self) -> None:
        self.lock = threading.RLock()
        self.schedule = Schedule(self.lock, self.session.nudge)

    def after_fork(self) -> None:
        """End all nodes in a child process, whose session has none of the parent's."""
        self._renew()
        for node in list(self._by_path.values()):
            self.finish(node)
        self._by_path.clear()

    # For registrations

    def register(self, parent: str, name: str, desired: Desired) -> EphemeralNode:
        """Let there be a node `name` at `parent`, links followed, from now on.

        Without a connection the node is pending when this returns. Raises what the server says
        against it, and NodeExistsException when this client has that node already, or when there
        is one that is not ephemeral, for whose end it would wait in vain.
        """
        self.session.check_process()
        node = EphemeralNode(self, parent, name, desired, OnDeletion.REVIVE)
        try:
            self.claim(node, node.path)
            self.session.call(self._reconcile, node)
            if node.known.state is RegistrationState.WAITING and not node.known.owner:
                raise zookeeper.error(zookeeper.NODEEXISTS, node.path, "it is not ephemeral")
        except zookeeper.ZooKeeperException as fault:
            if not self.may_pass(fault):
                self.finish(node)
                raise
            logger.warning("%s will be registered later: %s", node.path, fault)
            self.see_to(node)
        except SAID_BEFOREHAND:
            self.finish(node)
            raise
        except BaseException:
            # Out of a signal handler, be it Ctrl-C or a limit of time: the node may be there, or
            # will be when the request has come there.
            node.withdraw()
            self.see_to(node)
            raise
        return node

    def change(self, node: EphemeralNode, desired: Desired) -> None:
        """Let the node be like this.

        Without a connection it is written as soon as there is one again. One that has ended stays
        so.
        """
        if node.desired is None:
            return
        self.session.check_process()
        if node.change(desired):
            self._reconcile_if_possible(node)

    def end(self, node: EphemeralNode) -> None:
        """Let the node not exist any more.

        Without a connection it is deleted as soon as there is one again.
        """
        if node.known.state is RegistrationState.ENDED:
            return
        self.session.check_process()
        node.withdraw()
        self._reconcile_if_possible(node)

    # For the nodes

    def subscribe(self, node: EphemeralNode) -> Subscription:
        """Have the registry told when what the node depends on has been read again."""
        care = Care(self._refresh, urgency=lambda _: Urgency.AT_ONCE)
        return self.watches.subscribe(node, care, weakly=False)

    def claim(self, node: EphemeralNode, path: str) -> None:
        """Take the place at `path`. Raises NodeExistsException if another one has it.

        One that is withdrawn gives way.
        """
        with self.lock:
            while (other := self._by_path.setdefault(path, node)) is not node:
                if other.desired is not None:
                    raise zookeeper.error(zookeeper.NODEEXISTS, path, "this client has it already")
                self.finish(other)

    def vacate(self, node: EphemeralNode, path: str) -> None:
        """Give up a place, if the node has it."""
        with self.lock:
            drop(self._by_path, path, node)

    def is_superseded(self, node: EphemeralNode) -> bool:
        """Tell whether another node is to be at its path."""
        return self._by_path.get(node.path, node) is not node

    def finish(self, node: EphemeralNode, *, is_deleted: bool = False) -> None:
        """Forget a node that is not there, and need not be; perhaps as others deleted it."""
        if is_deleted:
            logger.info("%s was deleted by somebody, and its registration ends", node.path)
        node.note_ended()
        self.schedule.drop(node)
        self.vacate(node, node.path)
        self.watches.unsubscribe(node.subscription)

    def _refresh(self, node: EphemeralNode, tell: bool) -> None:
        if is_due(node):
            self.see_to(node)

    def nodes(self) -> list[EphemeralNode]:
        """Return all nodes, without the lock: `list` is one step."""
        return list(self._by_path.values())

    def find(self, path: str) -> EphemeralNode | None:
        """Return the node at a path, if there is one."""
        with self.lock:
            return self._by_path.get(path)

    def see_to(self, node: EphemeralNode, when: float = 0.0) -> None:
        """Have the session's maintenance see to a node, now or later."""
        self.schedule.add(node, when)
        self._wake()

    def see_to_all(self, nodes: Iterable[EphemeralNode]) -> None:
        """Have the session's maintenance see to many nodes, now."""
        for node in nodes:
            self.schedule.add(node)
        self._wake()

    # Reconciling

    @contextmanager
    def in_hand(self, nodes: Collection[EphemeralNode]) -> Iterator[None]:
        """Have the session's maintenance leave nodes alone until this ends."""
        hand = self.schedule.begin(nodes)
        try:
            yield
        finally:
            if self.schedule.end(hand):
                self._wake()

    def _reconcile(self, handle: int, node: EphemeralNode) -> None:
        with self.in_hand([node]):
            is_done = reconcile(handle, node)
        if not is_done:
            self.see_to(node, time.monotonic() + pause(MAX_ACTIONS))

    def _reconcile_if_possible(self, node: EphemeralNode) -> None:
        try:
            self.session.call(self._reconcile, node)
        except zookeeper.ForkedException:
            raise
        except zookeeper.ZooKeeperException as fault:
            if self.session.state is State.CLOSED:
                return
            if isinstance(fault, zookeeper.ConnectionLossException):
                node.setbacks.note_loss(node.path, node.desired)
            self.see_to(node)
            if not self.may_pass(fault):
                raise
            logger.warning("%s will be seen to later: %s", node.path, fault)
        except BaseException:
            self.see_to(node)
            raise

    def may_pass(self, fault: Exception) -> bool:
        """Tell whether a fault is one of the connection, which ends."""
        return isinstance(fault, zookeeper.SessionError) and self.session.state is not State.CLOSED

    def keep(self, handle: int) -> Steps:
        """Do the session's duty to have the nodes that are desired, and no others, in steps."""
        self._note_gap()
        left = self.schedule.take_due()
        hand = self.schedule.begin(set(left))
        try:
            left, refused = yield from self._bulk.in_steps(handle, left)
            for node, refusal in refused.items():
                self.see_to(node, node.note_refusal(refusal))
            while left:
                self._restore(handle, left[-1])
                left.pop()
        finally:
            self.schedule.end(hand)
            self.schedule.put_back(left)
        return self.schedule.seconds_left()

    def _note_gap(self) -> None:
        """After a new connection, have all seen to that it may concern."""
        moment = self.session.moment
        if self._moment == moment:
            return
        with self.lock:
            nodes = list(self._by_path.values()) if self._moment.epoch != moment.epoch else []
        # Nodes that were put off need not wait any longer, unless they are what ends connections.
        self.schedule.hasten(nodes)
        self._moment = moment

    def _restore(self, handle: int, node: EphemeralNode) -> None:
        try:
            self._reconcile(handle, node)
        except zookeeper.ConnectionLossException:
            node.setbacks.note_loss(node.path, node.desired)
            raise
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            # One failure must not keep the others from being restored.
            self.see_to(node, node.note_refusal(refusal))
