"""An ephemeral node that is kept in being: what is desired, what is known."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from zc.zk.links import join
from zc.zk.registration.setbacks import Setbacks
from zc.zk.registration.step import (
    Desired,
    Known,
    OnDeletion,
    RegistrationState,
    Standing,
    shown,
)
from zc.zk.session.session import Session
from zc.zk.watching.dependencies import Kind, Subscription
from zc.zk.watching.subscriptions import Subscriptions


class Places(Protocol):
    """The part of its registry that a node needs."""

    session: Session
    watches: Subscriptions
    lock: threading.RLock

    def subscribe(self, node: EphemeralNode) -> Subscription:
        """Have the registry told when what the node depends on has been read again."""

    def claim(self, node: EphemeralNode, path: str) -> None:
        """Take the place at `path`. Raises NodeExistsException if another one has it."""

    def vacate(self, node: EphemeralNode, path: str) -> None:
        """Give up a place, if the node has it."""

    def is_superseded(self, node: EphemeralNode) -> bool:
        """Tell whether another node is to be at its path."""

    def finish(self, node: EphemeralNode, *, is_deleted: bool = False) -> None:
        """Forget a node that is not there, and need not be; perhaps as others deleted it."""


class EphemeralNode:
    """A node that is to exist, or, when `desired` is None, is not to any more.

    `parent` and the last part of `path` are what was asked for, `path` is where links have led.
    `known` is what was found out so far.

    Danger: the session's maintenance and threads of the program may reconcile a node at once, and
    a finaliser or a signal handler may do so in the middle of that, in a thread that holds the
    lock. So the fields are changed here only, under the registry's lock, each in one step (see
    `zc.zk.watching.dependencies`), to a value that is never modified; the lock is not held over a
    request or a call of anything else. Which thread wrote last is found out afterwards: it compares
    what it wrote with what is desired. Knowledge of a former session never takes the place
    of that of a later one.
    """

    __slots__ = (
        "__weakref__",
        "desired",
        "known",
        "on_deletion",
        "parent",
        "path",
        "places",
        "setbacks",
        "subscription",
    )  # fmt: skip

    def __init__(
        self, places: Places, parent: str, name: str, desired: Desired, on_deletion: OnDeletion
    ) -> None:
        self.places = places
        self.parent = parent
        self.path = join(parent, name)
        self.desired: Desired | None = desired
        self.known = Known()
        self.on_deletion = on_deletion
        self.setbacks = Setbacks()
        self.subscription = places.subscribe(self)

    @property
    def standing(self) -> Standing:
        """Where the session stands."""
        session = self.places.session
        return Standing(session.lives_in, not session.is_kept_up)

    @property
    def state(self) -> RegistrationState:
        """How things stand by now."""
        return shown(self.known, self.standing)

    @property
    def revive(self) -> bool:
        """Whether the node is made again when somebody deletes it; can be set."""
        return self.on_deletion is OnDeletion.REVIVE

    @revive.setter
    def revive(self, revive: bool) -> None:
        self.on_deletion = OnDeletion.REVIVE if revive else OnDeletion.END

    @property
    def is_watched(self) -> bool:
        """Whether it is noticed that somebody deletes the node."""
        return self.on_deletion is not OnDeletion.IGNORE

    # The desired state

    def change(self, desired: Desired) -> bool:
        """Let the node be like this. False if it was withdrawn, which is for good."""
        choice = (None, desired)
        with self.places.lock:
            self.desired = choice[self.desired is not None]  # in one step
            is_wanted = self.desired is not None
        if is_wanted:
            self.setbacks.forgive_losses()
        return is_wanted

    def amend(self, epoch: int, **change: Any) -> bool:
        """Let the node have what the program has written itself.

        It did so in the session `epoch`. False if there is more to write than that.
        """
        # The lock is held to the end, so that another thread's change finds this one noted: it
        # would be taken for one that has yet to be written.
        with self.places.lock:
            while True:
                former = self.desired
                if former is None:
                    return True
                desired = former._replace(**change)
                if self.desired is former:
                    self.desired = desired  # in one step
                    break
            known = self.known
            if known.written is not former or epoch != self.places.session.epoch:
                # An earlier desire has yet to be written, or it was the former session's node that
                # was; there may be another one already.
                return False
            # Of the session in which it was found to be ours: in a later one it need not be.
            self.note(known.epoch, written=desired)
            return True

    def withdraw(self) -> None:
        """Let the node not exist any more."""
        with self.places.lock:
            self.desired = None

    def move(self, path: str) -> None:
        """Let the node be at another path.

        Raises NodeExistsException if another node of this client has it.
        """
        former = self.path
        self.places.claim(self, path)
        with self.places.lock:
            self.path = path
        self.places.vacate(self, former)

    # The known state

    def note(self, epoch: int, **found: Any) -> None:
        """Take in what was found out in the session `epoch`: fields of `Known`."""
        value = found.get
        with self.places.lock:
            while True:
                former = self.known
                if epoch < former.epoch:
                    return
                known = Known(
                    value("state", former.state),
                    epoch,
                    value("written", former.written),
                    value("owner", former.owner),
                )
                if self.known is former:
                    self.known = known  # in one step
                    return

    def note_written(self, desired: Desired, epoch: int) -> None:
        """Note that in the session `epoch` the node is there, ours, and as `desired`."""
        self.note(epoch, state=RegistrationState.REGISTERED, written=desired)
        self.setbacks.note_success(self.path)
        if self.is_watched:
            self.places.watches.watch_just(self.subscription, Kind.EXISTS, self.path)

    def note_uncertain(self, desired: Desired) -> None:
        """Note that the answer to a request to make the node so was lost.

        A node of ours that is found later may be of this desire or, if the request was not done, of
        an earlier one, with another ACL. So it is replaced, unless this desire is what was written
        last: then nothing else has been asked for since.
        """
        known = self.known
        if known.written is not desired:
            self.note(known.epoch, written=None)

    def note_refusal(self, refusal: Exception) -> float:
        """Note what the server says against it. Returns when to try again."""
        self.note(self.known.epoch, state=RegistrationState.REFUSED)
        return self.setbacks.note_refusal(self.path, refusal)

    def note_ended(self) -> None:
        """Note that the node is not there, and need not be."""
        with self.places.lock:
            self.desired = None
            self.known = Known(RegistrationState.ENDED, self.known.epoch)
