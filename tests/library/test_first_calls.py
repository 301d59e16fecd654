"""The first calls of a program import their modules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from zc.zk.registration import attempt as attempts
from zc.zk.registration.attempt import Attempt, Perform
from zc.zk.registration.step import Do, Observed
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
    lambda zk: zk.register("/providers", "a:1"),
    lambda zk: zk.create("/mine", "", zc.zk.OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL),
    lambda zk: zk.children("/"),
    lambda zk: zk.properties("/"),
    lambda zk: zk.resolve("/providers"),
]
zk = zc.zk.ZooKeeper(sys.argv[1])
if not zk.exists("/providers"):
    zk.create("/providers")
barrier = threading.Barrier(len(work) * 4)

def run(function):
    barrier.wait()
    try:
        function(zk)
    except zookeeper.ZooKeeperException:
        pass  # others are at the same nodes
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
        assert output_of(PROGRAM, own.connection_string) == ""


def output_of(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=scaled(60),
        check=True,
    ).stdout


# The parent forks while another of its threads imports a module that the child needs, too.
# If the fork waits for the import, the import waits for the fork: a deadlock.
FORKING = """
import os, signal, sys, threading
import zc.zk
connection_string, method, path, module, seconds = sys.argv[1:]
zk = zc.zk.ZooKeeper(connection_string)
has_begun, has_forked = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, path, target=None):
        if name == module:
            has_begun.set()
            has_forked.wait(0.5)

sys.meta_path.insert(0, Slow())
call = getattr(zk, method)
names = {"register": ("a:1", "b:1")}.get(method)
thread = threading.Thread(target=call, args=(path, *(names[:1] if names else ())))
thread.start()
has_begun.wait()
child = os.fork()
if not child:
    signal.alarm(int(seconds))
    zk.reopen()
    call(path, *(names[1:] if names else ()))
    os._exit(0)
has_forked.set()
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
zk.close()
"""


@pytest.mark.parametrize(
    ("method", "module"),
    [
        ("register", "zc.zk.registration.step"),
        ("properties", "zc.zk.watching.liveobject"),
        ("resolve", "zc.zk.resolver"),
        ("export_tree", "zc.zk.operations.export"),
    ],
)
def test_a_fork_meanwhile_leaves_the_child_a_module_that_is_whole(own, method, module) -> None:
    told = output_of(
        FORKING, own.connection_string, method, "/zookeeper", module, str(int(scaled(20)))
    )
    assert told == "0\n"


EPHEMERAL = ("", zc.zk.OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
OPERATION = ("create", "/mine", *EPHEMERAL)


@pytest.mark.parametrize(
    "make",
    [
        lambda zk: zk.create("/mine", *EPHEMERAL),
        lambda zk: zk.create2("/mine", *EPHEMERAL),
        lambda zk: zk.acreate("/mine", *EPHEMERAL),
        lambda zk: zk.acreate2("/mine", *EPHEMERAL),
        lambda zk: zk.multi([OPERATION]),
        lambda zk: zk.amulti([list(OPERATION)]),
        lambda zk: zk.write_many([OPERATION]),
        lambda zk: zk.register("/", "mine"),
    ],
)
def test_a_node_that_could_not_be_kept_is_not_made(zk, monkeypatch, make) -> None:
    """The node is not made when no descriptor is left to import what keeps it."""
    monkeypatch.setitem(sys.modules, "zc.zk.registration.registry", None)
    with pytest.raises(ImportError):
        make(zk)
    assert not zk.exists("/mine")
    monkeypatch.undo()
    make(zk)
    wait_until(lambda: zk.exists("/mine"), "the node is made")


def test_the_first_registration_takes_no_more_actions_than_another(zk, monkeypatch) -> None:
    done = []

    def noting(do: Do, perform: Perform) -> Perform:
        def act(attempt: Attempt, version: int) -> Observed | None:
            done.append(do)
            return perform(attempt, version)

        return act

    actions = {do: noting(do, perform) for do, perform in attempts.ACTIONS.items()}
    monkeypatch.setattr(attempts, "ACTIONS", actions)
    rounds: list[int] = []
    zk._session.add_duty(rounds.append)
    zk.register("/", "a:1")
    before = len(rounds)
    zk._session.wake()
    wait_until(lambda: len(rounds) > before, "the duties are done")
    assert done == [Do.CREATE, Do.SETTLE]
