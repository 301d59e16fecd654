"""The servers of a service, live, for an event loop, and the choice among them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from zc.zk.aio.crossing import cross
from zc.zk.aio.live import LiveObject
from zc.zk.providers.provider import Key, Provider
from zc.zk.providers.providers import Providers as Blocking
from zc.zk.providers.strategies import Strategy

if TYPE_CHECKING:
    from zc.zk.aio.forms import Face


class Providers(LiveObject[Blocking], Mapping[str, Mapping[str, Any]]):
    """The servers registered at a path: a live mapping from address to properties.

    As `zc.zk.providers.Providers`; to `wait` for a server is to be awaited.
    """

    def __init__(self, zk: Face, path: str, strategy: Strategy | None, kept_share: float) -> None:
        super().__init__(zk, path)
        self._strategy = strategy
        self._kept_share = kept_share

    def _make(self) -> Blocking:
        return self._zk._ready().providers(self.path, self._strategy, kept_share=self._kept_share)

    def __getitem__(self, address: str) -> Mapping[str, Any]:
        """Return the properties of a registered server."""
        return self._object[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._object)

    def __len__(self) -> int:
        return len(self._object)

    def __contains__(self, address: object) -> bool:
        return address in self._object

    # That of the object: a mapping that is equal to another one need not be so any more later on.
    __hash__ = object.__hash__

    def pick(self, key: Key | None = None, *, but_not: Collection[str] = ()) -> Provider:
        """Return the server to call. Raises NoProvider."""
        return self._object.pick(key, but_not=but_not)

    def using(
        self, key: Key | None = None, *, but_not: Collection[str] = ()
    ) -> AbstractContextManager[Provider]:
        """Pick like `pick`, and count the server as used until the `with` block is left."""
        return self._object.using(key, but_not=but_not)

    def failed(self, server: Provider | str) -> None:
        """Take a server, or its address, out for a while."""
        self._object.failed(server)

    def succeeded(self, server: Provider | str) -> None:
        """Forget the failures of a server, or address: it has answered."""
        self._object.succeeded(server)

    @property
    def available(self) -> list[Provider]:
        """The servers that are picked from: neither draining nor out."""
        return self._object.available

    @property
    def age(self) -> float:
        """How many seconds ago the last was heard: 0.0 while ZooKeeper can tell of changes."""
        return self._object.age

    async def wait(
        self, seconds: float, key: Key | None = None, *, but_not: Collection[str] = ()
    ) -> Provider:
        """Pick like `pick`, and wait for so many seconds while there is none.

        Raises NoProvider when there is none by then.
        """
        self._zk._ready()
        return await cross(self._object.wait, seconds, key, but_not=but_not)
