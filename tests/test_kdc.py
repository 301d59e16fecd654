"""The KDC that the tests run on: it answers, obeys and ends in any case."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import kdc
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK
from tests.test_servers import is_running


@pytest.fixture(autouse=True)
def installed() -> None:
    if names := kdc.missing():
        pytest.skip(f"needs {names}: make kerberos")


def test_a_kdc_gives_tickets_obeys_and_is_gone_afterwards() -> None:
    with kdc.kdc() as realm:
        pid = realm.pid
        realm.add("app")
        assert realm.kinit("app").exists()
        realm.stop()
        assert realm.pid is None
        with pytest.raises(kdc.KdcFailed, match="Cannot contact any KDC"):
            realm.kinit("app")
        realm.start()
        assert realm.kinit("app").exists()
        realm.pause()
        realm.resume()
        assert realm.kinit("app").exists()
        assert realm.pid not in (None, pid)
        pid = realm.pid
    assert pid is not None
    assert not is_running(pid)
    assert not realm.folder.exists()


def test_its_clock_can_be_off() -> None:
    with kdc.kdc(kdc_timesync=0) as realm:
        realm.add("app")
        realm.administer("modprinc +requires_preauth app")
        realm.skew(7200)
        with pytest.raises(kdc.KdcFailed, match="Clock skew too great"):
            realm.kinit("app")
        realm.skew(0)
        realm.kinit("app")


def test_a_port_that_was_taken_in_between_is_not_insisted_on(monkeypatch) -> None:
    really_free = kdc._free_port
    taken: list[socket.socket] = []

    def free_port() -> int:
        port = really_free()
        if not taken:
            taken.append(socket.create_server((LOOPBACK, port)))
        return port

    monkeypatch.setattr(kdc, "_free_port", free_port)
    with kdc.kdc() as realm:
        assert realm.port != taken[0].getsockname()[1]
    taken[0].close()


def test_a_command_that_kadmin_refuses_is_told() -> None:
    with kdc.kdc() as realm:
        realm.add("app")
        with pytest.raises(kdc.KdcFailed, match="already exists"):
            realm.add("app")


PROGRAM = """
import sys
from tests.kdc import kdc

context = kdc()
realm = context.__enter__()
print(realm.pid, realm.folder, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["killed", "exit"])
def test_a_kdc_does_not_outlive_the_process_that_started_it(end: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        pid, folder = process.stdout.readline().split()
        if end == "killed":
            assert is_running(int(pid))
            os.kill(process.pid, signal.SIGKILL)
        else:
            process.stdin.close()
        process.wait(scaled(30))
        wait_until(lambda: not is_running(int(pid)), "the KDC ends")
    if end == "killed":
        subprocess.run(["rm", "-r", folder], check=True)
    assert not Path(folder).exists()
