"""Callbacks that fail, or that nobody can hear: never in silence.

A callback that fails for a passing reason is called again; one that fails by a mistake of its own
is dropped, as earlier releases did, unless it is to be kept. Each failure is logged, counted and
told.
"""

from __future__ import annotations

import functools
import gc
import logging

import pytest

import zc.zk
import zc.zk.event
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from zc.zk.event import CallbackFailed, ClientEvent


@pytest.fixture(autouse=True)
def node(zk: zc.zk.ZooKeeper) -> str:
    zk.import_tree("/shop\n  n = 0\n  price => /prices tea\n/prices\n  tea = 1\n")
    return "/shop"


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[CallbackFailed]:
    told: list[CallbackFailed] = []

    def note(event: ClientEvent) -> None:
        if isinstance(event, CallbackFailed):
            told.append(event)

    monkeypatch.setattr(zc.zk.event, "subscribers", [note])
    return told


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "zc.zk" and record.levelno == logging.ERROR
    ]


class Seen(Calls):
    """Notes the properties as the guide does, and raises for a broken link."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, object]] = []

    def __call__(self, properties: zc.zk.Properties) -> None:
        super().__call__(properties)
        self.seen.append(dict(properties))

    def wait_for(self, **properties: object) -> None:
        wait_until(
            lambda: self.seen and properties.items() <= self.seen[-1].items(),
            lambda: f"{properties} is told: {self.seen}",
        )


class TestWhatMayPass:
    def test_a_link_that_is_broken_for_a_moment_silences_nobody(
        self, zk, other, failures, caplog
    ) -> None:
        callback = Seen()
        shop = zk.properties("/shop")(callback)
        other.delete("/prices")
        callback.wait(2)
        other.create("/prices", '{"tea":2}')
        callback.wait_for(price=2)
        wait_until(lambda: len(failures) == 1, "it is told")
        assert (failures[0].zk, failures[0].watched, failures[0].callback) == (zk, shop, callback)
        assert isinstance(failures[0].fault, zc.zk.BadPropertyLink)
        assert failures[0].is_kept
        assert repr(failures[0]).endswith(": kept)")
        assert shop.failed_calls == 1
        assert shop.callbacks == [callback]
        assert len(errors(caplog)) == 1
        assert "failed and is kept" in errors(caplog)[0]

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_one_that_lost_its_connection_is_called_again(self, zk, other, failures) -> None:
        """The callback is called again though nothing changes that would cause it."""
        attempts = []

        def write_down(children: zc.zk.Children) -> None:
            if len(children):
                attempts.append(list(children))
                if len(attempts) < 3:
                    raise zookeeper.ConnectionLossException

        followed = zk.children("/shop")(write_down)
        other.create("/shop/a")
        wait_until(lambda: len(attempts) == 3, "it is called until it succeeds", 30)
        assert followed.callbacks == [write_down]
        assert followed.failed_calls == 2
        wait_until(lambda: len(failures) == 2, "each is told")

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_callback_taken_out_of_the_list_is_not_called_again(self, zk, other) -> None:
        calls = []

        def fail(children: zc.zk.Children) -> None:
            if len(children):
                calls.append(1)
                children.callbacks.remove(fail)
                raise zookeeper.ConnectionLossException

        followed = zk.children("/shop")(fail)
        last = Calls()
        other.create("/shop/a")
        wait_until(lambda: followed.failed_calls, "it fails")
        followed(last)
        other.create("/shop/b")
        last.wait(2)
        zk._session.announcements.callbacks.worker.wake()
        wait_until(lambda: not followed._failures._failing, "it is forgotten", 30)
        assert calls == [1]

    def test_the_same_failure_is_logged_once_and_that_it_is_over(
        self, zk, other, failures, caplog
    ) -> None:
        caplog.set_level(logging.INFO, "zc.zk")
        callback = Seen()
        followed = zk.properties("/shop")(callback)
        other.delete("/prices")
        callback.wait(2)
        for n in range(1, 4):
            other.properties("/shop", watch=False)._write(f'{{"n":{n},"price =>":"/prices tea"}}')
            callback.wait(2 + n)
        assert len(errors(caplog)) == 1
        other.create("/prices", '{"tea":5}')
        callback.wait_for(price=5)
        wait_until(lambda: "works again" in caplog.text, "its return is logged")
        assert followed.failed_calls == 4


class TestMistakes:
    def test_a_mistake_is_logged_counted_told_and_dropped(
        self, zk, other, failures, caplog
    ) -> None:
        def fail(children: zc.zk.Children) -> None:
            if len(children):
                raise ValueError("no good")

        rest = Calls()
        followed = zk.children("/shop")(fail)(rest)
        other.create("/shop/a")
        rest.wait(2)
        wait_until(lambda: failures, "it is told")
        assert followed.callbacks == [rest]
        assert followed.failed_calls == 1
        assert str(failures[0].fault) == "no good"
        assert not failures[0].is_kept
        assert repr(failures[0]).endswith(": dropped)")
        assert "failed and is dropped" in errors(caplog)[0]

    def test_sys_exit_in_one_is_told_as_well(self, zk, other, failures) -> None:
        def leave(children: zc.zk.Children) -> None:
            if len(children):
                raise SystemExit

        followed = zk.children("/shop")(leave)
        other.create("/shop/a")
        wait_until(lambda: failures, "it is told")
        assert (followed.callbacks, followed.failed_calls) == ([], 1)

    @pytest.mark.not_emulated("nothing is retried after a pause")
    @pytest.mark.parametrize("how", ["client", "object"])
    def test_it_is_kept_where_that_is_wished(self, client, other, failures, how) -> None:
        zk = client(keep_callbacks=how == "client")
        attempts = []

        def fail(children: zc.zk.Children) -> None:
            if len(children):
                attempts.append(list(children))
                if len(attempts) < 3:
                    raise ValueError("no good")

        followed = zk.children("/shop")
        if how == "object":
            followed.keep_callbacks = True
        followed(fail)
        other.create("/shop/a")
        wait_until(lambda: len(attempts) == 3, "it is called until it succeeds", 30)
        assert followed.callbacks == [fail]
        wait_until(lambda: [event.is_kept for event in failures] == [True, True], "it is told")

    def test_the_first_call_is_the_programs_even_so(self, client) -> None:
        followed = client(keep_callbacks=True).children("/shop")
        with pytest.raises(ValueError, match="no good"):
            followed(Calls(lambda _: (_ for _ in ()).throw(ValueError("no good"))))
        assert followed.callbacks == []


class TestWhatIsNeverCalled:
    @pytest.mark.parametrize("kind", ["children", "properties"])
    def test_without_watch_an_object_takes_no_callbacks(self, zk, kind) -> None:
        callback = Calls()
        with pytest.raises(TypeError, match="watch=False"):
            getattr(zk, kind)("/shop", watch=False)(callback)
        assert len(callback) == 0

    def test_an_object_with_callbacks_that_nobody_holds_is_warned_of(
        self, zk, other, caplog
    ) -> None:
        zk.properties("/shop")(lambda properties: None)
        zk.children("/shop")(functools.partial(print, end=""))
        gc.collect()
        other.set("/shop", "{}")
        wait_until(lambda: caplog.text.count("nobody refers to it") == 2, lambda: caplog.text)
        assert "zc.zk.Properties(/shop) is gone" in caplog.text
        assert "zc.zk.Children(/shop) is gone" in caplog.text
        assert {r.levelname for r in caplog.records if "nobody" in r.getMessage()} == {"WARNING"}
        assert len(zk.watches) == 0

    def test_objects_that_refer_to_themselves_are_too(self, zk, caplog) -> None:
        circle = [zk.properties("/shop")]
        circle[0](lambda _, circle=circle: circle)
        circle = []
        gc.collect()
        zk._session.wake()
        wait_until(lambda: "nobody refers to it" in caplog.text, "it is warned of")

    def test_nothing_is_said_of_objects_without_any_nor_after_the_end(
        self, client, connection_string, caplog
    ) -> None:
        zk = client()
        followed = [zk.properties("/shop"), zk.children("/shop"), zk.properties("/shop")]
        followed[0](print).callbacks.clear()
        followed[1](print)
        del followed[0]
        del followed[1]
        expire(zk, connection_string)
        zk.close()
        followed.clear()
        gc.collect()
        assert "nobody refers to it" not in caplog.text
