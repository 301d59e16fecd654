"""How the library waits: as a rule it blocks the calling thread.

The functions of `zc.zk.aio` call the same methods of the client, of which there is one
implementation, in a place that must not block: the thread of an event loop. There `current` finds
a `Waiter`, which lets others go on meanwhile. All that waits for something besides answers to
requests, which are the binding's, waits by these functions, and holds no lock then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

T = TypeVar("T")

# Called when something may have changed, in the thread that has changed it, with locks held.
ChangeListener = Callable[[], object]

if TYPE_CHECKING:
    from typing import Protocol

    class Waiter(Protocol):
        """A way to wait other than to block."""

        def rest(self, seconds: float) -> None:
            """Come back after that time."""

        def until(
            self, condition: Callable[[], bool], seconds: float, listeners: set[ChangeListener]
        ) -> bool:
            """Say whether the condition holds, or comes to do so within that time.

            It is looked at whenever one of the `listeners`, to which one is added, is called.
            """

        def apart(self, function: Callable[[], T]) -> T:
            """Return the result of a function that blocks."""


def _none() -> Waiter | None:
    return None


# The waiter in whose hands the caller is, if it must not block. `zc.zk.aio` puts its own here.
current: Callable[[], Waiter | None] = _none


def rest(seconds: float) -> None:
    """Return after that time."""
    waiter = current()
    if waiter is None:
        time.sleep(seconds)
    else:
        waiter.rest(seconds)


def apart(function: Callable[[], T]) -> T:
    """Return the result of a function that blocks for some other reason."""
    waiter = current()
    return function() if waiter is None else waiter.apart(function)
