"""Calls that wait: each has a deadline, and Ctrl-C ends the wait at once."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.calls import Calls
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.sessions import OPEN, wait_until_delivered
from tests.tcpproxy import TO_CLIENT

pytestmark = pytest.mark.not_emulated("it has no network")

CALLS = [
    "get",
    "get with a watch",
    "exists",
    "get_children",
    "get_acl",
    "create",
    "create2",
    "set",
    "delete",
    "set_acl",
    "sync",
    "get_config",
    "multi",
    "get_many",
    "get_acl_many",
    "get_children_many",
    "read_tree",
    "write_many",
    "watch_many",
    "remove_watches",
]


@pytest.fixture(params=CALLS)
def call(zookeeper, request):
    """Return a call that waits, as a function of the handle and of `timeout=`."""
    z = zookeeper
    return {
        "get": lambda h, **t: z.get(h, "/", **t),
        "get with a watch": lambda h, **t: z.get(h, "/", print, **t),
        "exists": lambda h, **t: z.exists(h, "/", **t),
        "get_children": lambda h, **t: z.get_children(h, "/", **t),
        "get_acl": lambda h, **t: z.get_acl(h, "/", **t),
        "create": lambda h, **t: z.create(h, "/a", "", OPEN, **t),
        "create2": lambda h, **t: z.create2(h, "/a", "", OPEN, **t),
        "set": lambda h, **t: z.set(h, "/", "", **t),
        "delete": lambda h, **t: z.delete(h, "/a", **t),
        "set_acl": lambda h, **t: z.set_acl(h, "/", -1, OPEN, **t),
        "sync": lambda h, **t: z.sync(h, "/", **t),
        "get_config": lambda h, **t: z.get_config(h, **t),
        "multi": lambda h, **t: z.multi(h, [("set", "/", "")], **t),
        "get_many": lambda h, **t: z.get_many(h, ["/"] * 3000, **t),
        "get_acl_many": lambda h, **t: z.get_acl_many(h, ["/"] * 3000, **t),
        "get_children_many": lambda h, **t: z.get_children_many(h, ["/"], **t),
        "read_tree": lambda h, **t: z.read_tree(h, "/", **t),
        "write_many": lambda h, **t: z.write_many(h, [("set", "/", "")] * 3000, **t),
        "watch_many": lambda h, **t: z.watch_many(h, ["/"], watcher=print, **t),
        "remove_watches": lambda h, **t: z.remove_watches(h, "/", **t),
    }[request.param]


@pytest.fixture
def stalled(zookeeper, connect, proxy, root):
    """Return a session whose server has stopped answering."""
    handle = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    zookeeper.get(handle, "/", Calls())
    proxy.stall(TO_CLIENT)
    return handle


def test_a_timeout_in_seconds_ends_the_wait(zookeeper, proxy, stalled, call):
    with pytest.raises(zookeeper.OperationTimeoutException) as raised:
        call(stalled, timeout=0.05)
    assert raised.value.code == zookeeper.OPERATIONTIMEOUT
    assert raised.value.may_have_happened
    assert "operation timeout" in str(raised.value)
    # The late answer finds no caller, and the session goes on.
    proxy.resume()
    assert zookeeper.get(stalled, "/")[0] == ""
    assert zookeeper.state(stalled) == zookeeper.CONNECTED_STATE


def test_no_time_at_all_is_a_timeout_too(zookeeper, stalled, call):
    with pytest.raises(zookeeper.OperationTimeoutException):
        call(stalled, timeout=0)


def test_ctrl_c_ends_the_wait_at_once(zookeeper, proxy, stalled, call):
    requests = sum(proxy.requests.values())

    def interrupt():
        wait_until(lambda: sum(proxy.requests.values()) > requests, "the request is sent")
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    # Without the interrupt this would take the session timeout, a minute.
    with pytest.raises(KeyboardInterrupt):
        call(stalled)
    interrupter.join()
    proxy.resume()
    assert zookeeper.get(stalled, "/")[0] == ""


def test_a_signal_handler_that_returns_does_not_end_the_wait(zookeeper, proxy, stalled):
    handled = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: handled.append(True))
    requests = sum(proxy.requests.values())

    def signal_then_resume():
        wait_until(lambda: sum(proxy.requests.values()) > requests, "the request is sent")
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: handled, "the signal is handled")
        proxy.resume()

    helper = threading.Thread(target=signal_then_resume)
    helper.start()
    try:
        assert zookeeper.get(stalled, "/")[0] == ""
    finally:
        helper.join()
        signal.signal(signal.SIGUSR1, previous)
    assert handled == [True]


def test_without_a_timeout_the_session_timeout_ends_the_wait(zookeeper, connect, proxy, root, call):
    handle = connect(hosts=proxy.connection_string + root, recv_timeout=int(scaled(600)))
    zookeeper.get(handle, "/", Calls())
    proxy.stall()
    try:
        results = call(handle)
    except zookeeper.SessionError as given_up:
        results = [given_up]
    # A bulk write has the exception in its results.
    assert all(
        result.is_retriable or isinstance(result, zookeeper.NothingException) for result in results
    )


def test_others_are_not_held_up_by_a_call_that_waits(zookeeper, connect, proxy, stalled):
    """The interpreter's lock is released: other threads and sessions go on."""
    answered = []
    waiting = threading.Thread(target=lambda: answered.append(zookeeper.get(stalled, "/")))
    waiting.start()
    handle = connect()
    for _ in range(10):
        zookeeper.get(handle, "/")
    assert waiting.is_alive()
    proxy.resume()
    waiting.join()
    assert answered


def test_a_watch_whose_read_timed_out_is_not_called(zookeeper, connect, proxy, stalled):
    """A caller that was told of a failure does not expect events from it."""
    watcher = Calls()
    with pytest.raises(zookeeper.OperationTimeoutException):
        zookeeper.get(stalled, "/", watcher, timeout=0.05)
    proxy.resume()
    zookeeper.get(stalled, "/")
    zookeeper.set(connect(), "/", "x")
    zookeeper.sync(stalled, "/")
    wait_until_delivered(zookeeper, stalled)
    assert watcher.all() == []


def test_progress_may_raise_to_give_up(zookeeper, handle):
    class GivenUp(Exception):
        pass

    def give_up(done, total):
        raise GivenUp

    ops = [("create", f"/{number:05}", "", OPEN) for number in range(3000)]
    with pytest.raises(GivenUp):
        zookeeper.write_many(handle, ops, progress=give_up)
    with pytest.raises(GivenUp):
        zookeeper.read_tree(handle, "/", progress=give_up)
    with pytest.raises(GivenUp):
        zookeeper.get_many(handle, ["/"] * 3000, progress=give_up)
    assert zookeeper.get(handle, "/")[0] == ""


def test_progress_is_told_while_a_read_goes_on(zookeeper, connect, proxy, root, handle):
    """Progress is told a few times a second: the answers here take long."""
    paths = [f"/{number:04}" for number in range(500)]
    zookeeper.write_many(handle, [("create", path, bytes(10_000), OPEN) for path in paths])
    slow = connect(hosts=proxy.connection_string + root)
    proxy.delay(300)
    told = []
    zookeeper.read_tree(slow, "/", progress=lambda *arguments: told.append(arguments))
    assert len(told) > 1
    counts = [done for done, _ in told]
    assert counts == sorted(counts)
    assert told[-1] == (501, None)


def test_progress_counts_nodes_and_not_reads(zookeeper, connect, proxy, root, handle):
    """A node with children takes two reads, and counts as one node."""
    paths = [f"/{number:03}" for number in range(200)]
    zookeeper.write_many(
        handle,
        [("create", path + end, "", OPEN) for end in ("", "/a", "/a/b") for path in paths],
    )
    slow = connect(hosts=proxy.connection_string + root)
    proxy.delay(300)
    told = []
    tree = zookeeper.read_tree(slow, "/", progress=lambda *arguments: told.append(arguments))
    assert len(told) > 3
    counts = [done for done, _ in told]
    assert counts == sorted(counts)
    assert told[-1] == (len(tree), None) == (601, None)
