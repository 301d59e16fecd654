"""Clients in programs that have several processes by `multiprocessing`."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import zc.zk
from tests.deadlines import scaled
from tests.runtimes.programs import SECONDS

pytestmark = pytest.mark.not_emulated("other processes do not reach it")

EXAMPLE = Path(__file__).parents[2] / "examples" / "processes.py"
METHODS = ["fork", "forkserver", "spawn"]
TREE = """
/prices
  tea = 4.25
  bun = 2.5
  /tills
"""

# Processes that register, and end in one way or another.
REGISTERS = """
import multiprocessing, signal, sys, time
import zc.zk

def register(place, how, registered):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    zk = zc.zk.ZooKeeper(place, wait=True)
    zk.register("/prices/tills", "till:1")
    registered.set()
    if how == "raises":
        raise ValueError("as told")
    if how == "exits":
        sys.exit(3)
    while how == "is terminated":
        time.sleep(0.1)  # not for long: a signal just before the call does not end it

if __name__ == "__main__":
    method, place = sys.argv[1:]
    context = multiprocessing.get_context(method)
    zk = zc.zk.ZooKeeper(place)
    for how in "returns", "raises", "exits", "is terminated":
        registered = context.Event()
        process = context.Process(target=register, args=(place, how, registered))
        process.start()
        registered.wait()
        if how == "is terminated":
            process.terminate()
        process.join()
        print(process.exitcode, zk.get_children("/prices/tills"))
"""

FORKS = """
import multiprocessing, sys
import zc.zk

def go_on(zk, settings):
    zk.reopen()
    zk.register("/prices/tills", "till:2")
    print(settings["tea"], sorted(zk.get_children("/prices/tills")), flush=True)

if __name__ == "__main__":
    zk = zc.zk.ZooKeeper(sys.argv[1])
    zk.register("/prices/tills", "till:1")
    context = multiprocessing.get_context("fork")
    process = context.Process(target=go_on, args=(zk, zk.properties("/prices")))
    process.start()
    process.join()
    print(process.exitcode, sorted(zk.get_children("/prices/tills")))
"""

# A process whose threads go on when its target has returned, one of them idle in an executor.
GOES_ON = """
import multiprocessing, sys, threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.util import Finalize
import zc.zk

executor = ThreadPoolExecutor(1)
target_is_over = threading.Event()

def work(place):
    Finalize(None, target_is_over.set, exitpriority=-1)  # after those that end something
    zk = zc.zk.ZooKeeper(place, wait=True)
    zk.register("/prices/tills", "till:1")
    executor.submit(int).result()
    threading.Thread(target=look, args=(zk,)).start()

def look(zk):
    target_is_over.wait()
    print(zk.get_children("/prices/tills"), flush=True)

if __name__ == "__main__":
    method, place = sys.argv[1:]
    zk = zc.zk.ZooKeeper(place)
    process = multiprocessing.get_context(method).Process(target=work, args=(place,))
    process.start()
    process.join()
    print(process.exitcode, zk.get_children("/prices/tills"))
"""

# Passes its client to processes that begin with nothing.
PASSES = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import zc.zk

if __name__ == "__main__":
    zk = zc.zk.ZooKeeper(sys.argv[1])
    for method in "forkserver", "spawn":
        try:
            multiprocessing.get_context(method).Process(target=print, args=(zk,)).start()
        except TypeError as fault:
            print(fault)
    with ProcessPoolExecutor(1) as pool:
        print(pool.submit(str, zk).exception())
"""


@pytest.fixture
def zk(place):
    """Return a client whose root has the prices."""
    with zc.zk.ZooKeeper(place) as zk:
        zk.import_tree(TREE)
        yield zk


def run_file(path: Path, *arguments: str, **environment: str) -> str:
    """Return what a program in a file prints. `spawn` imports it from there."""
    command = [sys.executable, "-W", "ignore", str(path), *arguments]
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=scaled(SECONDS),
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_has_clients_of_its_own_whatever_starts_it(method, zk, place) -> None:
    said = run_file(EXAMPLE, method, ZC_ZK_CONNECTION_STRING=place)
    forked = "a forked process reads 4.25\n" if method == "fork" else ""
    assert said == (
        "costs 4.25 6.75 9.25\ntills are registered: True\ntills at the end: []\n" + forked
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_registration_goes_at_once_with_its_process(method, zk, place, tmp_path) -> None:
    program = tmp_path / "registers.py"
    program.write_text(REGISTERS)
    said = run_file(program, method, place)
    assert said == "0 []\n1 []\n3 []\n0 []\n"


@pytest.mark.parametrize("method", METHODS)
def test_a_process_has_its_client_until_its_threads_have_ended(method, zk, place, tmp_path) -> None:
    program = tmp_path / "goes_on.py"
    program.write_text(GOES_ON)
    assert run_file(program, method, place) == "['till:1']\n0 []\n"


def test_a_forked_process_reopens_and_leaves_its_parents_registration(zk, place, tmp_path) -> None:
    program = tmp_path / "forks.py"
    program.write_text(FORKS)
    assert run_file(program, place) == "4.25 ['till:1', 'till:2']\n0 ['till:1']\n"


BELONGINGS: dict[str, Callable[[zc.zk.ZooKeeper], object]] = {
    "client": lambda zk: zk,
    "properties": lambda zk: zk.properties("/prices"),
    "properties with a callback": lambda zk: zk.properties("/prices")(lambda prices: None),
    "children": lambda zk: zk.children("/prices"),
    "registration": lambda zk: zk.register("/prices/tills", "till:1"),
}


@pytest.mark.parametrize("what", sorted(BELONGINGS))
def test_an_object_of_a_client_cannot_be_pickled(what, zk) -> None:
    belonging = BELONGINGS[what](zk)
    with pytest.raises(TypeError, match="open a client there, with the same connection string"):
        pickle.dumps(belonging)


def test_a_process_that_is_to_be_given_a_client_is_not_begun(zk, place, tmp_path) -> None:
    program = tmp_path / "passes.py"
    program.write_text(PASSES)
    said = run_file(program, place).splitlines()
    assert len(said) == 3
    assert all("open a client there" in line for line in said)
