"""Sessions: their numbers, passwords, time-outs, and who is overdue."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Final

PASSWORD_BYTES: Final = 16

# What a client is answered whose session is no more.
NO_PASSWORD: Final = bytes(PASSWORD_BYTES)


class Session:
    """One client's session. `deadline` is the moment, in milliseconds, at which it is over."""

    __slots__ = ("deadline", "id", "timeout")

    def __init__(self, id: int, timeout: int, deadline: int) -> None:
        self.id = id
        self.timeout = timeout
        self.deadline = deadline


class Sessions:
    """All sessions that are not over.

    `clock` gives milliseconds; `secret` is what passwords are derived from.
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
        """Take up a session from before a restart; it has all of its time again."""
        self._sessions[id] = Session(id, timeout, self._clock() + timeout)
        self._next_id = max(self._next_id, id + 1)

    def password(self, id: int) -> bytes:
        """What a client has to show to go on with its session."""
        return hmac.digest(self.secret, id.to_bytes(8, "big", signed=True), hashlib.sha256)[
            :PASSWORD_BYTES
        ]

    def is_password(self, id: int, password: bytes) -> bool:
        return hmac.compare_digest(self.password(id), password)

    def get(self, id: int) -> Session | None:
        return self._sessions.get(id)

    def touch(self, session: Session) -> None:
        """The client is there: its time begins again."""
        session.deadline = self._clock() + session.timeout

    def touch_all(self) -> None:
        for session in self._sessions.values():
            self.touch(session)

    def forgive(self, milliseconds: int) -> None:
        """Give everybody more time: we were not there to hear of them."""
        for session in self._sessions.values():
            session.deadline += milliseconds

    def close(self, id: int) -> None:
        self._sessions.pop(id, None)

    def overdue(self) -> list[Session]:
        """Sessions whose time is over; they are still there."""
        now = self._clock()
        return [session for session in self._sessions.values() if session.deadline <= now]

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)
