"""Threads that call read their own answers, while the I/O thread rests (core/leader.c).

Here it rests after one call that nothing else is beside, so that each test meets it.
`ZK_TEST_LEADERS=1` has all tests of the binding run so.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable

import pytest

import zookeeper._client
from tests.binding.test_sessions import expire
from tests.calls import Calls, InThreads
from tests.deadlines import LONG_SESSION, end_alarms, scaled, wait_until
from tests.sessions import OPEN, wait_until_connected
from tests.tcpproxy import TO_CLIENT, TO_SERVER

pytestmark = pytest.mark.not_emulated("it has no I/O thread")

# As core/rests.c has them.
CALLS, SECONDS = 4, 0.002


@pytest.fixture(autouse=True)
def resting():
    zookeeper._client._rest_after(1, 3600)
    yield
    if "ZK_TEST_LEADERS" not in os.environ:
        zookeeper._client._rest_after(CALLS, SECONDS)


@pytest.fixture
def leads() -> Callable[[int], int]:
    return zookeeper._client._leads


@pytest.fixture
def through(connect, proxy, root):
    """Return a session through the proxy that survives a lost connection."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


def call_until(zookeeper, handle, has_happened, path="/"):
    """Read a node again and again, until something has happened."""

    def happened() -> bool:
        for _ in range(20):
            zookeeper.get(handle, path)
        return has_happened()

    wait_until(happened, "it happens while answers are read by their caller", 30)


def lead(zookeeper, handle, leads, calls=20, path="/"):
    """Have a thread read some more answers itself."""
    before = leads(handle)
    call_until(zookeeper, handle, lambda: leads(handle) >= before + calls, path)


def test_a_thread_that_calls_often_reads_its_answers(zookeeper, handle, leads, node):
    lead(zookeeper, handle, leads, 100, node)
    version = zookeeper.get(handle, node)[1]["version"]
    for number in range(100):
        assert zookeeper.set2(handle, node, str(number))["version"] == version + number + 1
        assert zookeeper.get(handle, node)[0] == str(number)
        assert zookeeper.get_children(handle, node) == []
        with pytest.raises(zookeeper.NoNodeException):
            zookeeper.get(handle, "/none")


@pytest.mark.parametrize("size", [0, 1, 30_000, 32_768, 40_000, 900_000])
def test_an_answer_of_any_size_is_whole(zookeeper, handle, leads, size):
    data = os.urandom(size)
    zookeeper.create(handle, "/large", data, OPEN)
    for _ in range(20):
        lead(zookeeper, handle, leads, 1)
        found, stat = zookeeper.get(handle, "/large")
        assert (found.encode("utf-8", "surrogateescape"), stat["dataLength"]) == (data, size)
        assert zookeeper.get(handle, "/")[0] == ""


def test_events_come_while_a_thread_reads_its_answers(zookeeper, handle, other, node, leads):
    """One-time watches and those that stay, on their own thread, in order with the answers."""
    stays = Calls()
    zookeeper.add_watch(handle, node, zookeeper.PERSISTENT, stays)
    for number in range(20):
        lead(zookeeper, handle, leads, 3)
        once = Calls()
        zookeeper.get(handle, node, once)
        zookeeper.set(other, node, str(number))
        call_until(zookeeper, handle, lambda once=once, n=number: len(once) and len(stays) > n)
        assert once.threads == [zookeeper.event_thread(handle)]
    assert len(stays.wait(20)) == 20


def test_an_event_that_nobody_calls_for_is_not_forgotten(zookeeper, handle, other, node, leads):
    for number in range(100):
        watcher = Calls()
        lead(zookeeper, handle, leads, 1)
        zookeeper.get(handle, node, watcher)
        zookeeper.set(other, node, str(number))
        watcher.wait_one()


def test_threads_completions_and_bulk_reads_all_get_their_answers(zookeeper, handle, leads):
    """Some of them find a leader, an I/O thread that rests, or one that has just been woken."""
    paths = [f"/{number}" for number in range(40)]
    for path in paths:
        zookeeper.create(handle, path, path, OPEN)
    ended = threading.Event()

    def one_by_one() -> None:
        while not ended.is_set():
            for path in paths[:10]:
                assert zookeeper.get(handle, path)[0] == path

    def later() -> None:
        while not ended.is_set():
            for path in paths[10:20]:
                completion = Calls()
                zookeeper.aget(handle, path, None, completion)
                assert completion.wait_one()[2] == path

    def together() -> None:
        while not ended.is_set():
            assert [data for data, _ in zookeeper.get_many(handle, paths[20:])] == paths[20:]
            zookeeper.multi(handle, [("check", "/0", -1)])

    before = leads(handle)
    for others in ([one_by_one, one_by_one], [later], [together], [one_by_one, later, together]):
        ended.clear()
        threads = InThreads(others)
        call_until(zookeeper, handle, lambda: True, "/1")
        for _ in range(300):
            assert zookeeper.get(handle, "/1")[0] == "/1"
        ended.set()
        threads.join()
        assert threads.raised == []
        lead(zookeeper, handle, leads, 5)
    assert leads(handle) > before


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_that_is_cut_ends_the_call_and_comes_back(
    zookeeper, through, proxy, leads, reset
):
    session = zookeeper.client_id(through)
    lost = 0
    for number in range(10):
        lead(zookeeper, through, leads, 3)
        connections = proxy.connections
        cutter = threading.Timer(0.001 * number, proxy.cut, [reset])
        cutter.start()
        try:
            # A cut between two calls is noticed by none of them.
            call_until(zookeeper, through, lambda cutter=cutter: not cutter.is_alive())
        except zookeeper.ConnectionLossException:
            lost += 1
        cutter.join()
        wait_until(lambda count=connections: proxy.connections > count, "it connects again", 30)
        wait_until_connected(zookeeper, through)
    assert lost
    assert zookeeper.client_id(through) == session


@pytest.mark.parametrize("passed", range(0, 120, 7))
def test_an_answer_that_is_cut_at_any_byte_is_a_lost_connection(
    zookeeper, through, proxy, leads, passed
):
    lead(zookeeper, through, leads, 3)
    proxy.cut_after(passed, TO_CLIENT)
    with pytest.raises(zookeeper.ConnectionLossException):
        call_until(zookeeper, through, lambda: False)
    wait_until_connected(zookeeper, through)
    lead(zookeeper, through, leads, 3)


@pytest.mark.parametrize("direction", [TO_CLIENT, TO_SERVER])
def test_a_deadline_ends_the_wait_where_the_server_has_become_silent(
    zookeeper, through, proxy, leads, direction
):
    for timeout in (0, 0.0005, 0.002, 0.05):
        lead(zookeeper, through, leads, 3)
        proxy.stall(direction)
        with pytest.raises(zookeeper.OperationTimeoutException):
            zookeeper.get(through, "/", timeout=timeout)
        proxy.resume()
        assert zookeeper.get(through, "/")[0] == ""


def test_a_signal_ends_the_wait_and_the_next_call_has_its_answer(zookeeper, through, proxy, leads):
    class Alarm(BaseException):
        pass

    def alarm(*_: object) -> None:
        raise Alarm

    def get_until_alarm(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        zookeeper.get(through, "/none", timeout=scaled(10))

    signal.signal(signal.SIGALRM, alarm)
    try:
        for number in range(20):
            lead(zookeeper, through, leads, 3)
            proxy.stall(TO_CLIENT)
            with pytest.raises(Alarm):
                get_until_alarm(0.0002 * (number + 1))
            proxy.resume()
            assert zookeeper.get(through, "/")[0] == ""
    finally:
        end_alarms()


def test_signals_all_the_time_cost_no_answer(zookeeper, handle, leads):
    came = []
    signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        lead(zookeeper, handle, leads, 50)
        for _ in range(500):
            assert zookeeper.get(handle, "/")[0] == ""
    finally:
        end_alarms()
    assert came


def test_closing_ends_calls_that_read_their_answers(zookeeper, connect, leads):
    for number in range(30):
        handle = connect()
        lead(zookeeper, handle, leads, 3)
        closer = threading.Timer(0.0003 * number, zookeeper.close, [handle])
        closer.start()
        with pytest.raises((zookeeper.ClosingException, zookeeper.InvalidStateException)):
            call_until(zookeeper, handle, lambda: False)
        closer.join()


def test_a_handle_is_closed_though_its_server_is_silent_and_a_thread_reads(
    zookeeper, connect, proxy, root, leads
):
    handle = connect(hosts=proxy.connection_string + root)
    lead(zookeeper, handle, leads, 3)
    proxy.stall(TO_CLIENT)
    calling = InThreads([lambda: zookeeper.get(handle, "/", timeout=scaled(20))])
    zookeeper.close(handle)
    calling.join()
    assert calling.raised[0] in {zookeeper.ClosingException, zookeeper.InvalidStateException}


def test_a_session_that_expires_ends_calls_that_read_their_answers(
    zookeeper, connect, proxy, root, leads
):
    handle = connect(hosts=proxy.connection_string + root)
    lead(zookeeper, handle, leads, 3)
    expire(zookeeper, connect, proxy, handle)

    def is_over() -> bool:
        with contextlib.suppress(zookeeper.ConnectionLossException):
            for _ in range(20):
                zookeeper.get(handle, "/")
        return False

    with pytest.raises(zookeeper.SessionExpiredException):
        wait_until(is_over, "the session has ended", 30)


def test_a_child_is_refused_and_the_parent_goes_on(zookeeper, handle, leads):
    """The child is forked by another thread, while this one reads."""
    children = []

    def fork() -> None:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                try:
                    zookeeper.get(handle, "/")
                except zookeeper.ForkedException:
                    os._exit(0)
                finally:
                    os._exit(1)
            children.append(os.waitpid(child, 0)[1])

    forking = InThreads([fork])
    call_until(zookeeper, handle, lambda: len(children) == 20)
    forking.join()
    assert children == [0] * 20
    lead(zookeeper, handle, leads, 3)
