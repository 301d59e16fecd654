"""When something is done that follows changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.cli.runplan import MAX_PAUSE, MIN_PAUSE, RunPlan, Timing

pytestmark = pytest.mark.quick


def plan(quiet=0.2, most=1.0, retries=None):
    return RunPlan(Timing(quiet, most, retries))


def test_nothing_is_due_without_a_change():
    assert plan().seconds_left(5.0) is None


def test_a_change_is_due_when_it_has_been_quiet():
    one = plan()
    one.note_change(10.0)
    assert one.seconds_left(10.0) == pytest.approx(0.2)
    one.note_change(10.1)
    assert one.seconds_left(10.25) == pytest.approx(0.05)
    assert one.seconds_left(10.4) == 0.0


def test_changes_that_never_end_are_due_at_the_most():
    one = plan()
    for tenth in range(20):
        one.note_change(10.0 + tenth / 10)
    assert one.seconds_left(10.9) == pytest.approx(0.1)
    assert one.seconds_left(11.0) == 0.0


def test_changes_during_a_run_are_for_the_next_one():
    one = plan(quiet=0.0)
    one.note_change(10.0)
    one.begin(0.0)
    assert one.seconds_left(10.0) is None
    one.note_change(10.1)
    one.note_success()
    assert one.seconds_left(10.1) == 0.0


def test_a_failure_is_followed_by_longer_and_longer_pauses():
    one = plan()
    one.note_change(0.0)
    pauses = []
    for _ in range(9):
        one.begin(0.0)
        pauses.append(one.note_failure(0.0))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert one.is_failing
    one.begin(0.0)
    one.note_success()
    one.note_change(0.0)
    one.begin(0.0)
    assert one.note_failure(0.0) == MIN_PAUSE


def test_a_change_after_a_failure_comes_before_the_end_of_a_long_pause():
    one = plan(quiet=0.0)
    for _ in range(9):
        one.begin(0.0)
        one.note_failure(100.0)
    assert one.seconds_left(100.0) == MAX_PAUSE
    one.note_change(100.2)
    assert one.seconds_left(100.2) == pytest.approx(MIN_PAUSE - 0.2)


def test_retries_come_to_an_end_and_a_change_begins_anew():
    one = plan(retries=1)
    one.note_change(0.0)
    one.begin(0.0)
    assert one.note_failure(0.0) == MIN_PAUSE
    one.begin(0.0)
    assert one.note_failure(1.0) is None
    assert one.seconds_left(1.0) is None
    one.note_change(2.0)
    one.begin(0.0)
    assert one.note_failure(2.0) == MIN_PAUSE


def test_runs_keep_their_distance_whatever_changes():
    one = RunPlan(Timing(0.0, 1.0, None, interval=5.0))
    one.note_change(10.0)
    assert one.seconds_left(10.0) == 0.0
    one.begin(10.0)
    one.note_success()
    one.note_change(10.1)
    assert one.seconds_left(10.1) == pytest.approx(4.9)
    assert one.seconds_left(15.0) == 0.0


def test_a_run_at_a_certain_time_does_not_put_off_an_earlier_one():
    one = plan()
    one.note_due(30.0)
    one.note_due(40.0)
    assert one.seconds_left(0.0) == 30.0
    one.begin(0.0)
    assert one.seconds_left(0.0) is None


STEPS = st.lists(st.tuples(st.sampled_from(["change", "run"]), st.booleans(), st.floats(0, 3)))


@given(STEPS)
def test_every_change_is_seen_by_a_run_that_succeeds_later(steps):
    """Whatever comes in between: what is left undone is due."""
    one = plan()
    now, owed = 0.0, False
    for kind, succeeds, pause in steps:
        now += pause
        if kind == "change":
            one.note_change(now)
            owed = True
        elif one.seconds_left(now) == 0.0:
            one.begin(now)
            if succeeds:
                one.note_success()
                owed = False
            else:
                one.note_failure(now)
        left = one.seconds_left(now)
        assert (left is not None) == owed
        assert left is None or left <= MAX_PAUSE
