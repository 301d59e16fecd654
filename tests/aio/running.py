"""Event loops for tests: whatever a loop complains about is a failure."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from tests.deadlines import POLL_SECONDS, scaled

T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}

Run = Callable[[Coroutine[Any, Any, T]], T]


def run(main: Coroutine[Any, Any, T], loops: str = "asyncio") -> T:
    """Run a coroutine in a loop of its own, and return its result.

    Raises AssertionError if the loop, or a task that is destroyed later, complains of anything.
    """
    complaints: list[dict[str, Any]] = []

    async def supervised() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        return await asyncio.wait_for(main, scaled(60))

    loop = LOOPS[loops]()
    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(supervised())
    finally:
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            gc.collect()
    assert complaints == []
    return result


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


async def until(predicate: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Return when `predicate` is true. Raises AssertionError after `seconds`, scaled."""
    deadline = time.monotonic() + scaled(seconds)
    while not predicate():
        assert time.monotonic() < deadline, f"not within {scaled(seconds):g} seconds: {what}"
        await asyncio.sleep(POLL_SECONDS)
