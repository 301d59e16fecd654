"""An attempt to have an ephemeral node as desired: the requests for it, and what they show.

It asks `zc.zk.registration.step` for the next action, does it, and asks again with what it has
seen, until there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import zookeeper
from zc.zk.links import join
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.step import (
    Action,
    Do,
    Observed,
    Obstacle,
    Presence,
    RegistrationState,
    Standing,
    begin,
    next_action,
)
from zc.zk.session.handle import owner_of
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.readers import NodeReader, WatchingSource


class Attempt:
    """One attempt to have what is desired of a node, and what it has seen.

    An action returns what is seen after it, or None when there is nothing left to do. `epoch` is
    that of the session before the action: what is found out by it is of this session, or worth
    nothing.
    """

    __slots__ = ("binding", "desired", "epoch", "handle", "node", "observed")

    def __init__(self, node: EphemeralNode, handle: int, standing: Standing | None = None) -> None:
        self.node = node
        self.binding = node.places.session.binding
        self.handle = handle
        self.begin(standing)

    def begin(self, standing: Standing | None = None) -> None:
        """Start with what is desired now; `standing` is the session's, if that is known.

        An observation for an earlier desire does not count.
        """
        self.desired = self.node.desired
        self.observed = begin(self.node.known, standing or self.node.standing)

    def act(self) -> bool:
        """Do the next action. Whether there is nothing left to do."""
        action = self.choose()
        observed = ACTIONS[action.do](self, action.version)
        if observed is not None:
            self.observed = observed
        return observed is None

    def choose(self, standing: Standing | None = None) -> Action:
        """Return the next action, which is about to be done."""
        node = self.node
        standing = standing or node.standing
        action = next_action(self.desired, self.observed, standing, node.on_deletion)
        epoch = standing.epoch
        self.epoch = node.places.session.epoch if epoch is None else epoch
        return action

    # Requests

    def create(self, version: int) -> Observed:
        """Create the node, where nobody is known to have one."""
        _, *arguments = self.creation()
        try:
            self.binding.create(self.handle, *arguments)
        except zookeeper.ZooKeeperException as fault:
            return self.after_creation(fault)
        return self.written()

    def creation(self) -> Any:
        """Return the operation that creates the node."""
        desired = self.desired
        assert desired is not None
        return "create", self.node.path, desired.data, desired.acl, zookeeper.EPHEMERAL

    def after_creation(self, fault: Exception) -> Observed:
        """Return what is seen if the node could not be created, or raise why."""
        if isinstance(fault, zookeeper.NodeExistsException):
            return self.seen(Presence.EXISTS)
        if isinstance(fault, (zookeeper.NoNodeException, zookeeper.BadArgumentsException)):
            # A copy, since an exception that was raised refers to frames.
            observed = self.seen(Presence.MISSING)
            return observed._replace(obstacle=Obstacle.NO_PARENT, fault=copy(fault))
        self._note_if_uncertain(fault)
        raise fault

    def look(self, version: int = -1, *, fresh: bool = True) -> Observed:
        """Read whether there is a node and whose, and watch it; if `fresh`, from the server."""
        observed = observe(self.node, self.epoch, fresh=fresh)
        return self._gone() if observed.presence is Presence.MISSING else observed

    def sync_and_look(self, version: int) -> Observed:
        """Look, once the server has caught up with all others (read-your-writes)."""
        try:
            self.binding.sync(self.handle, self.node.path)
            return self.look(version)
        except zookeeper.BadArgumentsException:
            # No node can have that path. One with dots in it leads elsewhere, which is not known.
            return self.missing()

    def follow_links(self, version: int = -1, *, fresh: bool = True) -> Observed:
        """Find out where the node belongs. Raises NoNodeException if it does nowhere.

        Then it depends on what was looked at, and is seen to as soon as any of that changes.
        """
        node = self.node
        reader = NodeReader(WatchingSource(node.places.watches, node.subscription, fresh=fresh))
        name = node.path.rpartition("/")[2]
        path = join(reader.complete(lambda reader: reader.resolve(node.parent)), name)
        if path == node.path:
            assert self.observed.fault is not None
            raise self.observed.fault
        node.move(path)
        return self.seen(Presence.UNKNOWN)

    def write(self, version: int) -> Observed:
        """Write the data to a node of ours."""
        assert self.desired is not None
        try:
            self.binding.set(self.handle, self.node.path, self.desired.data, version)
        except zookeeper.NoAuthException:
            # Registered servers are read-only even for those who made them.
            return self.observed._replace(obstacle=Obstacle.NOT_WRITABLE)
        except zookeeper.NoNodeException:
            return self._gone()
        except zookeeper.BadVersionException:
            return self.seen(Presence.EXISTS)
        return self.written()

    def replace(self, version: int) -> Observed:
        """Put a node of ours in the place of one that is, or was, ours."""
        try:
            self.binding.multi(self.handle, self.replacement(version))
        except zookeeper.ZooKeeperException as fault:
            return self.after_replacement(fault)
        return self.written()

    def replacement(self, version: int) -> list[Any]:
        """Return the operations that put a node of ours in the place of another, together."""
        return [("delete", self.node.path, version), self.creation()]

    def after_replacement(self, fault: Exception) -> Observed:
        """Return what is seen if the node could not be replaced, or raise why."""
        if isinstance(fault, zookeeper.NoNodeException):
            return self._gone()
        if isinstance(fault, zookeeper.BadVersionException):
            return self.seen(Presence.EXISTS)
        if isinstance(fault, zookeeper.UnimplementedException):
            return self.observed._replace(obstacle=Obstacle.NO_TRANSACTIONS)
        self._note_if_uncertain(fault)
        raise fault

    def _note_if_uncertain(self, fault: Exception) -> None:
        if isinstance(fault, zookeeper.SessionError) and fault.may_have_happened:
            assert self.desired is not None
            self.node.note_uncertain(self.desired)

    def delete(self, version: int) -> Observed:
        """Delete a node of ours, or a former session's, at the version seen."""
        if self.has_ended:
            return self.missing()
        try:
            self.binding.delete(self.handle, self.node.path, version)
        except zookeeper.ZooKeeperException as fault:
            return self.after_deletion(fault)
        return self.missing()

    @property
    def has_ended(self) -> bool:
        """Whether another thread has seen to it that the node is gone.

        There may be another one by now, for another registration, whose version is the same.
        """
        return self.node.known.state is RegistrationState.ENDED

    def after_deletion(self, fault: Exception) -> Observed:
        """Return what is seen if the node could not be deleted, or raise why."""
        if isinstance(fault, zookeeper.NoNodeException):
            return self.missing()
        if isinstance(fault, zookeeper.BadVersionException):
            return self.seen(Presence.EXISTS)
        raise fault

    # Rests

    def settle(self, version: int) -> None:
        """Note that all is as desired."""
        assert self.desired is not None
        self.node.note_written(self.desired, self.observed.epoch)

    def await_owner(self, version: int) -> None:
        """Note that another one's node is there; its end is watched."""
        owner = self.observed.owner
        self.node.note(self.observed.epoch, state=RegistrationState.WAITING, owner=owner)
        self.node.setbacks.complain(
            self.node.path,
            f"session {owner:#x} has a node there"
            if owner
            else "there is a node that is not ephemeral",
        )

    def await_session(self, version: int) -> Observed:
        """Raise what says that there is no session, or go on if there is one again."""
        self.node.places.session.require_handle()
        return begin(self.node.known, self.node.standing)

    def end(self, version: int) -> None:
        """Forget the node, which is not there, and need not be."""
        self.node.places.finish(self.node, is_deleted=self.desired is not None)
        self.desired = None

    # The observation after an action

    def seen(self, presence: Presence) -> Observed:
        return Observed(presence, self.epoch, written=self.node.known.written)

    def _gone(self) -> Observed:
        """Return what is seen if others have deleted the node, or it never was there."""
        known = self.node.known
        was_ours = known.state is RegistrationState.REGISTERED and known.epoch == self.epoch
        observed = self.missing()
        return observed._replace(presence=Presence.DELETED) if was_ours else observed

    def missing(self) -> Observed:
        if self.desired is not None:
            self.node.note(self.epoch, state=RegistrationState.PENDING)
        return self.seen(Presence.MISSING)

    def written(self) -> Observed:
        # Noted at once: if another desire has come, the next one is written to a node of ours.
        self.node.note(self.epoch, state=RegistrationState.REGISTERED, written=self.desired)
        return Observed(Presence.OURS, self.epoch, written=self.desired)


Perform = Callable[[Attempt, int], "Observed | None"]

ACTIONS: Mapping[Do, Perform] = {
    Do.CREATE: Attempt.create,
    Do.LOOK: Attempt.look,
    Do.SYNC_AND_LOOK: Attempt.sync_and_look,
    Do.FOLLOW_LINKS: Attempt.follow_links,
    Do.WRITE: Attempt.write,
    Do.REPLACE: Attempt.replace,
    Do.DELETE: Attempt.delete,
    Do.SETTLE: Attempt.settle,
    Do.AWAIT_OWNER: Attempt.await_owner,
    Do.AWAIT_SESSION: Attempt.await_session,
    Do.END: Attempt.end,
}


def observe(node: EphemeralNode, epoch: int, *, fresh: bool) -> Observed:
    """Read whether there is a node and whose, from the server if `fresh`."""
    places, written = node.places, node.known.written
    try:
        stat = places.watches.watch_and_read(node.subscription, Kind.EXISTS, node.path, fresh=fresh)
    except zookeeper.NoNodeException:
        return Observed(Presence.MISSING, epoch, written=written)
    if not owner_of(stat):
        presence = Presence.PERMANENT
    elif places.session.is_ours(stat):
        presence = Presence.SISTERS if places.is_superseded(node) else Presence.OURS
    elif places.session.was_ours(stat):
        presence = Presence.FORMER
    else:
        presence = Presence.ANOTHERS
    return Observed(presence, epoch, stat["version"], written=written, owner=stat["ephemeralOwner"])
