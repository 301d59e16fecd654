"""Which Python functions wait for which znode's events, for one handle.

The C client is given one watch function for everything; this registry says whom an event is for.
Watches are one-time: an event takes out what it is delivered to.

A watch has two stages. From when its request is sent until its answer has been handled it is
*expected*; then it *waits*. Waiting begins on the handle's event thread, in the order in which the
server set watches and sent events, so that an event that is older than a watch cannot use it up.
Expecting matters to `remove`: the server keeps one watch for all of us at a path, and it must not
be removed under somebody whose request is still on its way. Hence `lock`: hold it over `expect` and
the sending of the request, and over `remove` and the sending of the removal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from zookeeper.constants import (
    CHANGED_EVENT,
    CHILD_EVENT,
    CREATED_EVENT,
    DELETED_EVENT,
    WATCH_ANY,
    WATCH_CHILDREN,
    WATCH_DATA,
)

Watcher = Callable[[int, int, int, str], object]

_KINDS_OF_EVENT = {
    CREATED_EVENT: WATCH_DATA,
    CHANGED_EVENT: WATCH_DATA,
    CHILD_EVENT: WATCH_CHILDREN,
    DELETED_EVENT: WATCH_ANY,
}


class WatcherRegistry:
    """The watchers of one handle, by kind of watch and path.

    Methods that say so want `lock` to be held by the caller; the others take it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._waiting: dict[int, dict[str, tuple[Watcher, ...]]] = {
            WATCH_DATA: {},
            WATCH_CHILDREN: {},
        }
        self._expected: dict[int, dict[str, tuple[Watcher, ...]]] = {
            WATCH_DATA: {},
            WATCH_CHILDREN: {},
        }

    def expect(self, kind: int, paths: Iterable[str], watcher: Watcher) -> None:
        """A request for a watch is about to be sent. With the lock held."""
        expected = self._expected[kind]
        alone = (watcher,)
        for path in paths:
            others = expected.get(path)
            expected[path] = (*others, watcher) if others else alone

    def settle(self, kind: int, paths: Iterable[str], watcher: Watcher, is_set: bool) -> None:
        """The answer is there; the watcher waits now if the watch was set and not removed since.

        A watcher that waits at a path already is not added twice.
        """
        with self.lock:
            expected, waiting = self._expected[kind], self._waiting[kind]
            alone = (watcher,)
            for path in paths:
                if not _drop(expected, path, watcher) or not is_set:
                    continue
                others = waiting.get(path)
                if not others:
                    waiting[path] = alone
                elif watcher not in others:
                    waiting[path] = (*others, watcher)

    def take(self, event_type: int, path: str) -> list[Watcher]:
        """Everybody an event is for, each once; they no longer wait."""
        with self.lock:
            found: list[Watcher] = []
            for kind, waiting in self._waiting.items():
                if kind & _KINDS_OF_EVENT.get(event_type, 0):
                    found += [w for w in waiting.pop(path, ()) if w not in found]
            return found

    def all(self) -> list[Watcher]:
        """Everybody who waits for anything, each once: they are told of session events."""
        with self.lock:
            found: dict[Watcher, None] = {}
            for waiting in self._waiting.values():
                for watchers in waiting.values():
                    found.update(dict.fromkeys(watchers))
            return list(found)

    def remove(self, kinds: int, path: str, watcher: Watcher) -> int | None:
        """Forget a watcher. With the lock held.

        Returns the kinds of which nobody is left at the path, so that the server's watch can go
        too: their watchers are still in, until `forget`. None if the watcher was in none of them.
        """
        last, found = 0, False
        for kind in (WATCH_DATA, WATCH_CHILDREN):
            watchers = self._waiting[kind].get(path, ()) + self._expected[kind].get(path, ())
            if not kind & kinds or watcher not in watchers:
                continue
            found = True
            if any(other != watcher for other in watchers):
                self._drop_everywhere(kind, path, watcher)
            else:
                last |= kind
        return last if found else None

    def forget(self, kinds: int, path: str, watcher: Watcher | None) -> None:
        """The server's watch is gone: so are one watcher that waited for it, or all of them.

        Who is still expected asked for a watch after this one was removed.
        """
        with self.lock:
            for kind, waiting in self._waiting.items():
                if not kind & kinds:
                    continue
                if watcher is None:
                    waiting.pop(path, None)
                else:
                    _drop(waiting, path, watcher)

    def _drop_everywhere(self, kind: int, path: str, watcher: Watcher) -> None:
        for by_path in (self._waiting[kind], self._expected[kind]):
            while _drop(by_path, path, watcher):
                pass


def _drop(by_path: dict[str, tuple[Watcher, ...]], path: str, watcher: Watcher) -> bool:
    watchers = by_path.get(path, ())
    if watcher not in watchers:
        return False
    if len(watchers) == 1:
        del by_path[path]
    else:
        place = watchers.index(watcher)
        by_path[path] = watchers[:place] + watchers[place + 1 :]
    return True
