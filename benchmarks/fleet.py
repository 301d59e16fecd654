"""Measure a fleet of clients on one server: what all of them do in the same second.

Each client registers one server, and follows 5 services (lists of servers) and 5 settings. They are
spread over a few processes, and reach the server by way of a relay that counts. One after another:

- all are started;
- all connections are broken at once, within their sessions;
- the server is restarted, as when a leader is lost;
- all providers are restarted, one after another in each process;
- all sessions expire: the network is away for longer than their timeout;
- a list of 5,000 names changes ten times a second, before a tenth of the clients.

For each: connections, requests and bytes, in total and per client; seconds of the server's and of
the clients' processors; seconds until all of the clients show what the server has, counted from the
end of the trouble; the longest time that any of them was without a connection.

The rival is kazoo, by its recipes; a registration is an ephemeral node that is made again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zookeeper
from harness.relay import Relay
from harness.service import REPOSITORY, WORLD_ACL, connected, own_server, raise_first

if TYPE_CHECKING:
    from tests.servers import Server

LIBRARIES = ("zc.zk", "kazoo")
LISTS = SETTINGS_EACH = 5
CLIENTS_OF_A_SERVICE = 20
LARGE = "/services/large"
LARGE_NAMES = 5000
CHANGES_A_SECOND = 10
CHANGE_SECONDS = 5
RESTART_PAUSE_SECONDS = 0.01

SESSION_SECONDS = 6
# A server looks for expired sessions once in a tick.
SERVER = {"tickTime": 1000, "maxClientCnxns": 0, "maxSessionTimeout": 60_000}

READY_SECONDS = 300.0


class Process:
    """A process with some of the clients."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.fleet_process", json.dumps(settings)],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{REPOSITORY}"},
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


class Fleet:
    """All clients of one library, the relay and the server."""

    def __init__(
        self, library: str, options: argparse.Namespace, server: Server, relay: Relay
    ) -> None:
        self.server, self.relay = server, relay
        self.clients = options.clients
        self._folder = options.folder
        count = max(LISTS, options.clients // CLIENTS_OF_A_SERVICE)
        self.services = [f"/services/s{number}" for number in range(count)]
        self.settings = [f"/settings/c{number}" for number in range(count)]
        self._plant()
        plan = {
            "services": self.services,
            "settings": self.settings,
            "lists": LISTS,
            "settings_each": SETTINGS_EACH,
            "large": LARGE,
            "audience": max(1, options.clients // 10),
        }
        self._processes = [
            Process(
                {
                    "library": library,
                    "hosts": relay.hosts,
                    "session_milliseconds": SESSION_SECONDS * 1000,
                    "numbers": list(range(number, options.clients, options.processes)),
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
        with connected(self.server.connection_string) as handle:
            raise_first(zookeeper.write_many(handle, nodes))

    def wait_until_right(self) -> tuple[float, int]:
        """Return the moment of the last client that shows what the server has, and how many do not.

        Registrations count: as many servers have to be listed as there are clients.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            truth = self._truth()
            servers = sum(len(truth[service]) for service in self.services)
            left = min(2.0, deadline - time.monotonic())
            if servers == self.clients or left < 0:
                file = self._folder / "truth.json"
                file.write_text(json.dumps(truth))
                answers = self.ask("right", file, max(0.0, left))
                wrong = sum(count for _, count in answers)
                # It may have changed meanwhile: nodes of former sessions go late.
                if left < 0 or (wrong == 0 and self._truth() == truth):
                    return max(moment for moment, _ in answers), wrong
            time.sleep(0.02)

    def _truth(self) -> dict[str, Any]:
        lists = [*self.services, LARGE]
        truth: dict[str, Any] = {}
        with connected(self.server.connection_string) as handle:
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

    def server_seconds(self) -> float:
        """Return the seconds of processors that the server has used."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


# Each does the trouble, and returns when it is over.


def start(fleet: Fleet) -> None:
    fleet.ask("open")


def blip(fleet: Fleet) -> None:
    fleet.relay.cut()


def restart_server(fleet: Fleet) -> None:
    fleet.server.restart()


def restart_providers(fleet: Fleet) -> None:
    fleet.ask("restart", RESTART_PAUSE_SECONDS)


def expire(fleet: Fleet) -> None:
    fleet.relay.refuse()
    fleet.relay.cut()
    time.sleep(SESSION_SECONDS + 3 * SERVER["tickTime"] / 1000)
    fleet.relay.allow()


def change_large_list(fleet: Fleet) -> None:
    with connected(fleet.server.connection_string) as handle:
        began = time.monotonic()
        for number in range(CHANGES_A_SECOND * CHANGE_SECONDS):
            time.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.monotonic()))
            zookeeper.create(handle, f"{LARGE}/new-{number}", "", WORLD_ACL)


TROUBLES: dict[str, Callable[[Fleet], None]] = {
    "start": start,
    "blip": blip,
    "server restarted": restart_server,
    "providers restarted": restart_providers,
    "sessions expired": expire,
    "large list changes": change_large_list,
}


def measure(fleet: Fleet, trouble: Callable[[Fleet], None]) -> dict[str, float]:
    """Return the figures of one trouble."""
    fleet.ask("forget")
    usage = fleet.ask("usage")
    server, pid, traffic = fleet.server_seconds(), fleet.server.pid, fleet.relay.count()
    trouble(fleet)
    over = time.monotonic()
    right, wrong = fleet.wait_until_right()
    passed = fleet.relay.count().since(traffic)
    after = fleet.ask("usage")
    # A server that was restarted begins at 0, and has its start in it.
    used = fleet.server_seconds() - (server if fleet.server.pid == pid else 0.0)
    return {
        "right after": max(0.0, right - over),
        "wrong": wrong,
        "outage": max(each["outage"] for each in after),
        "connections": passed.connections,
        "requests": passed.requests,
        "to server": passed.to_server,
        "to clients": passed.to_clients,
        "server seconds": used,
        "client seconds": sum(each["seconds"] for each in after)
        - sum(each["seconds"] for each in usage),
        "megabytes": sum(each["megabytes"] for each in after),
    }


COLUMNS = (
    f"{'':20} {'right':>7} {'longest':>7} {'connec-':>7}"
    f" {'':>9} {'kB to':>9} {'kB to':>9} {'server':>7} {'clients':>7} {'per client':>19}\n"
    f"{'':20} {'after s':>7} {'outage':>7} {'tions':>7} {'requests':>9} {'server':>9}"
    f" {'clients':>9}"
    f" {'CPU s':>7} {'CPU s':>7} {'requests':>9} {'kB':>9}"
)


def line(title: str, figures: dict[str, float], clients: int) -> str:
    kilobytes = (figures["to server"] + figures["to clients"]) / 1000
    text = (
        f"{title:20} {figures['right after']:7.2f} {figures['outage']:7.2f}"
        f" {figures['connections']:7,.0f} {figures['requests']:9,.0f}"
        f" {figures['to server'] / 1000:9,.0f} {figures['to clients'] / 1000:9,.0f}"
        f" {figures['server seconds']:7.1f} {figures['client seconds']:7.1f}"
        f" {figures['requests'] / clients:9.1f} {kilobytes / clients:9.2f}"
    )
    return text + (f"  {figures['wrong']:.0f} wrong" if figures["wrong"] else "")


@contextlib.contextmanager
def running(library: str, options: argparse.Namespace) -> Iterator[Fleet]:
    with (
        own_server(SERVER) as server,
        Relay(server.port) as relay,
    ):
        fleet = Fleet(library, options, server, relay)
        try:
            yield fleet
        finally:
            fleet.end()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clients", type=int, default=100, help="default: %(default)s")
    add("--processes", type=int, default=2, help="default: %(default)s")
    add("--libraries", nargs="+", choices=LIBRARIES, default=LIBRARIES)
    add("--only", nargs="+", choices=TROUBLES, default=TROUBLES, help="beside the start")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    options = parser.parse_args()
    results: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        options.folder = Path(folder)
        for library in options.libraries:
            results[library] = {}
            with running(library, options) as fleet:
                print(f"{library}, {options.clients:,} clients\n{COLUMNS}", flush=True)
                for title, trouble in TROUBLES.items():
                    if trouble is start or title in options.only:
                        figures = results[library][title] = measure(fleet, trouble)
                        print(line(title, figures, options.clients), flush=True)
            print()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
