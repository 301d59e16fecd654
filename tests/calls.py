"""A function that remembers its calls, for watchers and completions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from tests.deadlines import scaled


class Calls:
    """Callable that keeps the arguments of its calls, from whatever thread.

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
        """Return the arguments of each call so far."""
        with self._changed:
            return list(self._calls)

    def wait(self, count: int = 1, seconds: float = 10) -> list[tuple[Any, ...]]:
        """Wait for `count` calls and return them all.

        Raises AssertionError after `seconds`.
        """
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


class InThreads:
    """Runs calls, each in a thread of its own, and keeps exceptions' classes."""

    def __init__(self, calls: Iterable[Callable[[], object]]) -> None:
        self.raised: list[Any] = []
        self._threads = [threading.Thread(target=self._run, args=[call]) for call in calls]
        for thread in self._threads:
            thread.start()

    def _run(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as fault:
            self.raised.append(type(fault))

    def join(self, seconds: float = 30) -> None:
        """Wait until all have ended. Raises AssertionError after `seconds`."""
        for thread in self._threads:
            thread.join(scaled(seconds))
        assert not any(thread.is_alive() for thread in self._threads)
