"""When something is to be done that follows changes: not at each one, and again after a failure.

Pure: times are given, as seconds of any clock that goes on steadily.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import NamedTuple

# Between a failure and the next attempt (seconds), twice as long each time.
MIN_PAUSE, MAX_PAUSE = 1.0, 60.0


class Timing(NamedTuple):
    """How long to wait (seconds): until nothing has changed for `quiet`, but at most for `most`.

    `retries` is how often a failure is followed by another attempt without a change; None is for as
    long as it takes. Between the beginnings of two runs are `interval` seconds at the least.
    """

    quiet: float
    most: float
    retries: int | None = None
    interval: float = 0.0


class RunPlan:
    """When to run next; nothing is due before the first change.

    Changes that come while something runs are for the next run.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        # When the first and the last of the changes came that no run has seen.
        self._first: float | None = None
        self._last = 0.0
        self._next_from = 0.0
        self._failures = 0
        self._retry_at: float | None = None

    @property
    def has_changes(self) -> bool:
        """Whether there are changes that no run has seen."""
        return self._first is not None

    @property
    def is_failing(self) -> bool:
        """Whether the last run failed, and is to be made up for."""
        return self._retry_at is not None

    def note_change(self, now: float) -> None:
        """Note that something has changed."""
        if self._first is None:
            self._first = now
        self._last = now

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the next run is due; None if none is."""
        due: list[float] = []
        if self._first is not None:
            settled = min(self._last + self._timing.quiet, self._first + self._timing.most)
            due.append(max(settled, self._next_from))
        if self._retry_at is not None:
            due.append(self._retry_at)
        return max(0.0, min(due) - now) if due else None

    def begin(self, now: float) -> None:
        """Begin a run, which sees all changes up to here."""
        self._first = self._retry_at = None
        self._next_from = now + self._timing.interval

    def note_due(self, at: float) -> None:
        """Have a run at a certain time, if none is due before."""
        self._retry_at = at if self._retry_at is None else min(at, self._retry_at)

    def note_success(self) -> None:
        """Note that the run did what it was to do."""
        self._failures = 0

    def note_failure(self, now: float) -> float | None:
        """Note that the run failed; return the pause until the next one, None if it is given up.

        A change may be the remedy, and waits for the shortest pause only.
        """
        self._failures += 1
        self._next_from = max(self._next_from, now + MIN_PAUSE)
        retries = self._timing.retries
        if retries is not None and self._failures > retries:
            self._failures = 0
            return None
        pause: float = min(MIN_PAUSE * 2.0 ** min(self._failures - 1, 16), MAX_PAUSE)
        self._retry_at = now + pause
        return pause
