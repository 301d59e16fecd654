"""Limits of a server by default."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import Final, NamedTuple

# jute.maxbuffer: a longer request costs its connection. Answers may be as long as they want.
MAX_REQUEST: Final = 0xFFFFF

TICK_MILLISECONDS: Final = 2000


class SessionLimits(NamedTuple):
    """The limits of session timeouts, in milliseconds."""

    shortest: int = 2 * TICK_MILLISECONDS
    longest: int = 20 * TICK_MILLISECONDS

    @classmethod
    def checked(cls, limits: "SessionLimits | tuple[int, int]") -> "SessionLimits":
        """Return the limits; a pair of numbers will do. Raises ValueError if they hold none."""
        made = cls(*limits)
        if not all(type(limit) is int for limit in made):
            raise TypeError(f"limits of session timeouts are whole milliseconds, not {limits!r}")
        if not 0 < made.shortest <= made.longest:
            raise ValueError(f"no session timeout is within the limits {tuple(made)}")
        return made

    def agreed(self, asked: int) -> int:
        """Return the timeout for a client that asks for one."""
        return max(self.shortest, min(self.longest, asked))


DEFAULT_LIMITS: Final = SessionLimits()
