"""The calls of functions of the program, made by the event loop and by no thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from zc.zk.aio.home import Home


class LoopCalls:
    """A queue of functions that the client's loop calls; see `zc.zk.session.worker.Calls`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._waiting: deque[Callable[[], object]] = home.ties.hold(deque())
        self.worker = self
        self._is_started = False
        self.is_stopped = False

    def begin_again(self) -> None:
        """Begin with an empty queue, in a child process, where the client has another home."""
        self._waiting = self._home.ties.hold(deque())
        self._is_started = self.is_stopped = False

    def put(self, callback: Callable[[], object], delay: float = 0.0) -> None:
        """Have `callback` called, unless this is stopped before; not before `delay` is over."""
        if delay:
            self._home.post(self._put_later, callback, delay)
            return
        self._waiting.append(callback)
        if self._is_started and not self._home.post(self._call_next):
            self._waiting.clear()  # the loop is gone, and nobody else calls them

    def put_all(self, callbacks: Collection[Callable[[], object]]) -> None:
        """Have many called, one after another, and others of the loop in between."""
        for callback in callbacks:
            self.put(callback)

    @property
    def length(self) -> int:
        """How many are to be called and wait for the loop."""
        return len(self._waiting)

    @property
    def busy_since(self) -> float | None:
        """When the oldest coroutine of the program has begun that others wait for, if any has."""
        return min(list(self._home.under_way.values()), default=None)

    def _put_later(self, callback: Callable[[], object], delay: float) -> None:
        self._home.loop.call_later(delay, self.put, callback)

    # The worker

    def start(self, *, inline: bool) -> None:
        """Begin, with what has come up to now."""
        self._is_started = True
        for _ in range(len(self._waiting)):
            self._home.post(self._call_next)

    def stop(self) -> None:
        """Call no more of them."""
        self.is_stopped = True

    def join(self, seconds: float) -> bool:
        """Return at once: no thread has to end, and tasks are waited for by `Home.end`."""
        return True

    def _call_next(self) -> None:
        if self._waiting:
            callback = self._waiting.popleft()
            if not self.is_stopped:
                self._home.call(callback)
