"""A retry decides by its failures: functions on data, then the attempts.

The session of the attempts only tells of its connection. Their backoff grows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import zookeeper
from zc.zk.session import retry
from zc.zk.session.retry import (
    MAX_ATTEMPTS,
    MAX_UNANSWERED,
    MAX_UNBROKEN,
    Failures,
    attempts,
    attempts_at_change,
)
from zc.zk.session.state import Moment, State

pytestmark = pytest.mark.quick

TIMEOUT = 10.0
LOST = zookeeper.ConnectionLossException("lost")
UNANSWERED = zookeeper.OperationTimeoutException("no answer")
CONFLICT = zookeeper.BadVersionException("somebody else")


class Told:
    """A session that tells what a test says of its connection."""

    connection_string = "somewhere:2181"

    def __init__(self) -> None:
        self.state = State.CONNECTED
        self.breaks = True
        self.comes_back = True
        self.lost: list[tuple[int, str]] = []
        self.moment = Moment(1, 1)

    def wait_for_gap(self, since: Moment, seconds: float) -> bool:
        return self.breaks

    def wait_for_connection(self, seconds: float) -> bool:
        return self.comes_back

    def timeout_seconds(self) -> float:
        return TIMEOUT

    def note_lost(self, epoch: int, reason: str) -> None:
        self.lost.append((epoch, reason))


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(retry, "rest", made.append)
    return made


def tries(
    begun: Iterator[retry.Attempt], *faults: Exception, otherwise: Exception | None = None
) -> int:
    """Return how many attempts work takes that raises these, then `otherwise`."""
    to_raise = iter(faults)
    number = 0
    for attempt in begun:
        number = attempt.number
        with attempt:
            fault = next(to_raise, otherwise)
            if fault is not None:
                raise fault
    return number


@pytest.mark.parametrize(
    ("failures", "now", "too_many"),
    [
        (Failures(), 0.0, False),
        (Failures(1, 0, 0, since=0.0), 100 * TIMEOUT, False),  # it has just begun to fail
        (Failures(2, 0, 0, since=0.0), 3 * TIMEOUT - 0.1, False),
        (Failures(2, 0, 0, since=0.0), 3 * TIMEOUT, True),
        (Failures(2, 0, 0, since=5.0), 3 * TIMEOUT, False),
        (Failures(MAX_ATTEMPTS - 1), 0.0, False),
        (Failures(MAX_ATTEMPTS), 0.0, True),
        (Failures(4, MAX_UNANSWERED - 1), 0.0, False),
        (Failures(4, MAX_UNANSWERED), 0.0, True),
        (Failures(4, 0, MAX_UNBROKEN - 1), 0.0, False),
        (Failures(4, 0, MAX_UNBROKEN), 0.0, True),
    ],
)
def test_how_many_failures_are_too_many(failures: Failures, now: float, too_many: bool) -> None:
    assert failures.are_too_many(now, TIMEOUT) is too_many


def test_failures_in_a_row_end_with_one_of_another_kind() -> None:
    failures = Failures().one_more(3.0, is_unanswered=True).one_more(4.0, is_unanswered=True)
    assert failures == Failures(2, unanswered=2, since=3.0)
    assert failures.one_more(5.0, is_unanswered=False) == Failures(3, unanswered=0, since=3.0)
    assert failures.with_news(broke=False).unbroken == 1
    assert failures.with_news(broke=False).with_news(broke=False).unbroken == 2
    assert failures.with_news(broke=False).with_news(broke=True).unbroken == 0


def test_work_that_succeeds_is_done_once(rests: list[float]) -> None:
    assert tries(attempts(Told())) == 1
    assert rests == []


def test_breaks_are_waited_out_with_growing_pauses(rests: list[float]) -> None:
    assert tries(attempts(Told()), LOST, UNANSWERED, UNANSWERED, LOST) == 5
    assert len(rests) == 4
    assert rests == sorted(rests)
    assert rests[0] > 0


def test_the_last_of_many_attempts_raises(rests: list[float]) -> None:
    with pytest.raises(zookeeper.ConnectionLossException):
        tries(attempts(Told()), otherwise=LOST)
    assert len(rests) == MAX_ATTEMPTS - 1


def test_three_timeouts_in_a_row_are_a_server_that_hangs(rests: list[float]) -> None:
    with pytest.raises(zookeeper.OperationTimeoutException):
        tries(attempts(Told()), LOST, LOST, otherwise=UNANSWERED)
    assert len(rests) == 2 + MAX_UNANSWERED - 1


def test_a_timeout_without_a_break_is_not_tried_again(rests: list[float]) -> None:
    session = Told()
    session.breaks = False
    with pytest.raises(zookeeper.OperationTimeoutException):
        tries(attempts(session), UNANSWERED)
    assert rests == []


def test_three_losses_of_which_the_session_knows_nothing_are_the_last(rests: list[float]) -> None:
    session = Told()
    session.breaks = False
    with pytest.raises(zookeeper.ConnectionLossException):
        tries(attempts(session), otherwise=LOST)
    assert len(rests) == MAX_UNBROKEN - 1


@pytest.mark.parametrize("name", ["closed", "without a connection", "forked"])
def test_a_loss_for_good_is_raised_at_once(name: str, rests: list[float]) -> None:
    session = Told()
    fault: Exception = LOST
    if name == "closed":
        session.state = State.CLOSED
    elif name == "forked":
        fault = zookeeper.ForkedException("of another process")
    else:
        session.comes_back = False
    with pytest.raises(type(fault)):
        tries(attempts(session), fault)
    assert rests == []


def test_a_session_that_servers_say_is_over_is_given_up() -> None:
    session = Told()
    assert tries(attempts(session), zookeeper.SessionExpiredException("it is over")) == 2
    assert session.lost == [(1, "it is over")]


@pytest.mark.parametrize("fault", [CONFLICT, ValueError("no"), KeyboardInterrupt()])
def test_any_other_exception_is_raised(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        tries(attempts(Told()), fault)


def test_conflicts_and_breaks_are_counted_apart(rests: list[float]) -> None:
    faults = [CONFLICT, LOST] * (MAX_ATTEMPTS - 1)
    begun = attempts(Told(), (zookeeper.BadVersionException,))
    assert tries(begun, *faults) == 2 * MAX_ATTEMPTS - 1
    assert len(rests) == len(faults)


def test_conflicts_without_end_are_given_up(rests: list[float]) -> None:
    begun = attempts_at_change((zookeeper.BadVersionException,), limit=20, free=3)
    with pytest.raises(zookeeper.BadVersionException):
        tries(begun, otherwise=CONFLICT)
    assert len(rests) == 20 - 1 - 3
    assert max(rests) <= retry.MAX_CONFLICT_PAUSE_SECONDS


def test_a_change_that_loses_its_connection_is_not_made_again(rests: list[float]) -> None:
    with pytest.raises(zookeeper.ConnectionLossException):
        tries(attempts_at_change((zookeeper.BadVersionException,)), CONFLICT, LOST)
    assert len(rests) == 1
