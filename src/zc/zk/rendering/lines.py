"""Texts of others, which may not end a line of the file that they are written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from zc.zk.errors import excerpt
from zc.zk.patterns import pattern
from zc.zk.rendering.faults import Unsafe

T = TypeVar("T")

# C0 but for the tabulator, C1, and what Unicode has for lines and paragraphs.
_CONTROL = pattern("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def checked(value: T, where: str, *, lines: bool = False) -> T:
    """Return a value of somebody else's, if it can break no line. Raises Unsafe."""
    if not lines:
        for text in _texts(value):
            if _CONTROL.search(text):
                raise Unsafe(
                    f"{where} has a line break, or another control character, and is refused:"
                    f" {excerpt(text)} (lines=True accepts it)"
                )
    return value


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)):
            waiting += each
