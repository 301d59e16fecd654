"""Home: the event loop that a client belongs to, and its ways from other threads to there."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec

from zc.zk.aio.ties import Ties

if TYPE_CHECKING:
    from zookeeper.types import Watcher

P = ParamSpec("P")

logger = logging.getLogger("zc.zk")

# Seconds that `close` waits for callbacks that it has cancelled.
CALLBACK_END_SECONDS = 1.0

# The watcher of session events among the others, whose keys are numbers of objects.
OF_SESSION = 0


def post(
    loop: asyncio.AbstractEventLoop,
    function: Callable[P, object],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> bool:
    """Have a function called by a loop, from any thread; False if the loop is closed."""
    try:
        loop.call_soon_threadsafe(partial(function, *args, **kwargs) if kwargs else function, *args)
    except RuntimeError:
        return False  # nobody waits there any more
    return True


class Home:
    """The loop of a client, and the tasks that the client has there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.process = os.getpid()
        # Of all that the program waits for, or has given to be called.
        self.ties = ties = Ties()
        self._tasks: set[asyncio.Task[None]] = ties.hold(set())
        # Those who wait for a change, or for the client to be closed.
        self.waiting: set[asyncio.Future[None]] = ties.hold(set())
        self._calls: deque[tuple[Awaitable[object], str]] = ties.hold(deque())
        # Coroutines of the program that others wait for, by the id of those they are called for:
        # since when each goes on.
        self.under_way: dict[int, float] = {}
        self._is_calling = False
        self.is_closed = False
        self._spared: set[asyncio.Task[Any]] = ties.hold(set())
        # By the numbers of the objects that stand for them.
        self.watchers: dict[int, Watcher] = ties.hold({})

    def begin_again(self, loop: asyncio.AbstractEventLoop) -> None:
        """Move to the loop of a child process, where nothing of the parent's goes on."""
        watcher = self.watchers.get(OF_SESSION)
        Home.__init__(self, loop)
        self.watch_session(watcher)

    def is_here(self) -> bool:
        """Whether the caller is called by this loop."""
        return asyncio._get_running_loop() is self.loop and self.process == os.getpid()

    def post(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Have a function called by the loop, from any thread; False if it is closed."""
        return post(self.loop, function, *args, **kwargs)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something of the client's own; it deals with its exceptions itself."""
        task = self.loop.create_task(coroutine)
        # If its loop is gone in the middle, nobody misses what it would have done.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call(self, function: Callable[[], object]) -> None:
        """Call a function of the program; coroutines that come of it run in order."""
        try:
            result = function()
        except Exception:
            logger.exception("a callback failed")
            return
        if inspect.isawaitable(result):
            self.follow(result, "a callback failed")

    def follow(self, awaitable: Awaitable[object], told: str, *args: object) -> None:
        """Run what a function of the program has returned, after all those before it.

        `told` is logged if it fails.
        """
        self._calls.append((awaitable, told % args if args else told))
        if not self._is_calling:
            self._is_calling = True
            self.spawn(self._follow_all())

    async def _follow_all(self) -> None:
        try:
            while self._calls:
                awaitable, told = self._calls.popleft()
                try:
                    await self.wait_for(self, awaitable)
                except asyncio.CancelledError:
                    if self.is_closed or _is_cancelled():
                        raise
                    logger.exception(told)  # the function's own, as of a task that it awaits
                except Exception:
                    logger.exception(told)
        finally:
            self._is_calling = False
            self._drop_calls()

    async def wait_for(self, caller: object, awaitable: Awaitable[object]) -> None:
        """Await what a function of the program has returned, as `under_way` tells meanwhile."""
        self.under_way[id(caller)] = time.monotonic()
        try:
            await awaitable
        finally:
            self.under_way.pop(id(caller), None)

    def _drop_calls(self) -> None:
        while self._calls:
            awaitable, _ = self._calls.popleft()
            if inspect.iscoroutine(awaitable):
                awaitable.close()

    def on_loop(self, watcher: Watcher | None) -> Watcher | None:
        """Return a watcher that has this one called on the loop; equal for the same one."""
        return None if watcher is None else _OnLoop(self, watcher)

    def watch_session(self, watcher: Watcher | None) -> None:
        """Have `tell_of_session` call this."""
        if watcher is None:
            self.watchers.pop(OF_SESSION, None)
        else:
            self.watchers[OF_SESSION] = watcher

    def tell_of_session(self, handle: int, type: int, state: int, path: str) -> object:
        """Call the watcher of session events, if there is one; on the loop."""
        watcher = self.watchers.get(OF_SESSION)
        return None if watcher is None else watcher(handle, type, state, path)

    async def wait(self, future: asyncio.Future[None]) -> None:
        """Wait for a change, but not longer than the client is open."""
        self.waiting.add(future)
        try:
            await future
        finally:
            self.waiting.discard(future)

    def spare(self, task: asyncio.Task[Any] | None) -> None:
        """Let a task go on when this ends: it waits for that."""
        if task is not None:
            self._spared.add(task)

    async def end(self) -> None:
        """Cancel what runs for the client, and wait until it has ended."""
        self.is_closed = True
        for future in list(self.waiting):
            if not future.done():
                future.set_result(None)
        self._drop_calls()
        others = self._tasks - self._spared
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=CALLBACK_END_SECONDS)


def _is_cancelled() -> bool:
    """Whether somebody cancels the task that runs; before Python 3.11 nobody can tell."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0


class _OnLoop:
    """A watcher that is called on a loop, and compares like the one that it stands for.

    The binding keeps this until the watch fires, and the home that one, until the loop is closed.
    """

    __slots__ = ("_hash", "_home", "_watchers")

    def __init__(self, home: Home, watcher: Watcher) -> None:
        self._home = home
        self._watchers = home.watchers
        if not callable(watcher):
            raise TypeError(f"a watcher must be callable: {watcher!r}")
        self._hash = hash(watcher)
        self._watchers[id(self)] = watcher

    def __del__(self) -> None:
        self._watchers.pop(id(self), None)

    def __call__(self, handle: int, type: int, state: int, path: str) -> None:
        home = self._home
        if (watcher := self._watcher) is not None:
            home.post(home.call, partial(watcher, handle, type, state, path))

    @property
    def _watcher(self) -> Watcher | None:
        return self._watchers.get(id(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OnLoop) and self._watcher == other._watcher

    def __hash__(self) -> int:
        return self._hash
