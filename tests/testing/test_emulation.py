"""The emulation beside the binding's contract: faults, own time, own order."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest

import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from zc.zk.testing import Emulation
from zc.zk.testing.engine import digest

HOSTS = "zookeeper.example.com:2181"
OPEN = [{"perms": 31, "scheme": "world", "id": "anyone"}]


@pytest.fixture
def emulation() -> Emulation:
    emulation = Emulation(HOSTS, superuser=digest("super:secret"))
    emulation.stop_clock()
    return emulation


@pytest.fixture
def z(emulation: Emulation) -> Any:
    """Return the emulated functions, by the binding's names."""
    return SimpleNamespace(**emulation.functions)


def session_events(states: Calls) -> list[int]:
    return [state for _, kind, state, _ in states.all() if kind == zookeeper.SESSION_EVENT]


def test_handles_are_numbered_from_0_and_their_numbers_used_again(z: Any) -> None:
    assert [z.init(HOSTS), z.init(HOSTS), z.init(HOSTS)] == [0, 1, 2]
    z.close(1)
    assert [z.init(HOSTS), z.init(HOSTS)] == [1, 3]


def test_events_come_before_the_call_that_causes_them_returns(z: Any) -> None:
    watching, changing = z.init(HOSTS), z.init(HOSTS)
    events = Calls()
    z.exists(watching, "/a", events)
    z.get_children(watching, "/", events)
    z.create(changing, "/a", "", OPEN)
    kinds = [(kind, path) for _, kind, _, path in events.all()]
    assert kinds == [(zookeeper.CREATED_EVENT, "/a"), (zookeeper.CHILD_EVENT, "/")]
    z.get(watching, "/a", events)
    z.multi(changing, [("set", "/a", "x"), ("delete", "/a")])
    assert events.all()[2] == (
        watching,
        zookeeper.CHANGED_EVENT,
        zookeeper.CONNECTED_STATE,
        "/a",
    )
    assert {thread.name for thread in events.threads} == {threading.current_thread().name}


def test_completions_come_before_the_asynchronous_call_returns(z: Any) -> None:
    handle = z.init(HOSTS)
    completion = Calls()
    z.acreate(handle, "/a", "", OPEN, 0, completion)
    z.aget(handle, "/nowhere", None, completion)
    assert completion.all() == [
        (handle, zookeeper.OK, "/a"),
        (handle, zookeeper.NONODE, None, None),
    ]


def test_a_disconnected_session_refuses_calls_and_tells_its_watchers(
    emulation: Emulation, z: Any
) -> None:
    states, watcher, completion = Calls(), Calls(), Calls()
    handle = z.init(HOSTS, states)
    z.get(handle, "/", watcher)
    emulation.sessions[handle].disconnect()
    emulation.sessions[handle].disconnect()
    assert z.state(handle) == zookeeper.CONNECTING_STATE
    with pytest.raises(zookeeper.ConnectionLossException, match="/a"):
        z.create(handle, "/a", "", OPEN)
    z.aget(handle, "/", None, completion)
    assert completion.wait_one() == (handle, zookeeper.CONNECTIONLOSS, None, None)
    emulation.sessions[handle].connect()
    assert z.exists(handle, "/a") is None
    expected = [
        zookeeper.CONNECTED_STATE,
        zookeeper.CONNECTING_STATE,
        zookeeper.CONNECTED_STATE,
    ]
    assert session_events(states) == expected
    assert session_events(watcher) == expected[1:]


def test_events_meanwhile_are_told_after_the_reconnection(emulation: Emulation, z: Any) -> None:
    handle, other = z.init(HOSTS), z.init(HOSTS)
    for path in ("/changed", "/deleted", "/same", "/parent"):
        z.create(other, path, "", OPEN)
    events = Calls()
    for path in ("/changed", "/deleted", "/same"):
        z.get(handle, path, events)
    z.get_children(handle, "/parent", events)
    z.exists(handle, "/created", events)
    z.exists(handle, "/missing", events)
    emulation.sessions[handle].disconnect()
    z.set(other, "/changed", "x")
    z.delete(other, "/deleted")
    z.create(other, "/created", "", OPEN)
    z.create(other, "/parent/child", "", OPEN)
    emulation.sessions[handle].connect()
    told = {(kind, path) for _, kind, _, path in events.all() if kind != zookeeper.SESSION_EVENT}
    assert told == {
        (zookeeper.CHANGED_EVENT, "/changed"),
        (zookeeper.DELETED_EVENT, "/deleted"),
        (zookeeper.CREATED_EVENT, "/created"),
        (zookeeper.CHILD_EVENT, "/parent"),
    }
    z.set(other, "/same", "x")
    assert events.all()[-1][1:] == (zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, "/same")


def test_an_expired_session_takes_its_ephemeral_nodes_with_it(emulation: Emulation, z: Any) -> None:
    states, gone = Calls(), Calls()
    handle, other = z.init(HOSTS, states), z.init(HOSTS)
    z.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    z.exists(other, "/e", gone)
    emulation.sessions[handle].expire()
    assert gone.wait_one()[1] == zookeeper.DELETED_EVENT
    assert z.is_unrecoverable(handle)
    assert session_events(states) == [
        zookeeper.CONNECTED_STATE,
        zookeeper.CONNECTING_STATE,
        zookeeper.EXPIRED_SESSION_STATE,
    ]
    with pytest.raises(zookeeper.InvalidStateException):
        z.get(handle, "/")
    emulation.sessions[handle].connect()
    assert z.state(handle) == zookeeper.EXPIRED_SESSION_STATE
    z.close(handle)


def test_a_disconnected_session_expires_when_its_time_is_over(emulation: Emulation, z: Any) -> None:
    handle, other = z.init(HOSTS, None, 5000), z.init(HOSTS, None, 5000)
    z.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    emulation.sessions[handle].disconnect()
    emulation.advance(4.9)
    assert z.exists(other, "/e")
    emulation.advance(0.2)
    assert z.exists(other, "/e") is None
    # The handle has no connection on which it could be told.
    assert z.state(handle) == zookeeper.CONNECTING_STATE
    emulation.sessions[handle].connect()
    assert z.state(handle) == zookeeper.EXPIRED_SESSION_STATE


def test_another_handle_can_take_a_session_over(emulation: Emulation, z: Any) -> None:
    handle = z.init(HOSTS)
    z.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    id = z.client_id(handle)
    emulation.sessions[handle].disconnect()
    heir = z.init(HOSTS, None, 10_000, id)
    assert z.client_id(heir) == id
    assert z.exists(heir, "/e")["ephemeralOwner"] == id[0]
    impostor = z.init(HOSTS, None, 10_000, (id[0], "x" * 16))
    assert z.state(impostor) == zookeeper.EXPIRED_SESSION_STATE


def test_a_handle_loses_a_session_that_was_taken_over_with_the_new_one(z: Any) -> None:
    states = Calls()
    handle = z.init(HOSTS, states)
    heir = z.init(HOSTS, None, 10_000, z.client_id(handle))
    assert z.state(handle) == zookeeper.CONNECTING_STATE
    with pytest.raises(zookeeper.ConnectionLossException):
        z.get(handle, "/")
    z.close(heir)
    assert session_events(states) == [
        zookeeper.CONNECTED_STATE,
        zookeeper.CONNECTING_STATE,
        zookeeper.EXPIRED_SESSION_STATE,
    ]


def test_short_lived_nodes_go_as_the_clock_is_put_forward(emulation: Emulation, z: Any) -> None:
    handle, watcher = z.init(HOSTS), Calls()
    z.create(handle, "/t", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, ttl=5000)
    z.create(handle, "/t/child", "", OPEN)
    z.create(handle, "/c", "", OPEN, zookeeper.CONTAINER)
    emulation.advance(3600)
    assert z.get_children(handle, "/") == ["zookeeper", "t", "c"]
    z.create(handle, "/c/child", "", OPEN)
    z.delete(handle, "/c/child")
    z.delete(handle, "/t/child")
    z.get_children(handle, "/", watcher)
    emulation.advance(6)
    assert z.get_children(handle, "/") == ["zookeeper"]
    assert watcher.wait_one()[1] == zookeeper.CHILD_EVENT


def test_credentials_are_proved_again_after_a_reconnection(emulation: Emulation, z: Any) -> None:
    handle, completion = z.init(HOSTS), Calls()
    z.add_auth(handle, "digest", "bob:secret", completion)
    assert completion.wait_one() == (handle, zookeeper.OK)
    z.create(handle, "/a", "hidden", [{"perms": 31, "scheme": "auth", "id": ""}])
    with pytest.raises(zookeeper.NoAuthException):
        z.get(z.init(HOSTS), "/a")
    emulation.sessions[handle].disconnect()
    emulation.sessions[handle].connect()
    assert z.get(handle, "/a")[0] == "hidden"


def test_a_credential_that_proves_nothing_ends_the_use_of_the_handle(z: Any) -> None:
    states, completion = Calls(), Calls()
    handle = z.init(HOSTS, states)
    z.add_auth(handle, "nonsense", "x", completion)
    assert completion.wait_one() == (handle, zookeeper.AUTHFAILED)
    assert session_events(states) == [
        zookeeper.CONNECTED_STATE,
        zookeeper.AUTH_FAILED_STATE,
    ]
    with pytest.raises(zookeeper.InvalidStateException):
        z.get(handle, "/")


@pytest.mark.parametrize("mode", ["PERSISTENT", "PERSISTENT_RECURSIVE"])
@pytest.mark.parametrize("removed", ["before", "meanwhile"])
def test_watches_that_were_removed_are_not_set_again(
    emulation: Emulation, z: Any, mode: str, removed: str
) -> None:
    handle, watcher, staying = z.init(HOSTS), Calls(), Calls()

    def remove(local: bool) -> None:
        for kind in (zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN):
            z.remove_watches(handle, "/", kind, watcher, local)
        kind = getattr(zookeeper, f"WATCH_{mode}")
        z.remove_watches(handle, "/", kind, staying, local)

    z.get(handle, "/", watcher)
    z.add_watch(handle, "/", getattr(zookeeper, mode), staying)
    z.get_children(handle, "/", watcher)
    if removed == "before":
        remove(local=False)
    emulation.sessions[handle].disconnect()
    if removed == "meanwhile":
        remove(local=True)
    emulation.sessions[handle].connect()
    assert not emulation._server.engine.is_watched("/", zookeeper.WATCH_ANY)


def test_one_kind_of_watch_that_was_removed_is_not_set_again(emulation: Emulation, z: Any) -> None:
    handle, watcher = z.init(HOSTS), Calls()
    z.add_watch(handle, "/", zookeeper.PERSISTENT_RECURSIVE, watcher)
    z.get_children(handle, "/", watcher)
    z.remove_watches(handle, "/", zookeeper.WATCH_CHILDREN, watcher)
    emulation.sessions[handle].disconnect()
    emulation.sessions[handle].connect()
    assert emulation._server.engine.is_watched("/", zookeeper.WATCH_DATA)
    z.remove_watches(handle, "/", zookeeper.WATCH_PERSISTENT_RECURSIVE, watcher)
    assert not emulation._server.engine.is_watched("/", zookeeper.WATCH_ANY)


def test_a_waiting_client_connects_when_it_is_allowed_to(emulation: Emulation, z: Any) -> None:
    states = Calls()
    handle = z.init("elsewhere.example.com:2181,there.example.com:2181/root", states)
    assert z.state(handle) == zookeeper.CONNECTING_STATE
    with pytest.raises(zookeeper.ConnectionLossException):
        z.get(handle, "/")
    emulation._allow_connection("there.example.com:2181")
    assert session_events(states) == [zookeeper.CONNECTED_STATE]
    with pytest.raises(zookeeper.NoNodeException):
        z.get(handle, "/")


def test_a_watcher_may_change_what_others_watch(z: Any) -> None:
    """Watchers nest: each is done before the call that fires it returns."""
    handle = z.init(HOSTS)
    order: list[str] = []

    def watcher_of(number: int) -> Any:
        def watcher(*_: Any) -> None:
            order.append(f"begin {number}")
            if number < 3:
                z.create(handle, f"/{number + 1}", "", OPEN)
            order.append(f"end {number}")

        return watcher

    for number in range(4):
        z.exists(handle, f"/{number}", watcher_of(number))
    z.create(handle, "/0", "", OPEN)
    assert order == [f"begin {n}" for n in range(4)] + [f"end {n}" for n in reversed(range(4))]


def test_a_long_chain_of_watchers_does_not_overflow_the_stack(z: Any) -> None:
    handle, length = z.init(HOSTS), 3000

    def watcher(handle: int, kind: int, state: int, path: str) -> None:
        following = int(path[1:]) + 1
        if following < length:
            z.create(handle, f"/{following}", "", OPEN)

    for number in range(length):
        z.exists(handle, f"/{number}", watcher)
    z.create(handle, "/0", "", OPEN)
    # On a slow machine the first call leaves a part to the next ones.
    wait_until(lambda: z.exists(handle, f"/{length - 1}"), "the last node is there")


def test_a_completion_that_always_asks_for_more_lets_its_caller_go(z: Any) -> None:
    handle, completion = z.init(HOSTS), Calls()

    def ask(*_: Any) -> None:
        z.async_(handle, "/", completion)

    completion._then = ask
    ask()
    assert len(completion) > 1


def test_an_event_does_not_use_up_a_watch_that_is_younger(z: Any) -> None:
    """The second watcher is set while the first one's event waits for its turn."""
    handle, other = z.init(HOSTS), z.init(HOSTS)
    z.create(handle, "/a", "", OPEN)
    second = Calls()

    def set_another(*_: Any) -> None:
        z.get(handle, "/a", second)

    z.get_children(handle, "/", set_another)
    z.get(handle, "/a", Calls())
    z.multi(other, [("create", "/b", "", OPEN), ("set", "/a", "x")])
    assert second.all() == []
    z.set(other, "/a", "y")
    assert second.wait_one()[1] == zookeeper.CHANGED_EVENT


def test_a_callback_that_raises_costs_nobody_else_anything(
    z: Any, caplog: pytest.LogCaptureFixture
) -> None:
    handle, after = z.init(HOSTS), Calls()

    def raising(*_: Any) -> None:
        raise ValueError("so")

    z.get(handle, "/", raising)
    z.get(handle, "/", after)
    z.set(handle, "/", "x")
    assert after.wait_one()[1] == zookeeper.CHANGED_EVENT
    assert "so" in caplog.text


def test_nothing_is_called_after_close_not_even_what_is_due(z: Any) -> None:
    handle, after = z.init(HOSTS), Calls()
    z.get(handle, "/", lambda h, *_: z.close(h))
    z.get(handle, "/", after)
    other = z.init(HOSTS)
    z.set(other, "/", "x")
    assert after.all() == []
    with pytest.raises(zookeeper.InvalidStateException):
        z.get(handle, "/")


def test_many_threads_change_what_others_watch_and_every_change_counts(z: Any) -> None:
    counts = 200
    z.create(z.init(HOSTS), "/n", "0", OPEN)
    handles = [z.init(HOSTS) for _ in range(4)]
    seen = Calls()

    def watch(handle: int, *_: Any) -> None:
        seen(z.get(handle, "/n", watch)[0])

    def count(handle: int) -> None:
        for _ in range(counts):
            while True:
                data, stat = z.get(handle, "/n")
                try:
                    z.set(handle, "/n", str(int(data) + 1), stat["version"])
                    break
                except zookeeper.BadVersionException:
                    pass

    watch(z.init(HOSTS))
    threads = [threading.Thread(target=count, args=(handle,)) for handle in handles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(60))
    total = str(counts * len(handles))
    assert z.get(handles[0], "/n")[0] == total
    wait_until(lambda: seen.all()[-1] == (total,), "the watcher has seen the last value")
    values = [int(value) for (value,) in seen.all()]
    assert values == sorted(values)


def test_two_threads_that_wait_for_each_other_are_no_deadlock(z: Any) -> None:
    """A watcher needs a lock that another thread holds while it changes a node."""
    first, second = z.init(HOSTS), z.init(HOSTS)
    z.create(first, "/a", "", OPEN)
    lock, in_watcher = threading.Lock(), threading.Event()

    def watcher(*_: Any) -> None:
        in_watcher.set()
        with lock:
            pass

    z.get(first, "/a", watcher)
    with lock:
        changing = threading.Thread(target=z.set, args=(second, "/a", "x"))
        changing.start()
        assert in_watcher.wait(scaled(10))
        z.set(first, "/", "y")
    changing.join(scaled(10))
    assert not changing.is_alive()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_is_told_that_the_handle_is_not_its_own(z: Any) -> None:
    handle = z.init(HOSTS)
    child = os.fork()
    if child == 0:
        try:
            z.get(handle, "/")
        except zookeeper.ForkedException:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert z.get(handle, "/")


def test_the_clock_goes_by_itself_unless_it_is_stopped() -> None:
    emulation = Emulation(HOSTS)
    z: Any = SimpleNamespace(**emulation.functions)
    handle = z.init(HOSTS)
    z.create(handle, "/a", "", OPEN)

    def later_than_before() -> bool:
        z.set(handle, "/a", "")
        stat = z.exists(handle, "/a")
        return bool(stat["mtime"] > stat["ctime"])

    wait_until(later_than_before, "time passes")
    emulation.stop_clock()
    before = z.exists(handle, "/a")["mtime"]
    emulation.advance(100)
    assert z.set2(handle, "/a", "")["mtime"] - before >= 100_000


def test_closing_an_emulation_closes_all_handles(emulation: Emulation, z: Any) -> None:
    states = Calls()
    handle = z.init(HOSTS, states)
    emulation.close()
    assert session_events(states) == [zookeeper.CONNECTED_STATE]
    assert len(emulation.sessions) == 0
    with pytest.raises(zookeeper.InvalidStateException):
        z.state(handle)


def test_a_call_in_the_middle_of_a_call_of_its_thread_is_refused(
    emulation: Emulation, z: Any
) -> None:
    """A finaliser or a signal handler calls while the engine has work half done.

    Nothing may wait there.
    """
    h = z.init(HOSTS)
    clock = emulation._server.engine.clock
    problems: list[str] = []

    class Interrupting:
        def __call__(self) -> int:
            for call in (z.get, z.get_children, z.delete):
                with pytest.raises(
                    zookeeper.OperationTimeoutException, match="in the middle"
                ) as raised:
                    call(h, "/")
                assert not raised.value.may_have_happened
            with pytest.raises(zookeeper.OperationTimeoutException, match="in the middle"):
                z.close(h)
            problems.append("all are refused")
            return clock()

    emulation._server.engine.clock = Interrupting()
    z.create(h, "/a", "", OPEN)
    assert problems
    emulation._server.engine.clock = clock
    assert z.get(h, "/a")[0] == ""
