"""Events of nodes, as `zk watch` tells them to people and as JSON; several of a node as one.

Pure.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from zc.zk import codec
from zc.zk.naturalorder import sorted_naturally
from zc.zk.tree.changes import SetData
from zc.zk.tree.facts import data_members

EventKind = Literal["added", "changed", "removed"]
ADDED: EventKind = "added"
CHANGED: EventKind = "changed"
REMOVED: EventKind = "removed"


class Event(NamedTuple):
    """A node that came, went, or has other properties than before.

    `old` and `new` are the data that stand for the properties; None where they are not followed.
    `is_top` tells of a node that was asked for by its own path, `is_child` that it is told as a
    child of the one above.
    """

    path: str
    kind: EventKind
    old: str | None = None
    new: str | None = None
    is_top: bool = False
    is_child: bool = True

    @property
    def is_nothing(self) -> bool:
        """Whether it makes no difference: a node that was written as it was."""
        return self.kind is CHANGED and self.old == self.new


def lines(event: Event) -> Iterator[str]:
    """Yield the lines that tell people of an event."""
    if event.kind is not CHANGED:
        if not event.is_top:
            if event.is_child:
                above, _, name = event.path.rpartition("/")
                verb = "add" if event.kind is ADDED else "remove"
                yield f"{above or '/'} {verb} child {name}"
        elif event.kind is REMOVED:
            yield f"{event.path} deleted"
    if event.kind is not REMOVED and (event.old or "") != (event.new or ""):
        yield from SetData(event.path, event.old, event.new, 0).lines()


def members(event: Event) -> dict[str, Any]:
    """Return the members of the JSON object that tells programs of an event.

    `properties` are left out where they are not followed, and of nodes that are gone. Data that are
    no text are `base64`.
    """
    told: dict[str, Any] = {"path": event.path, "change": event.kind}
    if event.kind is not REMOVED and event.new is not None:
        data = data_members(event.new)
        if "base64" not in data:
            data = {"properties": codec.decode(event.new, event.path)}
        told.update(data)
    return told


class Pending:
    """The events that nobody has been told of yet, one of each node."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}

    def __len__(self) -> int:
        return len(self._events)

    def note(self, event: Event) -> None:
        """Add an event, which came after the others."""
        merged = merge(self._events.pop(event.path, None), event)
        if merged is not None:
            self._events[event.path] = merged

    def take(self) -> list[Event]:
        """Return all events, in natural order of their paths, and forget them."""
        events, self._events = self._events, {}
        return [events[path] for path in sorted_naturally(events)]

    def put_back(self, events: Iterable[Event]) -> None:
        """Have events told again, with those that came meanwhile."""
        later, self._events = self._events, {event.path: event for event in events}
        for event in later.values():
            merged = merge(self._events.pop(event.path, None), event, is_told=True)
            assert merged is not None
            self._events[event.path] = merged


def one_of_each(events: Iterable[Event]) -> list[Event]:
    """Return one event of each node, and one as a top, in the order of the last ones."""
    merged: dict[tuple[str, bool], Event] = {}
    for event in events:
        key = event.path, event.is_top
        one = merge(merged.pop(key, None), event)
        if one is not None:
            merged[key] = one
    return list(merged.values())


def merge(former: Event | None, later: Event, *, is_told: bool = False) -> Event | None:
    """Return the one event that two of the same node make; None if nothing is left to be told.

    If `is_told`, somebody may know of the former, and so nothing is left out.
    """
    if former is None:
        return None if later.is_nothing else later
    if later.kind is REMOVED:
        if former.kind is ADDED and not is_told:
            return None
        return later._replace(old=former.old)
    kind = CHANGED if former.kind is REMOVED else former.kind
    merged = later._replace(kind=kind, old=former.old)
    return None if merged.is_nothing and not is_told else merged
