"""Sessions over TLS, with a real server that wants client certificates.

The server accepts no other connections.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import zookeeper
from tests.binding import subprocesses
from tests.calls import Calls
from tests.certificates import Authority, Issued, server_settings
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from tests.servers import Server, standalone
from tests.sessions import OPEN, remove_tree, wait_until_connected
from tests.tcpproxy import TO_CLIENT, TcpProxy

SESSION_TIMEOUT = int(scaled(10_000))


@dataclass
class Secured:
    """The server, and the files that its clients need."""

    server: Server
    hosts: str
    authority: Authority
    client: Issued

    def tls(self) -> zookeeper.TLS:
        return zookeeper.TLS(
            ca=self.authority.file, certificate=self.client.certificate, key=self.client.key
        )


@pytest.fixture(scope="module")
def secured(own_servers_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    issued = authority.issue("server", "localhost", LOOPBACK)
    (port,) = free_ports(1)
    settings = server_settings(authority, issued, port)
    settings = {**settings, "secureClientPortAddress": LOOPBACK}
    with standalone(settings=settings, keys=None) as server:
        yield Secured(server, f"{LOOPBACK}:{port}", authority, authority.issue("client"))


@pytest.fixture
def handle(secured: Secured, opened: list[int]) -> Iterator[int]:
    """Yield a connected session, whose nodes are gone at the end."""
    opened.append(zookeeper.init(secured.hosts, None, SESSION_TIMEOUT, tls=secured.tls()))
    wait_until_connected(zookeeper, opened[0])
    yield opened[0]
    for name in zookeeper.get_children(opened[0], "/"):
        if name != "zookeeper":
            remove_tree(zookeeper, opened[0], f"/{name}")


@pytest.fixture
def proxy(secured: Secured) -> Iterator[TcpProxy]:
    """Yield a network between the client and the TLS port."""
    with TcpProxy(secured.hosts, is_opaque=True) as proxy:
        yield proxy


def test_everything_goes_by_tls(handle: int) -> None:
    large = "x" * 900_000
    watcher = Calls()
    zookeeper.create(handle, "/large", large, OPEN)
    assert zookeeper.get(handle, "/large", watcher)[0] == large
    zookeeper.set(handle, "/large", "small")
    assert watcher.wait_one()[1:] == (zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, "/large")
    names = [f"/many/{number:04}" for number in range(2000)]
    zookeeper.create(handle, "/many", "", OPEN)
    zookeeper.write_many(handle, [("create", name, name * 10, OPEN) for name in names])
    read: list[Any] = zookeeper.get_many(handle, names)
    assert [data for data, _ in read] == [name * 10 for name in names]
    tree = zookeeper.read_tree(handle, "/")
    assert {node.path: node.data for node in tree if node.data} == {
        "/large": "small",
        **{name: name * 10 for name in names},
    }
    assert zookeeper.connection_fault(handle) is None


def test_a_session_outlives_a_restart_of_its_server(secured, handle) -> None:
    session = zookeeper.client_id(handle)
    zookeeper.create(handle, "/ephemeral", "", OPEN, zookeeper.EPHEMERAL)
    secured.server.restart()
    wait_until_connected(zookeeper, handle)
    assert zookeeper.get(handle, "/ephemeral")[1]["ephemeralOwner"] == session[0]
    assert zookeeper.connection_fault(handle) is None


def test_a_thread_that_holds_the_interpreters_lock_loses_no_session(secured, opened) -> None:
    opened.append(zookeeper.init(secured.hosts, None, int(scaled(2000)), tls=secured.tls()))
    wait_until_connected(zookeeper, opened[0])
    session = zookeeper.client_id(opened[0])
    granted = zookeeper.recv_timeout(opened[0])
    # Unlike CDLL, PyDLL keeps the lock.
    ctypes.PyDLL(None).usleep(3 * granted * 1000)
    # A busy machine may lose the connection meanwhile, which pings bring back.
    wait_until_connected(zookeeper, opened[0])
    assert zookeeper.exists(opened[0], "/")
    assert zookeeper.client_id(opened[0]) == session


def test_a_stream_that_is_cut_anywhere_is_taken_up_again(secured, opened, proxy) -> None:
    """The cuts are in the handshake, after it, and within a record.

    No part of anything is ever taken for data.
    """
    for count in [0, 1, 5, 6, 91, 500, 1300, 1700, *range(1800, 2300, 80)]:
        proxy.cut_after(count, TO_CLIENT)
        handle = zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=secured.tls())
        opened.append(handle)
        wait_until_connected(zookeeper, handle)
        wait_until(lambda handle=handle: can_read(handle), f"all is well after {count} bytes")
        zookeeper.close(opened.pop())


def can_read(handle: int) -> bool:
    try:
        return zookeeper.get_children(handle, "/") == ["zookeeper"]
    except zookeeper.ConnectionLossException:
        return False


def test_an_answer_that_is_cut_is_none(handle, secured, opened, proxy) -> None:
    data = "".join(map(chr, range(32, 127))) * 1000
    zookeeper.create(handle, "/long", data, OPEN)
    for count in [0, 1, 5, 21, 22, 16_384, 16_413, 16_414, 50_000, 95_000]:
        own = zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=secured.tls())
        opened.append(own)
        wait_until_connected(zookeeper, own)
        proxy.cut_after(count, TO_CLIENT)
        with pytest.raises(zookeeper.ConnectionLossException):
            zookeeper.get(own, "/long")
        wait_until_connected(zookeeper, own)
        assert zookeeper.get(own, "/long")[0] == data
        zookeeper.close(opened.pop())


def test_bytes_that_come_one_at_a_time_are_put_together(secured, handle, opened, proxy) -> None:
    zookeeper.create(handle, "/slow", "x" * 2000, OPEN)
    proxy.trickle(1)
    opened.append(zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=secured.tls()))
    wait_until_connected(zookeeper, opened[1])
    assert zookeeper.get(opened[1], "/slow")[0] == "x" * 2000
    zookeeper.set(opened[1], "/slow", "y" * 2000)
    assert zookeeper.get(handle, "/slow")[0] == "y" * 2000


def test_a_port_without_tls_is_told(secured, opened) -> None:
    hosts = secured.server.connection_string
    opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=secured.tls()))
    fault = wait_until(lambda: zookeeper.connection_fault(opened[0]) or "", "there is a fault")
    assert fault.startswith(hosts)
    assert "without TLS" in fault


def test_a_plain_client_at_a_port_with_tls_tries_and_can_be_closed(secured) -> None:
    with TcpProxy(secured.hosts, is_opaque=True) as proxy:
        handle = zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT)
        try:
            wait_until(lambda: proxy.connections >= 2, "it tries again")
            assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE
            assert zookeeper.connection_fault(handle) is None
        finally:
            zookeeper.close(handle)


def test_neither_fork_nor_exec_takes_anything_away(secured) -> None:
    seen = subprocesses.run(
        "tls_fork",
        secured.hosts,
        *map(str, (secured.authority.file, secured.client.certificate, secured.client.key)),
    )
    assert seen == {
        "inherited by exec": [],
        "child": "ForkedException",
        "status": 0,
        "session is the same": True,
    }


PLAIN = """
import sys
import zc.zk, zookeeper
zookeeper.close(zookeeper.init("127.0.0.1:1"))
zc.zk.ZooKeeper
print(sorted({"ssl", "zookeeper._tls", "zookeeper.tls"} & set(sys.modules)))
zc.zk.TLS(ca="/nowhere")
print(sorted({"ssl", "zookeeper._tls", "zookeeper.tls"} & set(sys.modules)))
"""


@pytest.mark.not_over_tls("its process has an init that knows of TLS")
def test_plain_clients_load_nothing_of_it() -> None:
    command = [sys.executable, "-c", PLAIN]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    ).stdout
    assert output.splitlines() == ["[]", "['zookeeper.tls']"]
