"""The figures of a client: what is counted, and that to tell it waits for nothing."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import ExitStack, closing
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import LONG_SESSION, wait_until
from tests.library.bad_days import expire
from tests.library.forked import Child
from tests.metrics.figures import count, family, names, one, told
from tests.sessions import OPEN
from tests.tcpproxy import TO_CLIENT
from zc.zk.metrics import clients, figures, measure
from zc.zk.metrics.families import COUNTER, FAMILIES, HISTOGRAM
from zc.zk.metrics.timedbinding import KINDS, LATER_KINDS, TimedBinding
from zc.zk.testing import Emulation
from zookeeper.binding import Binding


class TestMeasuring:
    def test_a_client_that_is_not_measured_has_its_own_binding_and_queue(self, zk):
        assert zk._session.binding is zookeeper
        assert type(zk._session.announcements.callbacks).__module__ == "zc.zk.session.worker"
        assert clients() == []
        assert all(samples == [] for _, samples in figures())

    def test_a_second_call_times_nothing_twice(self, zk):
        assert measure(zk) is measure(zk)
        zk.get("/")
        assert count("get") == 1

    def test_threads_that_measure_at_once_measure_once(self, zk):
        begin = threading.Barrier(8)
        found: list[Any] = []

        def look() -> None:
            begin.wait()
            found.append(measure(zk))
            found.append(len(figures()) == len(FAMILIES))

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(found) == {measure(zk), True}
        zk.get("/")
        assert count("get") == 1

    def test_a_name_is_by_default_the_connection_string(self, zk, other_zk, place):
        measure(zk)
        measure(other_zk)
        assert names() == {place, f"{place}#2"}

    def test_a_name_can_be_given_and_changed(self, zk):
        measure(zk, "shop")
        zk.get("/")
        measure(zk, "till")
        measure(zk)
        assert names() == {"till"}
        assert count("get") == 1

    @pytest.mark.parametrize("name", [5, b"shop", "\udc80", ""])
    def test_a_name_that_cannot_be_written_is_refused(self, zk, name):
        with pytest.raises((TypeError, ValueError), match="a client's name"):
            measure(zk, name)
        assert not clients()
        measured = measure(zk, "shop")
        with pytest.raises((TypeError, ValueError), match="a client's name"):
            measured.name = name
        assert names() == {"shop"}

    @pytest.mark.parametrize("thing", [None, object(), "h:1"])
    def test_something_that_is_no_client_is_refused(self, thing):
        with pytest.raises(TypeError, match=f"a client is measured, not {type(thing).__name__}"):
            measure(thing)

    def test_a_name_that_another_client_has_is_refused(self, zk, other_zk):
        measure(zk, "shop")
        with pytest.raises(ValueError, match="'shop'"):
            measure(other_zk, "shop")
        assert names() == {"shop"}
        till = measure(other_zk, "till")
        with pytest.raises(ValueError, match="'shop'"):
            till.name = "shop"
        till.name = "till"
        assert names() == {"shop", "till"}
        zk.close()
        measure(other_zk, "shop")

    def test_a_closed_client_vanishes_and_cannot_be_measured(self, zk, other_zk):
        measure(zk, "one")
        measure(other_zk, "two")
        zk.close()
        assert names() == {"two"}
        with pytest.raises(zookeeper.ClosingException):
            measure(zk)
        other_zk.close()
        assert names() == set()
        assert clients() == []

    @pytest.mark.not_emulated("an emulation's session has no threads that keep it")
    def test_a_dropped_client_is_open_and_is_told_measured_or_not(self, place):
        """Its session and its ephemeral nodes go on until `close`, and so do its figures."""
        sessions: list[Any] = []
        for is_measured in (False, True):
            client = zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS)
            if is_measured:
                measure(client, "dropped")
            sessions.append(weakref.ref(client._session))
            del client
        gc.collect()
        open_ones = [session() for session in sessions]
        assert [session.state.value for session in open_ones] == ["connected", "connected"]
        assert names() == {"dropped"}
        for session in open_ones:
            session.close()
        assert clients() == []

    def test_a_client_that_is_closed_and_dropped_is_freed_measured_or_not(self, place):
        freed: list[Any] = []
        for is_measured in (False, True):
            client = zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS)
            if is_measured:
                measure(client)
            client.get("/")
            client.close()
            freed += [weakref.ref(client), weakref.ref(client._session)]
            del client
        assert clients() == []  # a scrape, or the next `measure`, lets go of the session
        wait_until(lambda: gc.collect() >= 0 and not any(each() for each in freed), "freed")

    def test_a_client_of_an_emulation_is_measured_alike(self):
        with closing(Emulation()) as emulation:
            arguments: dict[str, Any] = {"binding": emulation.binding}
            with zc.zk.ZooKeeper(emulation.connection_string, **arguments) as zk:
                measure(zk)
                zk.create("/a", "")
                later = Calls()
                zk.aget("/a", None, later)
                later.wait_one()
                children = zk.children("/")
                changes: list[int] = []
                children(lambda children: changes.append(len(children)))
                zk.create("/b", "")
                assert len(changes) == 2
                assert (count("create"), count("get")) == (2, 1)
                assert told("callback_delay")[()].counts[-1] == 1
                assert one("live_objects", "children") == 1
                assert one("event_thread_busy") == 0


class TestCalls:
    def test_every_call_of_the_binding_that_answers_is_timed(self):
        """All functions that take a timeout or a completion, but for those about connections."""
        ours = vars(TimedBinding)
        spared = {"add_auth", "aclose", "init"}
        missing = [
            name
            for name, function in vars(Binding).items()
            if {"timeout", "completion"} & set(getattr(function, "__annotations__", ()))
            and name not in ours
            and name not in spared
        ]
        assert missing == []
        assert set(KINDS) | set(LATER_KINDS) <= set(vars(Binding))

    def test_a_call_that_waits_is_told_by_its_kind_and_outcome(self, zk):
        measure(zk)
        zk.create("/a", "1")
        zk.create2("/b", "2")
        assert zk.exists("/none") is None
        with pytest.raises(zookeeper.NoNodeException):
            zk.get("/none")
        with pytest.raises(zookeeper.BadVersionException):
            zk.set("/a", "", 7)
        with pytest.raises(TypeError):
            zk.get(None)
        assert {key: value.counts[-1] for key, value in told("call_duration").items()} == {
            ("create", "ok"): 2,
            ("exists", "ok"): 1,
            ("get", "failed"): 1,
            ("get", "refused"): 1,
            ("set", "refused"): 1,
        }

    def test_a_call_that_does_not_wait_is_timed_until_its_completion(self, zk):
        measure(zk)
        done, missing, none = Calls(), Calls(), Calls()
        zk.aget("/", None, done)
        zk.aget("/none", completion=missing)
        zk.aexists("/none", None, none)
        zk.aset("/", "x")  # nobody asks how it ends
        assert done.wait_one()[1] == zookeeper.OK
        assert missing.wait_one()[1] == zookeeper.NONODE
        assert none.wait_one()[1] == zookeeper.NONODE
        wait_until(lambda: count("set") == 1, "the answer that nobody asked for is counted")
        assert count("get") == count("get", "refused") == count("exists") == 1

    def test_an_answer_for_a_completion_queue_is_called_where_that_is_drained(self, zk):
        measure(zk)
        queue = zookeeper.CompletionQueue()
        answers: list[tuple[Any, ...]] = []
        try:
            zk.aget("/", None, queue.bind(lambda *answer: answers.append(answer)))
            aget_many = zk._session.binding.aget_many
            zk._session.call(aget_many, ["/"], queue.bind(lambda *answer: answers.append(answer)))
            wait_until(lambda: queue.drain() is None or len(answers) == 2, "both are there")
        finally:
            queue.close()
        assert [answer[1] for answer in answers] == [zookeeper.OK] * 2
        assert (count("get"), count("get_many")) == (1, 1)

    def test_a_completion_that_is_none_is_an_error_of_the_binding(self, zk):
        measure(zk)
        with pytest.raises(TypeError, match="completion"):
            zk.aget("/", None, 7)
        assert count("get", "failed") == 1

    def test_calls_of_many_nodes_are_one_each(self, zk):
        measure(zk)
        zk.write_many([("create", f"/{name}", "", OPEN) for name in "abc"])
        zk.get_many(["/a", "/b"])
        assert len(zk.read_tree("/")) == 4
        assert (count("write_many"), count("get_many"), count("read_tree")) == (1, 1, 1)

    def test_no_answer_and_a_lost_connection_are_told_apart(self, proxy, root):
        with zc.zk.ZooKeeper(proxy.connection_string + root, LONG_SESSION) as zk:
            measure(zk)
            proxy.stall(TO_CLIENT)
            with pytest.raises(zookeeper.OperationTimeoutException):
                zk.get("/", timeout=0.05)
            lost = Calls()
            zk.aget("/", None, lost)
            proxy.cut()
            lost.wait_one()
            assert count("get", "timeout") == 1
            assert count("get", "lost") == 1
            assert told("call_duration")["get", "timeout"].total >= 0.05


class TestSessions:
    def test_connections_and_sessions_are_counted_over_all_of_them(
        self, place, proxy, root, connection_string
    ):
        with zc.zk.ZooKeeper(proxy.connection_string + root, LONG_SESSION) as zk:
            measure(zk)
            assert [one(name) for name in ("connects", "disconnects", "sessions")] == [1, 0, 1]
            assert one("state", "connected") == 1
            assert one("disconnected") == 0
            assert one("session_timeout") == zk.recv_timeout() / 1000
            proxy.refuse()
            proxy.cut()
            wait_until(lambda: one("state", "suspended"), "the connection is lost")
            assert one("state", "connected") == 0
            assert one("disconnects") == 1
            wait_until(lambda: one("disconnected") > 0, "time goes by")
            proxy.allow()
            wait_until(lambda: one("connects") == 2, "it is connected again", 30)
            assert (one("sessions"), one("lost_sessions")) == (1, 0)
            before = one("disconnects")
            expire(zk, connection_string)
            assert one("sessions") == 2
            assert one("lost_sessions") == 1
            assert one("disconnects") > before
            assert one("disconnects") == one("connects") - 1
            zk.get("/")
            assert count("get") == 1

    def test_counters_never_fall(self, zk, connection_string):
        measure(zk)
        zk.create("/a", "")
        zk.properties("/a")(lambda _: None)
        seen: dict[str, dict[tuple[str, ...], Any]] = {}
        for _ in range(3):
            zk.get("/a")
            for each in FAMILIES:
                if each.kind in (COUNTER, HISTOGRAM):
                    now = told(each.name)
                    for labels, value in seen.get(each.name, {}).items():
                        assert now[labels] >= value, (each.name, labels)
                    seen[each.name] = now
            expire(zk, connection_string)
        assert one("sessions") == 4


class TestWhatIsKeptUp:
    def test_registrations_are_told_by_their_states(self, zk, other_zk):
        measure(zk)
        assert told("registrations") == {
            ("pending",): 0, ("refused",): 0, ("registered",): 0, ("waiting",): 0,
        }  # fmt: skip
        zk.create("/p", "")
        other_zk.create("/p/taken:1", "", flags=zookeeper.EPHEMERAL)
        zk.register("/p", "here:1")
        waiting = zk.register("/p", "taken:1")
        zk.create("/e", "", flags=zookeeper.EPHEMERAL)
        assert one("registrations", "registered") == 1
        assert one("registrations", "waiting") == 1
        assert one("ephemeral_nodes", "registered") == 1
        other_zk.delete("/p/taken:1")
        wait_until(lambda: one("registrations", "registered") == 2, "it is registered")
        waiting.unregister()
        assert one("registrations", "registered") == 1

    def test_watches_and_live_objects_are_told_by_their_kinds(self, zk):
        measure(zk)
        zk.create("/a", "")
        kept = [zk.children("/"), zk.children("/a"), zk.properties("/a"), zk.tree("/")]
        assert told("live_objects") == {
            ("children",): 2, ("properties",): 1, ("providers",): 0, ("tree",): 1, ("other",): 0,
        }  # fmt: skip
        assert one("watches", "children") == 2
        assert one("watches", "data") == 1
        assert one("watches", "tree") == 1
        kept.clear()
        wait_until(lambda: sum(told("live_objects").values()) == 0, "they are gone")
        wait_until(lambda: sum(told("watches").values()) == 0, "and so are their watches")

    def test_events_and_reads_are_counted_apart_from_those_after_a_gap(
        self, zk, other_zk, connection_string
    ):
        measure(zk)
        other_zk.write_many([("create", f"/{number}", "1", OPEN) for number in range(10)])
        kept = [zk.properties(f"/{number}") for number in range(10)]
        tree = zk.tree("/")
        assert (one("keeper_reads", "event"), one("keeper_reads", "gap")) == (0, 0)
        other_zk.set("/3", '{"x": 1}')
        wait_until(lambda: kept[3].get("x") == 1, "the change is seen")
        wait_until(lambda: tree["/3"].properties.get("x") == 1, "by the tree, too")
        wait_until(lambda: one("keeper_reads", "event") >= 2, "both have read it")
        assert one("watch_events") >= 2
        assert one("keeper_reads", "gap") == 0
        expire(zk, connection_string)
        wait_until(lambda: one("keeper_reads", "gap") >= 10 + 11, "all are read again")


class TestCallbacks:
    def test_callbacks_that_wait_and_how_late_they_are(self, zk, other_zk):
        measure(zk)
        go_on, begun = threading.Event(), threading.Event()
        zk.create("/a", "")
        zk.create("/b", "")
        slow, quick = zk.children("/a"), zk.children("/b")
        slow.callbacks.append(lambda _: (begun.set(), go_on.wait()))
        seen = Calls()
        quick.callbacks.append(seen)
        try:
            other_zk.create("/a/1", "")
            assert begun.wait(20)
            wait_until(lambda: one("callback_busy") > 0.05, "it has been going on for a while")
            other_zk.create("/b/1", "")
            wait_until(lambda: one("callback_queue") == 1, "the other one waits")
        finally:
            go_on.set()
        seen.wait_one()
        assert one("callback_queue") == 0
        wait_until(lambda: one("callback_busy") == 0, "all are done")
        delays = told("callback_delay")[()]
        assert delays.counts[-1] == 2
        assert delays.total > 0

    def test_callbacks_that_fail_are_counted(self, zk, other_zk):
        measure(zk)
        zk.create("/a", "")
        children = zk.children("/a")
        children.callbacks.append(lambda _: 1 / 0)
        other_zk.create("/a/1", "")
        wait_until(lambda: one("failed_callbacks") == 1, "it has failed")

    def test_a_watcher_that_does_not_return_is_seen(self, zk, other_zk):
        measure(zk)
        go_on = threading.Event()
        zk.create("/a", "")
        try:
            zk.get("/a", lambda *_: go_on.wait())
            other_zk.set("/a", "x")
            wait_until(lambda: one("event_thread_busy") > 0.05, "the thread is busy")
        finally:
            go_on.set()


class TestScraping:
    def test_figures_are_told_while_all_locks_are_held_and_no_server_answers(self, proxy, root):
        with zc.zk.ZooKeeper(proxy.connection_string + root, LONG_SESSION) as zk:
            measure(zk)
            zk.create("/p", "")
            registration = zk.register("/p", "here:1")
            children = zk.children("/p")
            session = zk._session
            seen: list[Any] = []
            with ExitStack() as held:
                proxy.stall(TO_CLIENT)
                held.enter_context(session._machine.lock)
                held.enter_context(session._handles.current._lock)
                held.enter_context(zk.watches._dependencies.lock)
                held.enter_context(zk._ephemerals.registry.lock)
                scrape = threading.Thread(target=lambda: seen.extend(figures()))
                scrape.start()
                scrape.join(20)
                assert not scrape.is_alive()
            proxy.resume(TO_CLIENT)
            assert len(seen) == len(FAMILIES)
            assert all(samples for each, samples in seen if each.kind != HISTOGRAM)
            assert list(children) == ["here:1"]
            assert registration.state == "registered"

    def test_a_handle_that_is_closed_meanwhile_spares_all_others(self, zk, other_zk, monkeypatch):
        measure(zk, "one")
        measure(other_zk, "two")

        def closed(handle: int) -> float:
            raise zookeeper.InvalidStateException("closed just now")

        monkeypatch.setattr(zk._session.binding, "event_thread_busy", closed, raising=False)
        assert list(told("event_thread_busy", "one")) == []
        assert list(told("event_thread_busy", "two")) == [()]

    def test_labels_have_no_paths(self, zk):
        measure(zk)
        zk.create("/hidden", "")
        kept = zk.properties("/hidden"), zk.register("/", "hidden:1")
        values = {value for _, samples in figures() for each in samples for value in each.values}
        assert [value for value in values if "hidden" in value] == []
        assert len(kept) == 2


def test_a_forked_child_tells_of_its_own_clients_alone(place, proxy, root):
    with zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
        measure(zk, "shop")
        zk.get("/")

        def work(child: Child) -> None:
            child.tell(sorted(names()))
            zk.reopen()
            zk.get("/")
            child.tell((sorted(names()), one("state", "connected"), count("get") >= 1))
            zk.close()
            child.tell(sorted(names()))

        child = Child(work)
        assert child.hear() == "[]"
        assert child.hear() == "(['shop'], 1, True)"
        assert child.hear() == "[]"
        child.join()
        zk.get("/")
        assert count("get") == 2
        assert family("state").full_name == "zookeeper_client_state"
