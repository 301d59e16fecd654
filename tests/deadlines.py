"""Deadlines of the tests: one knob for all of them.

ZK_TEST_TIMEOUT_SCALE in the environment multiplies every deadline: set it to 5 on a slow or busy
machine, or under a sanitizer. A deadline only decides when a test gives up; a test that passes
never waits for one to go by.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Milliseconds: the timeout of a session that no busy machine lets expire. It is not scaled, as the
# C client pauses for a sixtieth of it before it connects again.
LONG_SESSION = 30_000

SCALE = float(os.environ.get("ZK_TEST_TIMEOUT_SCALE", "1"))
POLL_SECONDS = 0.005


def scaled(seconds: float) -> float:
    """Return `seconds`, scaled for this machine."""
    return seconds * SCALE


def wait_until(predicate: Callable[[], T], what: str | Callable[[], str], seconds: float = 10) -> T:
    """Call `predicate` until its result is true, and return that result.

    `what` names the awaited state in the failure; a function is called then, to describe the actual
    state. Raises AssertionError after `seconds`, scaled.
    """
    deadline = time.monotonic() + scaled(seconds)
    while not (result := predicate()):
        if time.monotonic() > deadline:
            description = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {scaled(seconds):g} seconds: {description}")
        time.sleep(POLL_SECONDS)
    return result


def end_alarms() -> None:
    """Disarm the timer of SIGALRM, and leave a handler that does nothing.

    A signal that has come by then finds it. CPython reports one that finds the default instead, as
    "ignored due to race condition", in whatever test runs.
    """
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, lambda *_: None)
