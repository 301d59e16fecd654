"""Spans of time in words: 2h, 1d12h and 90s as people type them, and as they read them."""

from __future__ import annotations

import re
import sys

from zc.zk.patterns import pattern

_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = pattern(r"([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])")

# Nothing that can be typed is less, but 0.
MIN_SECONDS = sys.float_info.min

# A hundred years, which is more than there has been of ZooKeeper.
MAX_SECONDS = 100 * 366 * 86_400.0


def seconds_of(text: str, *, least: float = MIN_SECONDS) -> float:
    """Return the seconds that a text means; a number alone is seconds.

    Raises ValueError for what is no time, is less than `least`, or is over a hundred years.
    """
    words = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", words):
        words += "s"
    parts = _PART.findall(words)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not parts or "".join(map("".join, parts)) != words or not least <= seconds <= MAX_SECONDS:
        raise ValueError(f"not a time, such as 90s, 2h or 1d12h: {text!r}")
    return seconds


def in_words(seconds: float) -> str:
    """Write a span of time, in its largest unit and the next smaller one."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    left = int(seconds)
    written: list[str] = []
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, length)
        if count:
            written.append(f"{count} {name}{'' if count == 1 else 's'}")
        elif written:
            break
        if len(written) == 2:
            break
    return " ".join(written)
