"""Measure gets a second of clients with an event loop, and of clients in threads.

So many tasks, or threads, ask one after the other each. The rivals are aiozk, the client for
asyncio, where that is installed, and kazoo in threads, as programs of an event loop have it.
`event_loop.py` measures the same without the library.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import event_loop
import zc.zk
import zc.zk.aio
from harness import kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect
from harness.command import main
from harness.service import Service
from harness.shapes import Node, encode

ROOT = "/benchmark-asynchronous"
PROPERTIES = {"threads": 1, "database": "/databases/foomain"}
DATA = encode(PROPERTIES).decode()

OURS = "zc.zk.aio"
OURS_UVLOOP = "zc.zk.aio, uvloop"
THREADS = "zc.zk in threads"
AIOZK = "aiozk"
KAZOO = "kazoo in threads"

# kazoo and aiozk are measured with fewer calls: a call of theirs takes several times as long.
SLOWER = 4

Get = Callable[[], Awaitable[Any]]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with (
        service.tree(ROOT, [Node("", PROPERTIES)]),
        zc.zk.ZooKeeper(service.hosts) as zk,
        kazoo_jobs.connected(service.hosts) as kazoo,
    ):
        for count, calls in event_loop.CALLS.items():
            few = calls // SLOWER
            uvloop = importlib.import_module("uvloop")
            yield Case(
                f"get, {count:,} under way",
                "calls a second",
                [
                    Competitor(OURS, partial(in_a_loop, asyncio.run, ours, service, count, calls)),
                    Competitor(
                        OURS_UVLOOP, partial(in_a_loop, uvloop.run, ours, service, count, calls)
                    ),
                    Competitor(
                        THREADS,
                        partial(event_loop.in_threads, lambda: zk.get(ROOT), count, calls // count),
                    ),
                    *with_aiozk(service, count, few),
                    Competitor(
                        KAZOO,
                        partial(
                            event_loop.in_threads, lambda: kazoo.get(ROOT), count, few // count
                        ),
                    ),
                ],
                [goal for goal in GOALS if goal.rival != AIOZK or has_aiozk()]
                if count == 1000
                else [],
                {"under way": count},
            )


GOALS = [Goal(OURS, AIOZK, at_least=5), Goal(OURS, THREADS, at_least=2)]


def has_aiozk() -> bool:
    """Whether the rival is installed: `pip install aiozk`."""
    return importlib.util.find_spec("aiozk") is not None


def with_aiozk(service: Service, count: int, calls: int) -> list[Competitor]:
    if not has_aiozk():
        return []
    return [Competitor(AIOZK, partial(in_a_loop, asyncio.run, aiozk, service, count, calls))]


def in_a_loop(
    run: Callable[[Coroutine[Any, Any, None]], object],
    measure: Callable[[Service, int, int], Coroutine[Any, Any, float]],
    service: Service,
    count: int,
    calls: int,
) -> float:
    figures: list[float] = []

    async def measured() -> None:
        figures.append(await measure(service, count, calls))

    run(measured())
    return figures[0]


async def ours(service: Service, count: int, calls: int) -> float:
    async with zc.zk.aio.ZooKeeper(service.hosts) as zk:
        data, _ = await zk.get(ROOT)
        expect(data, DATA, "the data of the node")
        return await calls_a_second(lambda: zk.get(ROOT), count, calls // count)


async def aiozk(service: Service, count: int, calls: int) -> float:
    client = importlib.import_module("aiozk").ZKClient(service.hosts)
    await client.start()
    try:
        expect((await client.get_data(ROOT)).decode(), DATA, "the data of the node")
        return await calls_a_second(lambda: client.get(ROOT), count, calls // count)
    finally:
        await client.close()


async def calls_a_second(get: Get, count: int, each: int) -> float:
    async def work() -> None:
        for _ in range(each):
            await get()

    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*[work() for _ in range(count)])
    return count * each / (loop.time() - begun)


if __name__ == "__main__":
    main(cases, __doc__)
