"""Sessions: numbers, passwords, timeouts, and the overdue ones."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Final

PASSWORD_BYTES: Final = 16

# The answer to a client whose session is over.
NO_PASSWORD: Final = bytes(PASSWORD_BYTES)


class Session:
    """One client's session, which is over at `deadline`, in milliseconds."""

    __slots__ = ("deadline", "id", "timeout")

    def __init__(self, id: int, timeout: int, deadline: int) -> None:
        self.id = id
        self.timeout = timeout
        self.deadline = deadline


class Sessions:
    """All sessions that are not over.

    `clock` gives milliseconds; passwords are derived from `secret`.
    """

    def __init__(self, clock: Callable[[], int], secret: bytes) -> None:
        self._clock = clock
        self.secret = secret
        self._sessions: dict[int, Session] = {}
        # As the server does it: the time in the middle bytes, so that numbers of sessions from
        # before a restart do not come again; above it the number of the server.
        self._next_id = 1 << 56 | (clock() << 24 & (1 << 64) - 1) >> 8

    def open(self, timeout: int) -> Session:
        session = Session(self._next_id, timeout, self._clock() + timeout)
        self._next_id += 1
        self._sessions[session.id] = session
        return session

    def restore(self, id: int, timeout: int) -> None:
        """Restore a session from before a restart, with all of its time."""
        self._sessions[id] = Session(id, timeout, self._clock() + timeout)
        self._next_id = max(self._next_id, id + 1)

    def password(self, id: int) -> bytes:
        """Make the password that a client needs to resume its session."""
        return hmac.digest(self.secret, id.to_bytes(8, "big", signed=True), hashlib.sha256)[
            :PASSWORD_BYTES
        ]

    def is_password(self, id: int, password: bytes) -> bool:
        return hmac.compare_digest(self.password(id), password)

    def get(self, id: int) -> Session | None:
        return self._sessions.get(id)

    def touch(self, session: Session) -> None:
        """Give a session all of its time again: its client is there."""
        session.deadline = self._clock() + session.timeout

    def touch_all(self) -> None:
        for session in self._sessions.values():
            self.touch(session)

    def forgive(self, milliseconds: int) -> None:
        """Give all sessions more time: their clients could not be heard."""
        for session in self._sessions.values():
            session.deadline += milliseconds

    def close(self, id: int) -> None:
        self._sessions.pop(id, None)

    def overdue(self) -> list[Session]:
        """List the sessions whose time is over; they stay."""
        now = self._clock()
        return [session for session in self._sessions.values() if session.deadline <= now]

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)
