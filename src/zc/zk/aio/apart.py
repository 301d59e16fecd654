"""Bulk calls, which wait for many answers: on a thread of their own, and given up with the caller.

The functions of the program that are called meanwhile, `progress`, are called by the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from zc.zk.aio.home import post
from zc.zk.session import waiting

if TYPE_CHECKING:
    from zookeeper.types import Progress

T = TypeVar("T")


class _GivenUp(Exception):
    """Nobody waits for a bulk call any more."""


class _Reports:
    """A progress function for another thread, which reports to that of the program."""

    def __init__(self, progress: Progress | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._progress = progress
        self.fault: BaseException | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self.fault is not None:
            raise self.fault
        if self._progress is not None:
            post(self._loop, self._report, done, total)

    def _report(self, done: int, total: int | None) -> None:
        if self.fault is None and self._progress is not None:
            try:
                self._progress(done, total)
            except BaseException as fault:
                self.fault = fault


def apart_with_progress(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Return the result of a bulk call, in a crossing."""
    if function.__name__ == "watch_many":
        return waiting.apart(partial(function, *args, **kwargs))
    reports = _Reports(kwargs.pop("progress", None))
    try:
        return waiting.apart(partial(function, *args, progress=reports, **kwargs))
    except BaseException:
        reports.fault = reports.fault or _GivenUp()
        raise
