"""Answers: from the binding's thread to futures of the loop, all that have come at once.

This is the one place that knows how answers come. The event thread writes them down and wakes the
loop, once for all that come until that is awake.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import zookeeper
from zc.zk.aio.home import Home

# An error code, and the results that a completion is given.
Answer = tuple[int, tuple[Any, ...]]

_LATE: Answer = (zookeeper.OPERATIONTIMEOUT, ())


class Answers:
    """The answers that are awaited on a loop; `default_seconds` is how long each is by default."""

    def __init__(self, home: Home, default_seconds: Callable[[], float]) -> None:
        self._home = home
        self._default_seconds = default_seconds
        self._come: deque[tuple[asyncio.Future[Answer], Answer]] = deque()
        self._is_posted = False
        # Those without a deadline of their own, by the time when they were asked for.
        self._asked: deque[tuple[float, asyncio.Future[Answer]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def ask(
        self, send: Callable[[Callable[..., object]], object], timeout: float | None = None
    ) -> asyncio.Future[Answer]:
        """Return the future of an answer; `send` sends the request, with this completion."""
        loop = self._home.loop
        future: asyncio.Future[Answer] = loop.create_future()
        if timeout is not None:
            timer = loop.call_later(checked(timeout), self._settle, future, _LATE)
            future.add_done_callback(lambda _: timer.cancel())
        try:
            send(partial(self._note, future))
        except BaseException:
            future.cancel()
            raise
        if timeout is None:
            asked = self._asked
            while asked and asked[0][1].done():
                asked.popleft()
            asked.append((loop.time(), future))
            if self._timer is None:
                self._timer = loop.call_later(self._default_seconds(), self._give_up_late)
        return future

    # The event thread

    def _note(self, future: asyncio.Future[Answer], handle: int, code: int, *results: Any) -> None:
        self._come.append((future, (code, results)))
        if not self._is_posted:
            self._is_posted = True
            self._home.post(self._deliver)

    # The loop

    def _deliver(self) -> None:
        # First, so that what comes from here on is either seen below or posted anew.
        self._is_posted = False
        come = self._come
        while come:
            self._settle(*come.popleft())

    def _settle(self, future: asyncio.Future[Answer], answer: Answer) -> None:
        if not future.done():
            future.set_result(answer)

    def _give_up_late(self) -> None:
        self._timer = None
        asked, loop = self._asked, self._home.loop
        seconds = self._default_seconds()
        while asked:
            left = asked[0][0] + seconds - loop.time()
            if left > 0 and not asked[0][1].done():
                self._timer = loop.call_later(left, self._give_up_late)
                return
            self._settle(asked.popleft()[1], _LATE)


def checked(timeout: float) -> float:
    """Return a timeout in seconds. Raises what the binding raises for one that is none."""
    if not isinstance(timeout, (int, float)):
        raise TypeError(f"must be real number, not {type(timeout).__name__}")
    if not 0 <= timeout < 1e9:
        raise zookeeper.error(
            zookeeper.BADARGUMENTS, None, f"timeout must be a number of seconds: {timeout!r}"
        )
    return timeout


def fault_of(code: int, path: str | None) -> zookeeper.ZooKeeperException:
    """Return the exception for an answer."""
    late = "no answer within the time given" if code == zookeeper.OPERATIONTIMEOUT else None
    return zookeeper.error(code, path, late)
