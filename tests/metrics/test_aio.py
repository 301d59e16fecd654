"""The figures of an asynchronous client are those of the blocking one."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import zc.zk.aio
import zookeeper
from tests.aio.running import run, until
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import POLL_SECONDS
from tests.metrics.figures import count, names, one, told
from zc.zk.metrics import measure


def test_calls_of_all_forms_are_timed(place: str):
    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
            measure(zk, "shop")
            await zk.create("/a", "1")
            await asyncio.gather(*(zk.get("/a") for _ in range(50)))
            with pytest.raises(zookeeper.NoNodeException):
                await zk.get("/none")
            assert await zk.exists("/none") is None
            await zk.get_many(["/a", "/none"])
            await zk.get_properties("/a")
            assert (count("create"), count("get"), count("get", "refused")) == (1, 51, 1)
            assert count("get_many") == 1
            assert count("exists") >= 1  # and one for the root, as a node is missing
            assert names() == {"shop"}
        assert names() == set()

    run(main())


def test_registrations_live_objects_and_callbacks_are_told(place: str):
    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
            measure(zk)
            await zk.create("/a", "")
            registration = await zk.register("/a", "here:1")
            children = await zk.children("/a")
            seen: list[list[str]] = []
            children(lambda each: seen.append(sorted(each)))
            await zk.register("/a", "here:2")
            await until(lambda: seen[-1] == ["here:1", "here:2"], "the callback is called")
            assert one("registrations", "registered") == 2
            assert one("live_objects", "children") == 1
            assert one("connects") == one("sessions") == one("state", "connected") == 1
            assert told("callback_delay")[()].counts[-1] >= 1
            await registration.unregister()
            assert one("registrations", "registered") == 1

    run(main())


def test_calls_wait_for_a_loop_that_is_busy_and_a_thread_can_tell(place: str):
    """As a server of Prometheus' figures does, which has a thread of its own."""

    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
            measure(zk)
            await zk.create("/a", "")
            children = await zk.children("/a")
            children(lambda _: None)
            found: list[float] = []
            is_queued = threading.Event()

            def look() -> None:
                while not found:
                    if one("callback_queue"):
                        found.append(one("callback_queue"))
                        is_queued.set()
                    time.sleep(POLL_SECONDS)

            thread = threading.Thread(target=look)
            thread.start()
            with zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as other:
                other.create("/a/b", "")  # it blocks the loop
                assert is_queued.wait(20)
            thread.join()
            await until(lambda: one("callback_queue") == 0, "the loop has got to it")
            assert found == [1]

    run(main())


def test_a_coroutine_that_others_wait_for_is_seen(place: str):
    async def main() -> None:
        async with zc.zk.aio.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
            measure(zk)
            await zk.create("/a", "")
            children = await zk.children("/a")
            go_on = asyncio.Event()

            @children
            async def wait(_: zc.zk.aio.Children) -> None:
                await go_on.wait()

            await until(lambda: one("callback_busy") > 0.02, "it goes on")
            go_on.set()
            await until(lambda: one("callback_busy") == 0, "it has ended")

            @children
            async def wait_for_ever(_: zc.zk.aio.Children) -> None:
                await asyncio.Event().wait()

            await until(lambda: one("callback_busy") > 0, "another one goes on, until the end")

    run(main())


def test_one_that_is_not_open_is_refused(place: str):
    with pytest.raises(RuntimeError, match="not open"):
        measure(zc.zk.aio.ZooKeeper(place))
