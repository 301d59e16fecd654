"""Measure gets of clients with an event loop, and of clients in threads: speed, and what it takes.

So many tasks, or threads, ask one after the other each. The rivals are aiozk, the client for
asyncio, and kazoo in threads, as programs of an event loop have it. The floor is a raw socket, to
which as many prepared requests are written at first, and one more for each answer, which is thrown
away: no client gets more out of the server. With 1,000 under way the server is the limit, and a
second case tells what the calls took of the client's processor. `event_loop.py` measures the same
without the library.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import event_loop
import zc.zk
import zc.zk.aio
from harness import kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, replay
from harness.command import main
from harness.connections import prepared_requests
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
FLOOR = "raw socket"

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
            loop, uvloop = asyncio.run, importlib.import_module("uvloop").run
            jobs: dict[str, tuple[int, Callable[[], float]]] = {
                OURS: (calls, partial(in_a_loop, loop, ours, service, count, calls)),
                OURS_UVLOOP: (
                    calls,
                    partial(in_a_loop, uvloop, ours, service, count, calls),
                ),
                THREADS: (calls, partial(in_threads, lambda: zk.get(ROOT), count, calls)),
                AIOZK: (few, partial(in_a_loop, loop, aiozk, service, count, few)),
                KAZOO: (few, partial(in_threads, lambda: kazoo.get(ROOT), count, few)),
                FLOOR: (calls, partial(raw, service, count, calls)),
            }
            spent: dict[str, list[float]] = {name: [] for name in jobs}
            title = f"get, {count:,} under way"
            yield Case(
                title,
                "calls a second",
                [Competitor(name, partial(noted, spent[name], *jobs[name])) for name in jobs],
                [Goal(OURS, FLOOR, at_least=0.7)] if count == 1000 else [],
                {"under way": count},
            )
            yield Case(
                f"{title}, the client's processor",
                "microseconds a call",
                [Competitor(name, replay(spent[name])) for name in jobs],
                GOALS if count == 1000 else [],
                {"under way": count},
            )


GOALS = [Goal(OURS, AIOZK, at_most=1 / 5), Goal(OURS, THREADS, at_most=1 / 2)]


def noted(spent: list[float], calls: int, job: Callable[[], float]) -> float:
    """Do a job, connecting included, and note the processor time that each of its calls took."""
    before = time.process_time()
    figure = job()
    spent.append((time.process_time() - before) / calls * 1e6)
    return figure


def in_threads(get: Callable[[], object], count: int, calls: int) -> float:
    return event_loop.in_threads(get, count, calls // count)


def raw(service: Service, count: int, calls: int) -> float:
    """Return the answers a second to prepared requests, `count` of which are under way."""
    with prepared_requests(service.hosts, ROOT) as (connection, asked, size):
        begun = time.perf_counter()
        connection.sendall(asked * count)
        sent, received, answered = count, 0, 0
        buffer = bytearray(1 << 16)
        while answered < calls:
            received += connection.recv_into(buffer)
            news = received // size - answered
            answered += news
            more = min(news, calls - sent)
            if more:
                connection.sendall(asked * more)
                sent += more
        return calls / (time.perf_counter() - begun)


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
