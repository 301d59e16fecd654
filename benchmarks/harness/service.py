"""The server that a benchmark measures against, and trees in it.

The server is near or behind a delay.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.certificates import Authority, server_settings
from tests.ports import LOOPBACK, free_ports
from tests.servers import Server, standalone

import zc.zk
import zookeeper

from .cases import expect
from .shapes import Node

REPOSITORY = Path(__file__).parents[2]

CONNECT_SECONDS = 10
SESSION_MILLISECONDS = 30_000

WORLD_ACL: list[zookeeper.AclEntry] = [
    {"perms": zookeeper.PERM_ALL, "scheme": "world", "id": "anyone"}
]

# A server of its own for a benchmark: with the optimizing compiler, and ticks of a usual length.
SETTINGS = {"tickTime": 2000}
JAVA_OPTIONS = ()
HEAP = "2g"


class Secured(NamedTuple):
    """The port of a server that takes nothing but TLS, and the files of a client."""

    hosts: str
    authority: Path
    certificate: Path
    key: Path

    def tls(self) -> zookeeper.TLS:
        return zookeeper.TLS(ca=self.authority, certificate=self.certificate, key=self.key)


class Service:
    """A running server, with the operations that benchmarks need.

    secured: its other port, if it has one.
    """

    def __init__(self, hosts: str, secured: Secured | None = None) -> None:
        self.hosts = hosts
        self.secured = secured

    @contextmanager
    def delayed(self, milliseconds: float) -> Iterator[str]:
        """Yield addresses where the server is `milliseconds` away, each way.

        The proxy is a process of its own: in a thread of this one it would compete for the
        interpreter with what is measured.
        """
        command = [sys.executable, "-m", "tests.tcpproxy", self.hosts, f"--delay={milliseconds}"]
        with subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as proxy:
            assert proxy.stdin is not None
            assert proxy.stdout is not None
            try:
                yield proxy.stdout.readline().strip()
            finally:
                proxy.stdin.close()

    @contextmanager
    def tree(self, root: str, nodes: Sequence[Node]) -> Iterator[None]:
        """Load `nodes` under `root`, which must not exist; remove them afterwards."""
        with connected(self.hosts) as handle:
            load(handle, root, nodes)
        try:
            yield
        finally:
            with connected(self.hosts) as handle:
                remove(handle, root)


def own_server(settings: Mapping[str, object] = SETTINGS) -> AbstractContextManager[Server]:
    """Start a server for a benchmark, and stop it afterwards."""
    return standalone(settings=settings, java_options=JAVA_OPTIONS, heap=HEAP)


@contextmanager
def running_service(hosts: str | None) -> Iterator[Service]:
    """Yield the server at `hosts`, or one that is started and stopped again."""
    if hosts is None:
        with own_server() as server:
            yield Service(server.connection_string)
    else:
        yield Service(hosts)


@contextmanager
def running_secured_service(hosts: str | None) -> Iterator[Service]:
    """Yield a server that is started with a port in the clear and one for TLS."""
    if hosts is not None:
        raise SystemExit("this benchmark makes certificates for a server of its own")
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        issued, client = authority.issue("server", LOOPBACK), authority.issue("client")
        (port,) = free_ports(1)
        own = {"secureClientPortAddress": LOOPBACK, **server_settings(authority, issued, port)}
        with own_server({**SETTINGS, **own}) as server:
            where = f"{LOOPBACK}:{port}"
            secured = Secured(where, authority.file, client.certificate, client.key)
            yield Service(server.connection_string, secured)


@contextmanager
def connected(hosts: str, tls: zookeeper.TLS | None = None, *, wait: bool = True) -> Iterator[int]:
    """Yield a handle of the binding, connected unless not to `wait`; close it afterwards."""
    arrived = threading.Event()

    def watch_session(handle: int, kind: int, state: int, path: str) -> None:
        if state == zookeeper.CONNECTED_STATE:
            arrived.set()

    handle = zookeeper.init(hosts, watch_session, SESSION_MILLISECONDS, tls=tls)
    try:
        if wait:
            expect(arrived.wait(CONNECT_SECONDS), True, f"connected to {hosts}")
        yield handle
    finally:
        zookeeper.close(handle)


def connected_library(hosts: str) -> zc.zk.ZooKeeper:
    """Return a client of the library, to be closed."""
    return zc.zk.ZooKeeper(hosts, SESSION_MILLISECONDS)


def requests_received(hosts: str) -> int:
    """Return how many requests the server has received since its start.

    They come from all of its clients.
    """
    host, port = zc.zk.parse_addr(hosts)
    with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
        connection.sendall(b"srvr")
        with connection.makefile() as answer:
            return received(answer.read())


def received(answer: str) -> int:
    """Return the number of requests in the server's answer to `srvr`."""
    for line in answer.splitlines():
        name, _, value = line.partition(":")
        if name == "Received":
            return int(value)
    raise ValueError(f"no number of requests in {answer!r}")


def load(handle: int, root: str, nodes: Sequence[Node]) -> None:
    """Create a tree under `root`, of which the parent must exist."""
    results = zookeeper.write_many(
        handle, [("create", root + node.path, node.data, WORLD_ACL) for node in nodes]
    )
    raise_first(results)


def remove(handle: int, root: str) -> None:
    """Delete a subtree."""
    found = zookeeper.read_tree(handle, root)
    raise_first(zookeeper.write_many(handle, [("delete", node.path) for node in reversed(found)]))


def raise_first(results: Sequence[object]) -> None:
    """Raise the first failure among the results of many operations."""
    for result in results:
        if isinstance(result, Exception):
            raise result
