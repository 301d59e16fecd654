"""Histograms of how long things take, noted by any thread and read by any other, without a lock.

Each thread counts in a place of its own, and reading adds them up: so nobody waits, a finaliser or
a signal handler may note something in the middle of anything, and a fork finds nothing half done.
The place of a thread that has ended stays, and is the next one's that gets its number.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import sys
from _thread import get_ident
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

# Upper bounds in seconds. A call takes a fraction of a millisecond in a rack, ten or more between
# continents; a session's timeout, after which a call gives up, is ten seconds by default.
BOUNDS = (
    0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
)  # fmt: skip

# The values of the labels of a histogram.
Values = tuple[str, ...]

# Told of each duration, in the thread that notes it: the family's name, the values of all labels,
# seconds. It must neither wait nor raise.
Tap = Callable[[str, Values, float], object]

# Those of all histograms.
taps: list[Tap] = []


class Histogram(NamedTuple):
    """How many took so long at most, for each of `BOUNDS` and for all, and how long all took."""

    counts: tuple[int, ...]
    total: float


class Durations:
    """The histograms of one family and one client, by the values of its labels."""

    def __init__(self, family: str) -> None:
        self._family = family
        self.client = ""  # its name
        self._ident = _native_ident()
        # By thread. A list has a count for each bucket, and the sum.
        self._cells: dict[int, dict[Values, list[float]]] = {}

    def note(self, values: Values, seconds: float) -> None:
        """Note that one took so long."""
        ident = self._ident()
        cell = self._cells.get(ident)
        if cell is None:
            cell = self._cells.setdefault(ident, {})
        figures = cell.get(values)
        if figures is None:
            figures = cell.setdefault(values, [0] * (len(BOUNDS) + 1) + [0.0])
        figures[bisect_left(BOUNDS, seconds)] += 1
        figures[-1] += seconds
        for tap in taps:
            tap(self._family, (self.client, *values), seconds)

    def read(self) -> dict[Values, Histogram]:
        """Return all that was noted up to now."""
        sums: dict[Values, list[float]] = {}
        for cell in list(self._cells.values()):
            for values, figures in list(cell.items()):
                seen = figures.copy()  # a thread counts on meanwhile
                known = sums.get(values)
                sums[values] = seen if known is None else [*map(sum, zip(known, seen, strict=True))]
        return {
            values: Histogram(tuple(map(int, accumulate(seen[:-1]))), seen[-1])
            for values, seen in sorted(sums.items())
        }


def _native_ident() -> Callable[[], int]:
    """Return what tells the system's threads apart, also where gevent has made greenlets of others.

    A greenlet lets no other one go on while it counts; and there may be any number of them.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return get_ident
    original: Callable[[], int] = monkey.get_original("_thread", "get_ident")
    return original
