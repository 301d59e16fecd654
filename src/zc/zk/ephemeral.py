"""The wish that an ephemeral node exists, kept true.

A session's ephemeral nodes end with it. Each one that the program made is remembered here as a
wish; when there is a new session, or the node was deleted by somebody who should not have, the
keeper makes it again. A step makes one wish true, whatever the state of things: it can be repeated,
interrupted by a lost connection, and taken at the same time by the keeper and by the program,
because whoever has written looks whether what he wrote is still what is wished, and goes on if not.

Of a node that exists already, the owner decides. Ours: it is there, perhaps made by a request
whose answer was lost. A former session's of ours: it is about to vanish, so it is replaced, in one
transaction. Somebody else's: not touched; the wish waits until it is gone. To take any existing
node for a success is the classic mistake: the former session's node vanishes seconds later.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from typing import NamedTuple

import zookeeper
from zc.zk.acl import Acl
from zc.zk.links import join
from zc.zk.reading import LookReader
from zc.zk.session import SESSION_TROUBLE, Session, State
from zc.zk.upkeep import pause, soonest
from zc.zk.watches import FEW, Kind, Stat, Watches

logger = logging.getLogger("zc.zk")

# A wish that changes, or a node that comes and goes, faster than we can write is left for later
# after so many attempts.
ATTEMPTS = 10

# A node that cannot be created undoes its whole transaction, which is then tried without it. After
# so many attempts the nodes that are left go one by one.
BULK_ATTEMPTS = 3


class Registered(str, enum.Enum):
    """How things stand with an ephemeral node that is wished for."""

    PENDING = "pending"  # not there, or not known to be: made as soon as there is a session
    REGISTERED = "registered"  # there, and ours
    WAITING = "waiting"  # another session's node is there
    REFUSED = "refused"  # the server does not let us; tried again
    ENDED = "ended"  # not wished for any more

    def __str__(self) -> str:
        return self.value


class Wish(NamedTuple):
    """What a node shall be."""

    data: str | bytes | None
    acl: Acl


class EphemeralNode:
    """A node that shall exist, or, when `wish` is None, shall not any more.

    `parent` and `name` are what was asked for, `path` where that led to. If `revive`, the node is
    made again when somebody deletes it. `hands_off` is true while the program deletes it itself.
    """

    def __init__(
        self, owner: Ephemerals, parent: str, name: str, wish: Wish, *, revive: bool
    ) -> None:
        self.owner = owner
        self.parent = parent
        self.name = name
        self.path = join(parent, name)
        self.wish: Wish | None = wish
        self.written: Wish | None = None
        self.revive = revive
        self.hands_off = False
        self.state = Registered.PENDING
        self.other_owner = 0
        self.failures = 0
        self.complaint = ""
        self.interest = owner.watches.enter(self, weakly=False)

    def look_again(self, tell: bool) -> None:
        self.owner._look_again(self)


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
            self._claim(node, node.path)
            self._make_true(self.session.require_handle(), node)
            if node.state is Registered.WAITING and not node.other_owner:
                raise zookeeper.error(zookeeper.NODEEXISTS, node.path, "it is not ephemeral")
        except zookeeper.ZooKeeperException as fault:
            if not self._may_pass(fault):
                self._finish(node)
                raise
            logger.warning("%s will be registered later: %s", node.path, fault)
            self._see_to(node)
        except BaseException:
            self._finish(node)
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
            self._finish(known)
        node = EphemeralNode(self, parent or "/", name, Wish(data, acl), revive=False)
        node.written = node.wish
        node.state = Registered.REGISTERED
        self._claim(node, path)
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
            self._finish(node)
        elif node.revive:
            # Somebody else may have deleted it while we were not to touch it.
            self._see_to(node)

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

    def _claim(self, node: EphemeralNode, path: str) -> None:
        """Enter a node under its path. Raises NodeExistsException if there is another one."""
        with self._lock:
            if self._by_path.setdefault(path, node) is not node:
                raise zookeeper.error(zookeeper.NODEEXISTS, path, "this client has it already")
            if node.path != path:
                del self._by_path[node.path]
                node.path = path

    def _see_to(self, node: EphemeralNode, when: float = 0.0) -> None:
        """Have the keeper see to a node, now or later."""
        with self._lock:
            self._due[node] = when
        self.session.wake()

    def _finish(self, node: EphemeralNode) -> None:
        node.wish = None
        node.state = Registered.ENDED
        with self._lock:
            self._due.pop(node, None)
            if self._by_path.get(node.path) is node:
                del self._by_path[node.path]
        self.watches.leave(node.interest)

    # The keeper

    def _look_again(self, node: EphemeralNode) -> None:
        """The node has been read again."""
        if node.state is Registered.ENDED:
            return
        if node.state is Registered.REGISTERED and (not node.revive or self._is_as_wished(node)):
            return
        self._see_to(node)

    def _is_as_wished(self, node: EphemeralNode) -> bool:
        try:
            stat = self.watches.read(node.interest, Kind.EXISTS, node.path)
        except zookeeper.NoNodeException:
            node.state = Registered.PENDING
            return False
        return self.session.owns(stat) and node.written is node.wish

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
                    self._note_written(node, wish)
                    if node.wish is wish:
                        made.add(node)
            if len(left) in (0, len(operations)):
                break
        nodes[:] = [node for node in nodes if node not in made]

    def _note_refusal(self, node: EphemeralNode, refusal: Exception) -> None:
        node.state = Registered.REFUSED
        node.failures += 1
        self._complain(node, str(refusal))
        self._see_to(node, time.monotonic() + pause(node.failures))

    def _complain(self, node: EphemeralNode, complaint: str) -> None:
        if node.complaint != complaint:
            node.complaint = complaint
            logger.warning("%s is not registered, will try again: %s", node.path, complaint)

    # A step, by the keeper or the program

    def _make_true(self, handle: int, node: EphemeralNode) -> None:
        """Make a node what is wished, or find out what it has to wait for."""
        for _ in range(ATTEMPTS):
            wish = node.wish
            if wish is None:
                if self._take_away(handle, node):
                    return
            elif self._step(handle, node, wish) and node.wish is wish:
                return
        self._see_to(node, time.monotonic() + pause(ATTEMPTS))

    def _step(self, handle: int, node: EphemeralNode, wish: Wish) -> bool:
        """Whether there is nothing left to do; False: look again."""
        if node.state is not Registered.REGISTERED:
            try:
                self._create(handle, node, wish)
                return True
            except zookeeper.NodeExistsException:
                pass
            except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
                if not self._follow_links(node):
                    raise
                return False
        try:
            stat = self._stat(node)
        except zookeeper.NoNodeException:
            node.state = Registered.PENDING
            return False
        if self.session.owns(stat):
            return self._rewrite(handle, node, wish, stat)
        if self.session.owned(stat):
            return self._replace(handle, node, wish, stat)
        node.state = Registered.WAITING
        node.other_owner = stat["ephemeralOwner"]
        self._complain(
            node,
            f"session {node.other_owner:#x} has a node there"
            if node.other_owner
            else "there is a node that is not ephemeral",
        )
        return True

    def _create(self, handle: int, node: EphemeralNode, wish: Wish) -> None:
        try:
            zookeeper.create(handle, node.path, wish.data, wish.acl, zookeeper.EPHEMERAL)
        except SESSION_TROUBLE:
            # It may have been made. If a node of ours is found later, then it is this one.
            node.written = wish
            raise
        self._note_written(node, wish)

    def _follow_links(self, node: EphemeralNode) -> bool:
        """Whether the node belongs somewhere else. Raises NoNodeException if it does nowhere.

        Then it depends on what was looked at, and is seen to as soon as any of that changes.
        """
        reader = LookReader(self.watches, node.interest, fresh=True)
        path = join(reader.resolve(node.parent), node.name)
        if path == node.path:
            return False
        self._claim(node, path)
        return True

    def _stat(self, node: EphemeralNode) -> Stat:
        stat: Stat = self.watches.read(node.interest, Kind.EXISTS, node.path, fresh=True)
        return stat

    def _rewrite(self, handle: int, node: EphemeralNode, wish: Wish, stat: Stat) -> bool:
        """Write the wish to a node that is ours."""
        if node.written is not wish:
            if node.written is None or node.written.acl != wish.acl:
                return self._replace(handle, node, wish, stat)
            try:
                zookeeper.set(handle, node.path, wish.data, stat["version"])
            except zookeeper.NoAuthException:
                # Registered servers are read-only even for those who made them.
                return self._replace(handle, node, wish, stat)
            except (zookeeper.NoNodeException, zookeeper.BadVersionException):
                return False
        self._note_written(node, wish)
        return True

    def _replace(self, handle: int, node: EphemeralNode, wish: Wish, stat: Stat) -> bool:
        """Put a node of ours in the place of one that is, or was, ours."""
        try:
            zookeeper.multi(
                handle,
                [
                    ("delete", node.path, stat["version"]),
                    ("create", node.path, wish.data, wish.acl, zookeeper.EPHEMERAL),
                ],
            )
        except (zookeeper.NoNodeException, zookeeper.BadVersionException):
            return False
        self._note_written(node, wish)
        return True

    def _take_away(self, handle: int, node: EphemeralNode) -> bool:
        """Whether the node is gone; False: look again."""
        try:
            stat = self._stat(node)
            if self.session.owns(stat):
                zookeeper.delete(handle, node.path, stat["version"])
        except zookeeper.NoNodeException:
            pass
        except zookeeper.BadVersionException:
            return False
        self._finish(node)
        return True

    def _note_written(self, node: EphemeralNode, wish: Wish) -> None:
        node.written = wish
        node.state = Registered.REGISTERED
        node.failures = 0
        if node.complaint:
            node.complaint = ""
            logger.info("%s is registered", node.path)
        if node.revive:
            self.watches.depend(node.interest, Kind.EXISTS, node.path)
            self.watches.retain(node.interest, [(Kind.EXISTS, node.path)])
