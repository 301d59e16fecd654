"""The first calls of a program, by many threads at once: their modules are imported then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deadlines import scaled
from zc.zk.testing import Server

PROGRAM = """
import sys, threading
import zc.zk, zookeeper
sys.setswitchinterval(1e-6)
work = [
    lambda zk: zk.export_tree("/"),
    lambda zk: zk.import_tree("/y\\n"),
    lambda zk: list(zk.walk("/")),
    lambda zk: zk.delete_recursive("/nothing"),
    lambda zk: zk.create_recursive("/x/y", "", zc.zk.OPEN_ACL_UNSAFE),
    lambda zk: zc.zk.ParseNode,
]
zk = zc.zk.ZooKeeper(sys.argv[1])
barrier = threading.Barrier(len(work) * 4)

def run(function):
    barrier.wait()
    try:
        function(zk)
    except zookeeper.ZooKeeperException:
        pass
    except BaseException as fault:
        print(repr(fault))

threads = [threading.Thread(target=run, args=(each,)) for each in work for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
zk.close()
"""


@pytest.fixture
def own() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_many_threads_begin_at_once(own) -> None:
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, own.connection_string],
            capture_output=True,
            text=True,
            timeout=scaled(60),
            check=True,
        )
        assert ended.stdout == ""
