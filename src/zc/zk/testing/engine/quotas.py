"""Quota bookkeeping: how many nodes and bytes there are below a path that has limits.

Limits for `/a` are the node `/zookeeper/quota/a/zookeeper_limits`; its being there is what counts,
for the server enforces no limits unless told to. What is used stands in `zookeeper_stats` beside
it, changed without a new version and without waking anybody.
"""

from __future__ import annotations

import re
from typing import Final

from zc.zk.testing.engine.paths import QUOTA

LIMITS: Final = "zookeeper_limits"
STATS: Final = "zookeeper_stats"

# Of a number of 64 bits, with its sign.
_MOST_DIGITS: Final = 20


class LimitedPaths:
    """The paths that have limits."""

    def __init__(self) -> None:
        self._paths: set[str] = set()

    def add(self, path: str) -> None:
        if path:
            self._paths.add(path)

    def discard(self, path: str) -> None:
        self._paths.discard(path)

    def around(self, path: str) -> str | None:
        """The innermost limited path that a path is in; None if there is none."""
        if not self._paths:
            return None
        while path:
            if path in self._paths:
                return path
            path = path[: path.rindex("/")]
        return None


def limited_path(quota_node: str) -> str:
    """Whose limits and stats are below a node of the quota tree."""
    return quota_node[len(QUOTA) :]


def stats_node(limited: str) -> str:
    """Where the stats of a limited path are."""
    return f"{QUOTA}{limited}/{STATS}"


def counted(count: int, size: int) -> bytes:
    """Stats, anew."""
    return _text({"count": count, "bytes": size})


def changed(stats: bytes | None, count: int, size: int) -> bytes:
    """Stats after `count` more nodes and `size` more bytes.

    Where they cannot be read, they are as the server's of a path without stats.
    """
    numbers = _numbers(stats)
    numbers["count"] = numbers.get("count", -1) + count
    numbers["bytes"] = numbers.get("bytes", -1) + size
    return _text(numbers)


def _numbers(stats: bytes | None) -> dict[str, int]:
    found = re.findall(
        "([^=,;]+)=(-?[0-9]+)=?(?:[,;]|$)", (stats or b"").decode("utf-8", "replace")
    )
    # Longer ones are no numbers to the server, and Python refuses to read thousands of digits.
    return {name: int(number) for name, number in found if len(number) <= _MOST_DIGITS}


def _text(numbers: dict[str, int]) -> bytes:
    usage = f"count={numbers['count']},bytes={numbers['bytes']}"
    others = [f"{name}={numbers[name]}" for name in sorted(numbers.keys() - {"count", "bytes"})]
    # The equals sign keeps clients from before hard limits reading the number of bytes.
    return (f"{usage}=;{';'.join(others)}" if others else usage).encode("utf-8")
