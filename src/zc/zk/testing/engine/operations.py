"""The writes that a client can ask for, as values."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import enum
from collections.abc import Sequence
from typing import NamedTuple

from zc.zk.testing.engine.acl import Entry
from zc.zk.testing.engine.znodes import StatRecord


class Kind(enum.Enum):
    """The kind of a new node; the protocol has one operation for each."""

    PLAIN = enum.auto()
    CONTAINER = enum.auto()
    WITH_TTL = enum.auto()


class Create(NamedTuple):
    path: str
    data: bytes | None
    acl: Sequence[Entry] | None
    flags: int
    ttl: int = -1
    kind: Kind = Kind.PLAIN


class Delete(NamedTuple):
    path: str
    version: int = -1


class SetData(NamedTuple):
    path: str
    data: bytes | None
    version: int = -1


class SetAcl(NamedTuple):
    path: str
    acl: Sequence[Entry] | None
    version: int = -1


class Check(NamedTuple):
    path: str
    version: int = -1


Write = Create | Delete | SetData | SetAcl | Check


class Created(NamedTuple):
    """The result of a Create; SetData and SetAcl give a StatRecord, others None."""

    path: str
    stat: StatRecord


Written = Created | StatRecord | None
