"""The state machine of a session: where it stands, and what leads from one state to the next.

Nothing here talks to a server, or logs. Each transition returns the event to announce and the lines
to log; the caller does both when `lock` is no longer held. Threads that wait for a transition wait
for `changed`.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

import zookeeper
from zc.zk.event import Connected, Disconnected, Expired, ReadOnly, SessionEvent
from zc.zk.session import waiting
from zc.zk.session.counts import Counts

NO_ANSWER = "no answer"
NO_SESSION = "no session"
CONNECTION_LOST = "connection lost"

# A session without a connection is given up after so many of its timeouts. Servers that were there
# have long ended it; those that come back without their data would turn its client away for ever,
# as that has seen a later state than theirs.
PATIENCE = 2

# A server that is cut off from the others does not go on with a session that can write. So a client
# that can do with reading gives it up as soon as the servers may have done so.
PATIENCE_OF_READERS = 1


# Below this, a session timeout looks like one in seconds, which earlier releases took.
MIN_MILLISECONDS = 1000
MAX_MILLISECONDS = 2**31 - 1


def checked_timeout(milliseconds: object) -> int | None:
    """Return a session timeout, or None for the default. Raises TypeError and ValueError."""
    if milliseconds is None:
        return None
    if isinstance(milliseconds, float) and milliseconds.is_integer():
        milliseconds = int(milliseconds)
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise TypeError(
            f"a session timeout is a whole number of milliseconds, not {milliseconds!r}"
        )
    if not 0 < milliseconds <= MAX_MILLISECONDS:
        raise ValueError(
            f"a session timeout is from 1 to {MAX_MILLISECONDS} milliseconds, not {milliseconds}"
        )
    return milliseconds


def doubt_about_timeout(milliseconds: int | None) -> str | None:
    """Return what to tell the log about a session timeout, if anything."""
    if milliseconds is None or milliseconds >= MIN_MILLISECONDS:
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


# All others are CONNECTING_STATE.
STATES_OF_THE_BINDING = {
    State.CONNECTED: zookeeper.CONNECTED_STATE,
    State.READ_ONLY: zookeeper.READONLY_STATE,
    State.CLOSED: zookeeper.NOTCONNECTED_STATE,
    State.FORKED: zookeeper.NOTCONNECTED_STATE,
}


CONNECTED = (State.CONNECTED, State.READ_ONLY)
WITH_SESSION = (*CONNECTED, State.SUSPENDED)


class Moment:
    """How many sessions there had been, and how many connections."""

    __slots__ = ("connects", "epoch")

    def __init__(self, epoch: int, connects: int) -> None:
        self.epoch = epoch
        self.connects = connects

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moment):
            return NotImplemented
        return (self.epoch, self.connects) == (other.epoch, other.connects)


class Transition:
    """The outcome of a transition: an event, and lines for the log with their levels."""

    __slots__ = ("event", "lines")

    def __init__(
        self, event: type[SessionEvent] | None = None, lines: tuple[tuple[int, str], ...] = ()
    ) -> None:
        self.event = event
        self.lines = lines


# The state is what it was.
NOTHING = Transition()


class StateMachine:
    """The states of one logical session, over all its handles.

    `asked_ms` is the session timeout that was asked for, if any.
    """

    def __init__(self, asked_ms: int | None, *, read_only: bool = False) -> None:
        self._asked_ms = asked_ms
        self._patience = PATIENCE_OF_READERS if read_only else PATIENCE
        # Sessions had so far, and times that a connection was made: a number that has grown since
        # it was seen last tells of a gap in which events may have been missed.
        self.epoch = 0
        self.connects = 0
        self.counts = Counts()
        self.begin_again()

    def begin_again(self) -> None:
        """Make anew what belongs to a process, in a child."""
        # To be taken by this, and not by `changed`, whose own Python code an exception out of a
        # signal handler may leave with the lock taken.
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        # Told besides of each change, with the lock held; see `zc.zk.session.waiting`.
        self._listeners: set[waiting.ChangeListener] = set()
        self.state = State.CONNECTING
        # Why there is no session, and, when none is to be had at all, why that is so.
        self.reason = NO_ANSWER
        self.refusal: str | None = None
        # Why a session was lost, told already; until a session has been restored it is no news.
        self.complaint = ""
        self._granted_ms: int | None = None
        self._suspended_at = 0.0
        # When there was a connection last, if there is none.
        self.connected_until = time.monotonic()
        self._first_epoch = self.epoch + 1

    @property
    def moment(self) -> Moment:
        return Moment(self.epoch, self.connects)

    @property
    def has_session(self) -> bool:
        return self.state in WITH_SESSION

    @property
    def is_over(self) -> bool:
        """Whether the handle is of no use any more, or none is wanted."""
        return self.state in (State.LOST, State.CLOSED)

    @property
    def is_connected(self) -> bool:
        return self.state in CONNECTED

    def seconds_left(self, timeout_seconds: float) -> float | None:
        """Return the seconds until the session is given up, if there is no connection then."""
        if self.state is not State.SUSPENDED:
            return None
        return max(0.0, self._suspended_at + self._patience * timeout_seconds - time.monotonic())

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Say whether the condition holds, or comes to do so within that time."""
        waiter = waiting.current()
        if waiter is not None:
            return waiter.until(partial(self._holds, condition), seconds, self._listeners)
        try:
            with self.lock:
                return self.changed.wait_for(condition, min(seconds, threading.TIMEOUT_MAX))
        except RuntimeError as fault:
            # An exception out of a signal handler came just when the lock was let go of to wait, so
            # that leaving fails: it is the one to raise.
            raise (fault.__context__ or fault) from None

    def _holds(self, condition: Callable[[], bool]) -> bool:
        with self.lock:
            return condition()

    # To be called with `lock` held

    def tell(self) -> None:
        """Have those that wait look again."""
        self.changed.notify_all()
        for listener in list(self._listeners):
            listener()

    def note_connecting(self) -> None:
        """Note that there is a handle, or is about to be."""
        self._enter(State.CONNECTING)

    def note_connected(
        self, *, is_new: bool, granted_ms: int | None, read_only: bool = False
    ) -> Transition:
        """Note that there is a connection, in a new session or the one that there was."""
        state = State.READ_ONLY if read_only else State.CONNECTED
        if self.state is state or not self._enter(state):
            return NOTHING
        self.reason = NO_ANSWER
        self.connects += 1
        self.epoch += is_new
        how = ", read-only, to a server that is cut off from the others" if read_only else ""
        again = ", in a new session" if self.epoch > 1 else ""
        text = f"connected{again}{how}" if is_new else f"connected again{how}"
        doubt = self._note_granted(granted_ms)
        self.tell()
        return Transition(ReadOnly if read_only else Connected, ((logging.INFO, text), *doubt))

    def note_disconnected(self) -> Transition:
        """Note that there is no connection; the session may go on."""
        if not self.is_connected or not self._enter(State.SUSPENDED):
            return NOTHING
        self._suspended_at = self.connected_until = time.monotonic()
        self.counts.disconnects += 1
        self.tell()
        return Transition(Disconnected, ((logging.WARNING, CONNECTION_LOST),))

    def note_lost(self, reason: str, *, was_established: bool = True) -> Transition:
        """Note that the handle is of no more use; there may have been a session before."""
        level = logging.WARNING if reason != self.complaint else logging.DEBUG
        was_connected = self.is_connected
        if was_connected:
            self.connected_until = time.monotonic()
        if not self._enter(State.LOST):
            return NOTHING
        self.counts.disconnects += was_connected
        self.counts.lost_sessions += was_established
        self.reason = self.complaint = reason
        self.tell()
        return Transition(Expired if was_established else None, ((level, reason),))

    def note_refused(self, schemes: Iterable[str]) -> Transition:
        """Note that the servers refuse a credential that a session was to begin with.

        At the first session of all, that is the end: nobody waits for what will not come.
        """
        names = ", ".join(sorted(map(repr, schemes)))
        reason = f"the servers refuse the credential of the scheme {names}"
        if self.epoch < self._first_epoch:
            self.refusal = reason
        return self.note_lost(reason, was_established=False)

    def note_unopened(self) -> None:
        """Note that there was to be a handle, and there is none."""
        self._enter(State.LOST)

    def _enter(self, state: State) -> bool:
        """Enter a state, but out of the closed one, which is for good; say whether it is entered.

        A finaliser or a signal handler may have closed it just now, in the thread that holds
        `lock`; so this is one step (`nodes`).
        """
        closed = State.CLOSED
        states = (state, closed)
        self.state = states[self.state is closed]
        return self.state is state

    def note_closed(self) -> None:
        """Note that nothing more is wanted. Idempotent: interrupted closing is done again."""
        if self.is_connected:
            self.connected_until = time.monotonic()
        self.state = State.CLOSED
        self.reason = "closed"
        self.tell()

    def _note_granted(self, granted_ms: int | None) -> tuple[tuple[int, str], ...]:
        """Return the line to log about a session timeout, if it is another one than asked for."""
        if granted_ms in (None, self._granted_ms):
            return ()
        self._granted_ms = granted_ms
        if self._asked_ms in (None, granted_ms):
            return ()
        text = (
            f"the session timeout is {granted_ms} milliseconds, as the servers do not grant"
            f" the {self._asked_ms} that were asked for"
        )
        return ((logging.WARNING, text),)
