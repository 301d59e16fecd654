"""Measure gets a second of an event loop, and of threads that wait.

An event loop asks by asynchronous calls, whose answers reach it in a completion queue of the
binding, or by `call_soon_threadsafe` from the completions, as programs do without one. Threads ask
by the blocking calls. So many are under way at once: the figure of one is latency, that of 1,000
is what an answer costs.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import zookeeper
from harness.cases import Case, Competitor, Goal, expect
from harness.command import main
from harness.service import Service, connected
from harness.shapes import Node

ROOT = "/benchmark-event-loop"
PROPERTIES = {"threads": 1, "database": "/databases/foomain"}

UNDER_WAY = (1, 10, 1000)
CALLS = {1: 3000, 10: 10_000, 1000: 40_000}

OURS = "completion queue"
OURS_UVLOOP = "completion queue, uvloop"
BY_HAND = "call_soon_threadsafe"
THREADS = "threads"

Get = Callable[[], Awaitable[Any]]
Run = Callable[[Coroutine[Any, Any, None]], None]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with service.tree(ROOT, [Node("", PROPERTIES)]), connected(service.hosts) as handle:
        for count in UNDER_WAY:
            yield Case(
                f"get, {count:,} under way",
                "calls a second",
                [
                    Competitor(OURS, partial(in_a_loop, asyncio.run, queued, handle, count)),
                    *in_uvloop(handle, count),
                    Competitor(BY_HAND, partial(in_a_loop, asyncio.run, by_hand, handle, count)),
                    Competitor(
                        THREADS,
                        partial(
                            in_threads,
                            lambda: zookeeper.get(handle, ROOT),
                            count,
                            CALLS[count] // count,
                        ),
                    ),
                ],
                [Goal(OURS, THREADS, at_least=2)] if count == 1000 else [],
                {"under way": count},
            )


def in_uvloop(handle: int, count: int) -> list[Competitor]:
    try:
        uvloop: Any = importlib.import_module("uvloop")
    except ImportError:
        return []
    return [Competitor(OURS_UVLOOP, partial(in_a_loop, uvloop.run, queued, handle, count))]


def in_a_loop(run: Run, make: Callable[..., Coroutine[Any, Any, Any]], *given: int) -> float:
    """Return the calls a second of so many tasks, each of which asks one after the other."""
    handle, count = given
    figures: list[float] = []

    async def measure() -> None:
        figures.append(await make(handle, count))

    run(measure())
    return figures[0]


async def queued(handle: int, count: int) -> float:
    loop = asyncio.get_running_loop()
    queue = zookeeper.CompletionQueue()
    loop.add_reader(queue.fileno(), queue.drain)

    def get() -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()

        def answered(handle: int, code: int, data: Any, stat: Any) -> None:
            future.set_result((code, data, stat))

        zookeeper.aget(handle, ROOT, None, queue.bind(answered))
        return future

    try:
        return await calls_a_second(get, count)
    finally:
        loop.remove_reader(queue.fileno())
        queue.close()


async def by_hand(handle: int, count: int) -> float:
    loop = asyncio.get_running_loop()

    def get() -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()

        def answered(handle: int, code: int, data: Any, stat: Any) -> None:
            loop.call_soon_threadsafe(future.set_result, (code, data, stat))

        zookeeper.aget(handle, ROOT, None, answered)
        return future

    return await calls_a_second(get, count)


async def calls_a_second(get: Get, count: int) -> float:
    calls = CALLS[count] // count

    async def work() -> None:
        for _ in range(calls):
            code, _, _ = await get()
            expect(code, zookeeper.OK, "the code of an answer")

    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*[work() for _ in range(count)])
    return count * calls / (loop.time() - begun)


def in_threads(get: Callable[[], object], count: int, calls: int) -> float:
    """Return the calls a second of so many threads, each of which makes so many calls."""
    together = threading.Barrier(count + 1)

    def work() -> None:
        together.wait()
        for _ in range(calls):
            get()
        together.wait()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    together.wait()
    begun = time.perf_counter()
    together.wait()
    seconds = time.perf_counter() - begun
    for thread in threads:
        thread.join()
    return count * calls / seconds


if __name__ == "__main__":
    main(cases, __doc__)
