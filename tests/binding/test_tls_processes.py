"""TLS and processes: the interpreter's lock, threads, many handles, ends, what a child inherits."""

from __future__ import annotations

import ctypes
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.secured import Keys
from tests.servers import Ensemble, ensemble_of
from tests.sessions import OPEN, wait_until_connected
from tests.tcpproxy import TO_CLIENT, TcpProxy

SESSION_TIMEOUT = int(scaled(10_000))


@pytest.fixture(scope="module")
def servers(own_servers_only: None, keys: Keys) -> Iterator[Ensemble]:
    with ensemble_of(3, keys=keys) as running:
        yield running


def test_three_servers_keep_the_session_of_a_held_interpreters_lock(servers, keys, opened) -> None:
    watcher = Calls()
    hosts = servers.connection_string
    opened.append(zookeeper.init(hosts, watcher, int(scaled(600)), tls=keys.tls()))
    wait_until_connected(zookeeper, opened[0])
    session = zookeeper.client_id(opened[0])
    path = zookeeper.create(opened[0], "/held-", "", OPEN, zookeeper.EPHEMERAL | zookeeper.SEQUENCE)
    granted = zookeeper.recv_timeout(opened[0])
    # Unlike CDLL, PyDLL keeps the lock.
    ctypes.PyDLL(None).usleep(3 * granted * 1000)
    assert zookeeper.get(opened[0], path)[1]["ephemeralOwner"] == session[0]
    assert [call[2] for call in watcher.all()] == [zookeeper.CONNECTED_STATE]


def test_a_handle_outlives_the_thread_that_opened_it(servers, keys, opened) -> None:
    for _ in range(20):
        thread = threading.Thread(
            target=lambda: opened.append(
                zookeeper.init(servers.connection_string, None, SESSION_TIMEOUT, tls=keys.tls())
            )
        )
        thread.start()
        thread.join()
    for handle in opened:
        wait_until_connected(zookeeper, handle)
        assert zookeeper.exists(handle, "/")
    closers = [
        threading.Thread(target=zookeeper.close, args=(opened.pop(),)) for _ in range(len(opened))
    ]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()


def test_two_hundred_handles_of_one_process_are_connected_and_closed(servers, keys) -> None:
    count = 200
    tls = keys.tls()
    before = len(os.listdir("/proc/self/fd"))
    handles = [
        zookeeper.init(servers.connection_string, None, int(scaled(30_000)), tls=tls)
        for _ in range(count)
    ]
    try:
        for handle in handles:
            wait_until_connected(zookeeper, handle)
        sessions = {zookeeper.client_id(handle)[0] for handle in handles}
        assert len(sessions) == count
        for handle in handles:
            assert zookeeper.exists(handle, "/")
    finally:
        zookeeper.close_many(handles)
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before, "the connections are closed")


def test_a_close_in_the_middle_of_a_handshake_is_prompt_and_leaves_nothing(servers, keys) -> None:
    with TcpProxy(servers.servers[0].connection_string, is_opaque=True) as proxy:
        for count in [0, 1, 100, 400, 900, 1300, 1700, 2000]:
            former = proxy.bytes_delivered[TO_CLIENT]
            if count:
                proxy.trickle(50)
                proxy.delay(1)
            else:
                proxy.stall()
            connections = proxy.connections
            tls = keys.tls()
            handle = zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=tls)
            wait_until(lambda number=connections: proxy.connections > number, "it has begun")
            wait_until(
                lambda wanted=former + count: proxy.bytes_delivered[TO_CLIENT] >= wanted,
                f"it has {count} bytes",
            )
            started = time.monotonic()
            zookeeper.close(handle)
            assert time.monotonic() - started < scaled(3)
            proxy.cut()
            proxy.resume()


def test_no_descriptor_of_a_key_reaches_a_program_started_meanwhile(tmp_path, keys) -> None:
    """A program may be started, by another thread or library, while a file is being read."""
    for slow in ("ca", "certificate", "key"):
        files = {
            "ca": keys.authority,
            "certificate": keys.certificate("client"),
            "key": keys.key("client"),
        }
        # It takes a while to find what is of use.
        content = b"# not yet\n" * 1_000_000 + files[slow].read_bytes()
        files[slow] = tmp_path / slow
        files[slow].write_bytes(content)
        files[slow].chmod(0o600)
        problems: list[BaseException] = []
        is_seen = threading.Event()

        def read(
            files: dict[str, Any] = files,
            problems: list[BaseException] = problems,
            is_seen: threading.Event = is_seen,
        ) -> None:
            try:
                while not is_seen.is_set():
                    zookeeper.TLS(**files).configuration()
            except BaseException as problem:
                problems.append(problem)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            flags = wait_until(lambda file=files[slow]: flags_of(file), "it is open")
        finally:
            is_seen.set()
            reader.join()
        assert all(each & fcntl.FD_CLOEXEC for each in flags), slow
        assert not problems, slow


def flags_of(file: Path) -> list[int]:
    """Return the flags of this process's descriptors of a file, which come and go."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            if os.readlink(f"/proc/self/fd/{number}") == str(file):
                found.append(fcntl.fcntl(number, fcntl.F_GETFD))
        except OSError:
            continue
    return found
