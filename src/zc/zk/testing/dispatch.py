"""Emulations beside the binding: each call of a function of `zookeeper` goes where it belongs.

A new handle is opened where its connection string leads: to the emulation that serves one of its
servers; to the binding if all of its servers are on this machine, as a `zc.zk.testing.Server` and
what a program under test starts by itself are; and else to the latest emulation, where it waits
until the test lets it in. So a test that is to need no service cannot get at one on another machine
by mistake.

Every other function goes by the number of its handle. No two open handles have the same one:
emulations leave out those that are taken, and the binding begins to count at `FIRST_OF_BINDING`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any, Final

import zookeeper
from zc.zk.testing.emulation import Emulation

Functions = Mapping[str, Callable[..., Any]]

# More handles than this at once are open in no emulation. Those that the binding has opened before
# keep their numbers.
FIRST_OF_BINDING: Final = 1000


class Dispatch:
    """The functions of `zookeeper` while there are emulations beside the binding's."""

    def __init__(self, emulation: Emulation) -> None:
        names = ("init", *(name for name in emulation.functions if name != "init"))
        #: What stood in `zookeeper` before.
        self.binding: Final[Functions] = {name: getattr(zookeeper, name) for name in names}
        self.functions: Final[Functions] = {
            "init": self._init(),
            **{name: self._by_handle(name) for name in names[1:]},
            "close_many": self._close_many(),
        }
        self._emulations: list[Emulation] = []

    def add(self, emulation: Emulation) -> None:
        emulation._avoid(lambda number: self._is_taken(number, emulation))
        self._emulations.append(emulation)

    def remove(self, emulation: Emulation) -> bool:
        """Returns whether there is none left."""
        self._emulations.remove(emulation)
        return not self._emulations

    def _init(self) -> Callable[..., int]:
        @wraps(self.binding["init"])
        def init(hosts: str, *args: Any, **kwargs: Any) -> int:
            number: int = self._functions_of_servers(hosts)["init"](hosts, *args, **kwargs)
            return number

        return init

    def _by_handle(self, name: str) -> Callable[..., Any]:
        @wraps(self.binding[name])
        def function(h: int, *args: Any, **kwargs: Any) -> Any:
            return self._functions_of_handle(h)[name](h, *args, **kwargs)

        return function

    def _close_many(self) -> Callable[..., int]:
        @wraps(self.binding["close_many"])
        def close_many(handles: Iterable[int]) -> int:
            handles = list(handles)
            for place in (self.binding, *(each.functions for each in self._emulations)):
                own = [h for h in handles if self._functions_of_handle(h) is place]
                if own:
                    place["close_many"](own)
            return zookeeper.OK

        return close_many

    def _functions_of_servers(self, hosts: object) -> Functions:
        emulations = self._emulations[::-1]
        if not emulations or not isinstance(hosts, str):
            return self.binding
        for emulation in emulations:
            if emulation._can_reach(hosts):
                return emulation.functions
        return self.binding if _is_on_this_machine(hosts) else emulations[0].functions

    def _functions_of_handle(self, h: object) -> Functions:
        for emulation in self._emulations[::-1]:
            if isinstance(h, int) and h in emulation.sessions:
                return emulation.functions
        return self.binding

    def _is_taken(self, number: int, asking: Emulation) -> bool:
        if any(number in other.sessions for other in self._emulations if other is not asking):
            return True
        try:
            _table().state(number)
        except zookeeper.ForkedException:
            return True
        except zookeeper.ZooKeeperException:
            return False
        return True


_dispatch: Dispatch | None = None


@contextmanager
def installed(emulation: Emulation) -> Iterator[None]:
    """Have the functions of `zookeeper` reach an emulation as well."""
    global _dispatch
    if _dispatch is None:
        _dispatch = Dispatch(emulation)
        vars(zookeeper).update(_dispatch.functions)
        _table()._number_from(FIRST_OF_BINDING)
    dispatch = _dispatch
    dispatch.add(emulation)
    try:
        yield
    finally:
        if dispatch.remove(emulation):
            _table()._number_from(0)
            vars(zookeeper).update(dispatch.binding)
            _dispatch = None


def _table() -> Any:
    """The module that has the binding's handles, whatever a test has patched."""
    return import_module("zookeeper._client")


def _is_on_this_machine(hosts: str) -> bool:
    servers = hosts.partition("/")[0].split(",")
    return all(_is_loopback(server.strip().rpartition(":")[0].strip("[]")) for server in servers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
