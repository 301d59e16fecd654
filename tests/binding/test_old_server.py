"""A server from before 3.6, which drops the connection at a MultiRead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.awkward import deny
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, wait_until
from tests.sessions import OPEN, wait_until_connected, wait_until_delivered
from tests.wireframes import Op

pytestmark = pytest.mark.not_emulated("it has no network")

SECRET = [{"perms": 12, "scheme": "world", "id": "anyone"}]


@pytest.fixture
def old(proxy):
    """Return a proxy that makes an old server of a new one."""
    proxy.on_request = lambda request: request.op != Op.MULTI_READ
    return proxy


@pytest.fixture
def session(connect, old, root):
    """Return a session with the old server."""
    return connect(hosts=old.connection_string + root, recv_timeout=LONG_SESSION)


def test_bulk_reads_give_the_same_answers(zookeeper, session, handle):
    paths = ["/a", "/a/b", "/a/b/c", "/d"]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    zookeeper.create(handle, "/secret", "", SECRET)

    def read(h):
        asked = ["/", "/missing", "/secret", *paths]
        tree = [(n.path, n.data, n.stat, str(n.error)) for n in zookeeper.read_tree(h, "/")]
        data = [str(result) for result in zookeeper.get_many(h, asked)]
        children = [
            sorted(result) if isinstance(result, list) else str(result)
            for result in zookeeper.get_children_many(h, asked)
        ]
        acls = [str(result) for result in zookeeper.get_acl_many(h, asked)]
        return tree, data, children, acls

    assert read(session) == read(handle)
    last = zookeeper.get(handle, "/d")[1]["czxid"]
    for reading in (zookeeper.get_many, zookeeper.get_children_many, zookeeper.get_acl_many):
        assert reading(session, paths).zxid >= last
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$"):
        zookeeper.read_tree(session, "/missing")


def test_the_handle_remembers_that_the_server_is_old(zookeeper, session, old, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    for _ in range(5):
        assert len(zookeeper.read_tree(session, "/")) == 2
        assert len(zookeeper.get_many(session, ["/a"])) == 1
    assert 1 <= old.requests[Op.MULTI_READ] <= 2
    # The fallback works after the next lost connection, too.
    connections, asked = old.connections, old.requests[Op.MULTI_READ]
    old.cut()
    wait_until(lambda: old.connections > connections, "it connects again")
    wait_until_connected(zookeeper, session)
    assert len(zookeeper.read_tree(session, "/")) == 2
    assert old.requests[Op.MULTI_READ] == asked


def test_a_server_that_says_so_and_hangs_up_is_read_one_by_one(
    zookeeper, connect, proxy, root, handle
):
    """Servers before 3.6 answer UNIMPLEMENTED and end the connection: what comes behind is lost."""
    refused_on: list[int] = []
    refuse = deny(Op.MULTI_READ)

    def hang_up_behind_a_refusal(request):
        if request.op == Op.MULTI_READ:
            refused_on.append(proxy.connections)
            return refuse(request)
        return refused_on != [proxy.connections]

    paths = [f"/{number}" for number in range(1200)]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    proxy.on_request = hang_up_behind_a_refusal
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    assert [data for data, _ in zookeeper.get_many(session, paths)] == paths
    assert len(refused_on) == 1
    assert len(zookeeper.read_tree(session, "/")) == 1201


def test_another_handle_finds_out_for_itself(zookeeper, session, handle, old):
    zookeeper.read_tree(session, "/")
    old.requests.clear()
    zookeeper.read_tree(handle, "/")
    assert zookeeper.get_many(handle, ["/"])[0][0] == ""
    assert old.requests[Op.MULTI_READ] == 0


def test_a_large_tree_is_read_by_pipelined_requests(zookeeper, session, handle):
    paths = ["/p", *(f"/p/{number:04}" for number in range(5000))]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    tree = zookeeper.read_tree(session, "/p")
    assert [(node.path, node.data) for node in tree] == [(path, path) for path in paths]
    results = zookeeper.get_many(session, paths)
    assert [data for data, _ in results] == paths


def test_watches_on_many_work_too(zookeeper, session, handle):
    paths = [f"/{number}" for number in range(100)]
    zookeeper.write_many(handle, [("create", path, "", OPEN) for path in paths])
    watcher = Calls()
    zookeeper.watch_many(session, data=paths, exists=["/new"], watcher=watcher)
    zookeeper.write_many(handle, [("set", path, "x") for path in paths])
    zookeeper.create(handle, "/new", "", OPEN)
    zookeeper.sync(session, "/")
    wait_until_delivered(zookeeper, session)
    events = [path for _, kind, _, path in watcher.all() if kind != zookeeper.SESSION_EVENT]
    assert sorted(events) == sorted([*paths, "/new"])


def test_a_lost_connection_alone_is_no_old_server(zookeeper, connect, proxy, root, handle):
    """The first MultiRead of a handle is lost, once.

    The handle goes on with MultiReads.
    """
    lost: list[Any] = []

    def lose_the_first(request):
        if request.op == Op.MULTI_READ and not lost:
            lost.append(request)
            return False
        return True

    proxy.on_request = lose_the_first
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    zookeeper.create(handle, "/a", "", OPEN)
    assert len(zookeeper.read_tree(session, "/")) == 2
    assert len(zookeeper.read_tree(session, "/")) == 2
    assert lost
    assert proxy.requests[Op.MULTI_READ] > 1
    assert proxy.requests[Op.GET_DATA] == 0


def test_acls_are_set_where_there_are_no_transactions(zookeeper, connect, proxy, root):
    proxy.on_request = lambda request: request.op != Op.MULTI
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    closed = [{"perms": 17, "scheme": "world", "id": "anyone"}]
    ops = [
        ("create", "/a", "", OPEN),
        ("set_acl", "/a", closed, 0),
        ("set", "/a", "refused"),
        ("set_acl", "/a", OPEN, 1),
        ("create", "/a/b", "", OPEN),
        ("set_acl", "/a/b", closed, 7),
    ]
    for _ in range(3):  # until it is found out what the server lacks
        results = zookeeper.write_many(session, ops, in_flight=100, stop=False)
        if not isinstance(results[0], zookeeper.ConnectionLossException):
            break
        wait_until_connected(zookeeper, session)
    assert results[:2] == ["/a", None]
    assert isinstance(results[2], zookeeper.NoAuthException)
    assert results[3:5] == [None, "/a/b"]
    assert isinstance(results[5], zookeeper.BadVersionException)
    assert zookeeper.get_acl(session, "/a")[0]["aversion"] == 2
