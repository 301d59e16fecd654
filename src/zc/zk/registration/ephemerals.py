"""The ephemeral nodes of a client, of which most clients have none.

The registry is made for the first one, and its modules are imported then.

Danger: a module cannot be imported where descriptors are exhausted, or in a finaliser that runs
while it is being imported. So this happens before a request is sent, in the thread that calls, with
no lock held: a call that fails has done nothing, and what the servers have done is always noted.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.imports import importing

if TYPE_CHECKING:
    from zc.zk.registration.registry import Registry
    from zc.zk.registration.schedule import Hold
    from zc.zk.registration.tracking import Tracking
    from zc.zk.session.maintenance import Steps
    from zc.zk.session.session import Session
    from zc.zk.watching.subscriptions import Subscriptions
    from zookeeper.types import Acl, Data


class Ephemerals:
    """The registry of a client's ephemeral nodes, if there is one; see `Registry`."""

    def __init__(self, session: Session, watches: Subscriptions) -> None:
        self._session = session
        self._watches = watches
        # One entry at most, put in by `setdefault`: of two threads that come at once, both get the
        # registry of the first.
        self._made: dict[str, Tracking] = {}

    @property
    def registry(self) -> Registry:
        """The registry, which is there from the first call on."""
        return self._tracking.registry

    @property
    def _tracking(self) -> Tracking:
        tracking = self._made.get("tracking")
        if tracking is None:
            with importing:
                from zc.zk.registration.registry import Registry
                from zc.zk.registration.tracking import Tracking

            wake = partial(self._session.wake, self.keep)
            made = Tracking(Registry(self._session, self._watches, wake))
            tracking = self._made.setdefault("tracking", made)
        return tracking

    @property
    def if_any(self) -> Registry | None:
        """The registry; None while there has been no ephemeral node."""
        tracking = self._made.get("tracking")
        return None if tracking is None else tracking.registry

    def expect(self, flags: object) -> None:
        """Get ready for `track`, before a node is made with these flags."""
        if flags == zookeeper.EPHEMERAL:
            _ = self._tracking

    def track(self, path: str, data: Data, acl: Acl, epoch: int) -> None:
        """Let later sessions have an ephemeral node that the program has made, too."""
        self._tracking.track(path, data, acl, epoch)

    def note_data(self, path: str, data: Data, epoch: int) -> None:
        """Note that the program has written a node's data; see `track`."""
        if (tracking := self._made.get("tracking")) is not None:
            tracking.note_data(path, data, epoch)

    def note_acl(self, path: str, acl: Acl, epoch: int) -> None:
        """Note that the program has written a node's ACL; see `track`."""
        if (tracking := self._made.get("tracking")) is not None:
            tracking.note_acl(path, acl, epoch)

    def hold(self, path: str) -> Hold | None:
        """Leave a node alone that the program is about to delete, until `release`."""
        tracking = self._made.get("tracking")
        return None if tracking is None else tracking.hold(path)

    def release(self, hold: Hold | None, *, is_gone: bool) -> None:
        """Note that the program has deleted a node, or failed to."""
        if hold is not None:
            self._tracking.release(hold, is_gone=is_gone)

    def keep(self, handle: int) -> Steps:
        """Do the session's duty to have the nodes that are desired, and no others."""
        registry = self.if_any
        return None if registry is None else (yield from registry.keep(handle))

    def after_fork(self) -> None:
        """End all nodes in a child process, whose session has none of the parent's."""
        if (registry := self.if_any) is not None:
            registry.after_fork()
