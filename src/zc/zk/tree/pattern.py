"""Patterns of paths: `*` for characters of one name, `**` for any characters, `?` for one."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\*\*|\*|\?|[^*?]+")
_MEANS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def compiled(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths that a pattern means.

    `/**/` may stand for one slash: `/a/**/b` means `/a/b`, too.
    """
    pieces = [
        "".join(_MEANS.get(part) or re.escape(part) for part in _PARTS.findall(piece))
        for piece in pattern.split("/**/")
    ]
    return re.compile("/(?:.*/)?".join(pieces), re.DOTALL)


def beginning(pattern: str) -> str:
    """Return the path at or below which are all nodes that a pattern means."""
    plain = re.split(r"[*?]", pattern, maxsplit=1)[0]
    return pattern if plain == pattern else plain.rpartition("/")[0] or "/"
