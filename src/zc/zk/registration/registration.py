"""Servers that are registered, for as long as the program wants them to be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

from zc.zk import codec, event
from zc.zk.acl import kept
from zc.zk.errors import printable
from zc.zk.links import check_path
from zc.zk.registration import address
from zc.zk.registration.address import Address
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.registry import Registry
from zc.zk.registration.step import Desired, RegistrationState

if TYPE_CHECKING:
    from zookeeper.types import Acl


class Registration:
    """A server that is registered: ephemeral nodes that are kept in being.

    A connection lost, a session expired, a node deleted by hand: the nodes are made again, with the
    latest data, until `unregister`, or the end of the client. Leaving a `with` block unregisters.
    Where deletion by hand is to be the end of it, set `revive` to False.
    """

    def __init__(self, registry: Registry, acl: Acl) -> None:
        # Nobody else may change the ACL, with which the nodes are made again.
        self._registry = registry
        self._acl = acl
        self._properties: dict[EphemeralNode, dict[str, Any]] = {}
        self._announced: list[event.RegisteringServer] = []

    @property
    def paths(self) -> list[str]:
        """The paths of the nodes, links followed."""
        return [node.path for node in self._properties]

    @property
    def state(self) -> RegistrationState:
        """How things stand, of several nodes with the last to be there.

        It is `ended` as soon as the node is not desired any more, also where its deletion has to
        wait for a connection, or an interrupt has left that to the session's thread.
        """
        order = list(RegistrationState)
        states = {
            RegistrationState.ENDED if node.desired is None else node.state
            for node in self._properties
        }
        states = states - {RegistrationState.REGISTERED} or states
        return min(states, key=order.index)

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of the (first) node, as they are to be."""
        return dict(next(iter(self._properties.values())))

    @property
    def revive(self) -> bool:
        """Whether nodes that somebody deletes are made again; can be set.

        It is true at first: that a server is gone is for the server to say. When it is false, the
        registration of a node that was deleted has ended. A node that went with a lost session is
        made again in any case.
        """
        return all(node.revive for node in self._properties)

    @revive.setter
    def revive(self, revive: bool) -> None:
        for node in self._properties:
            node.revive = revive

    def update(self, data: Mapping[str, Any] | None = None, **properties: Any) -> None:
        """Change some of the nodes' properties and leave the others.

        Keywords take precedence. Without a connection they are written as soon as there is one
        again. Raises ValueError for what JSON cannot hold.
        """
        for node, current in self._properties.items():
            wanted = {**current, **dict(data or ()), **properties}
            desired = Desired(codec.encode(wanted), self._acl)
            self._properties[node] = wanted
            self._registry.change(node, desired)

    def unregister(self) -> None:
        """Delete the nodes and let them be gone.

        Without a connection they are deleted as soon as there is one again; the session's end
        deletes them in any case. Harmless when it was done before.
        """
        self._note_withdrawn()
        with ExitStack() as endings:  # an interrupt of one does not spare the others
            for node in reversed(self._properties):
                endings.callback(self._registry.end, node)

    def __enter__(self) -> Registration:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unregister()

    def __repr__(self) -> str:
        return printable(f"<Registration {', '.join(self.paths)}: {self.state}>")

    def _announce(self, path: str, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Tell subscribers of a node that is about to be made; return the properties it gets."""
        registering = event.RegisteringServer(name, path, {"pid": os.getpid(), **data})
        self._announced.append(registering)
        event.notify(registering)
        return registering.properties

    def _note_withdrawn(self) -> None:
        for announced in self._announced:
            announced.is_withdrawn = True


def register(
    registry: Registry, path: str, server: Address, acl: Acl, data: Mapping[str, Any]
) -> Registration:
    """Register a server; see `zc.zk.ZooKeeper.register`."""
    check_path(path)
    registration = Registration(registry, kept(acl))
    try:
        for name in address.names_to_register(server):
            properties = registration._announce(path, name, data)
            desired = Desired(codec.encode(properties), registration._acl)
            registration._properties[registry.register(path, name, desired)] = properties
    except BaseException:
        registration.unregister()
        raise
    return registration
