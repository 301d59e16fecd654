"""An ephemeral node with any data, kept in being as a registered server is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zc.zk.links import check_path
from zc.zk.registration.step import Desired, RegistrationState

if TYPE_CHECKING:
    from zc.zk.registration.ephemerals import Ephemerals
    from zc.zk.registration.node import EphemeralNode
    from zookeeper.types import Acl, Data


class Kept:
    """A node that is kept in being, for as long as the program wants."""

    def __init__(self, node: EphemeralNode) -> None:
        self._node = node

    @property
    def path(self) -> str:
        """Its path, links followed."""
        return self._node.path

    @property
    def state(self) -> RegistrationState:
        """How things stand with it, as `Registration.state`."""
        return self._node.state

    @property
    def is_there(self) -> bool:
        return self.state is RegistrationState.REGISTERED


@contextmanager
def kept_ephemeral(ephemerals: Ephemerals, path: str, data: Data, acl: Acl) -> Iterator[Kept]:
    """Have an ephemeral node at `path`, links above it followed; it is deleted at the end.

    It is made again in later sessions, and when others delete it; where another session's node is
    in its place, as soon as that is gone. Raises NoNodeException when there is nothing above it,
    and NodeExistsException when a node that is not ephemeral is in its place.
    """
    check_path(path)
    parent, _, name = path.rpartition("/")
    registry = ephemerals.registry
    node = registry.register(parent or "/", name, Desired(data, acl))
    try:
        yield Kept(node)
    finally:
        registry.end(node)
