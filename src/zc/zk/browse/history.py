"""The last changes of the tree, with their time: a bounded list in memory.

Pure: clock and views are given. A change is what somebody did to a node; that a link leads
elsewhere, or that a node has one child more, is told with the other node. All texts of a change
are cut, so that the whole list is small, whatever is written to nodes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

# Changes that are kept.
MAX_CHANGES = 500

# Of the properties that have changed, so many are told, with so many characters of each value.
MAX_DETAILS = 5
MAX_TEXT = 80

# More nodes than this below one node, which come or go together, are told as one change.
MAX_ALIKE = 10

ADDED, REMOVED, CHANGED, REPLACED = "added", "removed", "changed", "replaced"
# The connection, which concerns no node.
LOST, BACK = "lost", "back"

Change = dict[str, Any]
View = Mapping[str, Any]


class History:
    """The last changes as JSON, each with a number: the first one ever has 1."""

    def __init__(self, most: int = MAX_CHANGES) -> None:
        self._changes: deque[str] = deque(maxlen=most)
        self.count = 0

    def add(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.count += 1
            self._changes.append(json.dumps({"number": self.count, **change}))

    def since(self, number: int) -> list[str]:
        """Return the changes after this one, as far as they are kept."""
        new = min(self.count - number, len(self._changes))
        return [self._changes[at] for at in range(len(self._changes) - new, len(self._changes))]


def change_of(path: str, before: View | None, after: View | None, time: int) -> Change | None:
    """Tell what has happened to a node between two views; None if nothing has."""
    if before is None or after is None:
        if before is after:
            return None
        kind = ADDED if before is None else REMOVED
        return {"time": time, "kind": kind, "path": path, **_of_owner(before or after or {})}
    details = _differences(before, after)
    is_another = before["created"] != after["created"]
    if not (details or is_another or before["version"] != after["version"]):
        return None
    change: Change = {"time": time, "kind": REPLACED if is_another else CHANGED, "path": path}
    if details:
        change["details"] = details[:MAX_DETAILS]
        change["more"] = max(0, len(details) - MAX_DETAILS)
    return change


def told_together(changes: Iterable[Change]) -> list[Change]:
    """Join what has come or gone together: subtrees, and many siblings.

    A node that came with nodes below it is one change, with their number as `below`; many siblings
    are one of their parent, with their number as `count`.
    """
    tops: dict[tuple[str, str], Change] = {}
    siblings: dict[tuple[str, str], list[Change]] = {}
    told: list[Change] = []
    for change in sorted(changes, key=lambda change: str(change["path"])):
        kind, path = change["kind"], change["path"]
        if kind not in (ADDED, REMOVED):
            told.append(change)
            continue
        parent = path.rpartition("/")[0] or "/"
        top = tops.get((kind, parent)) if path != "/" else None
        tops[kind, path] = top or change
        if top is None:
            siblings.setdefault((kind, parent), []).append(change)
        else:
            top["below"] = top.get("below", 0) + 1
    for (kind, parent), those in siblings.items():
        if len(those) <= MAX_ALIKE:
            told += those
            continue
        below = sum(each.get("below", 0) for each in those)
        told.append(
            {"time": those[0]["time"], "kind": kind, "path": parent, "count": len(those) + below}
        )
    return told


def _of_owner(view: View) -> Change:
    return {"ephemeral": True} if view.get("owner") else {}


def _differences(before: View, after: View) -> list[list[str | None]]:
    """Return the properties that differ, as [name, former value, value]; None is none."""
    former, present = _values(before), _values(after)
    found: list[list[str | None]] = [
        [name, former.get(name), present.get(name)]
        for name in sorted(former.keys() | present.keys())
        if former.get(name) != present.get(name)
    ]
    if before["fault"] != after["fault"]:
        # The node may be read at last, or no more; its properties come and go with that.
        return [["", before["fault"], after["fault"]]]
    return [[_cut(name), _cut(old), _cut(new)] for name, old, new in found]


def _values(view: View) -> dict[str, str]:
    return {
        f"{each['name']} {each['link']}" if "link" in each else each["name"]: each["value"]
        for each in view["properties"]
    }


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
