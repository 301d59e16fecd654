"""Callbacks, subscribers and loops over live objects: called by the loop, one after another."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest

import zc.zk
import zc.zk.aio
import zookeeper
from tests.aio import running
from tests.aio.conftest import NewClient
from tests.aio.running import Run, until
from tests.tcpproxy import TcpProxy
from zc.zk import event
from zc.zk.testing import Server

Told = list[Any]


def test_callbacks_are_functions_or_coroutine_functions(run: Run[None], anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.create("/a")
            children = await zk.children("/a")
            plain: Told = []
            later: Told = []

            @children
            def look(children: zc.zk.aio.Children) -> None:
                assert asyncio.get_running_loop()
                plain.append(sorted(children))

            @children
            async def look_later(children: zc.zk.aio.Children) -> None:
                await asyncio.sleep(0)
                later.append(sorted(children))

            assert plain == [[]]
            await until(lambda: later == [[]], "the first run of a coroutine is soon")
            await zk.create("/a/b")
            await until(lambda: plain[-1] == later[-1] == ["b"], "both are called")
            assert isinstance(look, zc.zk.aio.Children)

    run(main())


def test_callbacks_of_an_object_run_one_by_one_and_changes_come_in_one(
    run: Run[None], anywhere: NewClient
):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.create("/a")
            children = await zk.children("/a")
            go_on = asyncio.Event()
            running_now = 0
            told: Told = []

            async def slow(children: zc.zk.aio.Children) -> None:
                nonlocal running_now
                running_now += 1
                assert running_now == 1
                told.append(len(children))
                await go_on.wait()
                running_now -= 1

            children(slow)
            children(slow)
            await until(lambda: told == [0], "the first one runs")
            for number in range(20):
                await zk.create(f"/a/{number}")
            await until(lambda: len(children) == 20, "all is known")
            await asyncio.sleep(0.05)
            assert told == [0]
            go_on.set()
            await until(lambda: told[-2:] == [20, 20] and not running_now, "both have been told")
            assert len(told) <= 6

    run(main())


def test_a_coroutine_that_fails_is_dropped_or_kept_as_a_function_is(
    run: Run[None], new_client: NewClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.CRITICAL, "zc.zk")

    async def main() -> None:
        events: Told = []
        event.subscribers.append(events.append)
        async with new_client(keep_callbacks=True) as zk:
            await zk.create("/a")
            children = await zk.children("/a")
            calls: Told = []

            async def failing(children: zc.zk.aio.Children) -> None:
                calls.append("failing")
                await asyncio.sleep(0)
                if calls.count("failing") < 3:
                    raise LookupError

            async def enough(children: zc.zk.aio.Children) -> None:
                calls.append("enough")
                raise zc.zk.CancelWatch

            async def by_itself(children: zc.zk.aio.Children) -> None:
                calls.append("by itself")
                children.keep_callbacks = False
                raise asyncio.CancelledError  # nobody has cancelled it

            children(failing)
            children(enough)
            await until(lambda: calls.count("failing") == 3, "it is called again by itself")
            assert children.callbacks == [failing]
            assert children.failed_calls == 2
            failures = [each for each in events if isinstance(each, event.CallbackFailed)]
            assert [each.is_kept for each in failures] == [True, True]
            assert failures[0].watched is children
            assert failures[0].zk is zk
            children(by_itself)
            await until(lambda: children.callbacks == [failing], "it is dropped")
            with pytest.raises(ZeroDivisionError):
                children(lambda children: 1 // 0)
            assert children.callbacks == [failing]

    try:
        run(main())
    finally:
        event.subscribers.clear()


def test_a_deleted_node_is_told_to_loops_and_to_callbacks_without_arguments(
    run: Run[None], anywhere: NewClient
):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.create("/a")
            settings = await zk.properties("/a")
            told: Told = []
            settings(lambda properties=None: told.append(properties is None))
            await zk.delete("/a")
            await until(lambda: told == [False, True], "the end is told")
            assert settings.deleted
            assert repr(settings).startswith("DELETED: zc.zk.aio.Properties(")
            async for now in settings:
                if now.deleted:
                    await zk.create("/a", '{"x": 1}')
                else:
                    assert now["x"] == 1
                    break

    run(main())


def test_an_object_that_nobody_has_any_more_is_watched_no_more(
    run: Run[None], new_client: NewClient, caplog: pytest.LogCaptureFixture
):
    async def main() -> None:
        async with new_client() as zk:
            await zk.create("/a")
            children = await zk.children("/a")
            children(lambda children: None)
            assert len(zk.watches) == 1
            del children
            await until(lambda: len(zk.watches) == 0, "nothing is watched")
            await until(
                lambda: "zc.zk.aio.Children(/a) is gone" in caplog.text, "its callbacks are missed"
            )

    run(main())


def test_session_events_come_in_order_also_to_coroutine_functions(
    run: Run[None], proxy: TcpProxy, root: str
):
    async def main() -> None:
        told: Told = []
        states: Told = []

        async def subscriber(happened: event.ClientEvent) -> None:
            await asyncio.sleep(0.01)
            told.append(type(happened).__name__)
            assert happened.zk is zk

        async def watcher(handle: int, type: int, state: int, path: str) -> None:
            states.append(state)

        event.subscribers.append(subscriber)
        async with zc.zk.aio.ZooKeeper(proxy.connection_string + root, 4000) as zk:
            assert zk.set_watcher(watcher) == zookeeper.OK
            await until(lambda: told == ["Connected"], "it is told")
            proxy.cut()
            await until(
                lambda: told == ["Connected", "Disconnected", "Connected"], "all are told in order"
            )
            await until(lambda: states[-1:] == [zookeeper.CONNECTED_STATE], "the watcher, too")

    try:
        run(main())
    finally:
        event.subscribers.clear()


def test_an_expired_session_returns_with_its_registrations_and_live_objects():
    async def main(server: Server) -> None:
        async with zc.zk.aio.ZooKeeper(server.connection_string) as zk:
            await zk.create("/a")
            server_of = await zk.register("/a", "a:1")
            await zk.create("/e", flags=zookeeper.EPHEMERAL)
            rounds: Told = []

            async def look() -> None:
                async for names in zk.children("/a"):
                    rounds.append(sorted(names))

            looking = asyncio.create_task(look())
            await until(lambda: rounds == [["a:1"]], "it looks")
            number, _ = zk.client_id()
            server.expire(number)
            await until(lambda: number_of(zk) not in (None, number), "there is another session")
            await until(lambda: str(server_of.state) == "registered", "it returns")
            assert await until_there(zk, "/e")
            await until(lambda: len(rounds) > 1 and rounds[-1] == ["a:1"], "the loop is told")
            looking.cancel()

    async def until_there(zk: zc.zk.aio.ZooKeeper, path: str) -> bool:
        while await zk.exists(path) is None:
            await asyncio.sleep(0.01)
        return True

    with Server() as server:
        running.run(main(server))


def number_of(zk: zc.zk.aio.ZooKeeper) -> int | None:
    return None if zk.handle is None else zk.client_id()[0]


def test_a_walk_and_a_busy_task_let_others_have_their_turn(anywhere: NewClient):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.write_many(
                [("create", f"/{number}", "", zc.zk.OPEN_ACL_UNSAFE) for number in range(2000)]
            )
            turns = 0

            async def other() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(other())
            await asyncio.sleep(0)
            before = turns
            for _ in range(5):
                await zk.get("/1")
            assert turns >= before + 5
            assert len([path async for path in zk.walk()]) > 2000
            task.cancel()

    running.run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a task cannot tell who cancels it")
def test_a_watcher_that_awaits_something_cancelled_stops_no_other(
    run: Run[None], anywhere: NewClient, caplog: pytest.LogCaptureFixture
):
    async def main() -> None:
        async with anywhere() as zk:
            await zk.create("/a")
            told: Told = []

            async def first(*event: object) -> None:
                await asyncio.sleep(0)
                raise asyncio.CancelledError  # nobody has cancelled it

            async def second(*event: object) -> None:
                told.append(event[-1])

            await zk.exists("/a", first)
            await zk.get_children("/a", first)
            await zk.get("/a", second)
            await zk.delete("/a")
            await until(lambda: told == ["/a"], "the one behind it is called")

    with caplog.at_level(logging.ERROR, "zc.zk"):
        run(main())
    assert "a callback failed" in caplog.text
