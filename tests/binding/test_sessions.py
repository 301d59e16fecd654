"""Handles and the sessions behind them: opening, resuming, expiring, closing."""

from __future__ import annotations

import threading

import pytest

from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, wait_until_connected, wait_until_delivered


def states(watcher):
    return [state for _, _, state, _ in watcher.all()]


def test_the_watcher_is_told_of_the_connection(zookeeper, connect):
    watcher = Calls()
    handle = connect(watcher)
    assert watcher.wait()[0] == (
        handle,
        zookeeper.SESSION_EVENT,
        zookeeper.CONNECTED_STATE,
        "",
    )
    assert watcher.threads[0] == (zookeeper.event_thread(handle) or threading.current_thread())


def test_init_returns_before_there_is_a_connection(zookeeper, connect):
    handle = connect(hosts="127.0.0.1:1", wait=False)
    assert zookeeper.state(handle) != zookeeper.CONNECTED_STATE
    assert zookeeper.is_unrecoverable(handle) is False
    assert zookeeper.client_id(handle)[0] == 0
    assert zookeeper.recv_timeout(handle) > 0


def test_without_a_server_a_call_raises_within_its_timeout(zookeeper, connect):
    handle = connect(hosts="127.0.0.1:1", wait=False)
    with pytest.raises((zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)):
        zookeeper.get(handle, "/", timeout=0.2)
    with pytest.raises((zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)):
        zookeeper.get_many(handle, ["/"], timeout=0.2)
    with pytest.raises((zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)):
        zookeeper.read_tree(handle, "/", timeout=0.2)


def test_handles_are_small_numbers_and_the_lowest_free_one_is_used_again(zookeeper, connect):
    first, second, third = connect(), connect(), connect()
    assert [first, second, third] == list(range(first, first + 3))
    zookeeper.close(second)
    zookeeper.close(first)
    wait_until(lambda: connect() == first, "the number of the first is used again")
    assert connect() == second
    assert connect() == third + 1


def test_the_session_timeout_is_what_was_negotiated(zookeeper, connect, own_servers_only):
    """The server has a minimum of 200 ms and a maximum of five minutes."""
    asked = min(int(scaled(20_000)), 200_000)  # a session that no busy machine lets expire
    first, second = connect(recv_timeout=asked), connect(recv_timeout=10**8)
    expected = [asked, 300_000]
    wait_until(
        lambda: [zookeeper.recv_timeout(handle) for handle in (first, second)] == expected,
        lambda: f"{zookeeper.recv_timeout(first)}, {zookeeper.recv_timeout(second)} are granted",
    )


def test_a_session_can_be_resumed_by_its_id_and_password(zookeeper, connect, proxy, root):
    """The first client is gone: two would take the session from each other."""
    first = connect(hosts=proxy.connection_string + root)
    zookeeper.create(first, "/e", "", OPEN, zookeeper.EPHEMERAL)
    number, password = zookeeper.client_id(first)
    assert number != 0
    proxy.refuse()
    proxy.cut()
    second = connect(client_id=(number, password))
    assert zookeeper.client_id(second) == (number, password)
    assert zookeeper.exists(second, "/e")["ephemeralOwner"] == number
    zookeeper.close(second)
    observer = connect()
    assert zookeeper.exists(observer, "/e") is None


def test_a_session_is_not_resumed_with_a_wrong_password(zookeeper, connect, handle):
    number, _ = zookeeper.client_id(handle)
    watcher = Calls()
    thief = connect(watcher, client_id=(number, "wrong"), wait=False)
    wait_until(lambda: zookeeper.EXPIRED_SESSION_STATE in states(watcher), "the session is refused")
    assert zookeeper.is_unrecoverable(thief) is True

    # A server hangs up on the session's connection before it looks at the password.
    def is_unharmed():
        try:
            return zookeeper.exists(handle, "/") is not None
        except zookeeper.ConnectionLossException:
            return False

    wait_until(is_unharmed, "the session goes on")
    assert zookeeper.client_id(handle)[0] == number


@pytest.mark.parametrize(
    "client_id", [7, "x", (1,), (1, 2), (1, "x", 2), ("1", "x"), (2**64, "x"), (1, "x" * 17)]
)
def test_a_client_id_of_wrong_shape_is_refused(zookeeper, connection_string, client_id):
    with pytest.raises(TypeError):
        zookeeper.init(connection_string, None, 10000, client_id)


def expire(zookeeper, connect, proxy, handle):
    """Let a session that goes through the proxy expire.

    It expires as when the client is cut off for long. An accomplice ends it, so that the test does
    not have to wait.
    """
    session = zookeeper.client_id(handle)
    proxy.refuse()
    proxy.cut()
    zookeeper.close(connect(client_id=session))
    proxy.allow()


def test_an_expired_session_is_reported_and_its_handle_is_unrecoverable(
    zookeeper, connect, proxy, root
):
    watcher = Calls()
    handle = connect(watcher, hosts=proxy.connection_string + root)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    expire(zookeeper, connect, proxy, handle)
    wait_until(
        lambda: zookeeper.EXPIRED_SESSION_STATE in states(watcher),
        lambda: f"the session expires: {states(watcher)}",
    )
    assert watcher.all()[-1] == (
        handle,
        zookeeper.SESSION_EVENT,
        zookeeper.EXPIRED_SESSION_STATE,
        "",
    )
    assert zookeeper.state(handle) == zookeeper.EXPIRED_SESSION_STATE
    assert zookeeper.is_unrecoverable(handle) is True
    assert zookeeper.exists(connect(), "/e") is None

    gone = (zookeeper.SessionExpiredException, zookeeper.InvalidStateException)
    for call in (
        lambda: zookeeper.get(handle, "/"),
        lambda: zookeeper.create(handle, "/a", "", OPEN),
        lambda: zookeeper.aget(handle, "/"),
        lambda: zookeeper.get_many(handle, ["/"]),
        lambda: zookeeper.read_tree(handle, "/"),
        lambda: zookeeper.multi(handle, [("check", "/")]),
        lambda: zookeeper.watch_many(handle, data=["/"], watcher=watcher),
    ):
        with pytest.raises(gone) as raised:
            call()
        assert not raised.value.may_have_happened
    results = zookeeper.write_many(handle, [("create", "/a", "", OPEN)])
    assert isinstance(results[0], (*gone, zookeeper.NothingException))
    assert zookeeper.close(handle) == zookeeper.OK


def test_watchers_are_told_of_the_expiry_each_once(zookeeper, connect, proxy, root):
    session_watcher, shared, other = Calls(), Calls(), Calls()
    handle = connect(session_watcher, hosts=proxy.connection_string + root)
    zookeeper.create(handle, "/a", "", OPEN)
    for path in ("/", "/a"):
        zookeeper.get(handle, path, shared)
        zookeeper.get_children(handle, path, shared)
        zookeeper.exists(handle, path, session_watcher)
    zookeeper.get(handle, "/", other)
    wait_until_delivered(zookeeper, handle)
    told = len(session_watcher)
    expire(zookeeper, connect, proxy, handle)
    for watcher in (session_watcher, shared, other):
        wait_until(
            lambda w=watcher: zookeeper.EXPIRED_SESSION_STATE in states(w), "the session expires"
        )
        assert {(kind, path) for _, kind, _, path in watcher.all()} == {
            (zookeeper.SESSION_EVENT, "")
        }
    assert states(session_watcher)[told:] == states(shared) == states(other)
    assert states(shared).count(zookeeper.EXPIRED_SESSION_STATE) == 1


def test_a_call_under_way_when_the_session_expires_raises(zookeeper, connect, proxy, root):
    """The answer never comes: the call does not hang, the completion is not lost."""
    watcher, completion = Calls(), Calls()
    handle = connect(watcher, hosts=proxy.connection_string + root)
    proxy.stall()
    zookeeper.aget(handle, "/", None, completion)
    expire(zookeeper, connect, proxy, handle)
    proxy.resume()
    assert completion.wait_one()[1] in (zookeeper.CONNECTIONLOSS, zookeeper.SESSIONEXPIRED)
    wait_until(lambda: zookeeper.EXPIRED_SESSION_STATE in states(watcher), "the session expires")


def test_the_watcher_can_be_replaced_and_taken_away(zookeeper, connect, proxy, root):
    first, second = Calls(), Calls()
    handle = connect(first, hosts=proxy.connection_string + root)
    first.wait()
    assert zookeeper.set_watcher(handle, second) == zookeeper.OK
    told = len(first)
    proxy.cut()
    wait_until(
        lambda: zookeeper.CONNECTED_STATE in states(second),
        lambda: f"the session reconnects: {states(second)}",
    )
    assert states(second)[0] == zookeeper.CONNECTING_STATE
    assert len(first) == told
    zookeeper.set_watcher(handle, None)
    told = len(second)
    proxy.cut()
    wait_until(lambda: proxy.open_connections == 0 or proxy.connections > 2, "it is cut")
    wait_until_connected(zookeeper, handle)
    wait_until(lambda: proxy.connections > 2, "it reconnects")
    wait_until_connected(zookeeper, handle)
    wait_until_delivered(zookeeper, handle)
    assert len(second) == told


def test_an_exception_in_the_session_watcher_harms_nobody(zookeeper, connect, caplog):
    def broken(*_):
        raise RuntimeError("a mistake in a session watcher")

    handle = connect(broken)
    wait_until_delivered(zookeeper, handle)
    assert "a mistake in a session watcher" in caplog.text
    assert zookeeper.get_children(handle, "/") == []


def test_the_session_watcher_may_make_calls(zookeeper, connect):
    results = []

    def connected(handle, kind, state, path):
        if state == zookeeper.CONNECTED_STATE:
            results.append(zookeeper.create(handle, "/from-watcher", "", OPEN))
            results.append(len(zookeeper.read_tree(handle, "/")))

    connect(connected)
    wait_until(lambda: len(results) == 2, "the watcher makes its calls")
    assert results == ["/from-watcher", 2]


def test_servers_are_tried_in_the_order_given_when_that_is_asked_for(
    zookeeper, connect, proxy, connection_string, root
):
    zookeeper.deterministic_conn_order(True)
    try:
        for count in range(1, 6):
            handle = connect(hosts=f"{proxy.connection_string},{connection_string}{root}")
            zookeeper.close(handle)
            assert proxy.connections == count
    finally:
        zookeeper.deterministic_conn_order(False)


def test_the_next_server_is_tried_when_one_does_not_answer(
    zookeeper, connect, connection_string, root
):
    handle = connect(hosts=f"127.0.0.1:1,{connection_string}{root}")
    assert zookeeper.get_children(handle, "/") == []


@pytest.mark.parametrize(
    "hosts", ["", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999999", "a\0b:1"]
)
def test_hosts_that_make_no_sense_are_refused_by_init(zookeeper, hosts):
    with pytest.raises((zookeeper.BadArgumentsException, zookeeper.SystemErrorException)) as raised:
        zookeeper.close(zookeeper.init(hosts))
    assert repr(hosts) in str(raised.value) or "hosts" in str(raised.value)


@pytest.mark.parametrize("recv_timeout", [0, -1, 2**31, "10", 1.5, None, True])
def test_a_session_timeout_that_makes_no_sense_is_refused(
    zookeeper, connection_string, recv_timeout
):
    with pytest.raises((zookeeper.BadArgumentsException, TypeError)):
        zookeeper.close(zookeeper.init(connection_string, None, recv_timeout))


@pytest.mark.not_emulated("it looks no names up")
def test_a_name_that_does_not_resolve_does_not_hang_init(zookeeper):
    with pytest.raises(zookeeper.SystemErrorException, match=r"no-such-host\.invalid"):
        zookeeper.init("no-such-host.invalid:2181")


def test_a_hundred_sessions_at_once(zookeeper, connect):
    handles = [connect(wait=False) for _ in range(100)]
    for handle in handles:
        wait_until_connected(zookeeper, handle)
    assert len(set(handles)) == 100
    for handle in handles:
        zookeeper.create(handle, f"/{handle}", "", OPEN, zookeeper.EPHEMERAL)
    for handle in handles[:99]:
        zookeeper.close(handle)
    assert zookeeper.get_children(handles[99], "/") == [str(handles[99])]


def test_a_paused_server_lets_the_session_time_out_on_the_clients_side(
    zookeeper, own_server, connect
):
    """No answer comes for two thirds of the session timeout.

    The client looks for another connection.
    """
    watcher = Calls()
    timeout = int(scaled(1500))
    handle = connect(watcher, hosts=own_server.connection_string, recv_timeout=timeout)
    watcher.wait()
    own_server.pause()
    try:
        wait_until(lambda: zookeeper.CONNECTING_STATE in states(watcher), "the client notices", 20)
        with pytest.raises(
            (zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)
        ):
            zookeeper.get(handle, "/", timeout=0.1)
    finally:
        own_server.resume()
    wait_until(
        lambda: states(watcher)[-1] in (zookeeper.CONNECTED_STATE, zookeeper.EXPIRED_SESSION_STATE),
        "the session is back or over",
        30,
    )
