"""A function that remembers its calls, for watchers and completions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.deadlines import scaled


class Calls:
    """Callable that keeps what it is called with, from whatever thread.

    `then`, when given, is called with the same arguments afterwards.
    """

    def __init__(self, then: Callable[..., object] | None = None) -> None:
        self._then = then
        self._changed = threading.Condition()
        self._calls: list[tuple[Any, ...]] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, *arguments: Any) -> None:
        with self._changed:
            self._calls.append(arguments)
            self.threads.append(threading.current_thread())
            self._changed.notify_all()
        if self._then is not None:
            self._then(*arguments)

    def __len__(self) -> int:
        return len(self._calls)

    def all(self) -> list[tuple[Any, ...]]:
        """The arguments of each call so far."""
        with self._changed:
            return list(self._calls)

    def wait(self, count: int = 1, seconds: float = 10) -> list[tuple[Any, ...]]:
        """Wait for `count` calls and return them all. Raises AssertionError after `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._calls) >= count, scaled(seconds)):
                shown = ", ".join(map(repr, self._calls[:20]))
                raise AssertionError(
                    f"{len(self._calls)} of {count} calls within {scaled(seconds):g} seconds:"
                    f" {shown}"
                )
            return list(self._calls)

    def wait_one(self, seconds: float = 10) -> tuple[Any, ...]:
        """Wait for the one call. Raises AssertionError when there are more."""
        calls = self.wait(1, seconds)
        assert len(calls) == 1, calls
        return calls[0]
