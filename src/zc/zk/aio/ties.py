"""Ties: what a client holds of a program only as long as its event loop lives.

The threads of a session keep it alive, and it holds what the program waits for and is to be told
by: futures, tasks, watchers, callbacks. Each of these leads to the program's coroutines, and so to
the client. When the loop is closed none of them will ever go on, and nobody need tell the client:
were they still held, a client that the program has dropped would live for ever, and so would its
registrations.

Loops tell nobody that they are closed. But they let go of the functions that they were to call when
a descriptor is readable: such a function, a `Tie`, is held by the loop and by nobody else.
"""

from __future__ import annotations

import inspect
import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

C = TypeVar("C", bound=deque[Any] | set[Any] | dict[Any, Any])


# Ends calls of closed loops; see `crossing.py`.
end_calls: Callable[[], object] = bool


class Ties:
    """Collections that are emptied when the loop is closed."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._collections: list[deque[Any] | set[Any] | dict[Any, Any]] = []

    def hold(self, collection: C) -> C:
        """Have what is in a collection let go of; returns the collection."""
        self._collections.append(collection)
        return collection

    def loosen(self) -> None:
        """Let the end of the loop be no concern of them any more."""
        self._collections = []

    def cut(self) -> None:
        """Let go of everything. A finaliser calls this, in any thread at any point."""
        if self._process != os.getpid():
            return  # a child's copy of the loop
        end_calls()
        for collection in self._collections:
            for item in list(collection) if isinstance(collection, deque) else ():
                if isinstance(item, tuple) and inspect.iscoroutine(item[0]):
                    item[0].close()  # or Python complains that nobody has awaited it
            collection.clear()


class Tie(partial[Any]):
    """A function of a loop's own, with whose end ties are cut."""

    ties: Ties

    def of(self, ties: Ties) -> Tie:
        """Have these cut."""
        self.ties = ties
        return self

    def __del__(self) -> None:
        self.ties.cut()
