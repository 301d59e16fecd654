"""The queue for a lock, from the names of the nodes in it.

Each that waits has an ephemeral node with a number from the servers, `GUID-lock-0000000007`. The
first one has the lock, and each other one waits for the end of the one before it: when a lock is
released, one client is woken (no herd).
"""

from __future__ import annotations

from collections.abc import Iterable

from zc.zk.patterns import pattern

PREFIX = "-lock-"

_NAME = pattern(r".*-lock-(-?[0-9]{9,10})")

# Numbers have 32 bits and a sign: behind the largest one comes the smallest.
_NUMBERS = 1 << 32
_LATE = 1 << 30


def in_order(names: Iterable[str]) -> list[str]:
    """Return those names that are of the queue, the first one first."""
    numbers = {name: int(match[1]) for name in names if (match := _NAME.fullmatch(name))}
    if any(number > _LATE for number in numbers.values()):
        numbers = {
            name: number + _NUMBERS if number < 0 else number for name, number in numbers.items()
        }
    return sorted(numbers, key=lambda name: (numbers[name], name))


def mine(names: Iterable[str], guid: str) -> list[str]:
    """Return the nodes that requests of ours have made, be it that their answers were lost."""
    return [name for name in names if name.startswith(f"{guid}{PREFIX}")]
