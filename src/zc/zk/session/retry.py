"""Riding over breaks of the connection, with work that may be done twice.

A single call fails when its connection does, since only the program knows what it means to repeat
it. Reading a tree, or making one what a text says, means the same however often it is done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import zookeeper
from zc.zk.session.session import Session
from zc.zk.session.state import Moment, State
from zc.zk.session.worker import pause

logger = logging.getLogger("zc.zk")

T = TypeVar("T")

# With so many breaks in a row something must be wrong with the work. The pauses between them grow
# (backoff), so that they are no burden for the servers.
ATTEMPTS = 12

# Work that has failed for so many session timeouts since it first did is given up, however few the
# attempts: a command that is to end says so, and does not go on for minutes.
TIMEOUTS_OF_TROUBLE = 3

# The connection broke, or the session with it; with the next one the same work can be done.
BREAKS = (
    zookeeper.ConnectionLossException,
    zookeeper.OperationTimeoutException,
    zookeeper.SessionExpiredException,
    zookeeper.SessionMovedException,
    zookeeper.InvalidStateException,
    zookeeper.ClosingException,
)

# So often may work fail like that while the session knows of no break: it may hear of one late.
ATTEMPTS_WITHOUT_A_BREAK = 3

# So often in a row may the C client give up on a server that does not answer: twice is what hung
# servers of an ensemble can cost, each two thirds of the session timeout.
ATTEMPTS_WITHOUT_AN_ANSWER = 3

# A call hears of a break a moment before the session does.
NEWS_SECONDS = 1.0


def ride(session: Session, work: Callable[[int], T]) -> T:
    """What `work` returns, called with the handle; again after the connection broke.

    It must be work that may be done twice. Raises what stopped it when there is no connection for
    the session timeout, when it goes on failing for three of them, or after many attempts.
    """
    breaks = Breaks(session)
    for _ in range(ATTEMPTS - 1):
        begun = session.moment
        try:
            return session.call(work)
        except BREAKS as trouble:
            breaks.wait_out(begun, trouble)
    return session.call(work)


class Breaks:
    """The breaks that a piece of work meets."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._count = 0
        self._unbroken = 0  # failures in a row without one
        self._unanswered = 0  # failures in a row for want of an answer
        self._since = 0.0  # the first failure, by the monotonic clock

    def wait_out(self, begun: Moment, trouble: zookeeper.ZooKeeperException) -> None:
        """Wait for a connection, for the session timeout at most; then raise `trouble`.

        `begun` is when the work was begun. When nothing has happened to the connection since, a
        server takes too long with the work, or says what it says whatever the connection, and
        `trouble` is raised as well.
        """
        self._count += 1
        is_unanswered = isinstance(trouble, zookeeper.OperationTimeoutException)
        self._unanswered = self._unanswered + 1 if is_unanswered else 0
        now = time.monotonic()
        if self._count == 1:
            self._since = now
        trouble_seconds = TIMEOUTS_OF_TROUBLE * self._session.timeout_seconds()
        if (
            self._count >= ATTEMPTS
            or self._unanswered >= ATTEMPTS_WITHOUT_AN_ANSWER
            or (self._count > 1 and now - self._since >= trouble_seconds)
        ):
            raise trouble
        if _wait_out(self._session, begun, trouble, self._count):
            self._unbroken = 0
            return
        self._unbroken += 1
        if self._unbroken >= ATTEMPTS_WITHOUT_A_BREAK:
            raise trouble


def _wait_out(
    session: Session, begun: Moment, trouble: zookeeper.ZooKeeperException, attempt: int
) -> bool:
    """Whether there has been a break. Raises `trouble` when it is not to be waited out."""
    if isinstance(trouble, zookeeper.ForkedException):
        raise trouble
    if isinstance(trouble, zookeeper.SessionExpiredException):
        session.note_lost(begun.epoch, str(trouble))
    broke = session.wait_for_gap(begun, NEWS_SECONDS)
    if isinstance(trouble, zookeeper.OperationTimeoutException) and not broke:
        raise trouble
    if session.state is State.CLOSED or not session.wait_for_connection(session.timeout_seconds()):
        raise trouble
    logger.info("%s: again after: %s", session.connection_string, trouble)
    # Not at once, should it be something else that stops the work.
    time.sleep(pause(attempt))
    return broke
