"""The client makes no storm at servers that cannot do what it asks.

The client works as well as the servers allow. Each test counts what arrives at the server. The
bounds are for clients that learn; clients that try again at once, without backoff, make thousands
of connections in the time that it takes.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

import pytest

import zc.zk
import zookeeper
from tests.awkward import (
    answer_pings_only,
    awkward,
    deny,
    forget_sessions,
    give_new_sessions,
    hang_up_at,
    limit_requests_to,
    never_answer,
)
from tests.deadlines import scaled, wait_until
from tests.servers import QUICK_START, standalone
from tests.sessions import OPEN
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op

TIMEOUT_MILLISECONDS = int(scaled(10_000))

# A client may need so many connections to find out what its server cannot do.
MOST_CONNECTIONS = 12

ENFORCED = [
    "-Dzookeeper.enforce.auth.enabled=true",
    "-Dzookeeper.enforce.auth.schemes=digest",
]


@pytest.fixture
def client(proxy, root):
    """Yield a function that makes clients of the awkward server."""
    made = []

    def client(timeout=TIMEOUT_MILLISECONDS):
        zk = zc.zk.ZooKeeper(proxy.connection_string + root, timeout)
        made.append(zk)
        return zk

    yield client
    for zk in made:
        zk.close()


@pytest.fixture
def writer(connect, server, root):
    """Return a session beside the awkward server, with the good one behind it."""
    return connect(hosts=server.connection_string + root)


def make_nodes(writer, count, length=5):
    """Make so many nodes, with names of so many characters; return their paths."""
    paths = [f"/{number:0{length}}" for number in range(count)]
    write(writer, [("create", path, '{"v": 0}', OPEN) for path in paths])
    return paths


def change(writer, paths, objects, value):
    """Change all nodes and wait until live objects show it."""
    write(writer, [("set", path, f'{{"v": {value}}}') for path in paths])
    wait_until(
        lambda: all(properties.get("v") == value for properties in objects),
        lambda: f"all follow: {[dict(properties) for properties in objects][:5]}",
        30,
    )


def has_more(proxy, connections):
    """Return whether there have been more connections than that."""
    return proxy.connections > connections


def has_length(items, count):
    """Return whether there are so many."""
    return len(items) == count


def write(writer, steps):
    """Do the steps by a session with a good server."""
    results = zookeeper.write_many(writer, steps, batch=200)
    assert [result for result in results if isinstance(result, Exception)] == []


class TestNoSetWatches:
    @pytest.mark.parametrize("resumes", [True, False])
    @pytest.mark.parametrize("habit", [hang_up_at, deny, never_answer])
    def test_live_objects_follow_and_the_server_is_not_stormed(
        self, proxy, client, writer, habit, resumes
    ):
        habits = [habit(Op.SET_WATCHES)] + ([] if resumes else [forget_sessions])
        proxy.on_request = awkward(*habits)
        zk, paths = client(), make_nodes(writer, 30)
        objects = [zk.properties(path) for path in paths]
        for value in range(1, 4):
            change(writer, paths, objects, value)
            proxy.cut()
        change(writer, paths, objects, 4)
        assert proxy.connections <= MOST_CONNECTIONS
        assert proxy.requests[Op.SET_WATCHES] <= 4


class TestSmallRequests:
    """A server hangs up at requests far below the usual limit."""

    def test_watches_of_many_nodes_are_sent_in_smaller_pieces(self, connect):
        java = (*QUICK_START, "-Djute.maxbuffer=131072")
        with standalone(java_options=java) as server, TcpProxy(server.connection_string) as proxy:
            writer = connect(hosts=server.connection_string)
            paths = make_nodes(writer, 3000, 60)
            with zc.zk.ZooKeeper(proxy.connection_string, TIMEOUT_MILLISECONDS) as zk:
                objects = [zk.properties(path) for path in paths]
                for value in range(1, 3):
                    change(writer, paths, objects, value)
                    proxy.cut()
                change(writer, paths, objects, 3)
            assert proxy.connections <= MOST_CONNECTIONS

    def test_an_import_with_a_node_that_is_too_large_names_it(self, proxy, client):
        limit = 20_000
        proxy.on_request = limit_requests_to(limit)
        zk = client()
        text = f"/small\n  n = 1\n/large\n  blob = '{'x' * 2 * limit}'\n/other\n"
        with pytest.raises(
            zookeeper.BadArgumentsException, match=r"/large.*jute\.maxbuffer"
        ) as told:
            zk.import_tree(text)
        assert not told.value.may_have_happened
        assert proxy.connections <= MOST_CONNECTIONS
        zk.import_tree("/small\n  n = 1\n")
        assert zk.get_properties("/small") == {"n": 1}


class TestNoCredential:
    """A client without the scheme runs while `enforce.auth.enabled` comes on."""

    def test_the_client_says_so_comes_at_growing_intervals_and_recovers(self, own_server, caplog):
        with TcpProxy(own_server.connection_string) as proxy:
            with zc.zk.ZooKeeper(proxy.connection_string, int(scaled(6000))) as zk:
                zk.create("/servers", "", OPEN)
                registration = zk.register("/servers", "a:1")
                children = zk.children("/servers")
                own_server.java_options += ENFORCED
                own_server.restart()
                wait_until(lambda: registration.state == "pending", "it is not registered", 30)
                sessions = proxy.requests[Op.CREATE_SESSION]
                wait_until(
                    lambda: proxy.requests[Op.CREATE_SESSION] > sessions + 3, "it tries again", 30
                )
                complaints = [r for r in caplog.records if "enforce.auth" in r.getMessage()]
                assert [r.levelname for r in complaints if r.levelno > logging.DEBUG] == ["WARNING"]
                # The seventh pause is 3.2 seconds at least: that many are no storm.
                assert proxy.requests[Op.CREATE_SESSION] < 4 * MOST_CONNECTIONS
                own_server.java_options = own_server.java_options[: -len(ENFORCED)]
                own_server.restart()
                wait_until(lambda: registration.state == "registered", "it is registered", 60)
                wait_until(lambda: list(children) == ["a:1"], "children are followed", 30)

    def test_a_call_says_why_it_failed(self, zookeeper, connect):
        with standalone(java_options=[*QUICK_START, *ENFORCED]) as server:
            handle = connect(hosts=server.connection_string)
            with pytest.raises(zookeeper.SessionClosedRequireSaslAuthException):
                zookeeper.get(handle, "/")


class TestOneNodeTooMany:
    """One registration makes the server end each connection; others work."""

    LIMIT = 5_000

    def test_the_others_go_on_and_it_rests(self, proxy, client, writer, caplog):
        zk = client()
        zk.create("/providers", "")
        small = zk.register("/providers", "1.1.1.1:80")
        large = zk.register("/providers", "2.2.2.2:80")
        proxy.on_request = limit_requests_to(self.LIMIT)
        before = proxy.connections
        large.update(blob="x" * 2 * self.LIMIT)
        wait_until(lambda: "/providers/2.2.2.2:80: the connection is lost" in caplog.text, "told")
        assert proxy.connections - before < MOST_CONNECTIONS

        def is_calm():
            """Return whether several calls in a row find a connection."""
            try:
                for _ in range(20):
                    zk.get("/providers")
            except zookeeper.ConnectionLossException:
                return False
            return True

        wait_until(is_calm, "the connection is kept between two attempts")
        small.update(v=2)
        wait_until(
            lambda: zk.get_properties("/providers/1.1.1.1:80").get("v") == 2, "it is written"
        )
        large.update(blob="small")

        def is_cured():
            return zk.get_properties("/providers/2.2.2.2:80").get("blob") == "small"

        wait_until(is_cured, "what is small enough is written at once")
        assert large.state == small.state == "registered"
        assert caplog.text.count("jute.maxbuffer") == 1

    def test_many_that_are_made_again_do_not_wait_for_it(self, proxy, client, writer, caplog):
        zk = client()
        zk.create("/providers", "")
        for number in range(10):
            zk.register("/providers", f"1.1.1.{number}:80")
        zk.register("/providers", "2.2.2.2:80", blob="x" * 2 * self.LIMIT)
        proxy.on_request = awkward(limit_requests_to(self.LIMIT), forget_sessions)
        proxy.cut()

        def others():
            names = zookeeper.get_children(writer, "/providers")
            return {name for name in names if name.startswith("1.")}

        expired = "the session expired"
        wait_until(lambda: expired in caplog.text, "there is another session")
        proxy.on_request = limit_requests_to(self.LIMIT)

        def are_ours():
            paths = [f"/providers/1.1.1.{number}:80" for number in range(10)]
            found = zookeeper.get_many(writer, paths)
            owners = {isinstance(each, tuple) and each[1]["ephemeralOwner"] for each in found}
            try:
                return {owner & 2**64 - 1 for owner in owners} == {zk.client_id()[0] & 2**64 - 1}
            except zookeeper.ConnectionLossException:
                return False

        wait_until(are_ours, lambda: f"all are there, {others()}", 30)
        proxy.on_request = None
        wait_until(
            lambda: "2.2.2.2:80" in zookeeper.get_children(writer, "/providers"), "it, too", 30
        )


class TestNewSessions:
    """A server gives a client that comes back a new session, without a word."""

    def test_registrations_and_live_objects_return(self, proxy, client, writer):
        proxy.on_request = give_new_sessions
        zookeeper.create(writer, "/servers", "", OPEN)
        zk = client()
        registration = zk.register("/servers", "a:1")
        children = zk.children("/servers")
        first = zookeeper.client_id(zk.handle)[0]
        for count in (2, 3):
            connections = proxy.connections
            proxy.cut()
            wait_until(partial(has_more, proxy, connections), "it connects again", 30)
            zookeeper.create(writer, f"/servers/{count}", "", OPEN)
            wait_until(lambda: registration.state == "registered", "it is registered", 30)
            wait_until(partial(has_length, children, count), "children are followed", 30)
        assert zookeeper.client_id(zk.handle)[0] != first
        owner = zookeeper.get(writer, "/servers/a:1")[1]["ephemeralOwner"]
        assert owner == zookeeper.client_id(zk.handle)[0]
        assert proxy.connections <= MOST_CONNECTIONS


class TestNoOperation:
    """A server lacks one operation: it hangs up, says so, or never answers."""

    HABITS = pytest.mark.parametrize("habit", [hang_up_at, deny, never_answer])

    @HABITS
    def test_trees_are_read_without_multi_read(self, proxy, client, writer, habit):
        proxy.on_request = habit(Op.MULTI_READ)
        make_nodes(writer, 50)
        zk = client()
        assert zk.export_tree().count("v = 0") == 50
        assert proxy.requests[Op.MULTI_READ] <= 2
        assert proxy.connections <= 4
        objects = [zk.properties(f"/{number:05}") for number in range(5)]
        change(writer, [f"/{number:05}" for number in range(5)], objects, 1)

    @HABITS
    def test_trees_are_written_without_transactions(self, zookeeper, proxy, client, writer, habit):
        proxy.on_request = habit(Op.MULTI)
        zk = client()
        zk.import_tree("/a\n  v = 1\n  /b\n/c\n")
        zk.import_tree("/a\n  v = 2\n/d\n", trim=True)
        assert sorted(zookeeper.get_children(writer, "/")) == ["a", "c", "d"]
        assert zookeeper.get_children(writer, "/a") == []
        assert zk.get_properties("/a") == {"v": 2}
        assert proxy.requests[Op.MULTI] <= 2
        assert proxy.connections <= 4

    @pytest.mark.parametrize(
        "work",
        [
            lambda zk: zk.export_tree(),
            lambda zk: zk.import_tree("/a\n  /b\n"),
            lambda zk: zk.delete_recursive("/a"),
            lambda zk: list(zk.walk()),
        ],
        ids=["export", "import", "delete", "walk"],
    )
    def test_work_on_trees_ends_where_nothing_but_pings_is_answered(self, proxy, client, work):
        zk = client(3000)
        zk.create("/a", "")
        proxy.on_request = answer_pings_only
        raised = []

        def try_it():
            try:
                work(zk)
            except zookeeper.ZooKeeperException as fault:
                raised.append(fault)

        trying = threading.Thread(target=try_it)
        trying.start()
        trying.join(scaled(20))
        assert not trying.is_alive(), "it has not ended"
        assert raised
        proxy.on_request = None
        proxy.cut()

    @pytest.mark.not_over_tls("a real server hangs up once it has refused an operation")
    def test_a_transaction_is_not_taken_apart(self, zookeeper, proxy, client):
        proxy.on_request = deny(Op.MULTI)
        zk = client()
        for _ in range(2):
            with pytest.raises(zookeeper.UnimplementedException):
                zookeeper.multi(zk.handle, [("create", "/x", "", OPEN), ("create", "/y", "", OPEN)])
        assert zk.get_children("/") == []
        results = zookeeper.write_many(
            zk.handle,
            [
                ("create2", "/x", "1", OPEN),
                ("check", "/x", 0),
                ("check", "/x", 7),
                ("delete", "/x"),
            ],
        )
        assert results[0][0] == "/x"
        assert results[1] is None
        assert [type(result) for result in results[2:]] == [
            zookeeper.BadVersionException,
            zookeeper.NothingException,
        ]
        assert proxy.requests[Op.MULTI] == 1

    @HABITS
    def test_watches_stay_without_remove_watches(self, proxy, client, writer, habit):
        proxy.on_request = habit(Op.REMOVE_WATCHES)
        paths = make_nodes(writer, 20)
        zk = client()
        objects = [zk.properties(path) for path in paths]
        kept = objects.pop(0)
        objects.clear()
        for value in range(1, 4):
            change(writer, paths[:1], [kept], value)
        assert proxy.connections <= 4

    def test_large_transactions_become_smaller(self, zookeeper, proxy, client, writer):
        proxy.on_request = limit_requests_to(40_000)
        text = "".join(f"/{number:03}\n  v = '{'x' * 300}'\n" for number in range(300))
        client().import_tree(text)
        assert len(zookeeper.get_children(writer, "/")) == 300
        assert proxy.connections <= MOST_CONNECTIONS
