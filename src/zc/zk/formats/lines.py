"""Where in a text something is."""

from __future__ import annotations

from typing import Any

# The number of a node's line, its path and its value.
NodeMember = tuple[int, Any, Any]


def line_at(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start:].partition("\n")[0]
