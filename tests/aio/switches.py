"""What happens at each switch from a crossing to the loop: counted, looked at, interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from zc.zk.aio import crossing


class Watched(crossing.Crossing):
    """A crossing that tells of each switch to the loop, in the task's own stack."""

    at_switch: Callable[[], object]

    def switch(self, *args: Any, **kwargs: Any) -> Any:
        return self._told(super().switch(*args, **kwargs))

    def throw(self, *args: Any) -> Any:
        return self._told(super().throw(*args))

    def _told(self, outcome: Any) -> Any:
        if not self.dead:
            type(self).at_switch()
        return outcome


@contextmanager
def told_to(at_switch: Callable[[], object]) -> Iterator[None]:
    """Have a function called at each switch."""
    kind = type("Crossing", (Watched,), {"at_switch": staticmethod(at_switch)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossing, "Crossing", kind)
        yield


class Cancelling:
    """Cancels the task at the given switches, counted from 1."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.seen = 0

    def __call__(self) -> None:
        self.seen += 1
        if self.seen in self.numbers:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the task has not come to the first of the switches."""
        return self.seen < min(self.numbers)


class Locks:
    """The locks that are made from now on by `threading`, and those of this thread among them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.made: list[Any] = []
        self.owned_at_switches: list[Any] = []
        self.switches = 0
        for name in ("RLock", "Lock"):
            patch.setattr(threading, name, self._making(getattr(threading, name)))

    def _making(self, make: Callable[[], Any]) -> Callable[[], Any]:
        def made() -> Any:
            lock = make()
            self.made.append(lock)
            return lock

        return made

    def look(self) -> None:
        """Note the re-entrant locks that this thread has."""
        self.switches += 1
        self.owned_at_switches += [
            lock for lock in self.made if hasattr(lock, "_is_owned") and lock._is_owned()
        ]
