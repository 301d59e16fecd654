"""Ways from native threads to greenlets of gevent's hub."""

from __future__ import annotations

import logging
import os
from _queue import Empty
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import gevent
from gevent.event import Event

import zookeeper

T = TypeVar("T")

logger = logging.getLogger("zc.zk")

READABLE = 1  # of a watcher of gevent's loop


class Queue(Generic[T]):
    """A queue into which any thread puts, and out of which one greenlet gets."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._come = Event()

    def put(self, item: T) -> None:
        self._items.append(item)
        self._come.set()

    def get(self, timeout: float | None = None) -> T:
        """Return the first item. Raises Empty if there is none within that time."""
        while True:
            self._come.clear()
            if self._items:
                return self._items.popleft()
            if not self._come.wait(timeout) and not self._items:
                raise Empty

    def empty(self) -> bool:
        return not self._items


class Events:
    """The events and answers of one handle, on their way to greenlets of a hub."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.answers = zookeeper.CompletionQueue()
        self._events = zookeeper.CompletionQueue()
        self._come = hub.loop.io(self.answers.fileno(), READABLE)
        self._come.start(self.answers.drain)
        self._readable = hub.loop.io(self._events.fileno(), READABLE)
        self._is_over = False
        _all.add(self)
        self._greenlet = gevent.spawn(self._call)

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Have a function called by the greenlet, after what has come before."""
        self._events.bind(function)(*args)

    def end(self) -> None:
        """Take what has come, and no more of it."""
        try:
            self.post(self._finish)
        except zookeeper.InvalidStateException:
            pass  # done, or in a forked child

    def adopt(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return arguments whose functions are called by the greenlet."""
        return tuple(map(self._adopted, args))

    def adopt_all(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {name: self._adopted(value) for name, value in kwargs.items()}

    def _adopted(self, argument: Any) -> Any:
        if type(argument).__name__ == "QueuedCompletion" or not callable(argument):
            return argument
        return _Told(self, argument)

    def _call(self) -> None:
        while not self._is_over:
            self._hub.wait(self._readable)
            try:
                self._events.drain()
            except KeyboardInterrupt as interrupt:
                # Python has come here with it by chance: it is for the main greenlet.
                self._hub.handle_system_error(type(interrupt), interrupt)
            except BaseException:
                logger.exception("a watcher or a completion raised")

    def _finish(self) -> None:
        self._is_over = True
        self.answers.drain()
        self.abandon()
        self.answers.close()
        self._events.close()

    def abandon(self) -> None:
        """Have the hub no longer look at the queues."""
        _all.discard(self)
        for watcher in (self._come, self._readable):
            watcher.stop()


class _Told:
    """A function that is called by a greenlet, and compares like the one that it stands for."""

    __slots__ = ("_events", "_function")

    def __init__(self, events: Events, function: Callable[..., object]) -> None:
        self._events = events
        self._function = function

    def __call__(self, *args: Any) -> None:
        try:
            self._events.post(self._function, *args)
        except zookeeper.InvalidStateException:
            pass  # the handle is closed, and nobody is told any more

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Told) and self._function == other._function

    def __hash__(self) -> int:
        return hash(self._function)


_all: set[Events] = set()


def carry(function: Callable[..., object], *args: Any) -> bool:
    """Have a greenlet call a function; False if there is none."""
    for events in tuple(_all):
        try:
            events.post(function, *args)
        except zookeeper.InvalidStateException:
            continue  # closed just now
        return True
    return False


def _abandon_all() -> None:
    for events in tuple(_all):
        events.abandon()


# A child process has not got the descriptors, whose numbers will be others'.
os.register_at_fork(after_in_child=_abandon_all)
