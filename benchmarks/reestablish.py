"""Measure the time to restore live objects and registrations.

A client follows the data and the children of each node of a tree, and has registered a tenth as
many servers. Every round its session is ended by force. The time begins with the connection
of the next session and ends when everything is restored: for zc.zk that includes 20,000 live
objects that have taken another look. The rivals only set the watches and create the nodes again,
one after another.
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import zc.zk
import zc.zk.event
import zookeeper
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.service import SESSION_MILLISECONDS, WORLD_ACL, Service, connected, raise_first
from harness.shapes import generate
from zc.zk.event import Connected, Reestablished

ROOT = "/benchmark-reestablish"
PROVIDERS = "/benchmark-providers"

OURS = "zc.zk"
IN_BULK = "zookeeper.watch_many, write_many"
ONE_BY_ONE = "zookeeper.get, get_children, create"

WATCHES = 10_000
NODES_TO_A_REGISTRATION = 10
CHANGES = 100
WAIT_SECONDS = 120
TAKE_BACK_SECONDS = 2

Restore = Callable[[int, Sequence[str], Sequence[str]], None]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    nodes = generate("mixed", options.nodes)
    paths = [ROOT + node.path for node in nodes]
    servers = [f"10.0.{n >> 8}.{n & 255}:80" for n in range(len(paths) // NODES_TO_A_REGISTRATION)]
    with service.tree(ROOT, nodes), service.tree(PROVIDERS, generate("wide", 1)):
        with Client(service.hosts, paths, servers) as client:
            yield Case(
                f"restore {len(paths):,} data watches, {len(paths):,} child watches and"
                f" {len(servers):,} registrations",
                "seconds",
                [
                    Competitor(OURS, client.lose_session),
                    Competitor(IN_BULK, lambda: by_hand(service.hosts, paths, servers, in_bulk)),
                    Competitor(
                        ONE_BY_ONE, lambda: by_hand(service.hosts, paths, servers, one_by_one), 3
                    ),
                ],
                [Goal(OURS, ONE_BY_ONE, at_most=0.3), Goal(IN_BULK, ONE_BY_ONE, at_most=0.05)],
                {"watches": 2 * len(paths), "registrations": len(servers)},
            )


class Client:
    """A client of zc.zk with its live objects and registrations."""

    def __init__(self, hosts: str, paths: Sequence[str], servers: Sequence[str]) -> None:
        self._hosts = hosts
        self._paths = paths
        self._servers = servers
        self._times: dict[type, float] = {}
        self._restored = threading.Event()

    def __enter__(self) -> Client:
        zc.zk.event.subscribers.append(self._note)
        self._zk = zc.zk.ZooKeeper(self._hosts, SESSION_MILLISECONDS)
        self._properties = [self._zk.properties(path) for path in self._paths]
        self._children = [self._zk.children(path) for path in self._paths]
        for server in self._servers:
            self._zk.register_server(PROVIDERS, server)
        return self

    def __exit__(self, *_: object) -> None:
        self._zk.close()
        zc.zk.event.subscribers.remove(self._note)

    def lose_session(self) -> float:
        """Return the seconds from the next connection until all is restored.

        The restored state is checked.
        """
        self._restored.clear()
        session = self._zk.client_id()
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._restored.is_set():
            expect(time.monotonic() < deadline, True, "restored in time")
            # The session is ended again if need be: the client takes it back when it can.
            end_session(self._hosts, session)
            self._restored.wait(TAKE_BACK_SECONDS)
        self._check()
        return self._times[Reestablished] - self._times[Connected]

    def _note(self, event: object) -> None:
        if isinstance(event, (Connected, Reestablished)):
            self._times[type(event)] = time.perf_counter()
        if isinstance(event, Reestablished):
            self._restored.set()

    def _check(self) -> None:
        expect(len(self._zk.get_children(PROVIDERS)), len(self._servers), "registrations")
        changed = self._properties[:: max(1, len(self._properties) // CHANGES)]
        number = time.time_ns()
        with connected(self._hosts) as other:
            data = f'{{"changed":{number}}}'
            raise_first(zookeeper.write_many(other, [("set", live.path, data) for live in changed]))
        deadline = time.monotonic() + WAIT_SECONDS
        while any(live.get("changed") != number for live in changed):
            expect(time.monotonic() < deadline, True, "changes seen in time")
            time.sleep(0.01)


def end_session(hosts: str, session: tuple[int, str]) -> None:
    """Take a session over, by its number and password, and close it."""
    thief = zookeeper.init(hosts, None, SESSION_MILLISECONDS, session)
    deadline = time.monotonic() + WAIT_SECONDS
    over = zookeeper.CONNECTED_STATE, zookeeper.EXPIRED_SESSION_STATE
    while zookeeper.state(thief) not in over:
        expect(time.monotonic() < deadline, True, "session taken over in time")
        time.sleep(0.001)
    zookeeper.close(thief)


def by_hand(hosts: str, paths: Sequence[str], servers: Sequence[str], restore: Restore) -> float:
    """Return the seconds that `restore` takes in a new session."""
    nodes = [f"{PROVIDERS}/other-{server}" for server in servers]
    with connected(hosts) as handle:
        seconds, _ = timed(lambda: restore(handle, paths, nodes))
    return seconds


def one_by_one(handle: int, paths: Sequence[str], nodes: Sequence[str]) -> None:
    for path in paths:
        zookeeper.get(handle, path, watcher)
        zookeeper.get_children(handle, path, watcher)
    for node in nodes:
        zookeeper.create(handle, node, "", WORLD_ACL, zookeeper.EPHEMERAL)


def in_bulk(handle: int, paths: Sequence[str], nodes: Sequence[str]) -> None:
    data, children, _ = zookeeper.watch_many(handle, data=paths, children=paths, watcher=watcher)
    raise_first(data)
    raise_first(children)
    raise_first(
        zookeeper.write_many(
            handle, [("create", node, "", WORLD_ACL, zookeeper.EPHEMERAL) for node in nodes]
        )
    )


def watcher(handle: int, kind: int, state: int, path: str) -> None:
    """Ignore events while the setting is timed."""


if __name__ == "__main__":
    # This benchmark ends sessions: such lines in the log are no news.
    logging.disable(logging.ERROR)
    main(cases, __doc__, nodes=WATCHES)
