"""The emulation: one server in this process, and a binding that reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from zc.zk.testing.clock import Clock
from zc.zk.testing.emulation.bulk import Bulk
from zc.zk.testing.emulation.changes import Changes
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.inquiries import Inquiries
from zc.zk.testing.emulation.reads import Reads
from zc.zk.testing.emulation.removals import Removals
from zc.zk.testing.emulation.server import CHECK_SECONDS, EmulatedServer
from zc.zk.testing.emulation.sessions import Sessions
from zc.zk.testing.emulation.standing import Standing
from zc.zk.testing.emulation.transactions import Transactions
from zc.zk.testing.engine import Engine, SessionLimits


class EmulatedBinding(Sessions, Changes, Reads, Inquiries, Standing, Removals, Transactions, Bulk):
    """A `zookeeper.binding.Binding` whose functions reach an emulated server."""


# A keyword since Python 3.7, and zkpython's name for it.
setattr(EmulatedBinding, "async", EmulatedBinding.async_)


class Emulation:
    """A ZooKeeper server in this process.

    connection_string: where clients find it; those of other servers wait for them, in vain.
    limits: of the session timeouts that clients may choose, in milliseconds.
    check_seconds: how often the server looks for containers and nodes that are due to go.
    superuser: the `name:digest` that no ACL stops (see `zc.zk.testing.engine.digest`).
    with_config: whether there is a `/zookeeper/config`, as servers have it since 3.5.
    engine: in place of all of these the nodes and sessions of another server, which does not run.
    """

    def __init__(
        self,
        connection_string: str = "zookeeper.example.com:2181",
        *,
        limits: SessionLimits | tuple[int, int] | None = None,
        check_seconds: float = CHECK_SECONDS,
        superuser: str | None = None,
        with_config: bool = True,
        engine: Engine | None = None,
    ) -> None:
        clock = Clock()
        if engine is None:
            engine = Engine(
                clock,
                b"emulation",
                limits=limits or SessionLimits(),
                superuser=superuser,
                with_config=with_config,
            )
        self._server: Final = EmulatedServer(engine, clock, check_seconds)
        #: Where clients find it.
        self.connection_string: Final = connection_string
        self._reachable = set(_servers(connection_string))
        #: The open handles by number: `sessions[0].expire()`.
        self.sessions: Final[Mapping[int, Handle]] = MappingProxyType(self._server.handles)
        #: For clients: `ZooKeeper(emulation.connection_string, binding=emulation.binding)`.
        self.binding: Final = EmulatedBinding(self._server, self._can_reach)
        #: The functions of the binding by name.
        self.functions: Final[Mapping[str, Callable[..., Any]]] = {
            name: getattr(self.binding, name)
            for name in dir(self.binding)
            if not name.startswith("_")
        }

    def advance(self, seconds: float) -> None:
        """Put the server's clock forward.

        Nodes whose time to live is over go, empty containers too, and so do the sessions of
        clients that have been disconnected for too long.
        """
        self._server.advance(seconds)

    def stop_clock(self) -> None:
        """Let time pass by `advance` only."""
        self._server.clock.stop()

    def close(self) -> None:
        """Close all open handles, without an event."""
        with self._server.lock:
            for handle in list(self._server.handles.values()):
                handle.close()
            self._server.handles.clear()

    def _allow_connection(self, connection_string: str) -> None:
        """Let clients connect that wait for these servers, now and later."""
        servers = _servers(connection_string)
        self._reachable.update(servers)
        for handle in list(self._server.handles.values()):
            if servers & _servers(handle.hosts):
                handle.connect()

    def _avoid(self, is_taken: Callable[[int], bool]) -> None:
        """Give no handle a number that `is_taken` elsewhere."""
        self._server.is_taken = is_taken

    def _can_reach(self, hosts: str) -> bool:
        return bool(self._reachable & _servers(hosts))


def _servers(connection_string: str) -> set[str]:
    return {server.strip() for server in connection_string.partition("/")[0].split(",")}
