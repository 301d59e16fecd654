"""A round of the keeper does the duties that apply, without a server."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

import zookeeper
from zc.zk.session.maintenance import Duty, Maintenance, Standing, SteppedDuty, Steps

pytestmark = pytest.mark.quick


class Standstill:
    """A session whose standing the test decides."""

    connection_string = "a test's"
    is_lost = False

    def __init__(self) -> None:
        self.standing: Standing = (1, 1, 7, False)
        self.restored: list[int] = []

    def note_restored(self, epoch: int) -> None:
        self.restored.append(epoch)

    def give_up_in_time(self) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not for this")


class Done:
    """Two duties that note that they are done; the test sets their outcomes."""

    def __init__(self, keeper: Maintenance) -> None:
        self.keeper = keeper
        self.names: list[str] = []
        self.outcomes: dict[str, Any] = {}
        self.first, self.second = self.make("first"), self.make("second")
        keeper.add_duty(self.first, writes=True)
        keeper.add_duty(self.second, writes=False)

    def make(self, name: str) -> Duty:
        def duty(handle: int) -> float | None:
            assert handle == 7
            self.names.append(name)
            outcome: float | Exception | None = self.outcomes.pop(name, None)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return duty

    def in_a_round(self, *woken: Duty | None) -> list[str]:
        for duty in woken:
            self.keeper.wake(duty)
        self.names = []
        self.delay = self.keeper._round()
        return self.names


class Stepped:
    """Two duties in steps, and a plain one behind them; what each meets with is the test's."""

    def __init__(self, keeper: Maintenance) -> None:
        self.keeper = keeper
        self.steps: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.duties = [self.make("first"), self.make("second")]
        for duty in self.duties:
            keeper.add_stepped_duty(duty)
        keeper.add_duty(lambda handle: self.do("plain"))

    def do(self, step: str) -> None:
        self.steps.append(step)
        if fault := self.faults.pop(step, None):
            raise fault

    def make(self, name: str) -> SteppedDuty:
        def duty(handle: int) -> Steps:
            assert handle == 7
            self.do(f"{name} begins")
            try:
                yield
            except GeneratorExit:
                self.steps.append(f"{name} is given up")
                raise
            self.do(f"{name} ends")
            return None

        return duty


@pytest.fixture
def stepped(session: Standstill) -> Stepped:
    return Stepped(Maintenance(session))


ALL_STEPS = ["first begins", "second begins", "first ends", "second ends", "plain"]
LOST = zookeeper.ConnectionLossException("x")


def test_duties_in_steps_all_begin_before_one_is_waited_for(session, stepped):
    assert stepped.keeper._round() is None
    assert stepped.steps == ALL_STEPS
    assert session.restored == [1]


def test_one_that_cannot_begin_lets_those_before_it_take_in_their_answers(session, stepped):
    stepped.faults["second begins"] = LOST
    assert stepped.keeper._round() > 0
    assert stepped.steps == ["first begins", "second begins", "first ends"]
    assert session.restored == []
    stepped.keeper._round()
    assert stepped.steps[3:] == ALL_STEPS
    assert session.restored == [1]


@pytest.mark.parametrize("fault", [LOST, KeyError("a bug")])
def test_those_behind_one_that_fails_are_given_up_and_done_again(session, stepped, fault):
    stepped.faults["first ends"] = fault
    with suppress(KeyError):
        stepped.keeper._round()
    assert stepped.steps == ["first begins", "second begins", "first ends", "second is given up"]
    assert session.restored == []
    stepped.keeper._round()
    assert stepped.steps[4:] == ALL_STEPS


def test_an_unexpected_failure_to_begin_gives_up_what_has_begun(stepped):
    stepped.faults["second begins"] = KeyError("a bug")
    with pytest.raises(KeyError):
        stepped.keeper._round()
    assert stepped.steps == ["first begins", "second begins", "first is given up"]


@pytest.fixture
def session() -> Standstill:
    return Standstill()


@pytest.fixture
def done(session: Standstill) -> Done:
    done = Done(Maintenance(session))
    assert done.in_a_round() == ["first", "second"]
    return done


def test_only_what_was_asked_for_is_done(done):
    assert done.in_a_round() == []
    assert done.in_a_round(done.second) == ["second"]
    assert done.in_a_round(done.second, done.first) == ["first", "second"]
    assert done.in_a_round(None) == ["first", "second"]
    assert done.in_a_round() == []
    assert done.delay is None


@pytest.mark.parametrize("standing", [(1, 2, 7, False), (2, 1, 7, False), (2, 2, 7, False)])
def test_all_are_done_after_a_gap_that_nobody_told_of(session, done, standing):
    session.standing = standing
    assert done.in_a_round(done.second) == ["first", "second"]
    assert done.in_a_round(done.second) == ["second"]


def test_a_session_is_restored_once_all_are_done(session, done):
    session.standing = (2, 2, 7, False)
    done.outcomes["second"] = zookeeper.ConnectionLossException("x")
    assert done.in_a_round() == ["first", "second"]
    assert session.restored == [1]
    assert done.in_a_round(done.first) == ["first", "second"]
    assert session.restored == [1, 2]


def test_a_duty_that_could_not_be_done_is_done_again(done):
    done.outcomes["first"] = zookeeper.ConnectionLossException("x")
    assert done.in_a_round(None) == ["first"]
    assert done.delay > 0
    assert done.in_a_round() == ["first", "second"]


def test_an_unexpected_failure_leaves_the_rest_to_be_done(done):
    done.outcomes["first"] = KeyError("a bug")
    with pytest.raises(KeyError):
        done.in_a_round(None)
    assert done.in_a_round() == ["first", "second"]


def test_a_duty_asked_for_is_done_though_an_interrupt_comes_first(done, monkeypatch):
    class Interrupted(dict[Duty, float]):
        def __setitem__(self, duty: Duty, when: float) -> None:
            raise KeyboardInterrupt

    due = done.keeper._due
    monkeypatch.setattr(done.keeper, "_due", Interrupted(due))
    with pytest.raises(KeyboardInterrupt):
        done.in_a_round(done.second)
    monkeypatch.setattr(done.keeper, "_due", due)
    assert done.in_a_round() == ["second"]


def test_a_duty_that_writes_waits_for_a_server_that_can_write(session, done):
    session.standing = (1, 2, 7, True)
    assert done.in_a_round() == ["second"]
    assert done.delay is None, "it does not wake up for what it cannot do"
    assert done.in_a_round(done.first) == []
    session.standing = (1, 3, 7, False)
    assert done.in_a_round() == ["first", "second"]


def test_a_duty_that_wants_to_come_back_does(done):
    done.outcomes["second"] = 0.0
    assert done.in_a_round(done.second) == ["second"]
    assert done.delay == 0.0
    assert done.in_a_round() == ["second"]
    done.outcomes["second"] = 1000.0
    done.in_a_round(done.second)
    assert 0 < done.delay <= 1000
    assert done.in_a_round(done.first) == ["first"]
    assert 0 < done.delay <= 1000


def test_nothing_is_lost_without_a_connection(session, done):
    session.standing = (1, 1, None, False)
    assert done.in_a_round(done.first) == []
    session.standing = (1, 1, 7, False)
    assert done.in_a_round() == ["first"]


def test_duties_asked_for_in_a_long_outage_take_no_memory(session, done):
    session.standing = (1, 1, None, False)
    for _ in range(100):
        assert done.in_a_round(done.second, done.second) == []
    assert len(done.keeper._wanted) < 10
    session.standing = (1, 1, 7, False)
    assert done.in_a_round() == ["second"]
