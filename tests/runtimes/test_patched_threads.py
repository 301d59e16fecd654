"""Programs in which gevent or eventlet has made greenlets of threads, and in which it has not."""

from __future__ import annotations

import _thread

import pytest

import zc.zk
from tests.runtimes.programs import require, run

pytestmark = pytest.mark.not_emulated("other processes do not reach it")

PATCHED = {
    "gevent": "gevent.monkey.patch_all()",
    "eventlet": "eventlet.monkey_patch()",
}
THREADS_LEFT_ALONE = {
    "gevent": "gevent.monkey.patch_all(thread=False)",
    "eventlet": "eventlet.monkey_patch(os=True, select=True, socket=True, time=True)",
}
IMPORTS = {"gevent": "import gevent.monkey", "eventlet": "import eventlet"}

OPENS = """
import sys

def fault_of(open):
    try:
        open(sys.argv[1])
    except RuntimeError as fault:
        return fault

print(fault_of(zookeeper.init))
print(fault_of(zc.zk.ZooKeeper) if len(sys.argv) > 2 else "")
"""

WORKS = """
import sys
import threading

zk = zc.zk.ZooKeeper(sys.argv[1])
zk.create("/settings", '{"a": 1}')
settings, changed = zk.properties("/settings"), threading.Event()
settings(lambda settings: settings["a"] == 2 and changed.set())
zk.set("/settings", '{"a": 2}')
assert changed.wait(20)
zk.close()
print("closed")
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("patcher", ["eventlet", "gevent"])
def test_a_handle_among_greenlets_is_refused_with_what_helps(patcher, is_first, place) -> None:
    require(patcher)
    patch = f"{IMPORTS[patcher]}; {PATCHED[patcher]}\n"
    imports = "import zookeeper, zc.zk\n"
    program = (patch + imports if is_first else imports + patch) + OPENS
    # For gevent the library has what it takes: test_gevent.py.
    by_the_library_too = ["yes"] if patcher == "eventlet" else []
    by_the_binding, by_the_library = run(program, place, *by_the_library_too).split("\n")[:2]
    assert by_the_binding.startswith(f"{patcher} has patched threads")
    assert THREADS_LEFT_ALONE[patcher] in by_the_binding
    assert by_the_library == (by_the_binding if by_the_library_too else "")


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("patcher", ["eventlet", "gevent"])
def test_a_client_works_where_all_but_threads_is_patched(patcher, is_first, place) -> None:
    require(patcher)
    patch = f"{IMPORTS[patcher]}; {THREADS_LEFT_ALONE[patcher]}\n"
    imports = "import zc.zk\n"
    assert run((patch + imports if is_first else imports + patch) + WORKS, place) == "closed\n"


def test_a_debugger_that_wraps_the_start_of_threads_is_no_obstacle(place, monkeypatch) -> None:
    start = _thread.start_new_thread
    traced = []

    def start_traced(*arguments):
        traced.append(arguments[0])
        return start(*arguments)

    monkeypatch.setattr("_thread.start_new_thread", start_traced)
    monkeypatch.setattr("threading._start_new_thread", start_traced, raising=False)
    with zc.zk.ZooKeeper(place) as zk:
        assert zk.get_children("/") == []
    assert traced
