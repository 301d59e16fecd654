"""Marks of a node: its ACL and its kind, besides its data; in the lines and members for them.

A tree text has them on lines that begin with an equals sign, as the layout is, and JSON and YAML in
a member behind the node's:

    /cms                              "/cms": {"threads": 3},
      threads = 3                     "= /cms": {"acl": ["world:anyone:r"], "ttl": "90s"}
      = acl world:anyone:r
      = ttl 90s

An ACL (`acltext.py`) holds for the node and all below it, up to nodes that have one of their own.
The kinds are `container`, `ttl` with a time, and `ephemeral`, which is a registration: the node
goes with the session of a program. Without a mark a node is permanent. Servers tell no client which
nodes are containers or have a time to live, so these marks are for people to write.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk import owners
from zc.zk.errors import excerpt
from zc.zk.patterns import pattern
from zc.zk.tree.acltext import read_acl, write_acl
from zookeeper import constants

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry
else:
    AclEntry = Any  # a large module, for a type

CONTAINER, TTL, EPHEMERAL = "container", "ttl", "ephemeral"
KINDS = (CONTAINER, TTL, EPHEMERAL)
ACL = "acl"

# The words that lines with marks begin with, behind their equals sign.
WORDS = (ACL, *KINDS)

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_SPAN = pattern("".join(f"(?:([0-9]{{1,13}}){unit})?" for unit in _UNITS))


class Marks(NamedTuple):
    """The marks of one node: its ACL, None where nothing is said; its kind, '' if permanent.

    `ttl` is the time to live in milliseconds, of a node of that kind.
    """

    acl: Sequence[AclEntry] | None = None
    kind: str = ""
    ttl: int = 0

    def lines(self) -> list[str]:
        """Return the lines of tree text, without indentation."""
        lines = []
        if self.acl is not None:
            lines.append(f"= {ACL} {write_acl(self.acl)}")
        if self.kind:
            lines.append(f"= {self.kind_in_words}")
        return lines

    def additions(self, path: str) -> list[str]:
        """Return the lines of a plan about the marks of a new node."""
        lines = [f"{path} add kind {self.kind_in_words}"] if self.kind else []
        if self.acl is not None:
            lines.append(f"{path} add acl {write_acl(self.acl)}")
        return lines

    def to_create(self, acl: "Acl") -> tuple[Any, ...]:
        """Return ACL and flags, and what else an operation needs; `acl` where these have none."""
        wanted = acl if self.acl is None else self.acl
        if self.kind == TTL:
            return wanted, constants.PERSISTENT_WITH_TTL, self.ttl
        return wanted, constants.CONTAINER if self.kind == CONTAINER else 0

    @property
    def kind_in_words(self) -> str:
        """The kind, with the time to live if it has one; '' if permanent."""
        return f"{TTL} {write_span(self.ttl)}" if self.kind == TTL else self.kind


def merged(marks: Marks | None, more: Marks) -> Marks:
    """Return what two lines about one node say. Raise ValueError if they say the same."""
    if marks is None:
        return more
    if marks.acl is not None and more.acl is not None:
        raise ValueError("duplicate ACL: the node has one already")
    if marks.kind and more.kind:
        raise ValueError(f"duplicate kind of node: it is {marks.kind} already")
    kind, ttl = (more.kind, more.ttl) if more.kind else (marks.kind, marks.ttl)
    return Marks(more.acl if marks.acl is None else marks.acl, kind, ttl)


def marks_of(word: str, value: str) -> Marks:
    """Return what a line `= word value` says. Raise ValueError with the reason."""
    if word == ACL:
        try:
            return Marks(distinct(read_acl(value)))
        except ValueError as fault:
            raise ValueError(f"bad ACL: {fault}") from None
    if word == TTL:
        return Marks(kind=TTL, ttl=read_span(value))
    if value:
        raise ValueError(f"bad mark: more text behind {word!r}: {excerpt(value)}")
    return Marks(kind=word)


def distinct(acl: "Acl") -> list[AclEntry]:
    """Return an ACL without entries that are there already, as servers keep it."""
    kept: list[AclEntry] = []
    for entry in acl:
        if entry not in kept:
            kept.append(entry)
    return kept


def read_span(text: str) -> int:
    """Parse a time to live, as `1h30m`; a number alone is milliseconds. Raise ValueError."""
    compact = "".join(text.split())
    match = _SPAN.fullmatch(compact)
    milliseconds = 0
    if compact.isdecimal() and compact.isascii() and len(compact) <= 13:
        milliseconds = int(compact)
    elif match is not None:
        parts = zip(match.groups(), _UNITS.values(), strict=True)
        milliseconds = sum(int(number or 0) * unit for number, unit in parts)
    if not owners.is_ttl(milliseconds):
        raise ValueError(f"bad time to live, which is as 90s, 1h30m or 250ms: {excerpt(text)}")
    return milliseconds


def write_span(milliseconds: int) -> str:
    """Write a time to live, exactly."""
    written = ""
    for unit, length in _UNITS.items():
        count, milliseconds = divmod(milliseconds, length)
        if count:
            written += f"{count}{unit}"
    return written
