"""Clients whose loop is closed with everything under way, and that nobody has any more."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import zc.zk
import zc.zk.aio
from tests.aio import running
from tests.deadlines import scaled, wait_until
from tests.tcpproxy import TcpProxy
from zc.zk.session import ending


@pytest.fixture(params=list(running.LOOPS))
def new_loop(
    uvloop_has_begun: None, request: pytest.FixtureRequest
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes loops, of each kind, that complain to nobody."""

    def new() -> asyncio.AbstractEventLoop:
        loop = running.LOOPS[request.param]()
        loop.set_exception_handler(lambda loop, context: None)  # of tasks that are destroyed
        return loop

    return new


@pytest.fixture
def told() -> Iterator[list[warnings.WarningMessage]]:
    """Yield the warnings of a test."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield told


async def leave(proxy: TcpProxy, root: str, refers: list[weakref.ref[zc.zk.aio.ZooKeeper]]) -> None:
    """Open a client, begin a call of each kind that gets no answer, and drop everything."""
    zk = await zc.zk.aio.ZooKeeper.connect(proxy.connection_string + root, 60_000)
    refers.append(weakref.ref(zk))
    await zk.register("/", "a:1")
    zk.set_watcher(lambda *event: zk)
    await zk.get("/", lambda *event: zk)
    children = await zk.children("/")
    children(lambda names: zk)

    async def look() -> None:
        async for _ in children:
            pass

    proxy.stall()
    calls = (
        look(), zk.get("/"), zk.get("/", timeout=50), zk.delete("/none"), zk.register("/", "c:1"),
        zk.export_tree(), zk.get_many(["/"] * 9, progress=lambda done, total: print(zk)),
        zk.properties("/")._made(), zk.sync("/"),
    )  # fmt: skip
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in tasks)


def run_and_close(new_loop: Callable[[], asyncio.AbstractEventLoop], *arguments: object) -> None:
    loop = new_loop()
    loop.run_until_complete(leave(*arguments))  # type: ignore[arg-type]
    loop.close()


@pytest.mark.parametrize("thread", ["this", "ended", "other"])
def test_a_client_dropped_with_its_closed_loop_is_closed_unanswered(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    proxy: TcpProxy,
    place: str,
    root: str,
    told: list[warnings.WarningMessage],
    thread: str,
):
    refers: list[weakref.ref[zc.zk.aio.ZooKeeper]] = []
    run = partial(run_and_close, new_loop, proxy, root, refers)
    begun, over = threading.Event(), threading.Event()

    def run_there() -> None:
        run()
        begun.set()
        if thread == "other":
            over.wait(scaled(60))

    if thread == "this":
        run()
    else:
        other = threading.Thread(target=run_there)
        other.start()
        assert begun.wait(scaled(60))
    try:

        def is_gone() -> bool:
            gc.collect()
            return refers[0]() is None

        wait_until(is_gone, "nothing holds the client")
        assert [str(warning.message)[:16] for warning in told] == ["unclosed client "]
        # No answer has come until here.
        proxy.resume()
        wait_until(lambda: not ending.open_sessions, "its session is closed")
    finally:
        over.set()
        if thread != "this":
            other.join()
    with zc.zk.ZooKeeper(place) as zk:
        wait_until(lambda: not zk.get_children("/"), "no node is left")


def test_a_client_that_outlives_its_loop_keeps_its_registration(
    new_loop: Callable[[], asyncio.AbstractEventLoop], place: str
):
    async def open_one() -> zc.zk.aio.ZooKeeper:
        client = await zc.zk.aio.ZooKeeper.connect(place)
        await client.register("/", "a:1")
        getting = asyncio.ensure_future(client.get("/"))
        await asyncio.sleep(0)
        assert not getting.done()
        return client

    loop = new_loop()
    client = loop.run_until_complete(open_one())
    loop.close()
    gc.collect()
    with zc.zk.ZooKeeper(place) as zk:
        zk.delete("/a:1")
        wait_until(lambda: zk.exists("/a:1"), "its keeper makes the node again")
        asyncio.run(client.close())
        assert zk.get_children("/") == []
