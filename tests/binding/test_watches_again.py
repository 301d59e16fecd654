"""Watches are set again on each connection, or the connection is ended.

A program reads after a reconnect what fires, and nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.awkward import awkward, hang_up_at, never_answer
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, wait_until
from tests.sessions import OPEN, wait_until_connected
from tests.wireframes import Op, Request

pytestmark = pytest.mark.not_emulated("it has no network")


# A client may need so many connections to find out what its server cannot do.
MOST_CONNECTIONS = 12


@pytest.fixture
def through(connect, proxy, root):
    """Return a session through the proxy that survives a lost connection."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


@pytest.fixture
def watched(zookeeper, through, handle):
    """Watch a node, its children and a missing one; yield the watchers by the event awaited."""
    zookeeper.create(handle, "/a", "", OPEN)
    data, children, created = Calls(), Calls(), Calls()
    zookeeper.get(through, "/a", data)
    zookeeper.get_children(through, "/a", children)
    zookeeper.exists(through, "/new", created)
    return [
        (data, zookeeper.CHANGED_EVENT, "/a"),
        (children, zookeeper.CHILD_EVENT, "/a"),
        (created, zookeeper.CREATED_EVENT, "/new"),
    ]


def change_all(zookeeper, handle):
    zookeeper.set(handle, "/a", "x")
    zookeeper.create(handle, "/a/b", "", OPEN)
    zookeeper.create(handle, "/new", "", OPEN)


def wait_until_told(zookeeper, through, watched):
    for watcher, kind, path in watched:
        event = (through, kind, zookeeper.CONNECTED_STATE, path)
        wait_until(lambda w=watcher, e=event: e in w.all(), f"{path} is told of: {kind}", 30)


def fail(op: int, times: float = float("inf")) -> Callable[[Request], bool | bytes]:
    """Answer an operation with an error, NONODE, so many times."""
    left = [times]

    def habit(request: Request) -> bool | bytes:
        if request.op != op or left[0] <= 0:
            return True
        left[0] -= 1
        path = b"/there/is/no/such/node"
        body = struct.pack(">iii", request.xid, Op.GET_DATA, len(path)) + path + b"\0"
        return struct.pack(">i", len(body)) + body

    return habit


@pytest.mark.parametrize("times", [1, 2, float("inf")])
def test_a_connection_on_which_they_are_refused_is_ended(
    zookeeper, through, handle, proxy, watched, times
):
    proxy.on_request = fail(Op.SET_WATCHES, times)
    proxy.refuse()
    proxy.cut()
    change_all(zookeeper, handle)
    proxy.allow()
    wait_until_told(zookeeper, through, watched)
    assert 3 <= proxy.connections <= MOST_CONNECTIONS


def test_changes_before_answers_of_a_server_that_passes_over_them_are_told(
    zookeeper, through, handle, proxy, watched
):
    """The connection breaks again before they are set by other means: a newer zxid will not do."""
    proxy.on_request = awkward(never_answer(Op.SET_WATCHES), hang_up_at(Op.EXISTS))
    proxy.refuse()
    proxy.cut()
    change_all(zookeeper, handle)
    proxy.allow()
    wait_until(lambda: proxy.connections == 2, "it connects again", 30)
    wait_until_connected(zookeeper, through)
    zookeeper.aget(through, "/", None, Calls())
    wait_until(lambda: proxy.connections > 2, "the connection breaks", 30)
    proxy.on_request = never_answer(Op.SET_WATCHES)
    wait_until_told(zookeeper, through, watched)
