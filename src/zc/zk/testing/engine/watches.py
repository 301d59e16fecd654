"""Watches: the connections that an event at a path goes to.

There are two tables, as on the server: *data* for the node itself and *children* for the names of
its children. A watch is one-time, or stays (persistent), or stays and is for all nodes below too
(recursive). A watcher has one watch per path and table: the latest decides its mode, also where
that makes a persistent one a one-time watch.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import enum
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from zc.zk.testing.engine.acl import Entries
from zc.zk.testing.engine.sessions import Session
from zookeeper import constants


class Recipient(Protocol):
    """A connection, as events reach it."""

    session: Session | None

    def notify(self, event_type: int, path: str) -> None: ...

    def may_read(self, acl: Entries) -> bool: ...


class Happening(NamedTuple):
    """An event at a node, with the ACLs of the node and its parent at that time.

    A client that may not read a node gets no events of it, and has used up its watch all the same.
    """

    event_type: int
    path: str
    acl: Entries
    parent_acl: Entries


class Mode(enum.Enum):
    ONE_TIME = enum.auto()
    PERSISTENT = enum.auto()
    RECURSIVE = enum.auto()


class WatchTable:
    """The watches of one kind."""

    def __init__(self) -> None:
        # Watchers in the order in which they came: events go out in the same order in each run.
        self._by_path: dict[str, dict[Recipient, Mode]] = {}
        self._paths_of: dict[Recipient, dict[str, None]] = {}
        self._recursive_count = 0

    def add(self, path: str, watcher: Recipient, mode: Mode = Mode.ONE_TIME) -> None:
        watchers = self._by_path.setdefault(path, {})
        self._count(watchers.get(watcher), mode)
        watchers[watcher] = mode
        self._paths_of.setdefault(watcher, {})[path] = None

    def is_watched(self, path: str) -> bool:
        """Tell whether a path is watched."""
        return path in self._by_path

    def remove(self, path: str, watcher: Recipient) -> bool:
        """Forget a watch; False if there is none."""
        if watcher not in self._by_path.get(path, ()):
            return False
        self._drop(path, watcher)
        return True

    def remove_all(self, watcher: Recipient) -> list[str]:
        """Forget a watcher. Returns the paths of its one-time watches."""
        paths = list(self._paths_of.get(watcher, ()))
        one_time = [path for path in paths if self._by_path[path][watcher] is Mode.ONE_TIME]
        for path in paths:
            self._drop(path, watcher)
        return one_time

    def take(self, path: str, event_type: int) -> list[Recipient]:
        """Return the watchers of an event, and use up their one-time watches."""
        found: dict[Recipient, None] = {}
        for watcher, mode in list(self._by_path.get(path, {}).items()):
            if mode is not Mode.RECURSIVE or event_type != constants.CHILD_EVENT:
                found[watcher] = None
            if mode is Mode.ONE_TIME:
                self._drop(path, watcher)
        if self._recursive_count and event_type != constants.CHILD_EVENT:
            for ancestor in _ancestors(path):
                for watcher, mode in self._by_path.get(ancestor, {}).items():
                    if mode is Mode.RECURSIVE:
                        found[watcher] = None
        return list(found)

    def paths(self) -> Iterator[tuple[str, list[Recipient]]]:
        """Yield each path that is watched, and its watchers."""
        for path, watchers in self._by_path.items():
            yield path, list(watchers)

    def __len__(self) -> int:
        return sum(map(len, self._by_path.values()))

    def _drop(self, path: str, watcher: Recipient) -> None:
        watchers = self._by_path[path]
        self._count(watchers.pop(watcher), None)
        if not watchers:
            del self._by_path[path]
        paths = self._paths_of[watcher]
        del paths[path]
        if not paths:
            del self._paths_of[watcher]

    def _count(self, before: Mode | None, after: Mode | None) -> None:
        self._recursive_count += (after is Mode.RECURSIVE) - (before is Mode.RECURSIVE)


def _ancestors(path: str) -> Iterator[str]:
    while len(path) > 1:
        path = path[: path.rindex("/")] or "/"
        yield path


class Watches:
    """Both tables, and the delivery of events."""

    def __init__(self) -> None:
        self.data = WatchTable()
        self.children = WatchTable()

    def tell(self, happening: Happening) -> None:
        """Tell the watchers that wait for an event, each once."""
        event_type, path, acl, parent_acl = happening
        watchers = self.data.take(path, event_type)
        if event_type == constants.DELETED_EVENT:
            watchers = list(dict.fromkeys([*watchers, *self.children.take(path, event_type)]))
        _notify(watchers, event_type, path, acl)
        if event_type != constants.CHANGED_EVENT:
            parent = path[: path.rindex("/")] or "/"
            parent_watchers = self.children.take(parent, constants.CHILD_EVENT)
            _notify(parent_watchers, constants.CHILD_EVENT, parent, parent_acl)

    def remove_all(self, watcher: Recipient) -> tuple[list[str], list[str]]:
        """Forget a watcher. Returns the paths of its one-time watches in both tables."""
        return self.data.remove_all(watcher), self.children.remove_all(watcher)


def _notify(watchers: list[Recipient], event_type: int, path: str, acl: Entries) -> None:
    for watcher in watchers:
        if watcher.may_read(acl):
            watcher.notify(event_type, path)
