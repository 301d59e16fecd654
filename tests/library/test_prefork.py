"""The processes of examples/prefork.py come, work and end as they should."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import zc.zk
from tests.deadlines import scaled, wait_until

pytestmark = pytest.mark.not_emulated("other processes do not reach it")

EXAMPLE = Path(__file__).parents[2] / "examples" / "prefork.py"
PROVIDERS = "/prices/providers"


class Service:
    """The running example, which prints its address and its workers' ids."""

    def __init__(self, connection_string: str) -> None:
        self.process = subprocess.Popen(
            # The kernel ends it should the tests be killed, and its workers then end too.
            ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, str(EXAMPLE)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "ZC_ZK_CONNECTION_STRING": connection_string},
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def next_line(self) -> str:
        return self._lines.get(timeout=scaled(30))

    def next_worker(self) -> int:
        word, pid = self.next_line().split()
        assert word == "worker"
        return int(pid)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(scaled(30))
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def service(zk: zc.zk.ZooKeeper, connection_string: str, root: str) -> Iterator[Service]:
    zk.import_tree("/prices\n  tea = 4.2\n  /providers\n")
    running = Service(connection_string + root)
    yield running
    running.end()


@pytest.fixture
def address(service: Service) -> str:
    return service.next_line().rpartition("/")[2]


def price_of_tea(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/tea", timeout=scaled(30)) as answer:
        return answer.read().decode().strip()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_serve_with_settings_that_are_live(service, address, zk) -> None:
    workers = {service.next_worker(), service.next_worker()}
    assert len(workers) == 2
    assert all(map(is_running, workers))
    assert zk.get_children(PROVIDERS) == [address]
    assert price_of_tea(address) == "4.20"
    zk.properties("/prices").update(tea=4.5)
    wait_until(lambda: {price_of_tea(address) for _ in range(20)} == {"4.50"}, "all workers know")


def test_a_worker_that_dies_is_replaced_and_the_registration_stays(service, address, zk) -> None:
    first, second = service.next_worker(), service.next_worker()
    czxid = zk.exists(f"{PROVIDERS}/{address}")["czxid"]
    os.kill(first, signal.SIGKILL)
    third = service.next_worker()
    assert third not in (first, second)
    assert price_of_tea(address) == "4.20"
    assert zk.exists(f"{PROVIDERS}/{address}")["czxid"] == czxid


def test_the_registration_goes_at_once_with_the_parent_and_so_do_the_workers(
    service, address, zk
) -> None:
    workers = [service.next_worker(), service.next_worker()]
    service.process.terminate()
    assert service.process.wait(scaled(30)) == 0
    assert zk.get_children(PROVIDERS) == []
    assert not any(map(is_running, workers))


def test_workers_end_with_a_parent_that_is_killed(service, address) -> None:
    workers = [service.next_worker(), service.next_worker()]
    service.process.kill()
    service.process.wait()
    wait_until(lambda: not any(map(is_running, workers)), "the workers have ended", 30)
