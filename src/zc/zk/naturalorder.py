"""The order in which people expect names: p2 before p10.

A sequence of digits counts as the number that it is, everything else character by character. Of
paths all nodes below a node come directly behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from zc.zk.patterns import pattern

# Other digits than these make no numbers: their values are not in the order of their characters.
_NUMBER = pattern(r"([0-9]+)")
_ANY_DIGIT = dict.fromkeys(map(ord, "0123456789"), "0")

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
    given = list(paths)
    # Sequential nodes, of which there may be a million, take no keys.
    return sorted(given) if _are_alike(given) else sorted(given, key=natural_key)


def _are_alike(names: list[str]) -> bool:
    """Say whether names differ in nothing but digits that make numbers at the same places."""
    mask = names[0].translate(_ANY_DIGIT) if names else ""
    return all(name.translate(_ANY_DIGIT) == mask for name in names)
