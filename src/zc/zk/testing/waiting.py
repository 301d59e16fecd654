"""Small helpers for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def assert_(condition: object, message: str = "") -> None:
    """Raise AssertionError unless the condition is true."""
    if not condition:
        raise AssertionError(message)


def wait_until(predicate: Callable[[], T], seconds: float = 10.0) -> T:
    """Call a function until its result is true, and return that result.

    Raises AssertionError when it is not within the time.
    """
    deadline = time.monotonic() + seconds
    while not (result := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} seconds: {predicate}")
        time.sleep(POLL_SECONDS)
    return result
