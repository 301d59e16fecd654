"""A queue of functions of the program that notes how long each waits before it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from zc.zk.metrics.durations import Durations

if TYPE_CHECKING:
    from zc.zk.session.worker import Calls, Stoppable


class TimedCalls:
    """A `zc.zk.session.worker.Calls` in front of another one; delays are noted in `delays`.

    One that is put off on purpose is late only when it is called later than that.
    """

    def __init__(self, calls: Calls, delays: Durations) -> None:
        self._calls = calls
        self._delays = delays
        self._began: float | None = None

    @property
    def worker(self) -> Stoppable:
        """The worker that calls them."""
        return self._calls.worker

    @property
    def length(self) -> int:
        """How many are to be called and wait for those before them."""
        return self._calls.length

    @property
    def busy_seconds(self) -> float:
        """For how long the function has been going on that is being called; 0.0 without one."""
        begun = [began for began in (self._began, self._calls.busy_since) if began is not None]
        return time.monotonic() - min(begun) if begun else 0.0

    @property
    def busy_since(self) -> float | None:
        """When one has begun that goes on after its call, as a coroutine, and others wait for."""
        return self._calls.busy_since

    def begin_again(self) -> None:
        """Have a new worker, in a process that does not have the thread of the one before."""
        self._began = None
        self._calls.begin_again()

    def put(self, callback: Callable[[], object], delay: float = 0.0) -> None:
        """Have `callback` called, not before `delay`, in seconds, is over."""
        self._calls.put(partial(self._call, callback, time.monotonic() + delay), delay)

    def put_all(self, callbacks: Collection[Callable[[], object]]) -> None:
        """Have many called, one after another."""
        now = time.monotonic()
        self._calls.put_all([partial(self._call, callback, now) for callback in callbacks])

    def _call(self, callback: Callable[[], object], due: float) -> object:
        self._began = began = time.monotonic()
        self._delays.note((), max(0.0, began - due))
        try:
            return callback()
        finally:
            self._began = None
