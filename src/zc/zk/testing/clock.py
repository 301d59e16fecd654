"""A server's time."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since 1970, which a test can put forward and stop.

    It runs evenly, also when the machine's clock is set.
    """

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()
        self._stopped_at: float | None = None

    def __call__(self) -> int:
        return int(self._seconds() * 1000)

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        if self._stopped_at is not None:
            self._stopped_at += seconds
        else:
            self._ahead += seconds

    def stop(self) -> None:
        """Let time pass only by `advance`."""
        self._stopped_at = self._seconds()

    def _seconds(self) -> float:
        if self._stopped_at is not None:
            return self._stopped_at
        return time.monotonic() + self._ahead
