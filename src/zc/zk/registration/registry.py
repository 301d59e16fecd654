"""The ephemeral nodes of a client, kept in being.

A session's ephemeral nodes end with it. Each one that the program made is remembered here; when
there is a new session, or a registered one was deleted by somebody, the keeper makes it again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.registration.persistent import (
    ATTEMPTS,
    LOSSES_OF_A_NETWORK,
    EphemeralNode,
    Registered,
    Wish,
)
from zc.zk.session.backoff import pause, soonest
from zc.zk.session.session import Session, State
from zc.zk.watching.dependencies import drop
from zc.zk.watching.fetch import MAX_SINGLE_READS
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.types import Acl

logger = logging.getLogger("zc.zk")

# A node that cannot be created undoes its whole transaction, which is then tried without it. After
# so many attempts the nodes that are left go one by one.
BULK_ATTEMPTS = 3


class Ephemerals:
    """The ephemeral nodes of a client."""

    def __init__(self, session: Session, watches: Subscriptions) -> None:
        self.session = session
        self.watches = watches
        self._lock = threading.RLock()
        # Guarded by the lock: the nodes by `path`, those whose wish may not be true, and when it
        # is time to see to these. A finaliser or a signal handler may come here in the thread that
        # holds the lock; what is *one step* (`nodes`) lets none of them come between.
        self._by_path: dict[str, EphemeralNode] = {}
        self._due: dict[EphemeralNode, float] = {}
        self._connects = 0
        self._epoch = 0
        self._bulk_losses = 0  # connections in a row, under transactions; the keeper's

    def begin_again(self) -> None:
        """In a child process, whose session has none of the parent's nodes."""
        self._lock = threading.RLock()
        for node in list(self._by_path.values()):
            self.finish(node)
        self._by_path.clear()
        self._due.clear()

    # For the program

    def register(self, parent: str, name: str, wish: Wish) -> EphemeralNode:
        """Let there be a node `name` at `parent`, links followed, from now on.

        Without a connection the node is pending when this returns. Raises what the server says
        against it, and NodeExistsException when this client has that node already, or when there
        is one that is not ephemeral, for whose end it would wait in vain.
        """
        self.session.check_process()
        node = EphemeralNode(self, parent, name, wish, is_watched=True)
        try:
            self.claim(node, node.path)
            self.session.call(self._make_true, node)
            if node.state is Registered.WAITING and not node.other_owner:
                raise zookeeper.error(zookeeper.NODEEXISTS, node.path, "it is not ephemeral")
        except zookeeper.ZooKeeperException as fault:
            if not self._may_pass(fault):
                self.finish(node)
                raise
            logger.warning("%s will be registered later: %s", node.path, fault)
            self._see_to(node)
        except BaseException:
            self.finish(node)
            raise
        return node

    def change(self, node: EphemeralNode, wish: Wish) -> None:
        """Let the node be like this; without a connection, as soon as there is one again.

        One that has ended stays so.
        """
        wishes = (None, wish)
        with self._lock:
            node.wish = wishes[node.wish is not None]  # in one step
            if node.wish is None:
                return
        node.note_change()
        self._make_true_if_possible(node)

    def end(self, node: EphemeralNode) -> None:
        """Let the node not exist any more; without a connection, as soon as there is one again."""
        with self._lock:
            node.wish = None
        if node.state is not Registered.ENDED:
            self._make_true_if_possible(node)

    # For what the program does by itself

    def track(self, path: str, data: str | bytes | None, acl: Acl, epoch: int) -> None:
        """The program has made an ephemeral node; later sessions shall have it too.

        `epoch` is the session's before that was begun.
        """
        parent, _, name = path.rpartition("/")
        with self._lock:
            known = self._by_path.get(path)
        if known is not None and known.is_watched and known.wish is not None:
            return self._see_to(known)
        if known is not None:
            self.finish(known)
        node = EphemeralNode(self, parent or "/", name, Wish(data, acl), is_watched=False)
        node.written = node.wish
        node.note_registered()
        self.claim(node, path)
        if epoch != self.session.epoch:
            node.state = Registered.PENDING
            self._see_to(node)

    def note_data(self, path: str, data: str | bytes | None, epoch: int) -> None:
        """The program has written the data of a node, which may be one of ours; see `track`."""
        self._note_change(path, epoch, data=data)

    def note_acl(self, path: str, acl: Acl, epoch: int) -> None:
        """The program has written the ACL of a node, which may be one of ours; see `track`."""
        self._note_change(path, epoch, acl=acl)

    def _note_change(self, path: str, epoch: int, **change: Any) -> None:
        with self._lock:
            node = self._by_path.get(path)
            if node is None:
                return
            while True:
                former = node.wish
                if former is None:
                    return
                wish = former._replace(**change)
                if node.wish is former:
                    node.wish = wish  # in one step
                    break
            if epoch == self.session.epoch:
                node.written = wish
                return
        # It was the former session's node that was written; there may be another one already.
        self._see_to(node)

    def hold(self, path: str) -> EphemeralNode | None:
        """The program is about to delete a node. What to give to `release` afterwards."""
        with self._lock:
            node = self._by_path.get(path)
            if node is not None:
                node.hands_off = True
                node.was_in_hand = node.in_hand
            return node

    def release(self, node: EphemeralNode | None, *, is_gone: bool) -> None:
        """The program has deleted a node, or failed to."""
        if node is None:
            return
        node.hands_off = False
        if is_gone and not node.was_in_hand:
            self.finish(node)
            return
        if is_gone:
            # The keeper was about to make it, and may have done so just after it was deleted.
            with self._lock:
                node.wish = None
        if is_gone or node.is_watched or node.state is not Registered.REGISTERED:
            # The keeper was not to touch it, whatever happened meanwhile.
            self._see_to(node)

    # For the nodes

    def claim(self, node: EphemeralNode, path: str) -> None:
        """`path` is where the node is to be. Raises NodeExistsException if it is another one's.

        One that is not wished for any more gives way.
        """
        with self._lock:
            while (other := self._by_path.setdefault(path, node)) is not node:
                if other.wish is not None:
                    raise zookeeper.error(zookeeper.NODEEXISTS, path, "this client has it already")
                self.finish(other)
            if node.path != path:
                former, node.path = node.path, path
                drop(self._by_path, former, node)

    def has_given_way(self, node: EphemeralNode) -> bool:
        """Whether another one is to be at its path now."""
        return self._by_path.get(node.path, node) is not node

    def look_again(self, node: EphemeralNode) -> None:
        """The node has been read again."""
        if node.state is Registered.ENDED:
            return
        if node.state is Registered.REGISTERED:
            if not node.is_watched or node.is_as_wished():
                return
            if node.is_missing and not node.revive:
                logger.info("%s was deleted by somebody, and its registration ends", node.path)
                return self.finish(node)
        self._see_to(node)

    def finish(self, node: EphemeralNode) -> None:
        """The node is not there, and need not be."""
        node.wish = None
        node.state = Registered.ENDED
        with self._lock:
            self._due.pop(node, None)
            drop(self._by_path, node.path, node)
        self.watches.unsubscribe(node.subscription)

    def _see_to(self, node: EphemeralNode, when: float = 0.0) -> None:
        """Have the keeper see to a node, now or later."""
        when = max(when, node.not_before)
        with self._lock:
            self._due.setdefault(node, when)
            try:
                if when < self._due[node]:
                    self._due[node] = when  # in one step
            except KeyError:
                self._due[node] = when
        self.session.wake()

    def _make_true(self, handle: int, node: EphemeralNode) -> None:
        if not node.make_true(handle):
            self._see_to(node, time.monotonic() + pause(ATTEMPTS))

    def _make_true_if_possible(self, node: EphemeralNode) -> None:
        try:
            self.session.call(self._make_true, node)
        except zookeeper.ForkedException:
            raise
        except zookeeper.ZooKeeperException as fault:
            if self.session.state is State.CLOSED:
                return
            if isinstance(fault, zookeeper.ConnectionLossException):
                node.note_loss()
            self._see_to(node)
            if not self._may_pass(fault):
                raise
            logger.warning("%s will be seen to later: %s", node.path, fault)

    def _may_pass(self, fault: Exception) -> bool:
        """Whether a fault is one of the connection, which ends."""
        return isinstance(fault, zookeeper.SessionError) and self.session.state is not State.CLOSED

    # The keeper

    def keep(self, handle: int) -> float | None:
        """The session's duty to have the nodes that are wished for, and no others."""
        self._note_gap()
        taken = self._take_due()
        nodes = list(taken)
        try:
            if len(nodes) > MAX_SINGLE_READS and self._bulk_losses < LOSSES_OF_A_NETWORK:
                self._create_many(handle, nodes)
            while nodes:
                try:
                    self._make_true(handle, nodes[-1])
                except zookeeper.ConnectionLossException:
                    nodes[-1].note_loss()
                    raise
                except zookeeper.SessionError:
                    raise
                except zookeeper.ZooKeeperException as refusal:
                    # One failure must not keep the others from being restored.
                    self._note_refusal(nodes[-1], refusal)
                nodes.pop()
        finally:
            with self._lock:
                for node in taken:
                    node.in_hand = False
                for node in nodes:
                    self._due.setdefault(node, node.not_before)
        now = time.monotonic()
        with self._lock:
            return soonest(*[max(0.0, due - now) for due in list(self._due.values())])

    def _note_gap(self) -> None:
        if self._connects == self.session.connects:
            return
        self._connects = self.session.connects
        is_new_session = self._epoch != self.session.epoch
        self._epoch = self.session.epoch
        with self._lock:
            # What was put off need not wait any longer, unless it is what ends connections.
            self._due.update({node: node.not_before for node in list(self._due)})
            if is_new_session:
                self._due.update({node: node.not_before for node in list(self._by_path.values())})
                for node in list(self._by_path.values()):
                    if node.has_outlived(self._epoch):
                        node.state = Registered.PENDING

    def _take_due(self) -> list[EphemeralNode]:
        """The nodes to see to. Taken out first: what makes one due from now on counts again."""
        now = time.monotonic()
        with self._lock:
            due = [node for node, time_due in list(self._due.items()) if time_due <= now]
            for node in due:
                self._due.pop(node, None)
            # Of those that the program deletes we hear again when it has done so.
            nodes = [node for node in due if not node.hands_off]
            for node in nodes:
                node.in_hand = True
        return nodes

    def _create_many(self, handle: int, nodes: list[EphemeralNode]) -> None:
        """Create as many of the nodes as possible in few transactions, and take these out."""
        left = {node: node.wish for node in nodes if node.state is Registered.PENDING}
        made: set[EphemeralNode] = set()
        for _ in range(BULK_ATTEMPTS):
            operations = {
                node: ("create", node.path, wish.data, wish.acl, zookeeper.EPHEMERAL)
                for node, wish in left.items()
                if wish is not None
            }
            results = self.session.binding.write_many(handle, list(operations.values()), stop=False)
            self._note_bulk(results)
            for node, result in zip(operations, results, strict=True):
                if isinstance(result, zookeeper.SessionError):
                    raise result
                if isinstance(result, zookeeper.RuntimeInconsistencyException):
                    continue  # undone, because another one of its transaction failed
                wish = left.pop(node)
                if wish is not None and not isinstance(result, Exception):
                    node.note_written(wish)
                    if node.wish is wish:
                        made.add(node)
            if len(left) in (0, len(operations)):
                break
        nodes[:] = [node for node in nodes if node not in made]

    def _note_bulk(self, results: Sequence[object]) -> None:
        """Count connections lost under transactions: one by one it shows which node does it."""
        is_lost = any(isinstance(result, zookeeper.ConnectionLossException) for result in results)
        self._bulk_losses = self._bulk_losses + 1 if is_lost else 0

    def _note_refusal(self, node: EphemeralNode, refusal: Exception) -> None:
        node.state = Registered.REFUSED
        node.failures += 1
        node.complain(str(refusal))
        self._see_to(node, time.monotonic() + pause(node.failures))
