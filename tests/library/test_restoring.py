"""After a lost session all is read again, and who shows or tells something else is seen to."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, wait_until
from tests.library.bad_days import expire
from tests.sessions import OPEN
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op, Request
from zc.zk.watching import cache, fetch, liveobject
from zc.zk.watching.dependencies import Care, Kind

pytestmark = pytest.mark.not_emulated("it has no network")

NODES = 40


@pytest.fixture
def paths(other: zc.zk.ZooKeeper) -> list[str]:
    paths = [f"/n{number}" for number in range(NODES)]
    assert other.handle is not None
    zookeeper.write_many(other.handle, [("create", path, '{"v": 0}', OPEN) for path in paths])
    return paths


@pytest.fixture
def followed(client: Callable[..., zc.zk.ZooKeeper], proxy: TcpProxy, root: str) -> zc.zk.ZooKeeper:
    return client(proxy.connection_string + root, session_timeout=LONG_SESSION)


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Count the refreshes of live objects."""
    calls = Calls()

    def refresh(owner: object, tell: bool) -> None:
        calls(owner, tell)
        refresh_it(owner, tell)

    refresh_it = liveobject.CARE.refresh
    monkeypatch.setattr(liveobject.CARE, "refresh", refresh)
    return calls


class Once:
    """Have something happen when many nodes have been read the next time, or before."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, before: bool = False
    ) -> None:
        self.happened = 0
        self._act = act
        self._before = before
        self._watch = fetch.watch
        monkeypatch.setattr(fetch, "watch", self)

    def __call__(self, handle, nodes, watcher, binding, begun=None):
        is_due = len(nodes) > 1 and not self.happened
        self.happened += is_due
        if is_due and self._before:
            self._act()
        answers = self._watch(handle, nodes, watcher, binding, begun)
        if is_due and not self._before:
            self._act()
        return answers


def restored(zk: zc.zk.ZooKeeper, server: str) -> None:
    """Expire the session, and wait until the next one has read all that was followed."""
    session = zk.watches.session
    before = session.epoch
    expire(zk, server)
    wait_until(lambda: session.maintenance._restored_epoch > before, "restored", 60)


def set_v(zk: zc.zk.ZooKeeper, path: str, value: int) -> None:
    zk.set(path, f'{{"v": {value}}}')


def all_have(objects, value: int) -> Callable[[], bool]:
    return lambda: all(live.get("v") == value for live in objects)


def test_objects_that_show_the_same_and_tell_nobody_are_left_alone(
    followed, paths, server, refreshed
):
    objects = [followed.properties(path) for path in paths]
    lists = [followed.children(path) for path in paths]
    restored(followed, server.connection_string)
    assert [each for each in refreshed.all() if each[0] in [*objects, *lists]] == []
    assert all_have(objects, 0)()


def test_objects_with_callbacks_are_told_once_though_all_is_the_same(followed, paths, server):
    objects = [followed.properties(path) for path in paths]
    calls = [Calls() for _ in paths]
    for live, told in zip(objects, calls, strict=True):
        live.callbacks.append(told)
    restored(followed, server.connection_string)
    for told in calls:
        told.wait(1)
    restored(followed, server.connection_string)
    for told in calls:
        told.wait(2)
    assert [len(told) for told in calls] == [2] * NODES


def test_a_list_of_callbacks_that_is_set_is_told_as_well(followed, paths, server):
    live, told = followed.properties("/n0"), Calls()
    live.callbacks = [told]
    restored(followed, server.connection_string)
    told.wait(1)


def test_changes_and_deletions_of_the_time_without_session_are_seen(
    followed, other, paths, server, proxy
):
    objects = [followed.properties(path) for path in paths]
    lists = [followed.children(path) for path in paths]
    proxy.refuse()
    proxy.cut()
    set_v(other, "/n1", 1)
    other.delete("/n2")
    other.create("/n3/child")
    other.delete("/n4")
    other.create("/n4", '{"v": 4}')
    proxy.allow()
    restored(followed, server.connection_string)
    wait_until(
        lambda: [objects[number].get("v") for number in (0, 1, 4)] == [0, 1, 4], "data are seen"
    )
    # The way to a missing node may lead over links, so more is read for it.
    wait_until(lambda: objects[2].deleted and lists[2].deleted, "the deletion is seen")
    wait_until(lambda: list(lists[3]) == ["child"], "the child is seen")


def test_a_change_that_another_object_was_first_to_read_is_seen(
    followed, other, paths, server, monkeypatch
):
    """Its event is lost with the session."""
    live = followed.properties("/n0")
    followed.properties("/n1")
    monkeypatch.setattr(cache, "_CONCERNED", {})
    set_v(other, "/n0", 1)
    another = followed.properties("/n0")
    assert (another["v"], live["v"]) == (1, 0)
    restored(followed, server.connection_string)
    wait_until(lambda: live["v"] == 1, "it is seen")


def test_one_that_could_not_be_refreshed_is_in_the_next_session(followed, paths, server):
    class Owner:
        def __init__(self) -> None:
            self.failures = 1
            self.calls = Calls()

        def refresh(self, tell: bool) -> None:
            self.calls(tell)
            if self.failures:
                self.failures -= 1
                raise RuntimeError("it fails once")

    owner = Owner()
    care = Care(Owner.refresh, hears_of_sessions=False)
    subscription = followed.watches.subscribe(owner, care)
    followed.watches.watch_soon(subscription, [(Kind.DATA, "/n0"), (Kind.DATA, "/n1")])
    owner.calls.wait(1)
    restored(followed, server.connection_string)
    owner.calls.wait(2)
    restored(followed, server.connection_string)
    assert len(owner.calls) == 2, "it shows all"


@pytest.mark.parametrize("op", [Op.MULTI_READ, Op.SET_WATCHES])
def test_a_connection_lost_while_all_is_read_again(followed, other, paths, server, proxy, op):
    objects = [followed.properties(path) for path in paths]
    seen: list[int] = []
    cut = Calls()

    def lose(request: Request) -> bool:
        seen.append(request.op)
        # Requests behind the reads are of the restoring.
        if request.op == op and Op.MULTI_READ in seen and not len(cut):
            set_v(other, "/n0", 1)
            proxy.cut()
            set_v(other, "/n1", 1)
            cut()
        return True

    proxy.on_request = lose
    expire(followed, server.connection_string)
    cut.wait(1)
    wait_until(all_have(objects[:2], 1), "changes are seen", 60)
    set_v(other, "/n2", 1)
    wait_until(all_have(objects[:3], 1), "later ones too", 60)


def test_a_session_that_ends_while_it_is_restored(followed, other, paths, server, monkeypatch):
    objects = [followed.properties(path) for path in paths]
    told = Calls()
    objects[3].callbacks.append(told)

    def end() -> None:
        set_v(other, "/n0", 1)
        thief = zookeeper.init(server.connection_string, None, 10_000, followed.client_id())
        wait_until(lambda: zookeeper.state(thief) == zookeeper.CONNECTED_STATE, "taken over", 30)
        zookeeper.close(thief)
        set_v(other, "/n1", 1)

    once = Once(monkeypatch, end)
    expire(followed, server.connection_string)
    wait_until(lambda: once.happened, "it is restored, and ends", 60)
    wait_until(all_have(objects[:2], 1), "changes are seen", 60)
    told.wait(1)
    set_v(other, "/n2", 1)
    wait_until(all_have(objects[:3], 1), "later ones too", 60)


def test_objects_dropped_and_collected_while_all_is_read_again(
    followed, other, paths, server, monkeypatch
):
    objects = [followed.properties(path) for path in paths]
    told = Calls()
    objects[0].callbacks.append(told)

    def drop() -> None:
        other.delete(paths[-1])
        del objects[NODES // 2 :]
        gc.collect()

    once = Once(monkeypatch, drop)
    restored(followed, server.connection_string)
    assert once.happened
    told.wait(1)
    set_v(other, "/n1", 1)
    wait_until(all_have(objects[1:2], 1), "changes are seen")
    wait_until(lambda: len(followed.watches) == NODES // 2, "the others are forgotten")


def test_a_node_deleted_while_all_is_read_again(followed, other, paths, server, monkeypatch):
    objects = [followed.properties(path) for path in paths]

    def delete() -> None:
        other.delete("/n0")
        other.delete("/n1")
        other.create("/n1", '{"v": 1}')

    once = Once(monkeypatch, delete, before=True)
    restored(followed, server.connection_string)
    assert once.happened
    wait_until(lambda: objects[0].deleted, "the deletion is seen")
    wait_until(all_have(objects[1:2], 1), "the new node is seen")


def test_a_callback_that_raises_keeps_no_other_from_hearing(followed, paths, server):
    objects = [followed.properties(path) for path in paths]
    told = Calls()

    def fail(_: object) -> None:
        raise RuntimeError("a mistake")

    objects[0].callbacks.append(fail)
    for live in objects[1:]:
        live.callbacks.append(told)
    restored(followed, server.connection_string)
    told.wait(NODES - 1)
    wait_until(lambda: objects[0].failed_calls == 1, "the failure is counted")
