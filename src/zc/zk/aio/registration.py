"""Registrations of an asynchronous client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from zc.zk.aio.crossing import cross
from zc.zk.registration.registration import Registration as Blocking
from zc.zk.registration.step import RegistrationState

if TYPE_CHECKING:
    from zc.zk.aio.forms import Face
    from zc.zk.registration.registrations import Registrations as Together


class Registration:
    """A server that is registered: ephemeral nodes that are kept in being.

    It is a `zc.zk.Registration`, whose methods that talk to servers are to be awaited. Leaving an
    `async with` block unregisters.
    """

    def __init__(self, zk: Face, registration: Blocking) -> None:
        self._zk = zk
        self._registration = registration

    @property
    def paths(self) -> list[str]:
        """The paths of the nodes, links followed."""
        return self._registration.paths

    @property
    def state(self) -> RegistrationState:
        """How things stand, of several nodes with the last to be there."""
        return self._registration.state

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of the (first) node, as they are to be."""
        return self._registration.properties

    @property
    def revive(self) -> bool:
        """Whether nodes that somebody deletes are made again; can be set."""
        return self._registration.revive

    @revive.setter
    def revive(self, revive: bool) -> None:
        self._registration.revive = revive

    async def update(self, data: Mapping[str, Any] | None = None, **properties: Any) -> None:
        """Change some of the nodes' properties and leave the others.

        If it is cancelled, they are written all the same, as soon as that is possible.
        """
        self._zk._ready()
        await cross(self._registration.update, data, **properties)

    async def unregister(self) -> None:
        """Delete the nodes and let them be gone.

        If it is cancelled, they are deleted all the same, as soon as that is possible.
        """
        self._zk._ready(closed_too=True)
        await cross(self._registration.unregister)

    async def __aenter__(self) -> Registration:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.unregister()

    def __repr__(self) -> str:
        return repr(self._registration)


class Registrations(Sequence[Registration]):
    """Servers that were registered together, in the order in which they were given.

    Leaving an `async with` block unregisters all of them.
    """

    def __init__(self, zk: Face, registrations: Together) -> None:
        self._zk = zk
        self._registrations = registrations

    @overload
    def __getitem__(self, index: int) -> Registration: ...

    @overload
    def __getitem__(self, index: slice) -> Registrations: ...

    def __getitem__(self, index: int | slice) -> Registration | Registrations:
        if isinstance(index, slice):
            return Registrations(self._zk, self._registrations[index])
        return Registration(self._zk, self._registrations[index])

    def __len__(self) -> int:
        return len(self._registrations)

    @property
    def states(self) -> dict[RegistrationState, int]:
        """How many of them stand how."""
        return self._registrations.states

    async def unregister(self) -> None:
        """Delete the nodes, in a few requests, and let them be gone.

        If it is cancelled, they are deleted all the same, as soon as that is possible.
        """
        self._zk._ready(closed_too=True)
        await cross(self._registrations.unregister)

    async def __aenter__(self) -> Registrations:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.unregister()

    def __repr__(self) -> str:
        return repr(self._registrations)
