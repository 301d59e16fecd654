"""Figures as prose has them: two significant digits, and a unit that fits."""

from __future__ import annotations

import math

# From here on seconds are told as such.
MIN_SECONDS = 0.3
MIN_MILLISECONDS = 0.001


def rounded(number: float, digits: int = 2) -> str:
    """Return a number with so many significant digits, and commas between thousands."""
    if number == 0:
        return "0"
    shown = round(number, _places(number, digits))
    return f"{shown:,.{max(0, _places(shown, digits))}f}"


def _places(number: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(number)))


def duration(seconds: float) -> str:
    """Return a time, such as 202 µs, 34 ms, 0.62 s or 60 s."""
    if seconds < MIN_MILLISECONDS:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < MIN_SECONDS:
        milliseconds = seconds * 1e3
        return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
    return f"{rounded(seconds)} s"


def rate(each_second: float) -> str:
    """Return how many a second, such as 12,300/s."""
    return f"{rounded(each_second, 3 if each_second >= 10_000 else 2)}/s"
