"""The emulation answers as the binding with a real server does.

Both get the same calls at random. ZK_TEST_OPERATIONS is the number of calls; the default is for
every day. ZK_TEST_SEED chooses others.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import zookeeper
from tests import sessions
from tests.servers import Server, standalone
from tests.testing.random_calls import COMPLETION, WATCHER, Call, RandomCalls
from tests.testing.test_differential import NEVER_LOOKING
from zc.zk.testing import Emulation
from zc.zk.testing.engine import SessionLimits

OPERATIONS = int(os.environ.get("ZK_TEST_OPERATIONS", "1500"))
SEED = int(os.environ.get("ZK_TEST_SEED", "5"))

# The root of the paths, for each handle.
CHROOTS = ["", "", "/a"]

SESSION_TIMEOUT = 300_000

EMULATED = "127.0.0.1:2181"


@pytest.fixture
def undisturbed_server(own_servers_only: None) -> Iterator[Server]:
    """Yield a server that the test alone writes to: its zxids begin at 1."""
    with standalone(java_options=NEVER_LOOKING) as server:
        yield server


class Side:
    """Some handles of one side, and the calls of their callbacks."""

    def __init__(self, module: ModuleType, hosts: str) -> None:
        self._module = module
        self._hosts = hosts
        self._number_of: dict[int, int] = {}
        self._seen: list[list[Any]] = []
        self.handles: list[int] = []
        for number, chroot in enumerate(CHROOTS):
            self._seen.append([])
            self.handles.append(self._open(number, chroot))

    def _open(self, number: int, chroot: str) -> int:
        seen = self._seen[number]
        # One function each, for a watcher is identified by its function.
        watcher = self._remembering(number, "watcher")
        handle: int = self._module.init(
            self._hosts + chroot, lambda *args: seen.append(("session", *args[1:])), SESSION_TIMEOUT
        )
        sessions.wait_until_connected(self._module, handle)
        self._watchers = {**getattr(self, "_watchers", {}), number: watcher}
        id = self._module.client_id(handle)[0]
        self._number_of.setdefault(id, len(self._number_of) + 1)
        return handle

    def reopen(self, number: int) -> None:
        self._module.close(self.handles[number])
        self.handles[number] = self._open(number, CHROOTS[number])

    def close(self) -> None:
        for handle in self.handles:
            self._module.close(handle)

    def call(self, number: int, call: Call) -> Any:
        """Return the result of a call, or the exception that it raises."""
        function = getattr(self._module, call.name)
        stand_ins = {
            WATCHER: self._watchers[number],
            COMPLETION: self._remembering(number, call.name),
        }
        arguments = [_replaced(each, stand_ins) for each in call.arguments]
        options = {name: _replaced(each, stand_ins) for name, each in call.options.items()}
        if options.get("ttl", 0) is None:
            del options["ttl"]
        try:
            return self._comparable(
                call.name, function(self.handles[number], *arguments, **options)
            )
        except (zookeeper.ZooKeeperException, TypeError, OverflowError) as problem:
            # Types are the same; the message about a wrong one depends on the code that checks it.
            text = str(problem) if isinstance(problem, zookeeper.ZooKeeperException) else ""
            text = _without_root(text)
            return type(problem).__name__, text, getattr(problem, "results", None)

    def delivered(self, number: int) -> list[list[Any]]:
        """Return the calls of callbacks since the last time, by handle.

        An asynchronous call of handle `number` is awaited, too.
        """
        for handle in (self.handles[number], *self.handles):
            sessions.wait_until_delivered(self._module, handle)
        seen = [list(each) for each in self._seen]
        for each in self._seen:
            each.clear()
        return seen

    def _remembering(self, number: int, name: str) -> Any:
        def remember(handle: int, *arguments: Any) -> None:
            self._seen[number].append((name, *(self._comparable(name, a) for a in arguments)))

        return remember

    def _comparable(self, name: str, value: Any) -> Any:
        if isinstance(value, dict) and "czxid" in value:
            owner = self._number_of.get(value["ephemeralOwner"], 0)
            return {**value, "ctime": 0, "mtime": 0, "ephemeralOwner": owner}
        if isinstance(value, zookeeper.ZooKeeperException):
            return type(value).__name__, _without_root(str(value))
        if name == "read_tree":
            return [self._znode(znode) for znode in value]
        if isinstance(value, list):
            items = [self._comparable(name, item) for item in value]
            return sorted(items, key=repr) if _is_without_order(name, value) else items
        if isinstance(value, tuple):
            return tuple(self._comparable(name, item) for item in value)
        return value

    def _znode(self, znode: Any) -> Any:
        error = self._comparable("", znode.error)
        stat = self._comparable("", znode.stat)
        own = [znode.path, znode.name, znode.depth, znode.data, znode.version, znode.numChildren]
        return *own, stat, error, znode.ephemeralOwner != 0


def _without_root(text: str) -> str:
    """Return a message without the note on the root.

    A handle that has seen its root once asks no more.
    """
    return re.sub(": the root /.* does not exist$", "", text)


def _is_without_order(name: str, value: list[Any]) -> bool:
    """Whether it is names of children, or identities in an ACL."""
    if name.endswith("whoami"):
        return all(isinstance(item, tuple) for item in value)
    if "children" in name or name == "watch_many":
        return all(isinstance(item, str) for item in value)
    return "acl" in name


def _replaced(value: Any, stand_ins: dict[str, Any]) -> Any:
    return stand_ins.get(value, value) if isinstance(value, str) else value


def test_the_same_calls_have_the_same_results_and_events_as_on_a_real_server(
    undisturbed_server: Server,
) -> None:
    limits = SessionLimits(200, SESSION_TIMEOUT)
    # Containers stay, as on the real server, which never looks either.
    emulation = Emulation(EMULATED, limits=limits, check_seconds=10**6)
    emulated = ModuleType("zookeeper")
    vars(emulated).update({**vars(zookeeper), **emulation.functions})
    real, own = Side(zookeeper, undisturbed_server.connection_string), Side(emulated, EMULATED)
    try:
        outcomes = _compare(real, own, emulation)
    finally:
        real.close()
        own.close()
    assert sum(outcomes.values()) > OPERATIONS * 0.9
    assert OPERATIONS * 0.3 < outcomes["returned"] < OPERATIONS * 0.9


def _compare(real: Side, own: Side, emulation: Emulation) -> Counter[str]:
    nodes = emulation._server.engine.tree.nodes
    calls = RandomCalls(SEED, lambda: [path for path in nodes if path])
    choose = random.Random(SEED)
    outcomes: Counter[str] = Counter()
    for _ in range(OPERATIONS):
        number = choose.randrange(len(CHROOTS))
        if choose.random() < 0.005:
            for side in (real, own):
                side.reopen(number)
            # Ephemeral nodes of a session that ends go in any order.
            told = [
                [sorted(each, key=repr) for each in side.delivered(number)] for side in (real, own)
            ]
            assert told[1] == told[0]
            continue
        call = calls.next()
        results = [side.call(number, call) for side in (real, own)]
        assert results[1] == results[0], (call, "ours, the real one's")
        told = [side.delivered(number) for side in (real, own)]
        assert told[1] == told[0], (call, "ours, the real one's")
        is_error = isinstance(results[0], tuple) and str(results[0][0]).endswith(("ion", "Error"))
        outcomes["raised" if is_error else "returned"] += 1
    return outcomes
