"""The wish that one ephemeral node exists, and the steps that make it true.

A step can be taken whatever the state of things. It can be repeated, interrupted by a lost
connection, and taken at the same time by the keeper and by the program, because whoever has written
looks whether what he wrote is still what is wished, and goes on if not.

Of a node that exists already, the owner decides. Ours: it is there, perhaps made by a request
whose answer was lost. A former session's of ours: it is about to vanish, so it is replaced, in one
transaction. Somebody else's: not touched; the wish waits until it is gone. To take any existing
node for a success is the classic mistake: the former session's node vanishes seconds later.
"""

from __future__ import annotations

import enum
import logging
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import zookeeper
from zc.zk.links import join
from zc.zk.session.backoff import pause
from zc.zk.session.session import Session, State
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.readers import NodeReader, WatchingSource
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Acl, Stat

logger = logging.getLogger("zc.zk")

# A wish that changes, or a node that comes and goes, faster than we can write is left for later
# after so many attempts.
ATTEMPTS = 10

# So many connections in a row, lost while a node is written, are no accident.
LOSSES_OF_A_NETWORK = 3


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


class Owner(Protocol):
    """Who keeps the nodes."""

    session: Session
    watches: Subscriptions

    def claim(self, node: EphemeralNode, path: str) -> None:
        """`path` is where the node is to be. Raises NodeExistsException if it is another one's.

        One that is not wished for any more gives way.
        """

    def has_given_way(self, node: EphemeralNode) -> bool:
        """Whether another one is to be at its path now."""

    def look_again(self, node: EphemeralNode) -> None:
        """The node has been read again."""

    def finish(self, node: EphemeralNode) -> None:
        """The node is not there, and need not be."""


class EphemeralNode:
    """A node that shall exist, or, when `wish` is None, shall not any more.

    `parent` and `name` are what was asked for, `path` where that led to. If `is_watched`, we hear
    when somebody deletes the node, and make it again if `revive`. `hands_off` is true while the
    program deletes it itself, `in_hand` while the keeper makes it true, and `was_in_hand` if it was
    when the program began.
    """

    def __init__(
        self, owner: Owner, parent: str, name: str, wish: Wish, *, is_watched: bool
    ) -> None:
        self.owner = owner
        self.parent = parent
        self.name = name
        self.path = join(parent, name)
        self.wish: Wish | None = wish
        self.written: Wish | None = None
        self.is_watched = is_watched
        self.revive = True
        self.hands_off = False
        self.in_hand = False
        self.was_in_hand = False
        # What was found out last, and in which session.
        self.state = Registered.PENDING
        self._epoch = 0
        self.other_owner = 0
        self.failures = 0
        # Connections in a row that were lost while it was written, and how long it rests for that.
        self.losses = 0
        self.not_before = 0.0
        self._complaint = ""
        self.subscription = owner.watches.subscribe(self, EphemeralNode.refresh, weakly=False)

    def refresh(self, tell: bool) -> None:
        """The node has been read again."""
        self.owner.look_again(self)

    @property
    def standing(self) -> Registered:
        """How things stand by now: what is there goes with its session."""
        session = self.owner.session
        if session.state in (State.CLOSED, State.FORKED):
            return Registered.ENDED
        if self.state is Registered.REGISTERED and session.lives_in != self._epoch:
            return Registered.PENDING
        return self.state

    def has_outlived(self, epoch: int) -> bool:
        """Whether it was not yet found to be there in the session of that epoch."""
        return self.state is Registered.REGISTERED and self._epoch < epoch

    @property
    def is_missing(self) -> bool:
        """Whether the node is not there, as far as is known."""
        return self.state is Registered.PENDING

    def is_as_wished(self) -> bool:
        """Whether the node was there, ours, and as it shall be, when it was read last."""
        try:
            stat = self.owner.watches.watch_and_read(self.subscription, Kind.EXISTS, self.path)
        except zookeeper.NoNodeException:
            self.state = Registered.PENDING
            return False
        return self.owner.session.is_ours(stat) and self.written is self.wish

    def make_true(self, handle: int) -> bool:
        """Have what is wished, or find out what it has to wait for. False: it keeps changing.

        Raises what the server says against it, and SessionError.
        """
        for _ in range(ATTEMPTS):
            wish = self.wish
            if wish is None:
                if self._take_away(handle):
                    return True
            elif self._step(handle, wish) and self.wish is wish:
                return True
        return False

    def note_registered(self) -> None:
        """The node is there, and ours."""
        self.state = Registered.REGISTERED
        self._epoch = self.owner.session.epoch

    def note_written(self, wish: Wish) -> None:
        """The node is there, ours, and as `wish` says."""
        self.written = wish
        self.note_registered()
        self.failures = 0
        self.note_change()
        if self._complaint:
            self._complaint = ""
            logger.info("%s is registered", self.path)
        if self.is_watched:
            self.owner.watches.watch_soon(self.subscription, [(Kind.EXISTS, self.path)])
            self.owner.watches.watch_only(self.subscription, [(Kind.EXISTS, self.path)])

    def note_change(self) -> None:
        """What is to be written is something else, or has been: what was lost says nothing."""
        self.losses = 0
        self.not_before = 0.0

    def note_loss(self) -> None:
        """The connection was lost while the node was seen to.

        Once or twice is a network's. A server that ends each connection by which this is written
        would do so for ever, at the cost of all other calls of the client.
        """
        self.losses += 1
        if self.losses < LOSSES_OF_A_NETWORK:
            return
        self.not_before = time.monotonic() + pause(self.losses)
        if self.losses == LOSSES_OF_A_NETWORK and self.wish is not None:
            size = len(self.wish.data or "")
            logger.warning(
                "%s: the connection is lost each time that this node, of %d bytes, is written;"
                " servers end it at requests over their jute.maxbuffer. It is tried again, at"
                " growing intervals",
                self.path,
                size,
            )

    def complain(self, complaint: str) -> None:
        """Log why the node is not there, once."""
        if self._complaint != complaint:
            self._complaint = complaint
            logger.warning("%s is not registered, will try again: %s", self.path, complaint)

    def _step(self, handle: int, wish: Wish) -> bool:
        """Whether there is nothing left to do; False: look again."""
        if self.state is not Registered.REGISTERED:
            try:
                self._create(handle, wish)
                return True
            except zookeeper.NodeExistsException:
                pass
            except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
                if not self._follow_links():
                    raise
                return False
        try:
            stat = self._stat()
        except zookeeper.NoNodeException:
            self.state = Registered.PENDING
            return False
        if self.owner.session.is_ours(stat):
            return self._rewrite(handle, wish, stat)
        if self.owner.session.was_ours(stat):
            return self._replace(handle, wish, stat)
        self.state = Registered.WAITING
        self.other_owner = stat["ephemeralOwner"]
        self.complain(
            f"session {self.other_owner:#x} has a node there"
            if self.other_owner
            else "there is a node that is not ephemeral"
        )
        return True

    @property
    def _binding(self) -> Binding:
        return self.owner.session.binding

    def _create(self, handle: int, wish: Wish) -> None:
        try:
            self._binding.create(handle, self.path, wish.data, wish.acl, zookeeper.EPHEMERAL)
        except zookeeper.SessionError:
            # It may have been made; or it was there already, from an attempt with an earlier wish.
            # So a node of ours that is found later is written again.
            self.written = None
            raise
        self.note_written(wish)

    def _follow_links(self) -> bool:
        """Whether the node belongs somewhere else. Raises NoNodeException if it does nowhere.

        Then it depends on what was looked at, and is seen to as soon as any of that changes.
        """
        reader = NodeReader(WatchingSource(self.owner.watches, self.subscription, fresh=True))
        path = join(reader.complete(lambda reader: reader.resolve(self.parent)), self.name)
        if path == self.path:
            return False
        self.owner.claim(self, path)
        return True

    def _stat(self) -> Stat:
        stat: Stat = self.owner.watches.watch_and_read(
            self.subscription, Kind.EXISTS, self.path, fresh=True
        )
        return stat

    def _rewrite(self, handle: int, wish: Wish, stat: Stat) -> bool:
        """Write the wish to a node that is ours."""
        if self.written is not wish:
            if self.written is None or self.written.acl != wish.acl:
                return self._replace(handle, wish, stat)
            try:
                self._binding.set(handle, self.path, wish.data, stat["version"])
            except zookeeper.NoAuthException:
                # Registered servers are read-only even for those who made them.
                return self._replace(handle, wish, stat)
            except (zookeeper.NoNodeException, zookeeper.BadVersionException):
                return False
        self.note_written(wish)
        return True

    def _replace(self, handle: int, wish: Wish, stat: Stat) -> bool:
        """Put a node of ours in the place of one that is, or was, ours."""
        try:
            self._binding.multi(
                handle,
                [
                    ("delete", self.path, stat["version"]),
                    ("create", self.path, wish.data, wish.acl, zookeeper.EPHEMERAL),
                ],
            )
        except (zookeeper.NoNodeException, zookeeper.BadVersionException):
            return False
        except zookeeper.UnimplementedException:
            # Without transactions it is gone for a moment; the next step makes it.
            self._binding.delete(handle, self.path, stat["version"])
            self.state = Registered.PENDING
            return False
        self.note_written(wish)
        return True

    def _take_away(self, handle: int) -> bool:
        """Whether the node is gone; False: look again."""
        try:
            if self.state is not Registered.REGISTERED:
                # A request to make it whose answer was lost may not have come to the server that
                # we talk to now.
                self._binding.sync(handle, self.path)
            stat = self._stat()
            if self.owner.session.is_ours(stat) and not self.owner.has_given_way(self):
                self._binding.delete(handle, self.path, stat["version"])
        except zookeeper.NoNodeException:
            pass
        except zookeeper.BadVersionException:
            return False
        self.owner.finish(self)
        return True
