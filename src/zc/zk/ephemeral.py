"""The ephemeral nodes of a client, kept in being.

A session's ephemeral nodes end with it. Each one that the program made is remembered here; when
there is a new session, or a registered one was deleted by somebody, the keeper makes it again.
"""

from __future__ import annotations

import logging
import threading
import time

import zookeeper
from zc.zk.acl import Acl
from zc.zk.ephemeralnode import ATTEMPTS, EphemeralNode, Registered, Wish
from zc.zk.keeper import SESSION_TROUBLE
from zc.zk.session import Session, State
from zc.zk.upkeep import pause, soonest
from zc.zk.watches import FEW, Watches

logger = logging.getLogger("zc.zk")

# A node that cannot be created undoes its whole transaction, which is then tried without it. After
# so many attempts the nodes that are left go one by one.
BULK_ATTEMPTS = 3


class Ephemerals:
    """The ephemeral nodes of a client."""

    def __init__(self, session: Session, watches: Watches) -> None:
        self.session = session
        self.watches = watches
        self._lock = threading.Lock()
        # Guarded by the lock: the nodes by `path`, those whose wish may not be true, and when it
        # is time to see to these.
        self._by_path: dict[str, EphemeralNode] = {}
        self._due: dict[EphemeralNode, float] = {}
        self._connects = 0
        self._epoch = 0

    # For the program

    def register(self, parent: str, name: str, wish: Wish) -> EphemeralNode:
        """Let there be a node `name` at `parent`, links followed, from now on.

        Without a connection the node is pending when this returns. Raises what the server says
        against it, and NodeExistsException when this client has that node already, or when there
        is one that is not ephemeral, for whose end it would wait in vain.
        """
        self.session.check_process()
        node = EphemeralNode(self, parent, name, wish, revive=True)
        try:
            self.claim(node, node.path)
            self._make_true(self.session.require_handle(), node)
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
        """Let the node be like this; without a connection, as soon as there is one again."""
        node.wish = wish
        self._make_true_if_possible(node)

    def end(self, node: EphemeralNode) -> None:
        """Let the node not exist any more; without a connection, as soon as there is one again."""
        node.wish = None
        self._make_true_if_possible(node)

    # For what the program does by itself

    def track(self, path: str, data: str | bytes | None, acl: Acl, epoch: int) -> None:
        """The program has made an ephemeral node; later sessions shall have it too.

        `epoch` is the session's before that was begun.
        """
        parent, _, name = path.rpartition("/")
        with self._lock:
            known = self._by_path.get(path)
        if known is not None and known.revive:
            return self._see_to(known)
        if known is not None:
            self.finish(known)
        node = EphemeralNode(self, parent or "/", name, Wish(data, acl), revive=False)
        node.written = node.wish
        node.state = Registered.REGISTERED
        self.claim(node, path)
        if epoch != self.session.epoch:
            node.state = Registered.PENDING
            self._see_to(node)

    def note_data(self, path: str, data: str | bytes | None) -> None:
        """The program has written the data of a node, which may be one of ours."""
        node = self._by_path.get(path)
        if node is not None and node.wish is not None:
            node.wish = node.written = node.wish._replace(data=data)

    def note_acl(self, path: str, acl: Acl) -> None:
        """The program has written the ACL of a node, which may be one of ours."""
        node = self._by_path.get(path)
        if node is not None and node.wish is not None:
            node.wish = node.written = node.wish._replace(acl=acl)

    def hold(self, path: str) -> EphemeralNode | None:
        """The program is about to delete a node. What to give to `release` afterwards."""
        node = self._by_path.get(path)
        if node is not None:
            node.hands_off = True
        return node

    def release(self, node: EphemeralNode | None, *, is_gone: bool) -> None:
        """The program has deleted a node, or failed to."""
        if node is None:
            return
        node.hands_off = False
        if is_gone:
            self.finish(node)
        elif node.revive:
            # Somebody else may have deleted it while we were not to touch it.
            self._see_to(node)

    # For the nodes

    def claim(self, node: EphemeralNode, path: str) -> None:
        """`path` is where the node is to be. Raises NodeExistsException if it is another one's."""
        with self._lock:
            if self._by_path.setdefault(path, node) is not node:
                raise zookeeper.error(zookeeper.NODEEXISTS, path, "this client has it already")
            if node.path != path:
                del self._by_path[node.path]
                node.path = path

    def look_again(self, node: EphemeralNode) -> None:
        """The node has been read again."""
        if node.state is Registered.ENDED:
            return
        if node.state is Registered.REGISTERED and (not node.revive or node.is_as_wished()):
            return
        self._see_to(node)

    def finish(self, node: EphemeralNode) -> None:
        """The node is not there, and need not be."""
        node.wish = None
        node.state = Registered.ENDED
        with self._lock:
            self._due.pop(node, None)
            if self._by_path.get(node.path) is node:
                del self._by_path[node.path]
        self.watches.leave(node.interest)

    def _see_to(self, node: EphemeralNode, when: float = 0.0) -> None:
        """Have the keeper see to a node, now or later."""
        with self._lock:
            self._due[node] = min(when, self._due.get(node, when))
        self.session.wake()

    def _make_true(self, handle: int, node: EphemeralNode) -> None:
        if not node.make_true(handle):
            self._see_to(node, time.monotonic() + pause(ATTEMPTS))

    def _make_true_if_possible(self, node: EphemeralNode) -> None:
        try:
            self._make_true(self.session.require_handle(), node)
        except zookeeper.ForkedException:
            raise
        except zookeeper.ZooKeeperException as fault:
            if self.session.state is State.CLOSED:
                return
            self._see_to(node)
            if not self._may_pass(fault):
                raise
            logger.warning("%s will be seen to later: %s", node.path, fault)

    def _may_pass(self, fault: Exception) -> bool:
        """Whether a fault is one of the connection, which ends."""
        return isinstance(fault, SESSION_TROUBLE) and self.session.state is not State.CLOSED

    # The keeper

    def keep(self, handle: int) -> float | None:
        """The session's duty to have the nodes that are wished for, and no others."""
        self._note_gap()
        nodes = self._take_due()
        try:
            if len(nodes) > FEW:
                self._create_many(handle, nodes)
            while nodes:
                try:
                    self._make_true(handle, nodes[-1])
                except SESSION_TROUBLE:
                    raise
                except zookeeper.ZooKeeperException as refusal:
                    # One failure must not keep the others from being restored.
                    self._note_refusal(nodes[-1], refusal)
                nodes.pop()
        finally:
            with self._lock:
                for node in nodes:
                    self._due.setdefault(node, 0.0)
        now = time.monotonic()
        with self._lock:
            return soonest(*[max(0.0, due - now) for due in self._due.values()])

    def _note_gap(self) -> None:
        if self._connects == self.session.connects:
            return
        self._connects = self.session.connects
        is_new_session = self._epoch != self.session.epoch
        self._epoch = self.session.epoch
        with self._lock:
            # What was put off need not wait any longer.
            self._due.update(dict.fromkeys(self._due, 0.0))
            if is_new_session:
                self._due.update(dict.fromkeys(self._by_path.values(), 0.0))
                for node in self._by_path.values():
                    if node.state is Registered.REGISTERED:
                        node.state = Registered.PENDING

    def _take_due(self) -> list[EphemeralNode]:
        """The nodes to see to. Taken out first: what makes one due from now on counts again."""
        now = time.monotonic()
        with self._lock:
            nodes = [node for node, due in self._due.items() if due <= now]
            for node in nodes:
                del self._due[node]
        return [node for node in nodes if not node.hands_off]

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
            results = zookeeper.write_many(handle, list(operations.values()), stop=False)
            for node, result in zip(operations, results, strict=True):
                if isinstance(result, SESSION_TROUBLE):
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

    def _note_refusal(self, node: EphemeralNode, refusal: Exception) -> None:
        node.state = Registered.REFUSED
        node.failures += 1
        node.complain(str(refusal))
        self._see_to(node, time.monotonic() + pause(node.failures))
