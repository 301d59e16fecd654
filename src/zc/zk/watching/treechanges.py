"""Changes of a live tree between two looks: paths that were added, removed, changed.

Pure: changes are merged, so that a slow callback is told of each path once, and of nothing that has
come and gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

Kind = Literal["added", "removed", "changed"]
ADDED: Kind = "added"
REMOVED: Kind = "removed"
CHANGED: Kind = "changed"

# By path, in no order.
Log = dict[str, Kind]


def note(log: Log, path: str, kind: Kind) -> None:
    """Add a change to those that are noted, as one change of each path."""
    former = log.get(path)
    if former is None:
        log[path] = kind
    elif kind is REMOVED:
        if former is ADDED:
            del log[path]
        else:
            log[path] = REMOVED
    elif former is REMOVED:
        log[path] = CHANGED  # it is there again, and another one


def merge(log: Log, later: Mapping[str, Kind]) -> None:
    """Add changes that came later."""
    for path, kind in later.items():
        note(log, path, kind)


class Changes:
    """The changes that a callback is told of, as sorted lists of paths.

    `added` and `removed` are nodes that came and went, `changed` those that have been written, or
    made anew, or may be read at last, or no more.
    """

    __slots__ = ("_added", "_list_all", "changed", "removed")

    def __init__(
        self, log: Mapping[str, Kind], list_all: Callable[[], Iterable[str]] | None = None
    ) -> None:
        self.removed = _of_kind(log, REMOVED)
        self.changed = _of_kind(log, CHANGED)
        # A first call is about all nodes, and few callbacks ask which these are.
        self._list_all = list_all
        self._added = None if list_all else _of_kind(log, ADDED)

    @property
    def added(self) -> list[str]:
        if self._added is None:
            assert self._list_all is not None
            self._added = sorted(self._list_all())
        return self._added

    def __bool__(self) -> bool:
        return bool(self._list_all or self._added or self.removed or self.changed)

    def __repr__(self) -> str:
        if self._list_all:
            return "<Changes: all is new>"
        counts = len(self.added), len(self.removed), len(self.changed)
        return "<Changes: {} added, {} removed, {} changed>".format(*counts)


def _of_kind(log: Mapping[str, Kind], kind: Kind) -> list[str]:
    return sorted(path for path, its_kind in log.items() if its_kind is kind)
