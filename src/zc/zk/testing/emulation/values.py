"""Results of the binding's functions, made of the engine's answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from zc.zk.testing.engine import Entry, StatRecord

if TYPE_CHECKING:
    from zookeeper.types import AclEntry, Stat


def text(data: bytes | None) -> str | None:
    """Decode node data; null data is None."""
    return None if data is None else data.decode("utf-8", "surrogateescape")


def stat(value: StatRecord) -> Stat:
    return cast("Stat", value._asdict())


def acl(entries: Iterable[Entry]) -> list[AclEntry]:
    return [cast("AclEntry", entry._asdict()) for entry in entries]
