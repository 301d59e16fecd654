"""Servers are replaced under load, and no request of a client that uses `providers` is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deadlines import scaled, wait_until
from zc.zk.client import CONNECTION_STRING_VARIABLE
from zc.zk.providers import Providers
from zc.zk.providers.httpx import ProvidersTransport

PROJECT = Path(__file__).parents[2]

UVICORN = [sys.executable, "-m", "uvicorn", "tests.serving.asgi_app:app", "--port", "0"]
GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "tests.serving.wsgi_app:app"),
    *("--config", "tests/serving/gunicorn_conf.py"),
]


class Running:
    """Servers that the test starts, ended with it."""

    def __init__(self, connection_string: str, log: Path) -> None:
        self._environment = {
            **os.environ,
            CONNECTION_STRING_VARIABLE: connection_string,
        }
        self._log = log
        self._all: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=self._environment, stdout=log, stderr=log
            )
        self._all.append(process)
        return process

    def told(self) -> str:
        return self._log.read_text()

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a server to end, twice if it takes long; wait until it has."""
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(scaled(20))
                return
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        process.wait()
        raise AssertionError(f"it did not end: {self.told()}")

    def end_all(self) -> None:
        for process in self._all:
            if process.poll() is None:
                self.end(process)


@pytest.fixture
def running(place, tmp_path) -> Iterator[Running]:
    servers = Running(place, tmp_path / "log")
    yield servers
    servers.end_all()


@pytest.fixture
def live(zk) -> Providers:
    zk.create("/providers")
    return zk.providers("/providers")


class Load:
    """Threads that call a service all the time, until the block is left."""

    def __init__(self, live: Providers, method: str) -> None:
        self._live = live
        self._method = method
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.faults: list[Exception] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(3)]

    def _call(self) -> None:
        transport = ProvidersTransport(self._live, patience=scaled(10))
        with httpx.Client(
            mounts={"http://prices": transport}, trust_env=False, timeout=scaled(10)
        ) as client:
            while not self._over.is_set():
                try:
                    answer = client.request(self._method, "http://prices/tea", content=b"x")
                    self.answers[answer.raise_for_status().text] += 1
                except Exception as fault:
                    self.faults.append(fault)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(scaled(30))

    def wait_for_another(self) -> None:
        """Wait until a process answers that has not answered so far."""
        known = set(self.answers)
        wait_until(lambda: set(self.answers) - known, lambda: f"another answers: {self.faults}", 30)


@pytest.mark.parametrize("command", [UVICORN, GUNICORN], ids=["uvicorn", "gunicorn"])
def test_servers_are_replaced_and_no_request_is_lost(running, live, command) -> None:
    server = running.start(command)
    wait_until(lambda: len(live) == 1, running.told, 30)
    with Load(live, "POST") as load:
        load.wait_for_another()
        for _ in range(2):
            (former,) = live
            another = running.start(command)
            wait_until(lambda: len(live) == 2, running.told, 30)
            load.wait_for_another()
            running.end(server)
            assert server.returncode in (0, -signal.SIGTERM), running.told()
            assert former not in live
            server = another
    assert load.faults == []
    assert len(load.answers) >= 3


def test_workers_of_gunicorn_are_replaced_and_the_server_stays_registered(running, live) -> None:
    server = running.start(GUNICORN)
    wait_until(lambda: len(live) == 1, running.told, 30)
    (address,) = live
    told: list[int] = []
    live(lambda servers: told.append(len(servers)))
    with Load(live, "POST") as load:
        load.wait_for_another()
        server.send_signal(signal.SIGHUP)
        load.wait_for_another()
    assert (load.faults, told, list(live)) == ([], [1], [address])


def test_workers_of_uvicorn_share_an_address_and_are_replaced(running, live) -> None:
    # A busy machine takes longer than the five seconds after which uvicorn gives up a new worker.
    patience = ["--timeout-worker-healthcheck", "60"]
    server = running.start([*UVICORN, "--workers", "2", *patience])
    wait_until(lambda: len(live) == 1, running.told, 30)
    (address,) = live
    with Load(live, "GET") as load:
        # All connections may be with the same one of the workers.
        load.wait_for_another()
        server.send_signal(signal.SIGHUP)
        gone = "Terminated child process"
        wait_until(lambda: running.told().count(gone) == 2, running.told, 60)
        load.answers.clear()
        load.wait_for_another()
        wait_until(lambda: list(live) == [address], "one of the workers is registered", 30)
    assert load.faults == []
    running.end(server)
    wait_until(lambda: not live, "the last one has withdrawn")


def test_a_server_whose_application_does_not_start_is_never_registered(running, live) -> None:
    server = running.start([*GUNICORN[:3], "tests.serving.wsgi_app:nothing", *GUNICORN[4:]])
    server.wait(scaled(30))
    assert "Failed to find attribute 'nothing'" in running.told()
    assert list(live) == []
