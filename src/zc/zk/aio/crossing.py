"""Crossing: a method of the blocking client runs, and the event loop goes on meanwhile.

There is one implementation of sessions, registrations, watching and work on trees, and it waits
where it stands. `cross` runs it in a greenlet, a stack of its own in the same thread. Where it has
to wait, `wait` goes back to the coroutine that called `cross`, which awaits a future for it; the
outcome, a cancellation too, comes out of `wait` as if that had blocked. So a method needs no second
form, and no thread.

Dangers. Two crossings are two stacks of one thread: a lock that one holds while it waits is no lock
against the other, so none may be held (`tests/aio/test_crossing.py` looks at each switch). And a
crossing whose coroutine is thrown away, as when its loop is gone, cannot wait any more: `wait` then
raises again what ended it, all the way out. Only its own thread can do that, and the garbage
collector cannot see what a stack refers to: so a loop that is closed has its crossings ended.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from greenlet import error, getcurrent, greenlet

from zc.zk.aio import ties
from zc.zk.aio.home import post
from zc.zk.session import waiting

P = ParamSpec("P")
T = TypeVar("T")


class Crossing(greenlet):
    """A call of the blocking client, under way.

    `caller` is the stack of its coroutine, and `end` what has thrown that away, if anything has.
    `awaited` is handed over here and not by the stack, on which the garbage collector cannot see
    that a task, the future that it waits for, and this are of no use to anybody any more.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.caller = getcurrent()
        self.end: BaseException | None = None
        self.awaited: asyncio.Future[Any] | None = None
        self.loop = asyncio._get_running_loop()
        super().__init__(function, self.caller)
        # The task's own context, so that the call reads and sets its variables.
        self.gr_context = self.caller.gr_context


async def cross(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of a function that waits by `wait`."""
    crossing = Crossing(function)
    _under_way.add(crossing)
    try:
        outcome: Any = crossing.switch(*args, **kwargs)
        while not crossing.dead:
            future, crossing.awaited = crossing.awaited, None
            assert future is not None
            try:
                value = await future
            except GeneratorExit as fault:
                _throw_away(crossing, fault)
                raise
            except BaseException as fault:
                outcome = crossing.throw(fault)
            else:
                outcome = crossing.switch(value)
    finally:
        _under_way.discard(crossing)
    return cast(T, outcome)


_under_way: set[Crossing] = set()


def _throw_away(crossing: Crossing, fault: GeneratorExit) -> None:
    """End a call whose coroutine nobody has any more."""
    crossing.end = fault
    try:
        crossing.throw(fault)
    except GeneratorExit:
        pass
    except error:
        pass  # this is another thread than the loop's, which ends it, if it lives


def _end_those_of_closed_loops() -> None:
    for crossing in list(_under_way):
        if crossing.loop is not None and crossing.loop.is_closed():
            _under_way.discard(crossing)
            _throw_away(crossing, GeneratorExit())


ties.end_calls = _end_those_of_closed_loops


def is_crossing() -> bool:
    """Whether the caller runs in a crossing, and so must not block."""
    return type(getcurrent()) is Crossing


def wait(future: asyncio.Future[T]) -> T:
    """Return the result of a future of the loop; to be called in a crossing."""
    crossing = cast(Crossing, getcurrent())
    if crossing.end is not None:
        future.cancel()
        raise crossing.end
    if future.done():
        return future.result()
    crossing.awaited = future
    del future
    return cast(T, crossing.caller.switch())


class _LoopsWaiter:
    """The way to wait in a crossing."""

    def rest(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _settle, future, None)
        try:
            wait(future)
        finally:
            timer.cancel()

    def until(
        self, condition: Callable[[], bool], seconds: float, listeners: set[waiting.ChangeListener]
    ) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            future: asyncio.Future[None] = loop.create_future()

            def wake(future: asyncio.Future[None] = future) -> None:
                post(loop, _settle, future, None)

            timer = loop.call_at(deadline, _settle, future, None)
            listeners.add(wake)
            try:
                # Only now: a change from here on is heard of.
                if condition():
                    return True
                if loop.time() >= deadline:
                    return False
                wait(future)
            finally:
                listeners.discard(wake)
                timer.cancel()

    def apart(self, function: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            try:
                result = function()
            except BaseException as fault:
                post(loop, _fail, future, fault)
            else:
                post(loop, _settle, future, result)

        try:
            threading.Thread(target=run, name="zc.zk aio", daemon=True).start()
        except RuntimeError:  # no more threads: a client is to be closed all the same
            return function()
        return wait(future)


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], fault: BaseException) -> None:
    if not future.done():
        future.set_exception(fault)


_WAITER = _LoopsWaiter()


def _current() -> waiting.Waiter | None:
    return _WAITER if type(getcurrent()) is Crossing else None


waiting.current = _current
