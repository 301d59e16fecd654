"""Retry of idempotent work: an iterator of attempts, with deadline, backoff and jitter.

    for attempt in attempts(session):
        with attempt:
            tree = session.call(zookeeper.read_tree, path)
    return tree

The exception of an attempt is suppressed when there is to be another one. A single call of a
program is never repeated, since only the program knows what that means. To read a tree, or to make
one what a text says, is idempotent: the result is the same however often it is done.

Each decision is a function of data, `Failures`; the waiting is around it.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import logging
import time
from collections.abc import Iterator
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import zookeeper
from zc.zk.session.backoff import pause
from zc.zk.session.state import Moment, State
from zc.zk.session.waiting import rest

if TYPE_CHECKING:
    from typing import Protocol

    class SessionLike(Protocol):
        """A session, as far as a retry needs to know it."""

        connection_string: str

        @property
        def state(self) -> State:
            """Where it stands."""

        @property
        def moment(self) -> Moment:
            """Now, for `wait_for_gap`."""

        def wait_for_gap(self, since: Moment, seconds: float) -> bool:
            """Say whether the connection of that moment breaks within that time."""

        def wait_for_connection(self, seconds: float) -> bool:
            """Say whether there is a connection within that time."""

        def timeout_seconds(self) -> float:
            """Return the session's timeout."""

        def note_lost(self, epoch: int, reason: str) -> None:
            """Take that session for over."""


logger = logging.getLogger("zc.zk")

# With so many breaks in a row something must be wrong with the work. The pauses between them grow
# (backoff), so that they are no burden for the servers.
MAX_ATTEMPTS = 12

# Work that has failed for so many session timeouts since it first did is given up, however few the
# attempts: a command that is to end says so, and does not go on for minutes.
MAX_TIMEOUTS_OF_TROUBLE = 3

# So often may work fail while the session knows of no break: it may hear of one late.
MAX_UNBROKEN = 3

# So often in a row may the C client give up on a server that does not answer: twice is what hung
# servers of an ensemble can cost, each two thirds of the session timeout.
MAX_UNANSWERED = 3

# A call hears of a break a moment before the session does.
NEWS_SECONDS = 1.0

# Others who write the same nodes are faster than a plan so often, and then it is given up.
MAX_CONFLICTS = 100
MAX_CONFLICT_PAUSE_SECONDS = 0.2


class Failures(NamedTuple):
    """The failures of a piece of work so far, the first one at `since`, on a steady clock.

    `unanswered` and `unbroken` are in a row: for want of an answer, and without a break.
    """

    total: int = 0
    unanswered: int = 0
    unbroken: int = 0
    since: float = 0.0

    def one_more(self, now: float, *, is_unanswered: bool) -> "Failures":
        """Return them with one that has just come."""
        return self._replace(
            total=self.total + 1,
            unanswered=self.unanswered + 1 if is_unanswered else 0,
            since=self.since if self.total else now,
        )

    def with_news(self, *, broke: bool) -> "Failures":
        """Return them when it is known whether the connection broke under the last one."""
        return self._replace(unbroken=0 if broke else self.unbroken + 1)

    def are_too_many(self, now: float, timeout_seconds: float) -> bool:
        """Say whether the work is given up; `timeout_seconds` is the session's timeout."""
        trouble_seconds = MAX_TIMEOUTS_OF_TROUBLE * timeout_seconds
        return (
            self.total >= MAX_ATTEMPTS
            or self.unanswered >= MAX_UNANSWERED
            or self.unbroken >= MAX_UNBROKEN
            or (self.total > 1 and now - self.since >= trouble_seconds)
        )


class _Policy:
    """Which exceptions lead to another attempt, and what comes before it."""

    kinds: tuple[type[zookeeper.ZooKeeperException], ...]

    def begin(self) -> None:
        """Note that an attempt begins."""

    def goes_on(self, number: int, fault: zookeeper.ZooKeeperException) -> bool:
        """Wait for the next attempt, after that with the number failed; False: there is none."""
        raise NotImplementedError


class _Breaks(_Policy):
    """Waits for a connection after each break."""

    kinds = (zookeeper.SessionError,)

    def __init__(self, session: "SessionLike") -> None:
        self._session = session
        self._failures = Failures()

    def begin(self) -> None:
        self._begun = self._session.moment

    def goes_on(self, number: int, fault: zookeeper.ZooKeeperException) -> bool:
        """Wait for a connection, for the session timeout at most.

        When nothing has happened to the connection since the attempt began, a server takes too long
        with the work, or says what it says whatever the connection.
        """
        if not fault.is_retriable:
            return False
        session = self._session
        is_unanswered = isinstance(fault, zookeeper.OperationTimeoutException)
        now = time.monotonic()
        self._failures = self._failures.one_more(now, is_unanswered=is_unanswered)
        timeout_seconds = session.timeout_seconds()
        if self._failures.are_too_many(now, timeout_seconds):
            return False
        if isinstance(fault, zookeeper.SessionExpiredException):
            session.note_lost(self._begun.epoch, str(fault))
        broke = session.wait_for_gap(self._begun, NEWS_SECONDS)
        self._failures = self._failures.with_news(broke=broke)
        if self._failures.unbroken >= MAX_UNBROKEN or (is_unanswered and not broke):
            return False
        if session.state is State.CLOSED or not session.wait_for_connection(timeout_seconds):
            return False
        logger.info("%s: again after: %s", session.connection_string, fault)
        # Not at once, should it be something else that stops the work.
        rest(pause(self._failures.total))
        return True


class _Conflicts(_Policy):
    """Rests after somebody else has changed what the work was computed from."""

    def __init__(
        self,
        kinds: tuple[type[zookeeper.ZooKeeperException], ...],
        what: str | None,
        limit: int = MAX_CONFLICTS,
        free: int = 0,
        max_pause: float = MAX_CONFLICT_PAUSE_SECONDS,
    ) -> None:
        self.kinds = kinds
        self._what = what
        self._limit = limit
        self._free = free
        self._max_pause = max_pause

    def goes_on(self, number: int, fault: zookeeper.ZooKeeperException) -> bool:
        if number >= self._limit:
            return False
        if self._what is not None:
            logger.info("%s again after: %s", self._what, fault)
        if number > self._free:
            rest(min(pause(number - self._free), self._max_pause))
        return True


class Attempt:
    """One attempt, counted from 1 by `number`: `with attempt:` is around what may fail."""

    def __init__(self, number: int, policies: tuple[_Policy, ...]) -> None:
        self.number = number
        self.is_repeated = False
        self._policies = policies
        for policy in policies:
            policy.begin()

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(fault, zookeeper.ZooKeeperException):
            for policy in self._policies:
                if isinstance(fault, policy.kinds):
                    self.is_repeated = policy.goes_on(self.number, fault)
                    break
        return self.is_repeated


def attempts(
    session: "SessionLike", conflicts: tuple[type[zookeeper.ZooKeeperException], ...] = ()
) -> Iterator[Attempt]:
    """Yield attempts until one succeeds, or fails for good.

    An attempt raises what stopped it when there is no connection for the session timeout, when the
    work goes on failing for three of them, or after many attempts. After one of the `conflicts`
    with somebody else there is another one, too, a hundred times.
    """
    what = f"{session.connection_string}: planning"
    return _until_done(_Conflicts(conflicts, what), _Breaks(session))


def attempts_at_change(
    conflicts: tuple[type[zookeeper.ZooKeeperException], ...],
    what: str | None = None,
    *,
    limit: int = MAX_CONFLICTS,
    free: int = 0,
    max_pause: float = MAX_CONFLICT_PAUSE_SECONDS,
) -> Iterator[Attempt]:
    """Yield attempts after conflicts only; the first `free` of them are followed by no rest.

    `what` names for the log what is done again.
    """
    return _until_done(_Conflicts(conflicts, what, limit, free, max_pause))


def _until_done(*policies: _Policy) -> Iterator[Attempt]:
    for number in count(1):
        attempt = Attempt(number, policies)
        yield attempt
        if not attempt.is_repeated:
            return
