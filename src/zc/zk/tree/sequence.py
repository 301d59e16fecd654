"""Sequential nodes, by their names; and paths named in a sentence (pure)."""

from __future__ import annotations

# Digits of the number that servers put behind the name of a sequential node.
DIGITS = 10

# Paths that are named in a sentence about some.
MAX_NAMED = 5


def is_sequential(path: str) -> bool:
    """Return whether a name ends as those of sequential nodes do."""
    number = path[-DIGITS:]
    return len(number) == DIGITS and number.isdecimal() and number.isascii()


def named(paths: list[str]) -> str:
    """Name some paths in a sentence, and count the others."""
    more = len(paths) - MAX_NAMED
    return ", ".join(paths[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
