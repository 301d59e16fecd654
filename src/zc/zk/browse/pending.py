"""The paths that a reader of the page has yet to be told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

# A reader may have all nodes that there are or were when it came yet to be told of, and so many
# others: nodes that have come and gone since, each under another name.
MANY_GONE = 20_000


class Pending:
    """Paths in the order in which a reader is told of them.

    Changes go first. The views that there are at first come behind them, by a list that all readers
    share, since a set of 200,000 paths for each of them is much.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._changed: set[str] = set()
        self._order: list[str] = []  # a heap of these
        self._paths = paths
        self._place = 0
        # The reader is too slow, and nothing is kept for it.
        self.is_behind = False

    def __bool__(self) -> bool:
        return bool(self._changed) or self._place < len(self._paths)

    def add(self, paths: Iterable[str], views: int) -> None:
        """Have these told of, too, where there are so many views."""
        if self.is_behind:
            return
        for path in paths:
            if path not in self._changed:
                self._changed.add(path)
                heappush(self._order, path)
        if len(self._changed) > views + len(self._paths) + MANY_GONE:
            self.is_behind = True
            self._changed, self._order, self._paths, self._place = set(), [], (), 0

    def pop(self) -> tuple[str, bool]:
        """Take the first path, and whether it is of a change."""
        if self._order:
            path = heappop(self._order)
            self._changed.remove(path)
            return path, True
        self._place += 1
        return self._paths[self._place - 1], False
