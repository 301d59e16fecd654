"""A node's `ephemeralOwner`: none, a session, a container or a time to live.

The numbers are ZooKeeper's own encoding, by its class `EphemeralType`: one field of 64 bits holds
the id of a session, which is positive; or the smallest number for a container; or 0xff in its
uppermost byte and a time in the lower five.
"""

from __future__ import annotations

from typing import Final

PERSISTENT: Final = 0
CONTAINER: Final = -(1 << 63)

_MAX_TTL: Final = (1 << 40) - 1  # milliseconds, about 35 years
_TTL: Final = -(1 << 56)  # the upper byte is 0xff


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
    return owner > 0
