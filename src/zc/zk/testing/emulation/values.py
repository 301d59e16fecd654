"""What the binding's functions return, made from what the engine answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from zc.zk.testing.engine import Entry, StatRecord

if TYPE_CHECKING:
    from zookeeper.types import AclEntry, Stat


def text(data: bytes | None) -> str | None:
    """Node data; null data reads as None."""
    return None if data is None else data.decode("utf-8", "surrogateescape")


def stat(value: StatRecord) -> Stat:
    return cast("Stat", value._asdict())


def acl(entries: Iterable[Entry]) -> list[AclEntry]:
    return [cast("AclEntry", entry._asdict()) for entry in entries]
