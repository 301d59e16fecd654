"""Backoff with jitter: how long to rest after failures in a row, and when to come back."""

from __future__ import annotations

import os

FIRST_PAUSE_SECONDS = 0.05
MAX_PAUSE_SECONDS = 10.0

# Not `math.inf`: a command's start would import that module for it.
NEVER = float("inf")


def pause(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row (1, 2, ...).

    They double up to a limit (backoff), and are spread at random (jitter), so that a thousand
    clients that lost the same server do not come back to it all at once.
    """
    longest = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 20))
    # Not by `random`, which would be imported here: there may be no descriptor left to read it.
    part = int.from_bytes(os.urandom(4), "big") / 2**32
    return longest / 2 * (1 + part)


def soonest(*delays: float | None) -> float | None:
    """Return the smallest of some delays in seconds, where None is never."""
    return min((delay for delay in delays if delay is not None), default=None)
