"""Closing a handle: at any time, from any thread, with any call under way."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from tests.binding import subprocesses
from tests.calls import Calls, InThreads
from tests.deadlines import end_alarms, scaled, wait_until
from tests.sessions import OPEN
from tests.tcpproxy import TO_CLIENT

pytestmark = pytest.mark.not_emulated("it has no network")


def test_200_rounds_of_closing_under_six_busy_threads(zookeeper, connection_string, root):
    """Calls race the close: each returns or raises, and nothing crashes.

    Every completion is called exactly once.
    """
    outcomes = subprocesses.run("close_race", connection_string + root, "200", seconds=180)
    for kind in ("synchronous", "asynchronous", "bulk"):
        ends = {name: count for name, count in outcomes[kind].items() if name != "returned"}
        assert sum(ends.values()) == 400, outcomes
        assert outcomes[kind]["returned"] > 0, outcomes
    # Some calls were under way at the close, or nothing has been tried.
    assert outcomes["completions"]["zookeeper is closing"] > 0, outcomes
    assert outcomes["completions"]["ok"] > 0, outcomes


def test_calls_at_the_end_of_the_interpreter_say_so(zookeeper, connect, monkeypatch):
    handle = connect()
    zookeeper.close(handle)
    ended = threading.Thread()
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    with pytest.raises(zookeeper.InvalidStateException, match="closed, as the interpreter ends"):
        zookeeper.get(handle, "/")


def test_threads_with_the_smallest_stacks_work_and_close(zookeeper, connection_string, root):
    assert subprocesses.run("small_stacks", connection_string + root) == [0, 1, 2, 3]


def test_closing_twice_raises_and_harms_nothing(zookeeper, connect):
    handle = connect()
    assert zookeeper.close(handle) == zookeeper.OK
    with pytest.raises(zookeeper.InvalidStateException, match=rf"handle {handle} "):
        zookeeper.close(handle)
    again = connect()
    assert zookeeper.get_children(again, "/") == []


def test_closing_ends_the_session_at_once(zookeeper, connect, handle):
    other = connect(recv_timeout=int(scaled(60_000)))
    zookeeper.create(other, "/e", "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.close(other)
    assert zookeeper.exists(handle, "/e") is None


def test_closing_with_answers_under_way_ends_the_session_at_once(zookeeper, connect, handle):
    """Megabytes are on their way that nobody will read.

    The server must get the request to close the session anyway.
    """
    zookeeper.create(handle, "/big", bytes(500_000), OPEN)
    for number in range(10):
        other = connect(recv_timeout=int(scaled(60_000)))
        path = f"/e{number}"
        zookeeper.create(other, path, "", OPEN, zookeeper.EPHEMERAL)
        for _ in range(50):
            zookeeper.aget(other, "/big")
        zookeeper.close(other)
        assert zookeeper.exists(handle, path) is None


def test_signals_do_not_keep_a_session_from_being_ended(zookeeper, connect, handle):
    """A signal each millisecond, as a profiler sends it, interrupts each wait."""
    zookeeper.create(handle, "/big", bytes(500_000), OPEN)
    came = []
    signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    try:
        for number in range(20):
            other = connect(recv_timeout=int(scaled(60_000)))
            path = f"/e{number}"
            zookeeper.create(other, path, "", OPEN, zookeeper.EPHEMERAL)
            for _ in range(50):
                zookeeper.aget(other, "/big")
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            zookeeper.close(other)
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert zookeeper.exists(handle, path) is None
    finally:
        end_alarms()
    assert came


def test_many_are_closed_side_by_side_although_their_server_is_silent(
    zookeeper, connect, proxy, root
):
    """Each close alone takes two seconds; a hundred of them would be a hang."""
    handles = [connect(hosts=proxy.connection_string + root) for _ in range(100)]
    proxy.stall()
    closer = threading.Thread(target=zookeeper.close_many, args=([*handles, handles[0]],))
    closer.start()
    closer.join(scaled(10))
    assert not closer.is_alive()
    for handle in handles:
        with pytest.raises(zookeeper.InvalidStateException):
            zookeeper.state(handle)
    assert zookeeper.close_many(handles) == zookeeper.OK
    with pytest.raises(TypeError):
        zookeeper.close_many(["1"])


def test_a_bulk_read_that_races_close_looks_at_no_freed_handle(zookeeper, connect):
    """A read that begins when the handle has just been closed says so."""
    for _ in range(50):
        handle = connect()
        go = threading.Barrier(3)
        ends: list[object] = []

        def read(handle=handle, go=go, ends=ends):
            go.wait()
            try:
                while True:
                    zookeeper.get_many(handle, ["/"])
            except zookeeper.ZooKeeperException as end:
                ends.append(type(end))

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        go.wait()
        zookeeper.close(handle)
        for reader in readers:
            reader.join(scaled(20))
        assert set(ends) <= {zookeeper.ClosingException, zookeeper.InvalidStateException}
        assert len(ends) == 2


def test_a_handle_that_never_connected_can_be_closed(zookeeper, connect):
    assert zookeeper.close(connect(hosts="127.0.0.1:1", wait=False)) == zookeeper.OK


@pytest.mark.parametrize("from_a_watcher", [False, True])
def test_a_callback_may_close_its_own_handle(zookeeper, connect, from_a_watcher):
    closed = []

    def close(handle, *_):
        closed.append(zookeeper.close(handle))

    handle, other = connect(), connect()
    thread = zookeeper.event_thread(handle)
    zookeeper.create(other, "/a", "", OPEN)
    if from_a_watcher:
        zookeeper.get(handle, "/a", close)
        zookeeper.set(other, "/a", "x")
    else:
        zookeeper.aget(handle, "/a", None, close)
    wait_until(lambda: closed, "the callback closes the handle")
    assert closed == [zookeeper.OK]
    with pytest.raises(zookeeper.InvalidStateException):
        zookeeper.get(handle, "/a")
    if thread is not None:
        thread.join(scaled(10))
        assert not thread.is_alive()


def test_the_session_watcher_may_close_its_handle(zookeeper, connect):
    closed = []

    def close(handle, kind, state, path):
        if state == zookeeper.CONNECTED_STATE:
            closed.append(zookeeper.close(handle))

    connect(close, wait=False)
    wait_until(lambda: closed, "the watcher closes the handle")
    assert closed == [zookeeper.OK]


def test_a_callback_may_close_another_handle_with_calls_under_way(zookeeper, connect, proxy, root):
    """The completions of the other handle are called on the other's thread."""
    other = connect(hosts=proxy.connection_string + root)
    proxy.stall(TO_CLIENT)
    abandoned = Calls()
    for _ in range(100):
        zookeeper.aget(other, "/", None, abandoned)
    handle = connect()
    closed = Calls(lambda *_: zookeeper.close(other))
    zookeeper.aget(handle, "/", None, closed)
    closed.wait_one()
    assert abandoned.wait(100) == [(other, zookeeper.CLOSING, None, None)] * 100


def test_completions_under_way_are_called_with_closing(zookeeper, connect, proxy, root):
    handle = connect(hosts=proxy.connection_string + root)
    proxy.stall(TO_CLIENT)
    one, two, three, four = Calls(), Calls(), Calls(), Calls()
    zookeeper.acreate(handle, "/a", "", OPEN, 0, one)
    zookeeper.aset(handle, "/", "", -1, two)
    zookeeper.adelete(handle, "/b", -1, three)
    zookeeper.amulti(handle, [("check", "/")], four)
    zookeeper.close(handle)
    assert one.wait_one() == (handle, zookeeper.CLOSING, None)
    assert two.wait_one() == (handle, zookeeper.CLOSING, None)
    assert three.wait_one() == (handle, zookeeper.CLOSING)
    assert four.wait_one() == (handle, zookeeper.CLOSING, None)


@pytest.mark.parametrize(
    "call", ["get", "create", "multi", "get_many", "read_tree", "watch_many", "write_many"]
)
def test_a_call_that_waits_raises_closing(zookeeper, connect, proxy, root, call):
    """A bulk write has results that say so instead."""
    handle = connect(hosts=proxy.connection_string + root)
    operations = [("create", f"/{number}", "", OPEN) for number in range(20)]
    calls = {
        "get": lambda: zookeeper.get(handle, "/"),
        "create": lambda: zookeeper.create(handle, "/a", "", OPEN),
        "multi": lambda: zookeeper.multi(handle, operations),
        "get_many": lambda: zookeeper.get_many(handle, ["/"] * 5000),
        "read_tree": lambda: zookeeper.read_tree(handle, "/"),
        "watch_many": lambda: zookeeper.watch_many(handle, data=["/"], watcher=print),
        "write_many": lambda: zookeeper.write_many(handle, operations, batch=1),
    }
    raised = []
    proxy.stall(TO_CLIENT)
    sent = sum(proxy.requests.values())

    def wait():
        try:
            raised.extend(calls[call]())
        except zookeeper.ZooKeeperException as problem:
            raised.append(problem)

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_until(lambda: sum(proxy.requests.values()) > sent, "the request is sent")
    zookeeper.close(handle)
    waiting.join(scaled(20))
    assert not waiting.is_alive()
    assert type(raised[0]) is zookeeper.ClosingException
    allowed = {zookeeper.ClosingException, zookeeper.NothingException}
    assert {type(problem) for problem in raised} <= allowed


def test_closing_does_not_wait_for_a_server_that_does_not_answer(zookeeper, connect, proxy, root):
    handle = connect(hosts=proxy.connection_string + root)
    proxy.stall()
    closer = threading.Thread(target=zookeeper.close, args=(handle,))
    closer.start()
    closer.join(scaled(20))
    assert not closer.is_alive()


def test_a_callback_that_blocks_does_not_keep_close_from_returning(zookeeper, connect):
    entered, leave = threading.Event(), threading.Event()

    def block(*_):
        entered.set()
        leave.wait(60)

    handle = connect()
    zookeeper.aget(handle, "/", None, block)
    assert entered.wait(scaled(10))
    try:
        closer = threading.Thread(target=zookeeper.close, args=(handle,))
        closer.start()
        closer.join(scaled(20))
        assert not closer.is_alive()
    finally:
        leave.set()


def test_many_threads_closing_one_handle_close_it_once(zookeeper, connect):
    for _ in range(20):
        handle = connect()
        outcomes: list[Any] = []
        barrier = threading.Barrier(5)

        def close(handle=handle, outcomes=outcomes, barrier=barrier):
            barrier.wait()
            try:
                outcomes.append(zookeeper.close(handle))
            except zookeeper.InvalidStateException as problem:
                outcomes.append(type(problem))

        threads = [threading.Thread(target=close) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(zookeeper.OK) == 1
        assert outcomes.count(zookeeper.InvalidStateException) == 4


@pytest.mark.parametrize(("options", "code"), [({}, "CLOSING"), ({"lost": True}, "CONNECTIONLOSS")])
def test_a_call_under_way_tells_a_closed_session_from_a_lost_one(
    zookeeper, connect, proxy, root, options, code
):
    """The calls are synchronous, asynchronous and in bulk."""
    handle = connect(hosts=proxy.connection_string + root, recv_timeout=int(scaled(60_000)))
    calls = [
        lambda: zookeeper.get(handle, "/"),
        lambda: zookeeper.get_many(handle, ["/"] * 10),
        lambda: zookeeper.read_tree(handle, "/"),
        lambda: zookeeper.multi(handle, [("check", "/", 0)]),
    ]
    zookeeper.get_many(handle, ["/"])  # the first one would go out alone
    proxy.stall(TO_CLIENT)
    sent = sum(proxy.requests.values())
    threads = InThreads(calls)
    completion = Calls()
    zookeeper.aget(handle, "/", None, completion)
    wait_until(lambda: sum(proxy.requests.values()) >= sent + 5, "the requests are sent")
    zookeeper.close(handle, **options)
    threads.join()
    expected = getattr(zookeeper, code)
    assert completion.wait_one() == (handle, expected, None, None)
    assert [fault.code for fault in threads.raised] == [expected] * len(calls)
