"""`zk watch`: an event for each change of one node, links followed, and of its children's names."""

from __future__ import annotations

import threading
from collections.abc import Callable
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
        self._live: list[Children | Properties] = []
        if properties:
            self._live.append(zk.properties(path)(self._note_properties))
        if children:
            self._live.append(zk.children(path)(self._note_children))

    def _note_children(self, children: Children | None = None) -> None:
        with self._lock:
            if children is None:
                self._note_gone()
                return
            names = set(children)
            if not self._is_there:
                self._tell(ADDED, None, None)
            for name in sorted_naturally(self._names - names):
                self._note(Event(join(self._path, name), REMOVED))
            for name in sorted_naturally(names - self._names):
                self._note(Event(join(self._path, name), ADDED))
            self._names = names

    def _note_properties(self, properties: Properties | None = None) -> None:
        with self._lock:
            if properties is None:
                self._note_gone()
                return
            old, self._data = self._data or "", codec.as_read(_values(properties))
            if not self._is_there:
                self._tell(ADDED, "", self._data)
            elif old != self._data:
                self._tell(CHANGED, old, self._data)

    def _note_gone(self) -> None:
        """Tell, once for both objects, that the node is gone."""
        if self._is_there:
            self._note(Event(self._path, REMOVED, self._data, is_top=True))
            self._is_there, self._names, self._data = False, set(), None

    def _tell(self, kind: EventKind, old: str | None, new: str | None) -> None:
        self._is_there = True
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
