"""A case, the competitors in it, and the goals for their ratios."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Competitor:
    """One way of doing the job of a case.

    `run` does the job once and returns the figure it measured, in the case's unit; preparation and
    tidying up in it are not part of that figure. A competitor that takes very long may ask for
    fewer `rounds` than the others get; it then has no warming-up round either.
    """

    name: str
    run: Callable[[], float]
    rounds: int | None = None


@dataclass(frozen=True)
class Goal:
    """A ratio to reach: `ours` divided by `rival`, at most or at least a number.

    Without a rival it is our figure itself that is expected to be within the limit.
    """

    ours: str
    rival: str | None = None
    at_most: float | None = None
    at_least: float | None = None

    def met(self, ratio: float) -> bool:
        return (self.at_most is None or ratio <= self.at_most) and (
            self.at_least is None or ratio >= self.at_least
        )

    def __str__(self) -> str:
        limits = {"at most": self.at_most, "at least": self.at_least}
        wanted = [f"{word} {limit:.4g}" for word, limit in limits.items() if limit is not None]
        return f"{self.ours}: {' and '.join(wanted)}" + (f" × {self.rival}" if self.rival else "")


@dataclass(frozen=True)
class Case:
    """Competitors that do the same job, with the parameters of that job.

    `parameters` (nodes, shape, delay, ...) are what a scaling curve is drawn over.
    """

    title: str
    unit: str
    competitors: list[Competitor]
    goals: list[Goal] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds that `work` took, and its result.

    Garbage of earlier rounds is collected first: it belongs to somebody else's time.
    """
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def replay(figures: Iterable[float]) -> Callable[[], float]:
    """Return a `run` for figures that were measured with another case."""
    return partial(next, iter(list(figures)))


def expect(found: object, expected: object, what: str) -> None:
    """Refuse to measure work that was not done."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")
