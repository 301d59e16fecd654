"""Answers: from the binding to futures of the loop, all that have come at once.

They come by a completion queue of the binding, whose descriptor the loop watches: it drains the
queue in its own thread, and no other one needs Python's lock for an answer.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import zookeeper
from zc.zk.aio.home import Home
from zc.zk.aio.ties import Tie
from zc.zk.session.bridge import AwaitedAnswer

_LATE = zookeeper.OPERATIONTIMEOUT

# So many answers are taken at once; then the loop sees to others.
MAX_DRAINED = 1000


class Answers:
    """The answers that are awaited on a loop; `default_seconds` is how long each is by default.

    The binding knows their futures weakly: an answer may never come, and each leads to the task
    that waits, and from there to the client. The futures are kept here, until the loop is closed.
    """

    def __init__(self, home: Home, default_seconds: Callable[[], float]) -> None:
        self._home = home
        self._default_seconds = default_seconds
        self.begin()

    def begin(self) -> None:
        """Have answers come to the home's loop, from now on."""
        ties = self._home.ties
        # Those without a deadline of their own, by the time when they were asked for. A timer of
        # the loop keeps each of the others, and `_expected` those that have no deadline here.
        self._asked: deque[tuple[float, asyncio.Future[AwaitedAnswer]]] = ties.hold(deque())
        self._expected: set[asyncio.Future[AwaitedAnswer]] = ties.hold(set())
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False
        self._queue = zookeeper.CompletionQueue()
        self._bind = self._queue.bind
        drain = Tie(self._queue.drain, MAX_DRAINED).of(ties)
        self._home.loop.add_reader(self._queue.fileno(), drain)

    def end(self) -> None:
        """Take the answers that have come, and no more of them; on the loop, if there is one."""
        if self._has_ended:
            return
        self._has_ended = True
        self._home.ties.loosen()
        if self._timer is not None:
            self._timer.cancel()
        loop = self._home.loop
        if not loop.is_closed():
            loop.remove_reader(self._queue.fileno())
            self._queue.drain()
        self._queue.close()
        self._asked.clear()
        self._expected.clear()

    def ask(
        self,
        send: Callable[..., object],
        later: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> asyncio.Future[AwaitedAnswer]:
        """Return the future of an answer.

        `send` sends the request by `later`, a function that takes a completion; see `calls.py`.
        """
        loop = self._home.loop
        future: asyncio.Future[AwaitedAnswer] = loop.create_future()
        if timeout is not None:
            timer = loop.call_later(checked(timeout), _settle, future, 0, _LATE)
            future.add_done_callback(lambda _: timer.cancel())
        try:
            done = self._bind(partial(_settle_waited_for, weakref.ref(future)))
            if kwargs:
                send(later, done, *args, **kwargs)
            else:
                send(later, done, *args)
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

    def expect(self) -> tuple[asyncio.Future[AwaitedAnswer], Callable[..., object]]:
        """Return the future of an answer without a deadline here, and its completion."""
        future: asyncio.Future[AwaitedAnswer] = self._home.loop.create_future()
        self._expected.add(future)
        future.add_done_callback(self._expected.discard)
        return future, self._bind(partial(_settle_waited_for, weakref.ref(future)))

    def _give_up_late(self) -> None:
        self._timer = None
        asked, loop = self._asked, self._home.loop
        seconds = self._default_seconds()
        while asked:
            since, future = asked[0]
            left = since + seconds - loop.time()
            if left > 0 and not future.done():
                self._timer = loop.call_later(left, self._give_up_late)
                return
            _settle(future, 0, _LATE)
            asked.popleft()


def _settle(future: asyncio.Future[AwaitedAnswer], handle: int, code: int, *results: Any) -> None:
    if not future.done():
        future.set_result((code, results))


def _settle_waited_for(
    reference: weakref.ref[asyncio.Future[AwaitedAnswer]], handle: int, code: int, *results: Any
) -> None:
    future = reference()
    if future is not None and not future.done():
        future.set_result((code, results))


def checked(timeout: float) -> float:
    """Return a timeout in seconds. Raises what the binding raises for one that is none."""
    if not isinstance(timeout, (int, float)):
        raise TypeError(f"must be real number, not {type(timeout).__name__}")
    if not 0 <= timeout < 1e9:
        raise zookeeper.error(
            zookeeper.BADARGUMENTS,
            None,
            f"timeout must be a number of seconds from 0 to 1e9: {timeout!r}",
        )
    return timeout
