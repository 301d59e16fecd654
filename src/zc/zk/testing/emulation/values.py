"""What the binding's functions return, made from what the engine answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zc.zk.testing.engine import Entry, Stat


def text(data: bytes | None) -> str | None:
    """Node data; null data reads as None."""
    return None if data is None else data.decode("utf-8", "surrogateescape")


def stat(value: Stat) -> dict[str, int]:
    return value._asdict()


def acl(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [entry._asdict() for entry in entries]
