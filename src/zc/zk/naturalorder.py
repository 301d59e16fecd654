"""The order in which people expect names: p2 before p10.

A sequence of digits counts as the number that it is, everything else character by character. Of
paths all nodes below a node come directly behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Other digits than these make no numbers: their values are not in the order of their characters.
_NUMBER = re.compile(r"([0-9]+)")

# Of each name in a path, texts and numbers in turn, so that no number is compared with a text.
# Numbers are their length, their digits and how many zeros are in front: a name may have more
# digits than Python makes an integer of.
NaturalKey = list[list[str | tuple[int, str, int]]]


def natural_key(path: str) -> NaturalKey:
    """Return the key to sort a name, or a path, by; different ones have different keys."""
    return [_key(name) for name in path.split("/")]


def _key(name: str) -> list[str | tuple[int, str, int]]:
    parts = _NUMBER.split(name)
    key: list[str | tuple[int, str, int]] = list(parts)
    for at in range(1, len(parts), 2):
        digits = parts[at].lstrip("0")
        key[at] = len(digits), digits, len(parts[at]) - len(digits)
    return key


def sorted_naturally(paths: Iterable[str]) -> list[str]:
    """Return names, or paths, in natural order."""
    return sorted(paths, key=natural_key)
