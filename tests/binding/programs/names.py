"""Runs clients while the name service is silent, slow or wrong.

The program has a network of its own.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.nameserver import Mode, NameServer, install
from tests.sessions import wait_until_connected
from zc.zk.testing import Server

# A lookup without an answer goes on for longer than a program may run.
HANGS = "timeout:30 attempts:5"
IMPATIENT = "timeout:1 attempts:1"

TIMEOUT_MS = int(scaled(1000))


@contextmanager
def three_servers() -> Iterator[tuple[NameServer, list[Server], str]]:
    """Run servers at three addresses, with a name each."""
    first = Server(host="127.0.0.1")
    with first, Server(host="127.0.0.2") as second, Server(host="127.0.0.3") as third:
        servers = [first, second, third]
        names = NameServer(a=["127.0.0.1"], b=["127.0.0.2"], c=["127.0.0.3"])
        hosts = ",".join(f"{n}.test:{s.port}" for n, s in zip("abc", servers, strict=True))
        yield names, servers, hosts


def connected(hosts: str, watcher: Any = None) -> int:
    handle = zookeeper.init(hosts, watcher, TIMEOUT_MS)
    wait_until_connected(zookeeper, handle)
    return handle


def lookups() -> int:
    """Count the threads that Python does not know, but for two of each handle."""
    return len(os.listdir("/proc/self/task")) - len(threading.enumerate())


def trouble_while_connected(trouble: Callable[[NameServer], None]) -> None:
    """See that a connected session stays connected for several of its timeouts."""
    install(IMPATIENT)
    with three_servers() as (names, _, hosts):
        watcher = Calls()
        handle = connected(hosts, watcher)
        wait_until(lambda: {"a.test", "b.test", "c.test"} <= set(names.questions), "all are asked")
        wait_until(lambda: lookups() == 2, "all have been answered, for IPv6 as well")
        session = zookeeper.client_id(handle)
        asked = len(names.questions)
        trouble(names)
        end = time.monotonic() + 6 * TIMEOUT_MS / 1000  # longer than the window of five seconds
        while time.monotonic() < end:
            zookeeper.get(handle, "/", timeout=TIMEOUT_MS / 1000)
            time.sleep(0.01)
        assert zookeeper.client_id(handle) == session
        watcher.wait_one()
        assert len(names.questions) == asked, "a session that has a connection asks for no name"
        zookeeper.close(handle)


def fails_while_connected() -> None:
    trouble_while_connected(lambda names: setattr(names, "mode", "fails"))


def silent_while_connected() -> None:
    trouble_while_connected(lambda names: setattr(names, "mode", "silent"))


def slow_while_connected() -> None:
    trouble_while_connected(lambda names: setattr(names, "delay", 0.5))


def vanishes_while_connected() -> None:
    trouble_while_connected(lambda names: names.names.clear())


def all_moved() -> None:
    """See that new addresses are found by a client without a connection.

    They are found also when nothing answers at the old addresses.
    """
    install(IMPATIENT)
    with three_servers() as (names, servers, hosts):
        watcher = Calls()
        handle = connected(hosts, watcher)
        names.names.update({"a.test": ["127.0.0.9"]})
        port = servers[0].port
        for server in servers:
            server.stop()
        # The server does not know the session, which then expires: so the client found it.
        with Server(host="127.0.0.9", port=port):
            wait_until(
                lambda: zookeeper.state(handle) == zookeeper.EXPIRED_SESSION_STATE,
                "the server at the new address is found",
            )
            zookeeper.close(handle)


def names_and_connection_gone() -> None:
    """See that lookups of a name are paced, and that their end is noticed.

    The pace holds for all handles together.
    """
    install(IMPATIENT)
    with three_servers() as (names, servers, hosts):
        handles = [connected(hosts) for _ in range(5)]
        names.mode = "fails"
        for server in servers:
            server.refuse()
            server.cut()
        asked = len(names.questions)
        began = time.monotonic()
        time.sleep(3)
        # Two questions (of IPv4, IPv6) for each of three names, at most ten times a second.
        most = (time.monotonic() - began) * 10 * 6 + 20
        assert len(names.questions) - asked < most, len(names.questions) - asked
        names.mode = "answers"
        for server in servers:
            server.allow()
        for handle in handles:
            wait_until(
                lambda handle=handle: (
                    zookeeper.state(handle)
                    in (zookeeper.CONNECTED_STATE, zookeeper.EXPIRED_SESSION_STATE)
                ),
                "a server is found again",
                30,
            )
            zookeeper.close(handle)


def silent_from_the_start() -> None:
    """See that init, close and exit do not wait for a lookup that hangs.

    There is one lookup for each name.
    """
    install(HANGS)
    names = NameServer()
    names.mode = "silent"
    for _ in range(5):
        handle = zookeeper.init("a.test:1,b.test:1")
        assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE
        zookeeper.close(handle)
    # Threads of handles that have just been closed may be ending. A lookup takes minutes.
    wait_until(lambda: lookups() == 2, lambda: f"there is a lookup for each name: {lookups()}")
    zookeeper.init("a.test:1")


def silent_to_a_client() -> None:
    """See that the constructor keeps to its time, and says what is wrong."""
    install(HANGS)
    names = NameServer()
    names.mode = "silent"
    zc.zk.ZooKeeper.initial_connection_wait = 0.5
    with pytest.raises(zc.zk.FailedConnect, match="the name service does not answer"):
        zc.zk.ZooKeeper("a.test:1")


def silent_to_a_command() -> None:
    install(HANGS)
    names = NameServer()
    names.mode = "silent"
    ended = subprocess.run(
        [sys.executable, "-m", "zc.zk", "export", "--timeout", "1", "a.test:1"],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1, ended
    assert "no answer within 1 seconds (the name service does not answer)" in ended.stderr, ended


def interrupted() -> None:
    """See that a signal ends `init` and the constructor."""
    install(HANGS)
    names = NameServer()
    names.mode = "silent"
    for open_it in (lambda: zookeeper.init("a.test:1"), lambda: zc.zk.ZooKeeper("a.test:1")):
        timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
        try:
            timer.start()
            while True:
                open_it()
        except KeyboardInterrupt:
            pass


def known_later() -> None:
    """See that with `wait` the client waits for names as for servers.

    It waits for a name that does not exist, too.
    """
    install(IMPATIENT)
    zc.zk.ZooKeeper.initial_connection_wait = 0.2
    with Server() as server:
        names = NameServer()
        for trouble in ("fails", "silent", "answers"):
            names.names.clear()
            names.mode = trouble
            clients: list[zc.zk.ZooKeeper] = []
            name = f"{trouble}.test"
            thread = threading.Thread(
                target=lambda name=name, clients=clients: clients.append(
                    zc.zk.ZooKeeper(f"{name}:{server.port}", wait=True)
                )
            )
            thread.start()
            wait_until(lambda name=name: name in names.questions, "it asks")
            time.sleep(0.5)  # and goes on doing so
            assert not clients
            names.names[name] = ["127.0.0.1"]
            names.mode = "answers"
            thread.join(scaled(30))
            (zk,) = clients
            assert zk.exists("/")
            zk.close()


def failing_without_waiting() -> None:
    """See that a failed lookup is not reported as a bad connection string."""
    install(IMPATIENT)
    names = NameServer()
    modes: list[tuple[Mode, str]] = [
        ("fails", "Temporary failure in name resolution"),
        ("answers", "Name or service not known"),
    ]
    for mode, text in modes:
        names.mode = mode
        hosts = f"{mode}.test:1"
        for open_it in (zookeeper.init, zc.zk.ZooKeeper):
            failures = (zookeeper.SystemErrorException, zc.zk.FailedConnect)
            with pytest.raises(failures, match=rf"none of the names can be resolved \({text}\)"):
                open_it(hosts)


def forked_meanwhile() -> None:
    """See that a lookup that hangs at a fork does not affect the child."""
    with Server() as server:
        install(HANGS, hosts="127.0.0.1 there\n")
        names = NameServer()
        names.mode = "silent"
        handle = zookeeper.init("a.test:1")
        wait_until(lambda: names.questions, "a lookup hangs")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                zookeeper.close(connected(f"there:{server.port}"))
                code = 7
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        zookeeper.close(handle)


def init_within(limit: int, least: Callable[[], int], message: str) -> None:
    """See that `init` fails within a limit of the process, and works again without it."""
    with Server() as server:
        NameServer(a=["127.0.0.1"])
        limits = resource.getrlimit(limit)
        resource.setrlimit(limit, (least(), limits[1]))
        try:
            with pytest.raises(zookeeper.SystemErrorException, match=message):
                zookeeper.init(f"a.test:{server.port}")
        finally:
            resource.setrlimit(limit, limits)
        time.sleep(0.2)  # a failed lookup is not retried at once
        zookeeper.close(connected(f"a.test:{server.port}"))


def out_of_threads() -> None:
    """See that a lookup without a thread is an error, and is retried later."""
    install(IMPATIENT)

    def a_little_more() -> int:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        return used + 4_000_000

    init_within(resource.RLIMIT_AS, a_little_more, "Resource temporarily unavailable")


def out_of_descriptors() -> None:
    """See that a lookup without a descriptor does not say that there is no such name."""
    install(IMPATIENT)
    init_within(resource.RLIMIT_NOFILE, lambda: 3, "Too many open files")


if __name__ == "__main__":
    # ResourceWarnings are about servers that end while clients hang up.
    warnings.simplefilter("ignore", ResourceWarning)
    globals()[sys.argv[1]]()
    print(json.dumps("done"))
