"""A worker of celery whose tasks need a client, examples/tasks.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import zc.zk
from tests.deadlines import scaled, wait_until
from tests.runtimes.programs import SECONDS, require

pytestmark = pytest.mark.not_emulated("other processes do not reach it")

EXAMPLES = Path(__file__).parents[2] / "examples"
TREE = """
/prices
  tea = 4.25
  bun = 2.5
  /tills
"""
TILLS = "/prices/tills"

# Asks for a task as a program does that is no worker: it has no client.
ASKS = """
import json, sys
import tasks
print(json.dumps([tasks.cost.delay(basket).get(timeout=60) for basket in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def zk(place):
    """Return a client whose root has the prices."""
    with zc.zk.ZooKeeper(place) as zk:
        zk.import_tree(TREE)
        yield zk


@pytest.fixture
def environment(place, tmp_path) -> dict[str, str]:
    """Return the environment of celery, with folders in the place of a broker."""
    require("celery")
    folders = {name: tmp_path / name for name in ("messages", "control", "results")}
    for folder in folders.values():
        folder.mkdir()
    options = {
        "data_folder_in": str(folders["messages"]),
        "data_folder_out": str(folders["messages"]),
        "control_folder": str(folders["control"]),
    }
    (tmp_path / "settings.py").write_text(
        "broker_url = 'filesystem://'\n"
        f"broker_transport_options = {options!r}\n"
        f"result_backend = {'file://' + str(folders['results'])!r}\n"
    )
    return {
        **os.environ,
        "ZC_ZK_CONNECTION_STRING": place,
        "CELERY_CONFIG_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(tmp_path), *sys.path]),
        "PYTHONWARNINGS": "ignore",
    }


@pytest.fixture
def worker(environment, zk, tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker of two processes, and end it."""
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "tasks", "worker"]
    command += ["--concurrency", "2", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    # The kernel ends it should the tests be killed.
    command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
    with open(tmp_path / "log", "wb") as log:
        running = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=tmp_path,
        )
    yield running
    if running.poll() is None:
        running.terminate()
    running.wait(scaled(SECONDS))


def test_each_process_of_a_worker_has_a_client_until_its_end(worker, environment, zk) -> None:
    wait_until(lambda: len(zk.get_children(TILLS)) == 2, "both processes are there", SECONDS)
    asking = subprocess.run(
        [sys.executable, "-c", ASKS, json.dumps([["tea"], ["tea", "bun"]])],
        capture_output=True,
        text=True,
        env=environment,
        timeout=scaled(SECONDS),
    )
    assert asking.returncode == 0, asking.stderr
    assert json.loads(asking.stdout) == [4.25, 6.75]
    worker.terminate()
    assert worker.wait(scaled(SECONDS)) == 0
    assert zk.get_children(TILLS) == []
