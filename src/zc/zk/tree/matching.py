"""The lines of a node's data that match a regular expression, short enough to be read."""

from __future__ import annotations

import re

# Characters of a line that are shown, and how many of them before the match; lines of a node.
MAX_SHOWN = 160
SHOWN_BEFORE = 40
MAX_LINES = 100

CUT = "..."


def excerpts(data: str, pattern: re.Pattern[str]) -> list[str]:
    """Return the lines that match somewhere, each cut to what is around its first match.

    An expression may match over several lines: then it is the line where that begins. Of very many
    lines the last one says how many more there are.
    """
    found: list[str] = []
    more = 0
    end = -1
    for match in pattern.finditer(data):
        if match.start() <= end:
            continue  # the line has been told
        begin = data.rfind("\n", 0, match.start()) + 1
        end = data.find("\n", match.start())
        end = len(data) if end < 0 else end
        if len(found) < MAX_LINES:
            found.append(_cut(data, begin, end, match.start()))
        else:
            more += 1
    if more:
        found.append(f"{CUT} and {more} more lines")
    return found


def _cut(data: str, begin: int, end: int, at: int) -> str:
    if end - begin <= MAX_SHOWN:
        return data[begin:end]
    first = max(begin, min(at - SHOWN_BEFORE, end - MAX_SHOWN))
    last = min(end, first + MAX_SHOWN)
    return f"{CUT if first > begin else ''}{data[first:last]}{CUT if last < end else ''}"
