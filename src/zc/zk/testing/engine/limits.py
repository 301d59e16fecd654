"""Limits of the server, as it comes."""

from __future__ import annotations

from typing import Final, NamedTuple

# jute.maxbuffer: a longer request costs its connection. Answers may be as long as they want.
LONGEST_REQUEST: Final = 0xFFFFF

TICK_MILLISECONDS: Final = 2000


class SessionLimits(NamedTuple):
    """Between what time-outs, in milliseconds, a client may choose."""

    shortest: int = 2 * TICK_MILLISECONDS
    longest: int = 20 * TICK_MILLISECONDS

    def agreed(self, asked: int) -> int:
        """The time-out that a client gets that asks for one."""
        return max(self.shortest, min(self.longest, asked))


DEFAULT_LIMITS: Final = SessionLimits()
