"""Guards against lists that vanish: a text is held back when most of a list has gone at once.

When an ensemble of ZooKeeper was down for longer than its sessions last, all registered servers are
gone as it returns, and come back one by one. Pure: times are given.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Mapping
from typing import NamedTuple

# A list that has less than this share left is held back.
MIN_SHARE = 0.5


class Held(NamedTuple):
    """A text that is held back: why, and for how many seconds more."""

    reason: str
    seconds: float


class Guard:
    """Decides whether lists are to be believed, by how long they were in the last text."""

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._accepted: dict[str, int] = {}
        self._since: float | None = None

    def held(self, counts: Mapping[str, int], now: float) -> Held | None:
        """Return why a text with lists of these lengths, by path, is to wait; None if it is not."""
        shrunk = [
            (path, count, former)
            for path, count in counts.items()
            if count < MIN_SHARE * (former := self._accepted.get(path, 0))
        ]
        if not shrunk:
            self._since = None
            return None
        if self._since is None:
            self._since = now
        left = self._since + self._hold - now
        if left <= 0:
            return None
        lists = ", ".join(f"{count} of {former} at {path}" for path, count, former in shrunk)
        return Held(f"there are suddenly {lists}", left)

    def accept(self, counts: Mapping[str, int]) -> None:
        """Note that a text with such lists is the present one."""
        self._accepted = dict(counts)
        self._since = None
