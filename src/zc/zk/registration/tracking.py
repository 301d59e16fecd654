"""The ephemeral nodes that a program makes, writes and deletes by itself.

They are not registrations, but a later session is to have them, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.schedule import Hold
from zc.zk.registration.step import Desired, OnDeletion, RegistrationState

if TYPE_CHECKING:
    from zc.zk.registration.registry import Registry
    from zookeeper.types import Acl


class Tracking:
    """Notes in the registry of a client what the program does to ephemeral nodes."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def track(self, path: str, data: str | bytes | None, acl: Acl, epoch: int) -> None:
        """Let later sessions have an ephemeral node that the program has made, too.

        `epoch` is the session's before that was begun.
        """
        parent, _, name = path.rpartition("/")
        known = self.registry.find(path)
        if known is not None and known.is_watched and known.desired is not None:
            self.registry.see_to(known)
            return
        if known is not None:
            self.registry.finish(known)
        desired = Desired(data, acl)
        node = EphemeralNode(self.registry, parent or "/", name, desired, OnDeletion.IGNORE)
        node.note_written(desired, epoch)
        self.registry.claim(node, path)
        if epoch != self.registry.session.epoch:
            self.registry.see_to(node)

    def note_data(self, path: str, data: str | bytes | None, epoch: int) -> None:
        """Note that the program has written a node's data; see `track`."""
        self._note_change(path, epoch, data=data)

    def note_acl(self, path: str, acl: Acl, epoch: int) -> None:
        """Note that the program has written a node's ACL; see `track`."""
        self._note_change(path, epoch, acl=acl)

    def _note_change(self, path: str, epoch: int, **change: Any) -> None:
        node = self.registry.find(path)
        if node is not None and not node.amend(epoch, **change):
            self.registry.see_to(node)

    def hold(self, path: str) -> Hold | None:
        """Leave a node alone that the program is about to delete, until `release`."""
        if not isinstance(path, str):
            return None  # the binding says so, which is called next
        node = self.registry.find(path)
        return None if node is None else self.registry.schedule.hold(node, path)

    def release(self, hold: Hold, *, is_gone: bool) -> None:
        """Note that the program has deleted a node, or failed to."""
        node = hold.node
        self.registry.schedule.release(hold)
        if is_gone and not hold.is_contested:
            self.registry.finish(node)
            return
        if is_gone:
            node.withdraw()
        is_there = node.state is RegistrationState.REGISTERED
        if is_gone or node.is_watched or not is_there or node.known.written is not node.desired:
            # Whatever happened meanwhile, it was left alone.
            self.registry.see_to(node)
