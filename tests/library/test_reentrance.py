"""Finalisers and signal handlers use the client inside its own work.

They run on a thread that may be anywhere, with any lock of the library held: a reentrant call.
Nothing may wait for its own thread, and neither a watch nor a registration may be lost.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import end_alarms, scaled, wait_until
from tests.embedded import embedded
from zc.zk.lineserver import LineServer
from zc.zk.session import state
from zc.zk.watching.dependencies import (
    Care,
    Kind,
    StrongSubscription,
    Subscription,
)
from zc.zk.watching.dependencytable import Dependencies

ROUNDS = 60
SERVER_THREAD = "zookeeper server"


@pytest.fixture(scope="session", params=["real", "wire"])
def hosts(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "real":
        yield request.getfixturevalue("real_server").connection_string
    else:
        with embedded() as running:
            yield running.connection_string


@pytest.fixture
def zk(hosts: str) -> Iterator[zc.zk.ZooKeeper]:
    """Yield a client of either server, of a root of its own."""
    root = f"/reentrance-{os.urandom(6).hex()}"
    with zc.zk.ZooKeeper(hosts, session_timeout=SESSION_TIMEOUT_MILLISECONDS) as outside:
        outside.create(root)
        zk = zc.zk.ZooKeeper(hosts + root, session_timeout=SESSION_TIMEOUT_MILLISECONDS)
        try:
            yield zk
        finally:
            zk.close()
            outside.delete_recursive(root)


class Meddler:
    """Does all kinds of things with the client, one at each call."""

    def __init__(self, zk: zc.zk.ZooKeeper) -> None:
        self.zk = zk
        self.count = 0
        self.problems: list[BaseException] = []
        self.is_over = False
        self._busy = threading.local()
        self.kept: list[object] = []

    def can(self) -> bool:
        """Refuse the thread that is the server: it would wait for its own answer."""
        is_server = threading.current_thread().name.startswith(SERVER_THREAD)
        return not (is_server or self.is_over or getattr(self._busy, "yes", False))

    def meddle(self) -> None:
        if not self.can():
            return
        self._busy.yes = True  # deeper than once tells nothing new
        self.count += 1
        try:
            self._do(self.count)
        except BaseException as problem:
            self.problems.append(problem)
        finally:
            self._busy.yes = False

    def _do(self, number: int) -> None:
        zk = self.zk
        kind = number % 6
        if kind == 0:
            assert zk.get("/settings")[0]
        elif kind == 1:
            zk.properties("/settings")  # and it is dropped
        elif kind == 2:
            self.kept = [zk.children("/servers")(lambda children: None)]  # in place of another one
        elif kind == 3:
            zk.register("/servers", f"meddler-{number}:1").unregister()
        elif kind == 4:
            zk.create(f"/servers/node-{number}", "", flags=1)
            zk.delete(f"/servers/node-{number}")
        else:
            zk.properties("/settings")(lambda properties: None)
            assert zk.state == zookeeper.CONNECTED_STATE


def work(zk: zc.zk.ZooKeeper, name: str, after_each: Callable[[], object]) -> Callable[[], None]:
    """Return the work of a thread, which checks at the end what it follows."""

    def run() -> None:
        path = f"/settings-{name}"
        zk.create(path, "{}")
        registration = zk.register("/servers", f"{name}:1")
        followed = zk.properties(path)
        seen: list[object] = []
        followed(lambda properties: seen.append(properties.get("n")))
        for number in range(ROUNDS):
            zk.set(path, f'{{"n": {number}}}')
            registration.update(n=number)
            children = zk.children("/servers")
            assert f"{name}:1" in children
            del children
            after_each()
        wait_until(lambda: followed.get("n") == ROUNDS - 1, "the object follows")
        wait_until(lambda: seen[-1] == ROUNDS - 1, "the callback is told")
        wait_until(
            lambda: zk.get_properties(f"/servers/{name}:1")["n"] == ROUNDS - 1, "it is registered"
        )

    return run


def all_done(works: list[Callable[[], None]]) -> None:
    """Have each piece of work done by a thread, which may hang."""
    problems: list[BaseException] = []

    def one(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=one, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(60))
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    for problem in problems:
        raise problem


def prepared(zk: zc.zk.ZooKeeper) -> Meddler:
    zk.create("/settings", '{"a": 1}')
    zk.create("/servers")
    return Meddler(zk)


def everything_follows(zk: zc.zk.ZooKeeper, meddler: Meddler) -> None:
    meddler.is_over = True
    assert meddler.problems == []
    assert meddler.count
    children, settings = zk.children("/servers"), zk.properties("/settings")
    zk.set("/settings", '{"a": "last"}')
    zk.create("/servers/last")
    wait_until(lambda: "last" in children, "the list follows")
    wait_until(lambda: settings.get("a") == "last", "the settings follow")


def test_finalisers_use_the_client(zk):
    meddler = prepared(zk)

    class Garbage:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            if meddler.can():
                meddler.meddle()
            elif not meddler.is_over:
                Garbage()  # for another thread, or later

    thresholds = gc.get_threshold()
    gc.set_threshold(10)
    try:
        all_done([work(zk, name, Garbage) for name in ("a", "b")])
    finally:
        gc.set_threshold(*thresholds)
    everything_follows(zk, meddler)


def test_signal_handlers_use_the_client(zk):
    meddler = prepared(zk)
    signal.signal(signal.SIGALRM, lambda *_: meddler.meddle())
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        work(zk, "main", lambda: None)()
    finally:
        end_alarms()
    everything_follows(zk, meddler)


def interrupted(main: Callable[[], object], handler: Callable[[], object], times: int) -> None:
    """Call `main` again and again until that many signals have come inside."""
    count = 0
    is_busy = False

    def handle(*_: object) -> None:
        nonlocal count, is_busy
        if not is_busy:
            is_busy = True
            count += 1
            handler()
            is_busy = False

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
    try:
        while count < times:
            main()
    finally:
        end_alarms()


def test_dependencies_are_known_whatever_comes_in_between():
    nodes = Dependencies()
    keys = [(kind, path) for kind in Kind for path in ("/a", "/b")]
    ours, theirs = (Subscription(nodes, None, Care(lambda *_: None), 0) for _ in range(2))
    turn = 0

    def agrees() -> None:
        for subscription in (ours, theirs):
            for node in subscription.nodes.values():
                assert subscription in node.subscriptions
                assert nodes.find(node.key) is node
        for node in nodes.nodes():
            for subscription in node.subscriptions:
                assert node in subscription.nodes.values()

    def meddle() -> None:
        nonlocal turn
        turn += 1
        key = keys[turn % len(keys)]
        if turn % 3:
            assert nodes.connect(theirs, *key) is nodes.find(key)
        elif turn % 2:
            nodes.retain(theirs, keys[:1])
        else:
            nodes.leave(theirs)

    def main() -> None:
        for key in keys:
            nodes.connect(ours, *key)
        nodes.retain(ours, keys[::2])
        assert set(ours.nodes) == set(keys[::2])
        nodes.leave(ours)
        assert not ours.nodes

    interrupted(main, meddle, 3000)
    agrees()
    assert all(node.subscriptions for node in nodes.nodes())


@pytest.mark.parametrize("kind", [Subscription, StrongSubscription])
def test_subscriptions_differ_whatever_their_subscribers_say(kind):
    class Subscriber:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("a subscriber is compared")

        def __hash__(self) -> int:
            raise AssertionError("a subscriber is asked for its hash")

    owner, care = Subscriber(), Care(lambda *_: None)
    one, other = (kind(owner, None, care, 0) for _ in range(2))
    assert {one: 1, other: 2} == {other: 2, one: 1}
    assert one != other
    with pytest.raises(TypeError, match="not supported"):
        sorted([one, other])
    assert one.owner() is owner
    gone = weakref.ref(owner)
    del owner
    assert (gone() is None) == kind.is_weak
    assert (one.owner() is None) == kind.is_weak


def test_a_client_closed_in_the_middle_stays_closed():
    life = state.StateMachine(None)
    with life.changed:
        with life.changed:
            life.note_closed()
        assert life.note_connected(is_new=True, granted_ms=None) == state.NOTHING
        assert life.note_disconnected() == state.NOTHING
        assert life.note_lost("it is over") == state.NOTHING
        life.note_connecting()
        life.note_unopened()
    assert life.state is state.State.CLOSED
    assert life.reason == "closed"


def test_a_line_server_is_closed_by_its_own_thread(tmp_path):
    """A finaliser of the program's may run in the server's own thread."""
    path = str(tmp_path / "socket")
    server = LineServer(path, {})
    listening: Any = server._server
    ended = threading.Event()

    def close() -> None:
        listening.service_actions = lambda: None  # once
        server.close()
        ended.set()

    listening.service_actions = close
    assert ended.wait(scaled(10))
    wait_until(lambda: not server._thread.is_alive(), "its thread ends")
    wait_until(lambda: not os.path.exists(path), "its socket goes")


def test_a_caller_s_permissions_may_change_afterwards(zk):
    """A later session makes nodes again with the permissions that were given."""
    zk.create("/servers")
    acl = [zc.zk.world_permission(31)]
    made = threading.Event()
    zk.acreate("/one", "", acl, 1, lambda *_: made.set())
    acl[0]["perms"] = 1
    acl.append({"perms": 1, "scheme": "world", "id": "nobody"})
    assert made.wait(scaled(10))
    acl[:] = [zc.zk.world_permission(31)]
    operation = ["create", "/two", "", acl, 1]
    zk.multi([operation])
    zk.create("/three", "", acl, 1)
    registration = zk.register("/servers", "a:1", acl)
    zk.set_acl("/three", -1, acl)
    acl[0]["perms"] = 1
    kept = {node.path: node.desired.acl for node in zk._ephemerals.registry._by_path.values()}
    assert set(kept) == {"/one", "/two", "/three", *registration.paths}
    assert all(acl == [zc.zk.world_permission(31)] for acl in kept.values())
