"""Many servers that are registered together, in a few requests: all of them, or none."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

import zookeeper
from zc.zk import codec
from zc.zk.acl import kept
from zc.zk.errors import LinkLoop
from zc.zk.links import check_path
from zc.zk.registration import address
from zc.zk.registration.address import Address
from zc.zk.registration.bulk import BulkReconciliation
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.persistent import MAX_ACTIONS, reconcile
from zc.zk.registration.registration import Registration
from zc.zk.registration.registry import SAID_BEFOREHAND, Registry
from zc.zk.registration.step import Desired, OnDeletion, RegistrationState
from zc.zk.session.backoff import pause
from zc.zk.session.session import State

if TYPE_CHECKING:
    from zookeeper.types import Acl

logger = logging.getLogger("zc.zk")

# The path at which to register, the address, and perhaps properties of this server alone.
Server = tuple[str, Address] | tuple[str, Address, Mapping[str, Any]]


class Registrations(Sequence[Registration]):
    """Servers that were registered together, in the order in which they were given.

    Each is a `Registration`. Leaving a `with` block unregisters all of them.
    """

    def __init__(self, registry: Registry, registrations: Sequence[Registration]) -> None:
        self._registry = registry
        self._all = registrations

    @overload
    def __getitem__(self, index: int) -> Registration: ...

    @overload
    def __getitem__(self, index: slice) -> Registrations: ...

    def __getitem__(self, index: int | slice) -> Registration | Registrations:
        if isinstance(index, slice):
            return Registrations(self._registry, self._all[index])
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    @property
    def states(self) -> dict[RegistrationState, int]:
        """How many of them stand how."""
        states: dict[RegistrationState, int] = {}
        for registration in self._all:
            states[registration.state] = states.get(registration.state, 0) + 1
        return states

    def unregister(self) -> None:
        """Delete the nodes, in a few requests, and let them be gone.

        Without a connection they are deleted as soon as there is one again; the session's end
        deletes them in any case. Harmless when it was done before.
        """
        for registration in self._all:
            registration._note_withdrawn()
        _end(self._registry, [node for each in self._all for node in each._properties])

    def __enter__(self) -> Registrations:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unregister()

    def __repr__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in self.states.items())
        return f"<Registrations: {states or 'none'}>"


def register_all(
    registry: Registry, servers: Iterable[Server], acl: Acl, data: Mapping[str, Any]
) -> Registrations:
    """Register many servers; see `zc.zk.ZooKeeper.register_all`."""
    acl = kept(acl)
    # A fault of one is said before subscribers hear of any.
    named = [_names_of(*server) for server in servers]
    registrations = []
    wanted: list[_Wanted] = []
    nodes: dict[EphemeralNode, None] = {}
    try:
        for path, names, own in named:
            registrations.append(Registration(registry, acl))
            for name in names:
                properties = registrations[-1]._announce(path, name, {**data, **own})
                desired = Desired(codec.encode(properties), acl)
                wanted.append((registrations[-1], path, name, properties, desired))
        # Otherwise the session's maintenance might make a node again that is undone here.
        with registry.in_hand(nodes):
            _register(registry, wanted, nodes)
        return Registrations(registry, registrations)
    except BaseException:
        for registration in registrations:
            registration._note_withdrawn()
        # An exception out of a signal handler, be it Ctrl-C or a limit of time, may have come
        # anywhere: any of them may be there, or will be when the request has come there.
        left = [node for node in nodes if node.known.state is not RegistrationState.ENDED]
        for node in left:
            node.withdraw()
        if left:  # a forked child has none, and no maintenance that could be woken
            registry.see_to_all(left)
        raise


# A node that is to be made: for whom, at which path, its name and properties, and what it gets.
_Wanted = tuple[Registration, str, str, dict[str, Any], Desired]


def _names_of(
    path: str, server: Address, properties: Mapping[str, Any] | None = None
) -> tuple[str, list[str], Mapping[str, Any]]:
    check_path(path)
    return path, address.names_to_register(server), properties or {}


def _register(
    registry: Registry, wanted: Iterable[_Wanted], nodes: dict[EphemeralNode, None]
) -> None:
    """Let there be all of these nodes, from now on, or none of them; add them to `nodes`."""
    registry.session.check_process()
    try:
        for registration, parent, name, properties, desired in wanted:
            node = EphemeralNode(registry, parent, name, desired, OnDeletion.REVIVE)
            nodes[node] = None
            registry.claim(node, node.path)
            registration._properties[node] = properties
        refused = registry.session.call(_reconcile, registry, nodes)
        for node in nodes:
            if node.known.state is RegistrationState.WAITING and not node.known.owner:
                reason = zookeeper.error(zookeeper.NODEEXISTS, node.path, "it is not ephemeral")
                refused.setdefault(node, reason)
        if refused:
            raise _refusal(refused, len(nodes))
    except zookeeper.SessionError as fault:
        if not registry.may_pass(fault):
            _forget(registry, nodes)
            raise
        logger.warning("%d servers will be registered later: %s", len(nodes), fault)
        registry.see_to_all(nodes)
    except (zookeeper.ZooKeeperException, *SAID_BEFOREHAND):
        _forget(registry, nodes)
        raise


def _refusal(refused: Mapping[EphemeralNode, Exception], count: int) -> Exception:
    """Return the first refusal, which says which server it is about, and what became of all."""
    node, fault = next(iter(refused.items()))
    if isinstance(fault, zookeeper.ZooKeeperException):
        others = f" nor {len(refused) - 1} others" if len(refused) > 1 else ""
        told = f"{node.path} cannot be registered{others}: none of {count} servers is"
        fault.args = (f"{fault.args[0]} ({told})",)
    return fault


def _forget(registry: Registry, nodes: Collection[EphemeralNode]) -> None:
    """Have none of these nodes, of which it is known which are there."""
    made = [node for node in nodes if node.state is RegistrationState.REGISTERED]
    for node in set(nodes).difference(made):
        registry.finish(node)
    _end(registry, made)


def _end(registry: Registry, nodes: Iterable[EphemeralNode]) -> None:
    """Let these nodes not exist any more."""
    left = [node for node in nodes if node.known.state is not RegistrationState.ENDED]
    if not left:
        return
    registry.session.check_process()
    for node in left:
        node.withdraw()
    try:
        refused = registry.session.call(_reconcile, registry, left)
    except zookeeper.SessionError as fault:
        if registry.session.state is State.CLOSED:
            return
        logger.warning("%d servers will be unregistered later: %s", len(left), fault)
        registry.see_to_all(left)
    except BaseException:
        registry.see_to_all(left)
        raise
    else:
        registry.see_to_all(refused)


def _reconcile(
    handle: int, registry: Registry, nodes: Collection[EphemeralNode]
) -> dict[EphemeralNode, Exception]:
    """Have what is desired of all, and return what the servers say against some.

    Raises SessionError.
    """
    with registry.in_hand(set(nodes)):
        left, refused = BulkReconciliation(registry.session, registry.watches).reconcile(
            handle, nodes
        )
        for node in left:
            try:
                if not reconcile(handle, node):
                    registry.see_to(node, time.monotonic() + pause(MAX_ACTIONS))
            except zookeeper.SessionError:
                raise
            except (zookeeper.ZooKeeperException, LinkLoop) as refusal:
                refused[node] = refusal
    return refused
