"""Where a session stands, and how it came there: states, and what leads from one to the next.

Nothing here talks to a server. Whoever hears of something notes it here, holding `lock`; whoever
waits for something to happen waits for `changed`.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from zc.zk.event import Connected, Disconnected, Expired, ReadOnly, SessionEvent

NO_ANSWER = "no answer"
CONNECTION_LOST = "connection lost"

# A session without a connection is given up after so many of its timeouts. Servers that were there
# have long ended it; those that come back without their data would turn away, for ever, whoever
# asks for it, as he has seen a later state than theirs.
PATIENCE = 2

# A server that is cut off from the others does not go on with a session that can write. So a client
# that can do with reading gives it up as soon as the servers may have done so.
PATIENCE_OF_READERS = 1

Happened = type[SessionEvent] | None


# Below this, a session timeout looks like one in seconds, which earlier releases took.
FEW_MILLISECONDS = 1000
MOST_MILLISECONDS = 2**31 - 1


def checked_timeout(milliseconds: object) -> int | None:
    """A session timeout, or None for the default. Raises TypeError and ValueError."""
    if milliseconds is None:
        return None
    if isinstance(milliseconds, float) and milliseconds.is_integer():
        milliseconds = int(milliseconds)
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise TypeError(
            f"a session timeout is a whole number of milliseconds, not {milliseconds!r}"
        )
    if not 0 < milliseconds <= MOST_MILLISECONDS:
        raise ValueError(
            f"a session timeout is from 1 to {MOST_MILLISECONDS} milliseconds, not {milliseconds}"
        )
    return milliseconds


def doubt_about_timeout(milliseconds: int | None) -> str | None:
    """What to tell the log about a session timeout, if anything."""
    if milliseconds is None or milliseconds >= FEW_MILLISECONDS:
        return None
    return (
        f"a session timeout of {milliseconds} milliseconds is asked for; it is not in seconds:"
        f" {milliseconds} seconds are {milliseconds * 1000}"
    )


class State(enum.Enum):
    """Where a session stands."""

    CONNECTING = "connecting"  # there is a handle, and no session yet
    CONNECTED = "connected"
    READ_ONLY = "read-only"  # connected to a server that is cut off from the others
    SUSPENDED = "suspended"  # no connection; the session lives until its timeout
    LOST = "lost"  # the session is over, and its handle good for nothing
    CLOSED = "closed"
    FORKED = "of another process"  # which forked this one: nothing is kept up here


class Moment(NamedTuple):
    """How many sessions there had been, and how many connections."""

    epoch: int
    connects: int


class Lifecycle:
    """The life of one logical session, over all its handles.

    `asked_ms` is the session timeout that was asked for, if any; `tell` has something logged. What
    is noted returns the event that is to be announced, if any.
    """

    def __init__(
        self, asked_ms: int | None, tell: Callable[[int, str], object], *, read_only: bool = False
    ) -> None:
        self._asked_ms = asked_ms
        self._patience = PATIENCE_OF_READERS if read_only else PATIENCE
        self._tell = tell
        # Sessions had so far, and times that a connection was made: whoever remembers the number it
        # saw last knows whether there was a gap in which events may have been missed.
        self.epoch = 0
        self.connects = 0
        self.begin_again()

    def begin_again(self) -> None:
        """What belongs to a process, and is made anew in a child."""
        # To be taken by this, and not by `changed`, whose own Python code an exception out of a
        # signal handler may leave with the lock taken.
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.state = State.CONNECTING
        # Why there is no session, and, when none is to be had at all, why that is so.
        self.reason = NO_ANSWER
        self.refusal: str | None = None
        # Why a session was lost, told already; until a session has been restored it is no news.
        self.complaint = ""
        self._granted_ms: int | None = None
        self._suspended_at = 0.0
        self._first_epoch = self.epoch + 1

    @property
    def moment(self) -> Moment:
        return Moment(self.epoch, self.connects)

    @property
    def has_session(self) -> bool:
        return self.is_connected or self.state is State.SUSPENDED

    @property
    def is_over(self) -> bool:
        """Whether the handle is of no use any more, or none is wanted."""
        return self.state in (State.LOST, State.CLOSED)

    @property
    def is_connected(self) -> bool:
        return self.state in (State.CONNECTED, State.READ_ONLY)

    def seconds_left(self, timeout_seconds: float) -> float | None:
        """In how many seconds the session is to be given up, if there is no connection then."""
        if self.state is not State.SUSPENDED:
            return None
        return max(0.0, self._suspended_at + self._patience * timeout_seconds - time.monotonic())

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition holds, or comes to do so within that time."""
        with self.lock:
            return self.changed.wait_for(condition, seconds)

    # To be called with `lock` held

    def note_connecting(self) -> None:
        self._enter(State.CONNECTING)

    def note_connected(
        self, *, is_new: bool, granted_ms: int | None, read_only: bool = False
    ) -> Happened:
        """There is a connection, in a new session or the one that there was."""
        state = State.READ_ONLY if read_only else State.CONNECTED
        if self.state is state or not self._enter(state):
            return None
        self.reason = NO_ANSWER
        self.connects += 1
        self.epoch += is_new
        how = ", read-only, to a server that is cut off from the others" if read_only else ""
        if not is_new:
            self._tell(logging.INFO, f"connected again{how}")
        else:
            again = ", in a new session" if self.epoch > 1 else ""
            self._tell(logging.INFO, f"connected{again}{how}")
        self._note_granted(granted_ms)
        self.changed.notify_all()
        return ReadOnly if read_only else Connected

    def note_disconnected(self) -> Happened:
        if not self.is_connected or not self._enter(State.SUSPENDED):
            return None
        self._suspended_at = time.monotonic()
        self._tell(logging.WARNING, CONNECTION_LOST)
        self.changed.notify_all()
        return Disconnected

    def note_lost(self, reason: str, *, was_established: bool = True) -> Happened:
        """The handle is of no use any more; was there a session before?"""
        is_news = reason != self.complaint
        if not self._enter(State.LOST):
            return None
        self.reason = self.complaint = reason
        self._tell(logging.WARNING if is_news else logging.DEBUG, reason)
        self.changed.notify_all()
        return Expired if was_established else None

    def note_refused(self, schemes: Iterable[str]) -> Happened:
        """The servers refuse one of the credentials that a session was to begin with.

        At the first session of all, that is the end: nobody waits for what will not come.
        """
        names = ", ".join(sorted(map(repr, schemes)))
        reason = f"the servers refuse the credential of the scheme {names}"
        if self.epoch < self._first_epoch:
            self.refusal = reason
        return self.note_lost(reason, was_established=False)

    def note_unopened(self) -> None:
        """There was to be a handle, and there is none."""
        self._enter(State.LOST)

    def _enter(self, state: State) -> bool:
        """Whether it is in that state now, and not closed, which is for good.

        A finaliser or a signal handler may have closed it just now, in the thread that holds
        `lock`; so this is one step (`nodes`).
        """
        closed = State.CLOSED
        states = (state, closed)
        self.state = states[self.state is closed]
        return self.state is state

    def note_closed(self) -> None:
        """Nothing more is wanted. Idempotent, for closing that is interrupted is done again."""
        self.state = State.CLOSED
        self.reason = "closed"
        self.changed.notify_all()

    def _note_granted(self, granted_ms: int | None) -> None:
        if granted_ms in (None, self._granted_ms):
            return
        self._granted_ms = granted_ms
        if self._asked_ms not in (None, granted_ms):
            self._tell(
                logging.WARNING,
                f"the session timeout is {granted_ms} milliseconds, as the servers do not grant"
                f" the {self._asked_ms} that were asked for",
            )
