"""Nodes as an export gets them from a server."""

from __future__ import annotations

from typing import NamedTuple


class Node(NamedTuple):
    """A node, with as much of a Znode as an export looks at."""

    path: str
    depth: int
    data: str | None = ""
    ephemeralOwner: int = 0
    error: Exception | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
