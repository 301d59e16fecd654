"""Dispatch: emulations beside the extension, by server and by handle.

A client that is handed a binding needs nothing of this. But suites of earlier releases call
`zookeeper.init` and then `zookeeper.get(handle, ...)`, and so do their clients. While
an emulation is installed, each function of the module `zookeeper` dispatches therefore to the
binding that the call belongs to.

`init` goes by the connection string: to the emulation that serves one of its servers; to the
extension if all of its servers are on this machine, as a `zc.zk.testing.Server` and what a program
under test starts by itself are; and else to the latest emulation, where the handle waits until the
test lets it in. So a test that is to need no service cannot get at one on another machine by
mistake.

Every other function goes by the number of its handle. No two open handles have the same number:
emulations leave out those that are taken, and the extension begins to count at
`FIRST_OF_EXTENSION`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

import zookeeper
from zc.zk.testing.emulation import Emulation

# More handles than this at once are open in no emulation. Those that the extension has opened
# before keep their numbers.
FIRST_OF_EXTENSION: Final = 1000


class Dispatch:
    """The functions of the module `zookeeper` while an emulation is installed."""

    def __init__(self, names: Iterable[str]) -> None:
        #: The functions in `zookeeper` before, which a test may have patched.
        self.former: Final = {name: getattr(zookeeper, name) for name in names}
        self.functions: Final = {
            **{name: self._by_handle(name) for name in self.former},
            "init": self._init(),
            "close_many": self._close_many(),
        }
        self._default: Final[Any] = SimpleNamespace(**self.former)
        self._emulations: list[Emulation] = []

    def add(self, emulation: Emulation) -> None:
        emulation._avoid(lambda number: self._is_taken(number, emulation))
        self._emulations.append(emulation)

    def remove(self, emulation: Emulation) -> bool:
        """Remove an emulation, and return whether none is left."""
        self._emulations.remove(emulation)
        return not self._emulations

    def _init(self) -> Callable[..., int]:
        @wraps(self.former["init"])
        def init(hosts: str, *args: Any, **kwargs: Any) -> int:
            number: int = self._binding_of_servers(hosts).init(hosts, *args, **kwargs)
            return number

        return init

    def _by_handle(self, name: str) -> Callable[..., Any]:
        @wraps(self.former[name])
        def function(h: int, *args: Any, **kwargs: Any) -> Any:
            return getattr(self._binding_of_handle(h), name)(h, *args, **kwargs)

        return function

    def _close_many(self) -> Callable[..., int]:
        @wraps(self.former["close_many"])
        def close_many(handles: Iterable[int]) -> int:
            handles = list(handles)
            for binding in (self._default, *(each.binding for each in self._emulations)):
                own = [h for h in handles if self._binding_of_handle(h) is binding]
                if own:
                    binding.close_many(own)
            return zookeeper.OK

        return close_many

    def _binding_of_servers(self, hosts: object) -> Any:
        if not self._emulations or not isinstance(hosts, str):
            return self._default
        for emulation in reversed(self._emulations):
            if emulation._can_reach(hosts):
                return emulation.binding
        return self._default if _is_on_this_machine(hosts) else self._emulations[-1].binding

    def _binding_of_handle(self, h: object) -> Any:
        for emulation in reversed(self._emulations):
            if isinstance(h, int) and h in emulation.sessions:
                return emulation.binding
        return self._default

    def _is_taken(self, number: int, asking: Emulation) -> bool:
        if any(number in other.sessions for other in self._emulations if other is not asking):
            return True
        try:
            _extension().state(number)
        except zookeeper.ForkedException:
            return True
        except zookeeper.ZooKeeperException:
            return False
        return True


_dispatch: Dispatch | None = None


@contextmanager
def installed(emulation: Emulation) -> Iterator[None]:
    """Have the functions of the module `zookeeper` reach an emulation as well."""
    global _dispatch
    if _dispatch is None:
        _dispatch = Dispatch(emulation.functions)
        vars(zookeeper).update(_dispatch.functions)
        _extension()._number_from(FIRST_OF_EXTENSION)
    dispatch = _dispatch
    dispatch.add(emulation)
    try:
        yield
    finally:
        if dispatch.remove(emulation):
            _extension()._number_from(0)
            vars(zookeeper).update(dispatch.former)
            _dispatch = None


def _extension() -> Any:
    """Return the module of the extension's handles, whatever is patched."""
    return import_module("zookeeper._client")


def _is_on_this_machine(hosts: str) -> bool:
    servers = hosts.partition("/")[0].split(",")
    return all(_is_loopback(server.strip().rpartition(":")[0].strip("[]")) for server in servers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
