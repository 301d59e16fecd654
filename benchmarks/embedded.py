"""Measure the servers of zc.zk.testing against Debian's.

The jobs are starting, operations a second, and a suite of tests. `zookeeper_server` is a process of
its own here, as Debian's server is, and the client is the same: the binding, in one thread that
waits for each answer, in several such threads with a session each, and in one that has hundreds of
requests under way. The suite is a hundred doctests, each with a tree and a client of its own.
"""

from __future__ import annotations

import argparse
import doctest
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

import zc.zk.testing
import zookeeper
from harness.cases import Case, Competitor, expect, timed
from harness.command import main
from harness.service import WORLD_ACL, Service, connected, remove
from zc.zk.testing.suites import REAL_SERVER_VARIABLE

ROOT = "/benchmark-embedded"
DATA = b"x" * 100

OURS = "zookeeper_server"
THEIRS = "ZooKeeper"
EMULATION = "emulation"

CALLS = 2000
THREADS = 8
UNDER_WAY = 500
OPERATIONS_OF_A_TRANSACTION = 10
WATCHERS = 100
WAIT_SECONDS = 60

TESTS = 100
TREE = "".join(f"/service-{n}\n  threads = {n}\n  /providers\n" for n in range(10))
DOCTEST = """
    >>> import zc.zk
    >>> zk = zc.zk.ZooKeeper('zookeeper.example.com:2181')
    >>> servers = zk.children('/service-1/providers')
    >>> registration = zk.register('/service-1/providers', '1.2.3.4:80')
    >>> wait_until(lambda: '1.2.3.4:80' in servers)
    True
    >>> settings = zk.properties('/service-1')
    >>> settings.update(threads=7)
    >>> settings['threads']
    7
    >>> zk.import_tree('/service-2\\n  threads = 3')
    extra path not trimmed: /service-2/providers
    >>> zk.export_tree('/service-2')
    '/service-2\\n  threads = 3\\n  /providers\\n'
    >>> zk.close()
"""

# A job makes `count` calls by a handle, and returns when all is done.
Job = Callable[[int, str, int], None]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    yield Case(
        "from starting the process to its first answer",
        "seconds",
        [Competitor(OURS, start_ours), Competitor(THEIRS, start_theirs)],
    )
    with our_server() as ours:
        servers = {OURS: ours, THEIRS: service.hosts}
        for name, (job, threads) in JOBS.items():
            yield Case(
                name,
                "a second",
                [
                    Competitor(who, partial(rate, hosts, job, threads))
                    for who, hosts in servers.items()
                ],
                parameters={"threads": threads},
            )
        yield Case(
            f"{TESTS} doctests",
            "seconds",
            [
                Competitor(EMULATION, lambda: suite(None)),
                *(Competitor(who, partial(suite, hosts)) for who, hosts in servers.items()),
            ],
        )


# Starting


@contextmanager
def our_server() -> Iterator[str]:
    """Run the command in a process of its own, and yield its address."""
    command = [sys.executable, "-m", "zc.zk", "server", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def start_ours() -> float:
    start = time.perf_counter()
    with our_server() as hosts:
        _, port = zc.zk.parse_addr(hosts)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"ruok")
            expect(connection.recv(4), b"imok", "answer")
        return time.perf_counter() - start


def start_theirs() -> float:
    """Start it with the options of its quickest start.

    It is asked again and again until it answers.
    """
    from tests.servers import standalone  # `harness` has put it within reach

    start = time.perf_counter()
    with standalone():
        return time.perf_counter() - start


# Operations


def get(handle: int, folder: str, count: int) -> None:
    for _ in range(count):
        zookeeper.get(handle, folder)


def create(handle: int, folder: str, count: int) -> None:
    for number in range(count):
        zookeeper.create(handle, f"{folder}/{number}", DATA, WORLD_ACL)


def set_(handle: int, folder: str, count: int) -> None:
    for _ in range(count):
        zookeeper.set(handle, folder, DATA)


def multi(handle: int, folder: str, count: int) -> None:
    operations = [("set", folder, DATA)] * OPERATIONS_OF_A_TRANSACTION
    for _ in range(count // OPERATIONS_OF_A_TRANSACTION):
        zookeeper.multi(handle, operations)


def get_at_once(handle: int, folder: str, count: int) -> None:
    under_way(count, lambda done: zookeeper.aget(handle, folder, None, done))


def create_at_once(handle: int, folder: str, count: int) -> None:
    numbers = iter(range(count))
    under_way(
        count,
        lambda done: zookeeper.acreate(
            handle, f"{folder}/{next(numbers)}", DATA, WORLD_ACL, 0, done
        ),
    )


def under_way(count: int, ask: Callable[[Callable[..., None]], object]) -> None:
    """Ask `count` times, with UNDER_WAY requests waiting for their answers."""
    room = threading.Semaphore(UNDER_WAY)
    failed: list[int] = []

    def done(handle: int, code: int, *results: object) -> None:
        if code != zookeeper.OK:
            failed.append(code)
        room.release()

    for _ in range(count):
        room.acquire()
        ask(done)
    for _ in range(UNDER_WAY):
        expect(room.acquire(timeout=WAIT_SECONDS), True, "answered in time")
    expect(failed, [], "errors")


def watch(handle: int, folder: str, count: int) -> None:
    """Tell each change of the node to WATCHERS watchers, and set them again."""
    for _ in range(count // WATCHERS):
        told = threading.Semaphore(0)

        class Watcher:
            def __call__(self, *event: object, told: threading.Semaphore = told) -> None:
                told.release()

        children = [f"{folder}/watched-{number}" for number in range(WATCHERS)]
        zookeeper.watch_many(handle, exists=children, watcher=Watcher())
        operations = [("create", child, b"", WORLD_ACL) for child in children]
        zookeeper.write_many(handle, operations)
        for _ in children:
            expect(told.acquire(timeout=WAIT_SECONDS), True, "told in time")
        zookeeper.write_many(handle, [("delete", child) for child in children])


JOBS: dict[str, tuple[Job, int]] = {
    "get, one after another": (get, 1),
    "set, one after another": (set_, 1),
    "create, one after another": (create, 1),
    f"operations in transactions of {OPERATIONS_OF_A_TRANSACTION}": (multi, 1),
    f"get, {THREADS} connections": (get, THREADS),
    f"create, {THREADS} connections": (create, THREADS),
    f"get, {UNDER_WAY} under way": (get_at_once, 1),
    f"create, {UNDER_WAY} under way": (create_at_once, 1),
    "watches set, nodes created, events told, nodes deleted": (watch, 1),
}


def rate(hosts: str, job: Job, threads: int) -> float:
    """Return the calls a second of a job, in threads with a session each."""
    with ExitStack() as opened:
        handles = [opened.enter_context(connected(hosts)) for _ in range(threads)]
        zookeeper.create(handles[0], ROOT, DATA, WORLD_ACL)
        opened.callback(remove, handles[0], ROOT)
        folders = [f"{ROOT}/{number}" for number in range(threads)]
        for folder in folders:
            zookeeper.create(handles[0], folder, DATA, WORLD_ACL)
        workers = [
            threading.Thread(target=job, args=(handle, folder, CALLS))
            for handle, folder in zip(handles, folders, strict=True)
        ]

        def work() -> None:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

        seconds, _ = timed(work)
        return threads * CALLS / seconds


# A suite


def suite(hosts: str | None) -> float:
    """Return the seconds of a suite of doctests, emulated or on a server."""
    environment = {} if hosts is None else {REAL_SERVER_VARIABLE: hosts}
    example = doctest.DocTestParser().get_doctest(DOCTEST, {}, "example", None, None)
    tests = unittest.TestSuite(
        doctest.DocTestCase(
            doctest.DocTest(example.examples, {}, f"example {number}", None, None, None),
            setUp=lambda test: zc.zk.testing.setUp(test, tree=TREE),
            tearDown=zc.zk.testing.tearDown,
        )
        for number in range(TESTS)
    )
    result = unittest.TestResult()
    with mock.patch.dict(os.environ, environment):
        seconds, _ = timed(lambda: tests.run(result))
    expect(result.failures + result.errors, [], "failures")
    expect(result.testsRun, TESTS, "tests")
    return seconds


if __name__ == "__main__":
    main(cases, __doc__, rounds=3)
