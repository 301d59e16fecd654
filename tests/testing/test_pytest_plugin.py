"""The fixtures for pytest, in a run of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import scaled
from tests.servers import Server

CONFTEST = 'pytest_plugins = ["zc.zk.testing.pytest_plugin"]\n'

TESTS = """
import os
import pytest
import zc.zk
import zookeeper


def test_server(zookeeper_server):
    with zc.zk.ZooKeeper(zookeeper_server.connection_string) as zk:
        zookeeper_server.cut()
        zookeeper_server.expire(zookeeper.client_id(zk.handle)[0])


@pytest.mark.parametrize("number", [1, 2])
def test_client(zookeeper_client, zookeeper_connection_string, number):
    assert zookeeper_client.get_children("/") == ["zookeeper"]
    zookeeper_client.import_tree("/a\\n")
    with zc.zk.ZooKeeper(zookeeper_connection_string) as other:
        assert sorted(other.get_children("/")) == ["a", "zookeeper"]


@pytest.mark.parametrize("number", [1, 2])
def test_emulation(zookeeper_emulation, number):
    binding = zookeeper_emulation.binding
    handle = binding.init(zookeeper_emulation.connection_string)
    assert handle == 0
    assert binding.get_children(handle, "/") == ["zookeeper"]
    zookeeper_emulation.sessions[0].expire()
    with pytest.raises(zookeeper.InvalidStateException):
        binding.get_children(handle, "/")


before = vars(zookeeper).copy()


def test_both(zookeeper_emulation, zookeeper_client):
    emulated = zc.zk.ZooKeeper(
        zookeeper_emulation.connection_string, binding=zookeeper_emulation.binding
    )
    emulated.import_tree("/a\\n")
    assert zookeeper_client.get_children("/") == ["zookeeper"]
    assert vars(zookeeper) == before  # nothing is replaced
"""


def run(folder: Path, **environment: str) -> str:
    """Return the output of pytest at the end."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS)
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
        ],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=scaled(120),
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout.splitlines()[-1]


def test_the_fixtures_serve_tests_without_any_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_ZOOKEEPER_CONNECTION", raising=False)
    assert run(tmp_path).startswith("6 passed in")


def test_with_the_variable_they_use_that_service(tmp_path: Path, real_server: Server) -> None:
    said = run(tmp_path, TEST_ZOOKEEPER_CONNECTION=real_server.connection_string)
    assert said.startswith("5 passed, 1 skipped in")
