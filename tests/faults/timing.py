"""Calls that take too long, found while they are still going on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.beliefs import SlowCall


class Stopwatch:
    """Measures calls; may be used by several threads at once.

    `unit` is what all limits are multiples of: a session timeout, in seconds.
    """

    def __init__(self, unit: float) -> None:
        self._unit = unit
        self._lock = threading.Lock()
        self._running: dict[int, SlowCall] = {}
        self._slow: list[SlowCall] = []

    @contextmanager
    def call(self, name: str, limit: float = 1.0) -> Iterator[None]:
        """Measure the work of the `with` block, which may take `limit` timeouts.

        A timeout is that of the session.
        """
        call = SlowCall(
            name=name, began=time.monotonic(), ended=None, seconds_allowed=limit * self._unit
        )
        with self._lock:
            self._running[id(call)] = call
        try:
            yield
        finally:
            with self._lock:
                del self._running[id(call)]
                call["ended"] = ended = time.monotonic()
                if ended - call["began"] > call["seconds_allowed"]:
                    self._slow.append(call)

    def slow_calls(self) -> list[SlowCall]:
        """Return the calls that took longer than they may, or do so at this moment."""
        now = time.monotonic()
        with self._lock:
            running = [
                call.copy()
                for call in self._running.values()
                if now - call["began"] > call["seconds_allowed"]
            ]
            return self._slow + running
