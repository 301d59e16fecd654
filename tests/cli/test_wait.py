"""`zk wait`: by watches, through lost connections and sessions, until its deadline."""

from __future__ import annotations

import signal
import threading

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import zk as run
from tests.deadlines import scaled, wait_until
from zc.zk.operations import awaiting
from zc.zk.testing import Server
from zc.zk.tree.expectation import Expectation, Seen
from zc.zk.tree.selection import Wanted

OPEN = [{"scheme": "world", "id": "anyone", "perms": 31}]
CLOSED = [{"scheme": "world", "id": "anyone", "perms": 31 & ~1}]


class Waiting:
    """A `wait` in a thread; `outcome` is there when it has ended."""

    def __init__(self, *arguments):
        self.outcome = None
        self._arguments = arguments
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with zc.zk.ZooKeeper(self._arguments[0]) as zk:
            self.zk = zk
            self.outcome = awaiting.wait_until(zk.watches, *self._arguments[1:])

    def is_watching(self, server, path):
        table = server.engine.watches
        return any(watched == path for watched, _ in table.data.paths())

    def has_seen(self):
        subscriptions = self.zk.watches._dependencies.subscriptions()
        return any(getattr(each.owner(), "callbacks", None) for each in subscriptions)

    def join(self):
        self._thread.join(scaled(60))
        assert not self._thread.is_alive()
        return self.outcome


@pytest.fixture
def own():
    with Server() as running:
        yield running


@pytest.fixture
def client(own):
    with zc.zk.ZooKeeper(own.connection_string) as zk:
        yield zk


def begin(own, path, expectation, seconds=60):
    waiting = Waiting(own.connection_string, path, expectation, scaled(seconds))
    watched = path
    wait_until(lambda: waiting.is_watching(own, watched), "it watches")
    return waiting


class TestConditions:
    def test_a_node_that_is_there_is_not_waited_for(self, own, client):
        client.create("/a")
        assert run("wait", own.connection_string, "/a") == (0, "", "")
        assert run("wait", "--gone", own.connection_string, "/none") == (0, "", "")
        assert run("wait", "--children", 1, own.connection_string, "/") == (0, "", "")

    def test_a_node_that_comes(self, own, client):
        waiting = begin(own, "/a", Expectation())
        client.create("/a")
        assert waiting.join() == ""

    def test_a_node_that_goes(self, own, client):
        client.create("/a")
        waiting = begin(own, "/a", Expectation(is_gone=True))
        client.delete("/a")
        assert waiting.join() == ""

    def test_a_property_that_gets_its_value(self, own, client):
        client.create("/a", '{"state": "starting"}')
        waiting = begin(own, "/a", Expectation(properties=(Wanted("state", True, "ready"),)))
        client.set("/a", '{"state": "almost"}')
        client.set("/a", '{"state": "ready"}')
        assert waiting.join() == ""

    def test_a_number_of_children_behind_a_link_that_is_made_later(self, own, client):
        client.import_tree("/shop\n  /real\n")
        waiting = begin(own, "/shop/main", Expectation(children=2))
        client.create("/shop/real/1")
        client.properties("/shop", watch=False).set({"main ->": "/shop/real"})
        client.create("/shop/real/2")
        assert waiting.join() == ""


class TestBadDays:
    def test_the_lack_at_the_deadline_is_told(self, own, client):
        client.create("/a", '{"n": 4}')
        where = own.connection_string

        def lack(*words):
            outcome = run("wait", "--deadline", "0.2s", where, *words)
            assert (outcome.status, outcome.output) == (1, "")
            return outcome.messages

        assert lack("/none") == "zk wait: /none: it is not there, after 200 ms\n"
        assert lack("--gone", "/a") == "zk wait: /a: it is there, after 200 ms\n"
        assert "its property 'n' is 4" in lack("--property", "n=5", "/a")
        assert "it has no property 'm'" in lack("--property", "m", "/a")
        assert "it has 0 of 3 children" in lack("--children", 3, "/a")

    def test_a_lost_connection_and_a_lost_session_are_lived_through(self, own, client):
        waiting = begin(own, "/a", Expectation())
        former = waiting.zk.client_id()
        own.cut()
        wait_until(lambda: waiting.zk.state == zookeeper.CONNECTED_STATE, "it is back")
        own.expire(former[0])
        wait_until(
            lambda: (
                waiting.zk.state == zookeeper.CONNECTED_STATE and waiting.zk.client_id() != former
            ),
            "it has another session",
        )
        assert waiting.outcome is None
        client.create("/a")
        assert waiting.join() == ""

    def test_a_change_during_a_gap_is_seen_afterwards(self, own, client):
        waiting = begin(own, "/a", Expectation())
        port, connects = own.port, client._session.connects
        own.stop()
        own.engine  # noqa: B018  the nodes live on
        own.start()
        assert own.port == port
        # Its state may still be that of the connection that is lost.
        wait_until(lambda: client._session.connects > connects, "it is back")
        client.create("/a")
        assert waiting.join() == ""

    def test_no_connection_at_the_deadline_is_told(self, own, client):
        waiting = begin(own, "/a", Expectation(), 2)
        wait_until(waiting.has_seen, "it has seen that there is nothing")
        own.stop()
        assert "it is not there as far as is known, and there is no connection" in waiting.join()

    def test_a_node_that_may_not_be_read_is_waited_for_without_its_properties(self, own, client):
        client.create("/a", "", CLOSED)
        assert run("wait", own.connection_string, "/a") == (0, "", "")
        outcome = run("wait", "--property", "x", own.connection_string, "/a")
        assert outcome == (1, "", "zk wait: not authenticated: /a\n")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_in_silence(self, own, start, number):
        process = start("wait", "--deadline", "1h", own.connection_string, "/none")

        def is_watching():
            # Behind the first look comes that at links, with modules of its own.
            return {"/", "/none"} <= {path for path, _ in own.engine.watches.data.paths()}

        wait_until(is_watching, "it watches")
        process.send_signal(number)
        output, messages = process.communicate(timeout=scaled(30))
        assert (output, messages) == (b"", b"")
        # Of an interruption within `eval`, as an import of named tuples has it, `python -m` makes
        # the signal, whatever comes of the exception. To a shell both are 130.
        by_python = {-number} if number == signal.SIGINT else set()
        assert process.returncode in {128 + number, *by_python}

    def test_wrong_usage(self, own):
        where = own.connection_string
        for wrong in ["--gone", "--children", "2", "/a"], ["--deadline", "0", "/a"], []:
            outcome = run("wait", where, *wrong)
            assert (outcome.status, outcome.output) == (2, "")


@pytest.mark.parametrize(
    ("expectation", "seen", "lack"),
    [
        (Expectation(), Seen(False), "it is not there"),
        (Expectation(is_gone=True), Seen(False), ""),
        (Expectation(properties=[Wanted("a")]), Seen(True, '{"a ->": "/b"}'), ""),
        (Expectation(properties=[Wanted("a", True, 1)]), Seen(True, '{"a": 1.0}'), "is 1.0"),
        (Expectation(children=2), Seen(True, None, 2), ""),
    ],
)
def test_lacks_are_told_in_words(expectation, seen, lack):
    told = expectation.lack(seen)
    assert lack in told if lack else told == ""
