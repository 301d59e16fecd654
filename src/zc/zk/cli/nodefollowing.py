"""`zk watch`: an event for each change of one node, links followed, and of its children's names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from zc.zk import codec
from zc.zk.cli.nodeevents import ADDED, CHANGED, REMOVED, Event, EventKind
from zc.zk.errors import BadPropertyLink
from zc.zk.links import join
from zc.zk.naturalorder import sorted_naturally

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.watching.children import Children
    from zc.zk.watching.properties import Properties


class NodeFollower:
    """Follows one node, and tells what changes. Raises NoNodeException if there is none."""

    def __init__(
        self,
        zk: ZooKeeper,
        path: str,
        note: Callable[[Event], object],
        *,
        children: bool,
        properties: bool,
    ) -> None:
        self._path = path
        self._note = note
        # The first call comes in our thread and later ones do not.
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._data: str | None = None
        self._is_there = False
        self._properties = zk.properties(path) if properties else None
        self._children = zk.children(path) if children else None
        for live in self._live():
            live(self._look)

    def _live(self) -> Iterator[Children | Properties]:
        if self._properties is not None:
            yield self._properties
        if self._children is not None:
            yield self._children

    def _look(self, *_: object) -> None:
        """Tell how the node differs from what was told of it.

        One of the objects may know before the other that the node is gone, or is back: it is there
        when both say so.
        """
        with self._lock:
            data = None
            if self._properties is not None:
                data = codec.as_read(_values(self._properties))
            names = set() if self._children is None else set(self._children)
            if any(live.deleted for live in self._live()):
                self._note_gone()
                return
            former, self._data = self._data, data
            if not self._is_there:
                self._is_there = True
                self._tell(ADDED, None if data is None else "", data)
            elif former != data:
                self._tell(CHANGED, former, data)
            self._note_names(names)

    def _note_names(self, names: set[str]) -> None:
        for name in sorted_naturally(self._names - names):
            self._note(Event(join(self._path, name), REMOVED))
        for name in sorted_naturally(names - self._names):
            self._note(Event(join(self._path, name), ADDED))
        self._names = names

    def _note_gone(self) -> None:
        if self._is_there:
            self._tell(REMOVED, self._data, None)
            self._is_there, self._names, self._data = False, set(), None

    def _tell(self, kind: EventKind, old: str | None, new: str | None) -> None:
        self._note(Event(self._path, kind, old, new, is_top=True))


def _values(properties: Properties) -> dict[str, Any]:
    """Return the properties, links as they stand and the values they lead to."""
    values = properties.data
    for name in properties:
        try:
            values[name] = properties[name]
        except BadPropertyLink:
            pass
    return values
