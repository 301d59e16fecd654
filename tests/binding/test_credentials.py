"""Credentials while connections are lost or missing, and ones over the limit."""

from __future__ import annotations

import threading

import pytest

from tests.calls import Calls
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.sessions import OPEN, wait_until_connected
from tests.tcpproxy import TO_CLIENT
from tests.wireframes import Op

ALICE = "alice:secret"
MINE = [{"perms": 31, "scheme": "auth", "id": ""}]


@pytest.fixture
def through(connect, proxy, root):
    """Return a session through the proxy, with a timeout that no test waits for."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


def lose_the_connection(zookeeper, handle, proxy):
    """Cut the connection, and wait for the pause before the next attempt.

    The state of the C client is 0 in that pause.
    """
    proxy.refuse()
    proxy.cut()
    wait_until(lambda: zookeeper.state(handle) == 0, "it pauses before the next attempt", 30)


def test_one_given_while_there_is_no_connection_is_sent_with_the_next(zookeeper, through, proxy):
    lose_the_connection(zookeeper, through, proxy)
    added = Calls()
    assert zookeeper.add_auth(through, "digest", ALICE, added) == zookeeper.OK
    proxy.allow()
    wait_until_connected(zookeeper, through)
    assert added.wait_one()[1] in (zookeeper.OK, zookeeper.CONNECTIONLOSS)
    zookeeper.create(through, "/a", "x", MINE)
    assert zookeeper.get(through, "/a")[0] == "x"


def test_one_that_is_given_again_and_again_is_sent_once(zookeeper, through, proxy):
    """A client that asks until it hears of an answer would send thousands."""
    zookeeper.add_auth(through, "digest", ALICE, first := Calls())
    assert first.wait_one()[1] == zookeeper.OK
    lose_the_connection(zookeeper, through, proxy)
    answers = Calls()
    for _ in range(300):
        zookeeper.add_auth(through, "digest", ALICE, answers)
    sent = proxy.requests[Op.AUTH]
    proxy.allow()
    wait_until_connected(zookeeper, through)
    codes = {code for _, code in answers.wait(300, 30)}
    assert codes <= {zookeeper.OK, zookeeper.CONNECTIONLOSS}
    zookeeper.add_auth(through, "digest", ALICE, last := Calls())
    assert last.wait_one()[1] == zookeeper.OK
    assert proxy.requests[Op.AUTH] <= sent + 2  # twice when it just began to connect


def test_a_lost_answer_is_told_and_the_credential_kept(zookeeper, through, proxy):
    proxy.stall(TO_CLIENT)
    zookeeper.add_auth(through, "digest", ALICE, added := Calls())
    wait_until(lambda: proxy.requests[Op.AUTH], "it is sent")
    proxy.cut()
    assert added.wait_one()[1] == zookeeper.CONNECTIONLOSS
    proxy.resume()
    wait_until_connected(zookeeper, through)
    zookeeper.create(through, "/a", "", MINE)


def test_a_loss_while_threads_send_and_answers_are_awaited_hangs_nobody(zookeeper, through, proxy):
    """The C client reports lost credentials with a lock held.

    Every thread that sends needs that lock.
    """
    zookeeper.create(through, "/a", "", OPEN)
    is_over = threading.Event()

    def send() -> None:
        under_way = threading.Semaphore(100)
        while not is_over.is_set():
            if under_way.acquire(timeout=0.1):
                zookeeper.aget(through, "/a", None, lambda *_: under_way.release())
                zookeeper.add_auth(through, "digest", f"{threading.get_ident()}:x")

    threads = [threading.Thread(target=send, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(20):
            connections = proxy.connections
            zookeeper.add_auth(through, "digest", f"user{number}:x")
            proxy.cut()
            wait_until(lambda n=connections: proxy.connections > n, "it connects again", 30)
            # A connection that is cut before it was of use makes the next one wait.
            wait_until_connected(zookeeper, through)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(scaled(20))
    assert not any(thread.is_alive() for thread in threads)


def test_one_over_the_limit_is_refused_before_anything_is_sent(zookeeper, connect):
    """The server would close the connection over it, and each later connection."""
    handle = connect()
    with pytest.raises(zookeeper.BadArgumentsException, match=r"credential of \d+ bytes .*1048575"):
        zookeeper.add_auth(handle, "digest", "alice:" + "x" * 1_048_576)
    with pytest.raises(zookeeper.BadArgumentsException, match="null character"):
        zookeeper.add_auth(handle, "digest\0", ALICE)
    zookeeper.add_auth(handle, "digest", "alice:" + "x" * 1_000_000, added := Calls())
    assert added.wait_one()[1] == zookeeper.OK


def test_one_is_taken_right_after_init(zookeeper, connect):
    """There is no connection yet; the first begins with the credential."""
    handle = connect(wait=False)
    zookeeper.add_auth(handle, "digest", ALICE, added := Calls())
    wait_until_connected(zookeeper, handle)
    assert added.wait_one()[1] == zookeeper.OK
    zookeeper.create(handle, "/a", "", MINE)


def test_closing_tells_those_who_wait(zookeeper, through, proxy):
    lose_the_connection(zookeeper, through, proxy)
    zookeeper.add_auth(through, "digest", ALICE, added := Calls())
    zookeeper.close(through)
    assert added.wait_one()[1] in (zookeeper.CLOSING, zookeeper.CONNECTIONLOSS)
