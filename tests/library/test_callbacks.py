"""Callbacks may do anything, in one thread and in the order of changes.

The failures and delays of callbacks of `Children` are in test_children.py, subscribers to events of
the session in test_session_events.py, and watchers given to the binding in tests/binding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire, session_id
from zc.zk.watching.liveobject import View
from zc.zk.watching.propertiesview import PropertiesView

ADDRESS = ("1.2.3.4", 80)


@pytest.fixture(autouse=True)
def node(zk: zc.zk.ZooKeeper) -> str:
    zk.create("/test")
    return "/test"


def in_a_callback(
    zk: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper, work: Callable[[], object]
) -> object:
    """Return what `work` returns in a callback; raise what it raises."""
    done = threading.Event()
    results: list[object] = []

    @zk.children("/test")
    def work_once(children: zc.zk.Children) -> None:
        if "go" in children:
            try:
                results.append(work())
            except Exception as fault:
                results.append(fault)
            done.set()
            raise zc.zk.CancelWatch

    other.create("/test/go")
    assert done.wait(scaled(60)), "the callback ends"
    assert work_once.path == "/test"
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


class TestThreadAndOrder:
    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_the_first_call_is_in_the_programs_thread_and_all_others_in_one(
        self, zk, other
    ) -> None:
        threads = []
        callback = Calls(lambda _: threads.append(threading.current_thread()))
        followed = [zk.children("/test")(callback), zk.properties("/test")(callback)]
        assert threads == [threading.current_thread()] * 2
        other.create("/test/a")
        callback.wait(3)
        other.set("/test", '{"x":1}')
        callback.wait(4)
        assert threads[2] is threads[3]
        assert threads[2].name.startswith("zc.zk callbacks")
        assert len(followed) == 2

    def test_changes_are_told_in_the_order_in_which_they_were_made(self, zk, other) -> None:
        """A program that hears of a later change, of any node, knows the earlier."""
        for name in "abc":
            zk.create(f"/{name}", '{"n":0}')
        told: list[tuple[str, int]] = []
        followed = [
            zk.properties(f"/{name}")(lambda now: told.append((now.path, now["n"])))
            for name in "abc"
        ]
        del told[:]
        for n in range(1, 11):
            for name in "abc":
                other.set(f"/{name}", f'{{"n":{n}}}')
                wait_until(lambda: len(told) == 1, "it is told")
                assert told.pop() == (f"/{name}", n)
        assert [live["n"] for live in followed] == [10, 10, 10]

    def test_callbacks_of_one_object_are_called_in_the_order_of_its_list(self, zk, other) -> None:
        called: list[int] = []
        children = zk.children("/test")
        for number in range(5):
            children(lambda _, number=number: called.append(number))
        del called[:]
        other.create("/test/a")
        wait_until(lambda: len(called) == 5, "all are called")
        assert called == [0, 1, 2, 3, 4]

    def test_objects_of_a_node_are_told_in_the_order_in_which_they_came(self, zk, other) -> None:
        """Also those in between whose way leads through a link, and which are not alike."""
        zk.create("/node", '{"n":0}')
        zk.create("/links", '{"way ->": "/node", "n =>": "/node n"}')
        told: list[int] = []
        paths = ["/node", "/node", "/links/way", "/node", "/links", "/node", "/node"]
        followed = [
            zk.properties(path)(lambda now, number=number: told.append(number))
            for number, path in enumerate(paths)
        ]
        for n in (1, 2):
            del told[:]
            other.set("/node", f'{{"n":{n}}}')
            wait_until(lambda: len(told) == len(paths), "all are told")
            assert told == [*range(len(paths))]
            assert [live["n"] for live in followed] == [n] * len(paths)

    def test_one_that_cannot_be_refreshed_keeps_no_other_from_hearing(
        self, zk, other, monkeypatch, caplog
    ) -> None:
        heard: list[int] = []
        followed = [
            zk.properties("/test")(lambda now, number=number: heard.append(number))
            for number in range(4)
        ]
        del heard[:]
        awkward = followed[1]._view = copy(followed[1]._shown)

        def differs_from(view: PropertiesView, former: View) -> bool:
            if former is awkward:
                raise RuntimeError("no comparison")
            return compare(view, former)

        compare = PropertiesView.differs_from
        monkeypatch.setattr(PropertiesView, "differs_from", differs_from)
        other.set("/test", '{"n":1}')
        wait_until(lambda: len(heard) == 3, "the others are told")
        assert heard == [0, 2, 3]
        assert caplog.text.count("could not be updated") == 1
        monkeypatch.undo()
        other.set("/test", '{"n":2}')
        wait_until(lambda: len(heard) == 7, "all are told")


class TestWhatTheyMayDo:
    def test_call_whatever_the_client_can_do(self, zk, other) -> None:
        def work() -> str:
            with zk.register("/test", ADDRESS, weight=1) as registration:
                registration.update(weight=2)
                assert zk.get_properties("/test/1.2.3.4:80")["weight"] == 2
            zk.import_tree("/tree\n  n = 1\n  /twig\n")
            zk.ln("/tree/twig", "/test/link")
            assert list(zk.walk("/tree")) == ["/tree", "/tree/twig"]
            properties = zk.properties("/tree")
            properties.update(lambda now: {"n": now["n"] + 1})
            properties.set(n=properties["n"], m=1)
            assert zk.resolve("/test/link") == "/tree/twig"
            text = zk.export_tree("/tree")
            zk.delete_recursive("/tree/twig")
            zk.multi([("set", "/tree", "done"), ("create", "/tree/x", "", zc.zk.OPEN_ACL_UNSAFE)])
            zk.reopen()
            return text

        assert in_a_callback(zk, other, work) == "/tree\n  m = 1\n  n = 2\n  /twig\n"
        assert other.get("/tree")[0] == "done"

    def test_start_threads_that_use_the_client_and_wait_for_them(self, zk, other) -> None:
        def work() -> list[str]:
            threads = [
                threading.Thread(target=zk.create, args=[f"/by-thread-{number}"])
                for number in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(scaled(60))
            return sorted(zk.get_children("/"))

        names: Any = in_a_callback(zk, other, work)
        assert [name for name in names if name.startswith("by-")] == [
            f"by-thread-{number}" for number in range(4)
        ]

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_block_while_the_session_is_lost_and_restored(
        self, zk, other, connection_string
    ) -> None:
        zk.register_server("/test", ADDRESS)
        blocked, go_on = threading.Event(), threading.Event()

        @zk.properties("/test")
        def block(properties: zc.zk.Properties) -> None:
            if properties:
                blocked.set()
                go_on.wait(scaled(60))

        try:
            other.set("/test", '{"x":1}')
            assert blocked.wait(scaled(30))
            expire(zk, connection_string)
            wait_until(
                lambda: (
                    (stat := other.exists("/test/1.2.3.4:80"))
                    and stat["ephemeralOwner"] == session_id(zk)
                ),
                "the server is registered in the new session",
                30,
            )
            other.set("/test", '{"x":2}')
            wait_until(lambda: block["x"] == 2, "the data go on")
        finally:
            go_on.set()

    def test_close_the_client_and_find_it_closed(self, zk, other) -> None:
        def work() -> object:
            zk.close()
            return zk.get("/test")

        with pytest.raises(zookeeper.ClosingException):
            in_a_callback(zk, other, work)

    def test_have_another_thread_close_the_client_and_wait_for_it(self, zk, other) -> None:
        def work() -> bool:
            closer = threading.Thread(target=zk.close)
            closer.start()
            closer.join(scaled(60))
            return closer.is_alive()

        assert in_a_callback(zk, other, work) is False

    def test_open_and_close_another_client(self, zk, other, client) -> None:
        def work() -> str:
            with client() as own:
                own.register_server("/test", ADDRESS)
                return own.export_tree("/test", ephemeral=True)

        assert "/1.2.3.4:80" in str(in_a_callback(zk, other, work))

    def test_change_the_list_of_callbacks(self, zk, other) -> None:
        children = zk.children("/test")
        late = Calls()

        def replace(now: zc.zk.Children) -> None:
            if len(now):
                now.callbacks[:] = [late]

        children(replace)
        other.create("/test/a")
        wait_until(lambda: children.callbacks == [late], "they are replaced")
        other.create("/test/b")
        late.wait_one()

    def test_drop_the_object_that_they_belong_to(self, zk, other) -> None:
        kept: dict[str, Any] = {}
        dropped = threading.Event()

        def drop(children: zc.zk.Children) -> None:
            if len(children):
                kept.clear()
                dropped.set()

        kept["children"] = zk.children("/test")(drop)
        other.create("/test/a")
        assert dropped.wait(scaled(30))
        wait_until(lambda: len(zk.watches) == 0, "nobody follows it any more")
