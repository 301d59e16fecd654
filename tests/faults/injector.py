"""Do to servers, networks and clients what a plan says, and undo it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

import zookeeper
from tests.faults.logins import Logins
from tests.faults.plan import SERVER_KINDS, Fault, Kind
from tests.faults.processes import NoAnswer
from tests.servers import Ensemble, Server
from tests.tcpproxy import TO_CLIENT, TO_SERVER, Direction, TcpProxy

# The injector tries for so long (seconds) to get hold of a session in order to end it.
THEFT_SECONDS = 2.0

SLOW_MILLISECONDS = 50.0

NEVER_SO_MANY_BYTES = 2**60

Undo = Callable[[], None]


class Victim(Protocol):
    """A client, as far as faults concern it."""

    network: Network

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def rotate_keys(self) -> bool:
        """Have another certificate and key; return False for a client without."""

    def spoil_keys(self) -> bool:
        """Make the file of certificate and key unusable; return False for a client without."""

    def heal_keys(self) -> None:
        """Make it usable again."""

    def replace(self) -> None:
        """Kill the process, and start another one with the same registrations."""

    def ask_for_session(self) -> tuple[int, str]:
        """Return number and password of its session. Raises NoAnswer."""


class Network:
    """The way of one client to the servers: a proxy for each."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._opened = ExitStack()
        try:
            self.proxies = [
                self._opened.enter_context(
                    TcpProxy(server.connection_string, is_opaque=server.keys is not None)
                )
                for server in servers
            ]
        except BaseException:
            self._opened.close()
            raise
        self.hosts = ",".join(proxy.connection_string for proxy in self.proxies)

    def each(self, do: Callable[[TcpProxy], None]) -> None:
        """Do something to the connections to all servers."""
        for proxy in self.proxies:
            do(proxy)

    def heal(self) -> None:
        """Let everything through again."""
        for proxy in self.proxies:
            for direction in Direction:
                # The cut may wait for its bytes on a connection that had none to carry.
                proxy.cut_after(NEVER_SO_MANY_BYTES, direction)
            proxy.delay(0)
            proxy.resume()
            proxy.allow()

    def close(self) -> None:
        self._opened.close()


class Injector:
    """Injects faults into an ensemble and its clients."""

    def __init__(
        self,
        ensemble: Ensemble,
        victims: Sequence[Victim],
        seed: int,
        logins: Logins | None = None,
    ) -> None:
        self._ensemble = ensemble
        self._victims = victims
        self._chance = random.Random(seed)
        self._paused: set[Server] = set()
        self._logins = logins
        # Servers that were started lately: they may have read a spoilt file of logins.
        self._started: set[Server] = set()
        # How many faults want the file to be spoilt, and whether it was in this round.
        self._spoilers, self._was_spoilt = 0, False

    def inject(self, fault: Fault) -> Undo | None:
        """Let a fault happen, and return what ends it.

        Return None if it cannot be done at that moment.
        """
        if fault.kind in SERVER_KINDS:
            return self._hurt_server(fault)
        victim = self._victims[fault.client]
        if fault.kind is Kind.CLIENT_PAUSED:
            victim.pause()
            return victim.resume
        if fault.kind is Kind.CLIENT_KILLED:
            victim.replace()
            return _nothing
        if fault.kind is Kind.SESSION_EXPIRED:
            return self._expire(victim)
        if fault.kind is Kind.CERTIFICATE_ROTATED:
            return _nothing if victim.rotate_keys() else None
        if fault.kind is Kind.CERTIFICATE_SPOILT:
            return victim.heal_keys if victim.spoil_keys() else None
        return self._hurt_network(fault, victim.network)

    def heal(self) -> None:
        """End all faults, and have all servers run."""
        for server in self._ensemble.servers:
            self._resume(server)
        if self._logins is not None and self._was_spoilt:
            self._heal_logins(self._logins)
        self._spoilers, self._was_spoilt = 0, False
        for server in self._ensemble.servers:
            self._start(server)
        self._started.clear()
        for victim in self._victims:
            victim.resume()
            victim.network.heal()
            victim.heal_keys()

    # Servers

    def _hurt_server(self, fault: Fault) -> Undo | None:
        server = self._choose(fault.leader)
        if server is None:
            return None
        if fault.kind is Kind.SERVER_PAUSED:
            server.pause()
            self._paused.add(server)
            return lambda: self._resume(server)
        if fault.kind is Kind.PASSWORD_CHANGED:
            return self._change_password(server)
        if fault.kind is Kind.SERVER_KILLED:
            server.kill()
        else:
            server.stop()
        return lambda: self._start(server)

    def _choose(self, leader: bool) -> Server | None:
        """Choose a running server, the leader or another one, if there is one."""
        running = [s for s in self._ensemble.servers if s.pid and s not in self._paused]
        wanted = [s for s in running if (s.mode() == "leader") == leader]
        return self._chance.choice(wanted or running) if running else None

    def _resume(self, server: Server) -> None:
        self._paused.discard(server)
        if server.pid:
            server.resume()

    def _start(self, server: Server) -> None:
        if not server.pid:
            self._paused.discard(server)
            if server.keys:
                server.keys.renew_server()
            self._started.add(server)
            server.start()

    def _change_password(self, server: Server) -> Undo | None:
        """Have a server that starts anew want another password than the others and the clients."""
        logins = self._logins
        if logins is None:
            return None
        self._spoilers, self._was_spoilt = self._spoilers + 1, True
        logins.spoil()
        server.stop()
        self._start(server)

        def heal() -> None:
            self._spoilers -= 1
            if self._spoilers == 0:
                self._heal_logins(logins)

        return heal

    def _heal_logins(self, logins: Logins) -> None:
        logins.heal()
        for server in self._started - self._paused:
            if server.pid:
                server.stop()
                self._start(server)

    # Networks

    def _hurt_network(self, fault: Fault, network: Network) -> Undo:
        if fault.kind is Kind.CONNECTION_RESET:
            network.each(lambda proxy: proxy.cut())
        elif fault.kind is Kind.CONNECTION_CLOSED:
            network.each(lambda proxy: proxy.cut(reset=False))
        elif fault.kind is Kind.REQUEST_CUT:
            network.each(lambda proxy: proxy.cut_after(fault.bytes, TO_SERVER))
        elif fault.kind is Kind.REPLY_CUT:
            network.each(lambda proxy: proxy.cut_after(fault.bytes, TO_CLIENT))
        elif fault.kind is Kind.STALLED:
            direction = None if fault.both_ways else TO_CLIENT
            network.each(lambda proxy: proxy.stall(direction))
            return lambda: network.each(lambda proxy: proxy.resume())
        elif fault.kind is Kind.NETWORK_DOWN:
            network.each(lambda proxy: proxy.refuse())
            network.each(lambda proxy: proxy.cut())
            return lambda: network.each(lambda proxy: proxy.allow())
        else:
            assert fault.kind is Kind.DELAYED, fault
            network.each(lambda proxy: proxy.delay(SLOW_MILLISECONDS))
            return lambda: network.each(lambda proxy: proxy.delay(0))
        return _nothing

    # Sessions

    def _expire(self, victim: Victim) -> Undo | None:
        """Take a session over by its number and password, and close it."""
        try:
            session = victim.ask_for_session()
        except NoAnswer:
            return None
        if not session[0]:
            return None
        hosts = self._ensemble.connection_string
        tls = self._ensemble.keys.tls() if self._ensemble.keys else None
        sasl = zookeeper.SASL.digest_md5(*self._logins.credentials()) if self._logins else None
        thief = zookeeper.init(hosts, None, int(THEFT_SECONDS * 1000), session, tls=tls, sasl=sasl)
        try:
            deadline = time.monotonic() + THEFT_SECONDS
            while not zookeeper.is_unrecoverable(thief) and time.monotonic() < deadline:
                if zookeeper.state(thief) == zookeeper.CONNECTED_STATE:
                    return _nothing
                time.sleep(0.01)
        finally:
            zookeeper.close(thief)
        return None


def _nothing() -> None:
    """Do nothing: the fault is over already."""
