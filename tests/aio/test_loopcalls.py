"""The queue of functions that a loop calls, by itself."""

from __future__ import annotations

import asyncio

from tests.aio import running
from tests.aio.running import until
from zc.zk.aio.home import Home
from zc.zk.aio.loopcalls import LoopCalls


def test_calls_come_in_order_from_the_start_until_the_stop():
    async def main() -> None:
        told: list[int] = []
        calls = LoopCalls(Home(asyncio.get_running_loop()))
        calls.put(lambda: told.append(1))
        calls.put(lambda: told.append(4), delay=0.05)
        await asyncio.sleep(0)
        assert told == []
        calls.start(inline=False)
        calls.put(lambda: told.append(2))
        calls.put(lambda: 1 // 0)
        calls.put(lambda: told.append(3))
        await until(lambda: told == [1, 2, 3, 4], "all are called")
        calls.put(lambda: told.append(5))
        calls.stop()
        assert calls.join(0)
        await asyncio.sleep(0.01)
        assert told == [1, 2, 3, 4]

    running.run(main())


def test_nothing_is_kept_for_a_loop_that_is_gone():
    loop = asyncio.new_event_loop()
    calls = LoopCalls(Home(loop))
    calls.start(inline=False)
    loop.close()
    for _ in range(10):
        calls.put(lambda: None)
    assert not calls._waiting
