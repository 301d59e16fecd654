"""Numbers, ports and spans of time as arguments."""

from __future__ import annotations

from argparse import ArgumentTypeError

from zc.zk.spans import MIN_SECONDS, seconds_of

# Of things to be counted, which nobody has more of.
MAX_COUNT = 2**31 - 1


def span(text: str, *, least: float = MIN_SECONDS) -> float:
    """Return the seconds of an argument such as 90s, 2h or 1d12h."""
    try:
        return seconds_of(text, least=least)
    except ValueError as fault:
        raise ArgumentTypeError(str(fault)) from None


def count(text: str) -> int:
    """Return an argument that is a number from 1 on."""
    if text.isascii() and text.isdecimal() and 0 < int(text[:10]) <= MAX_COUNT:
        return int(text[:10])
    raise ArgumentTypeError(f"not a number from 1 on: {text!r}")


def pause(text: str) -> float:
    """Return the seconds of an argument such as 200ms; 0 is none."""
    return span(text, least=0.0)


def repetitions(text: str) -> int:
    """Return an argument that is a number from 0 on."""
    if text == "0":
        return 0
    try:
        return count(text)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"not a number from 0 on: {text!r}") from None
