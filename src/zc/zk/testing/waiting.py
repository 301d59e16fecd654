"""Small helpers for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def assert_(condition: object, message: str = "", error: bool = True) -> None:
    """Raise AssertionError unless the condition is true.

    If `error` is false, only say so, in a line on standard output.
    """
    if condition:
        return
    if error:
        raise AssertionError(message)
    print(f"assertion failed: {message}" if message else "assertion failed")


def wait_until(predicate: Callable[[], T], timeout: float = 10.0) -> T:
    """Call a function until its result is true, and return that result.

    Raises AssertionError when it is not within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (result := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} seconds: {predicate}")
        time.sleep(POLL_SECONDS)
    return result
