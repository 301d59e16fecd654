"""A fleet: many clients of one library in a few processes, the relays, and the servers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.deadlines import wait_until
from tests.ports import LOOPBACK
from tests.servers import ensemble_of

import zookeeper

from .relay import Relay, Traffic
from .service import JAVA_OPTIONS, REPOSITORY, WORLD_ACL, connected, own_server, raise_first

if TYPE_CHECKING:
    import argparse

    from tests.servers import Server

LISTS = SETTINGS_EACH = 5
CLIENTS_OF_A_SERVICE = 20
LARGE = "/services/large"
LARGE_NAMES = 5000

SESSION_SECONDS = 6
# A server looks for expired sessions once in a tick.
SERVER = {
    "tickTime": 1000,
    "maxClientCnxns": 0,
    "maxSessionTimeout": 60_000,
    # The relay is what clients connect to, and has the queue of 50 that servers have by default.
    "clientPortListenBacklog": 4096,
}

READY_SECONDS = 300.0
KNOCK_SECONDS = 0.02


class Process:
    """A process with some of the clients."""

    def __init__(self, settings: dict[str, Any]) -> None:
        folder = Path(__file__).parents[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.fleet_process", json.dumps(settings)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, *command: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, command)) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the fleet has ended")
        return json.loads(line)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Bystander:
    """A client that has nothing to do with the fleet, and asks for something all the time."""

    def __init__(self, hosts: str) -> None:
        self._hosts = hosts
        self._ended = threading.Event()
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with connected(self._hosts, wait=False) as handle:
            while not self._ended.wait(KNOCK_SECONDS):
                began = time.monotonic()
                # While there is no server nobody is slow.
                with contextlib.suppress(zookeeper.ZooKeeperException):
                    zookeeper.exists(handle, "/")
                    self.slowest = max(self.slowest, time.monotonic() - began)


class Service:
    """The servers of a fleet, each behind a relay that counts."""

    def __init__(self, servers: Sequence[Server], relays: Sequence[Relay]) -> None:
        self.servers, self.relays = servers, relays
        self.hosts = ",".join(relay.hosts for relay in relays)
        self.connection_string = ",".join(server.connection_string for server in servers)
        self._of_the_dead = 0.0

    def count(self) -> Traffic:
        return Traffic.total(relay.count() for relay in self.relays)

    def cut(self) -> None:
        """Break all connections."""
        for relay in self.relays:
            relay.cut()

    def refuse(self) -> None:
        for relay in self.relays:
            relay.refuse()

    def allow(self) -> None:
        for relay in self.relays:
            relay.allow()

    def seconds(self) -> float:
        """Return the seconds of processors that servers have used, so far as they were seen."""
        return self._of_the_dead + sum(map(seconds_of, self.servers))

    def lose_leader(self) -> None:
        """Kill the leader."""
        for server, relay in zip(self.servers, self.relays, strict=True):
            if server.mode() in ("leader", "standalone"):
                self._of_the_dead += seconds_of(server)
                server.kill()
                relay.refuse()
                return

    def mend(self) -> None:
        """Have all servers run."""
        for server, relay in zip(self.servers, self.relays, strict=True):
            if server.pid is None:
                server.start()
                wait_until(partial(accepts, server), f"{server} accepts connections", READY_SECONDS)
            relay.allow()
            server.wait_until_serving()


def accepts(server: Server) -> bool:
    try:
        socket.create_connection((LOOPBACK, server.port), 1).close()
    except OSError:
        return False
    return True


def seconds_of(server: Server) -> float:
    if server.pid is None:
        return 0.0
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running_service(count: int) -> Iterator[Service]:
    """Run one server, or an ensemble of some."""
    with contextlib.ExitStack() as stack:
        if count == 1:
            servers: Sequence[Server] = [stack.enter_context(own_server(SERVER))]
        else:
            ensemble = ensemble_of(count, settings=SERVER, java_options=JAVA_OPTIONS, heap="1g")
            servers = stack.enter_context(ensemble).servers
        yield Service(servers, [stack.enter_context(Relay(each.port)) for each in servers])


class Fleet:
    """All clients of one library. `limits` are arguments for clients that have such."""

    def __init__(
        self,
        library: str,
        limits: dict[str, float],
        options: argparse.Namespace,
        service: Service,
    ) -> None:
        self.service = service
        self.clients: int = options.clients
        self._folder: Path = options.folder
        count = max(LISTS, self.clients // CLIENTS_OF_A_SERVICE)
        self.services = [f"/services/s{number}" for number in range(count)]
        self.settings = [f"/settings/c{number}" for number in range(count)]
        self._plant()
        plan = {
            "services": self.services,
            "settings": self.settings,
            "lists": LISTS,
            "settings_each": SETTINGS_EACH,
            "large": LARGE,
            "audience": max(1, self.clients // 10),
        }
        self._processes = [
            Process(
                {
                    "library": library,
                    "limits": limits,
                    "hosts": service.hosts,
                    "session_milliseconds": SESSION_SECONDS * 1000,
                    "numbers": list(range(number, self.clients, options.processes)),
                    "plan": plan,
                }
            )
            for number in range(options.processes)
        ]

    def end(self) -> None:
        for process in self._processes:
            process.end()

    def ask(self, *command: object) -> list[Any]:
        """Have all processes do something at the same time; return the answers."""
        for process in self._processes:
            process.send(*command)
        return [process.receive() for process in self._processes]

    def _plant(self) -> None:
        parents = ["/services", "/settings", LARGE, *self.services]
        nodes = [("create", path, "", WORLD_ACL) for path in parents]
        data = json.dumps({"host": "10.0.0.1", "port": 8080, "timeout": 30, "n": 0})
        nodes += [("create", path, data, WORLD_ACL) for path in self.settings]
        nodes += [
            ("create", f"{LARGE}/10.1.{n >> 8}.{n & 255}:8080", "", WORLD_ACL)
            for n in range(LARGE_NAMES)
        ]
        with connected(self.service.connection_string) as handle:
            raise_first(zookeeper.write_many(handle, nodes))

    def wait_until_right(self) -> tuple[float, float, int]:
        """Return when all servers were listed, when all was right, and how many clients are not.

        A client is right that shows what the servers have, where all that are registered are there.
        """
        deadline = time.monotonic() + READY_SECONDS
        listed = 0.0
        while True:
            truth = self._truth()
            servers = sum(len(truth[service]) for service in self.services)
            left = min(2.0, deadline - time.monotonic())
            now = time.monotonic()
            listed = (listed or now) if servers == self.clients else 0.0
            if servers == self.clients or left < 0:
                file = self._folder / "truth.json"
                file.write_text(json.dumps(truth))
                answers = self.ask("right", file, max(0.0, left))
                wrong = sum(count for _, count in answers)
                # It may have changed meanwhile: nodes of former sessions go late.
                if left < 0 or (wrong == 0 and self._truth() == truth):
                    return listed, max(moment for moment, _ in answers), wrong
            time.sleep(0.02)

    def _truth(self) -> dict[str, Any]:
        lists = [*self.services, LARGE]
        truth: dict[str, Any] = {}
        with connected(self.service.connection_string) as handle:
            names = zookeeper.get_children_many(handle, lists)
            data = zookeeper.get_many(handle, self.settings)
        for path, children in zip(lists, names, strict=True):
            if isinstance(children, Exception):
                raise children
            truth[path] = sorted(children)
        for path, found in zip(self.settings, data, strict=True):
            if isinstance(found, Exception):
                raise found
            truth[path] = json.loads(found[0] or "")
        return truth
