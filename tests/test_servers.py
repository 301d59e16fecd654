"""The servers that the tests run on: they start, obey and end in any case."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import ports, secured, servers
from tests.conftest import pytest_runtest_protocol
from tests.deadlines import scaled, wait_until
from tests.servers import ensemble_of, standalone


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture(autouse=True)
def installed(own_servers_only: None) -> None:
    """Skip all tests here with a service that is not ours."""


@pytest.fixture
def ports_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a port be taken by another process after it was chosen as free."""
    really_free = ports.free_ports
    taken: list[socket.socket] = []

    def free_ports(count: int) -> list[int]:
        numbers = really_free(count)
        if not taken:
            taken.append(socket.create_server((ports.LOOPBACK, numbers[0])))
        return numbers

    monkeypatch.setattr(servers, "free_ports", free_ports)
    yield
    assert taken
    for connection in taken:
        connection.close()


def test_a_server_serves_obeys_and_is_gone_afterwards() -> None:
    with standalone() as server:
        pid = server.pid
        assert pid is not None
        assert server.mode() == "standalone"
        assert "ruok" not in server.ask("ruok")
        assert server.ask("ruok") == "imok"

        server.pause()
        assert not server.is_serving()
        server.resume()
        wait_until(server.is_serving, "it serves again")

        server.stop()
        assert server.pid is None
        assert not server.is_serving()
        server.start()
        server.wait_until_serving()
        assert server.pid not in (None, pid)

        server.kill()
        assert server.pid is None
        server.restart()
        assert server.is_serving()
        pid = server.pid
    assert pid is not None
    assert not is_running(pid)
    assert not server.folder.exists()


def test_a_paused_server_can_be_stopped_and_killed() -> None:
    with standalone() as server:
        server.pause()
        server.stop()
        server.start()
        server.wait_until_serving()
        server.pause()
        server.kill()
        assert server.pid is None


def test_stopping_what_does_not_run_is_no_mistake() -> None:
    with standalone() as server:
        server.stop()
        server.stop()
        server.kill()
        with pytest.raises(AssertionError, match="not running"):
            server.pause()


def test_starting_twice_is_one() -> None:
    with standalone() as server, pytest.raises(AssertionError, match="running already"):
        server.start()


def test_an_ensemble_elects_a_leader_and_another_when_that_dies() -> None:
    with ensemble_of(3) as ensemble:
        leader = ensemble.leader()
        assert len(ensemble.followers()) == 2
        assert len(ensemble.connection_string.split(",")) == 3
        leader.kill()
        wait_until(lambda: ensemble.leader() is not leader, "another one leads")
        ensemble.start()
        ensemble.wait_until_serving()
        assert len(ensemble.followers()) == 2
        pids = [server.pid for server in ensemble.servers]
    assert not any(is_running(pid) for pid in pids if pid)


@pytest.mark.usefixtures("ports_of_others")
def test_a_port_that_was_taken_in_between_is_not_insisted_on() -> None:
    with standalone() as server:
        assert server.is_serving()


@pytest.mark.usefixtures("ports_of_others")
def test_an_ensemble_does_not_insist_on_its_ports_either() -> None:
    with ensemble_of(3) as ensemble:
        assert len(ensemble.followers()) == 2


def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(servers.ServerFailed, match=r"NumberFormatException.*never"),
        standalone(settings={"tickTime": "never"}),
    ):
        pass


PROGRAM = """
import sys, threading
from tests.servers import standalone

def start():
    context = standalone()
    server = context.__enter__()
    keep.append(context)
    print(server.pid, server.folder, flush=True)

keep = []
thread = threading.Thread(target=start)
thread.start()
thread.join()
if sys.argv[1] == "wait":
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["killed", "exit"])
def test_a_server_does_not_outlive_the_process_that_started_it(end: str) -> None:
    """It ends also when the thread that started it has ended long before."""
    command = [sys.executable, "-c", PROGRAM, "wait" if end == "killed" else "exit"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid, folder = process.stdout.readline().split()
        if end == "killed":
            assert is_running(int(pid))
            os.kill(process.pid, signal.SIGKILL)
        process.wait(scaled(30))
        wait_until(lambda: not is_running(int(pid)), "the server ends")
    if end == "killed":
        subprocess.run(["rm", "-r", folder], check=True)
    assert not Path(folder).exists()


@pytest.mark.skipif(secured.keys_by_default() is not None, reason="all servers are secured here")
def test_servers_are_secured_in_tests_of_the_target_tls_and_in_no_others() -> None:
    for target, is_secured in (("tls", True), ("real", False), (None, False)):
        item: Any = SimpleNamespace(callspec=SimpleNamespace(params={"target": target}))
        running = pytest_runtest_protocol(item)
        next(running)
        assert (secured.keys_by_default() is not None) is is_secured
        with pytest.raises(StopIteration):
            running.send(True)
        assert secured.keys_by_default() is None
