"""A node's `ephemeralOwner`: none, a session, a container or a time to live.

The numbers are ZooKeeper's own encoding, by its class `EphemeralType`: one field of 64 bits holds
the id of a session; or the smallest number for a container; or 0xff in its uppermost byte and a
time in the lower five. Ids of sessions are positive unless a server's own number is over 127.

Servers keep containers and times to themselves: what clients are told is the session, or 0.
"""

from __future__ import annotations

from typing import Final

PERSISTENT: Final = 0
CONTAINER: Final = -(1 << 63)

# The kinds of nodes that clients can tell apart.
KINDS: Final = ("persistent", "ephemeral")

_MAX_TTL: Final = (1 << 40) - 1  # milliseconds, about 35 years
_TTL: Final = -(1 << 56)  # the upper byte is 0xff

# The id of a session as it is written has no sign.
BITS: Final = (1 << 64) - 1


def of_ttl(milliseconds: int) -> int:
    """Make the owner of a node with a time to live."""
    return _TTL + milliseconds


def ttl(owner: int) -> int | None:
    """Return the time to live in milliseconds; None for other nodes."""
    return owner - _TTL if _TTL < owner < 0 else None


def is_ttl(milliseconds: int) -> bool:
    """Tell whether a number can be a time to live."""
    return 0 < milliseconds <= _MAX_TTL


def is_session(owner: int) -> bool:
    """Tell whether a node goes with a session."""
    return owner > 0 or CONTAINER < owner < _TTL


def kind(owner: int) -> str:
    """Return which of `KINDS` a node is, by what clients are told."""
    return KINDS[is_session(owner)]


def session_name(owner: int) -> str:
    """Write the id of a session as servers do in their logs and answers."""
    return f"{owner & BITS:#x}"
