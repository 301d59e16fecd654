"""Quotas: how many nodes and bytes there are below a path that has limits.

Limits for `/a` are the node `/zookeeper/quota/a/zookeeper_limits`; its being there is what counts,
since the server enforces no limits unless told to. The usage stands in `zookeeper_stats` beside it,
and is changed without a new version and without an event.
"""

from __future__ import annotations

import re
from typing import Final

from zc.zk.testing.engine.paths import QUOTA

LIMITS: Final = "zookeeper_limits"
STATS: Final = "zookeeper_stats"

# Of a number of 64 bits, with its sign.
_MAX_DIGITS: Final = 20


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
        """Find the innermost limited path around a path; None if there is none."""
        if not self._paths:
            return None
        while path:
            if path in self._paths:
                return path
            path = path[: path.rindex("/")]
        return None


def limited_path(quota_node: str) -> str:
    """Return the path whose limits and stats a node of the quota tree holds."""
    return quota_node[len(QUOTA) :]


def stats_node(limited: str) -> str:
    """Return the path of the stats of a limited path."""
    return f"{QUOTA}{limited}/{STATS}"


def counted(count: int, size: int) -> bytes:
    """Write stats anew."""
    return _text({"count": count, "bytes": size})


def changed(stats: bytes | None, count: int, size: int) -> bytes:
    """Add `count` nodes and `size` bytes to stats.

    Stats that cannot be read count as those of a path without stats, as on a server.
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
    return {name: int(number) for name, number in found if len(number) <= _MAX_DIGITS}


def _text(numbers: dict[str, int]) -> bytes:
    usage = f"count={numbers['count']},bytes={numbers['bytes']}"
    others = [f"{name}={numbers[name]}" for name in sorted(numbers.keys() - {"count", "bytes"})]
    # The equals sign keeps clients from before hard limits reading the number of bytes.
    return (f"{usage}=;{';'.join(others)}" if others else usage).encode("utf-8")
