"""When to read what has changed: the policy of spread and coalescing, on data."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from zc.zk.session import pace
from zc.zk.session.pace import Heard, Pace, Urgency, after_answer, window

pytestmark = pytest.mark.quick

seconds = some.floats(0, 100)
parts = some.floats(0, 1)
heards = some.builds(
    Heard, some.floats(0, pace.MAX_USUAL_SECONDS), seconds, some.floats(0, 1000), parts
)
urgencies = some.sampled_from(Urgency)


def told() -> Urgency:
    return Urgency.TOLD


def shown() -> Urgency:
    return Urgency.SHOWN


def at_once() -> Urgency:
    return Urgency.AT_ONCE


class TestWhatAnswersTell:
    def test_answers_that_take_what_they_usually_take_are_not_late(self) -> None:
        heard = Heard()
        for number in range(100):
            heard = after_answer(heard, 0.2, 1, number)  # far away, and no busier than ever
            assert heard.late == 0

    def test_an_answer_that_takes_longer_than_usual_is_late_by_the_rest(self) -> None:
        heard = after_answer(Heard(), 0.001, 1, 0)
        late = after_answer(heard, 1.0, 1, 1).late
        assert 0.9 < late < 1.0

    def test_the_first_answer_of_all_may_be_late(self) -> None:
        assert after_answer(Heard(), 2.0, 1, 0).late > 1

    def test_one_answer_in_time_forgets_that_others_were_late(self) -> None:
        heard = after_answer(after_answer(Heard(0.001), 5.0, 1, 1), 0.001, 1, 2)
        assert heard.late == 0

    def test_a_read_of_many_nodes_may_take_longer(self) -> None:
        assert after_answer(Heard(0.001), 2.0, 10_000, 0).late == 0
        assert after_answer(Heard(0.001), 2.0, 1, 0).late > 1

    def test_a_way_that_has_become_longer_becomes_the_usual_one(self) -> None:
        heard = Heard(0.001)
        for number in range(200):
            heard = after_answer(heard, 0.25, 1, number)
        assert heard.late == 0

    @given(heards, seconds, some.integers(0, 10**6))
    def test_the_usual_is_never_more_than_an_answer_took(self, heard, took, nodes) -> None:
        after = after_answer(heard, took, nodes, 1.0)
        assert 0 <= after.usual <= min(took, pace.MAX_USUAL_SECONDS)
        assert after.late >= 0


class TestWindow:
    @given(heards, seconds)
    def test_the_less_urgent_a_read_is_the_longer_its_window(self, heard, most) -> None:
        windows = [window(heard, urgency, most) for urgency in sorted(Urgency)]
        assert windows == sorted(windows)
        assert windows[0] == 0
        assert windows[-1] <= most

    def test_it_grows_with_what_answers_are_late_by(self) -> None:
        windows = [window(Heard(late=late), Urgency.TOLD, 5.0) for late in (0, 0.1, 1, 10, 100)]
        assert windows == [0, 0.2, 2.0, 5.0, 5.0]


class TestDue:
    def test_the_first_change_after_a_quiet_time_is_due_at_once(self) -> None:
        now = time.monotonic()
        assert Pace(10).due(-math.inf, 100.0, told) == -math.inf
        assert Pace(10).due(now - 11, 100.0, told) < now

    def test_the_next_one_is_due_after_the_interval(self) -> None:
        assert Pace(10).due(100.0, 100.0, told) == 110.0

    def test_an_urgent_read_does_not_wait(self) -> None:
        pace = Pace(10, 10)
        pace.heard = Heard(late=5, at=100.0, part=1)
        assert pace.due(100.0, 100.0, at_once) == -math.inf

    def test_late_answers_have_it_wait_for_a_part_of_the_window(self) -> None:
        pace = Pace(0, 10)
        pace.heard = Heard(late=1, at=100.0, part=0.5)
        assert pace.due(-math.inf, 100.0, told) == 101.0
        assert pace.due(-math.inf, 100.0, shown) == 102.0

    def test_the_longer_of_interval_and_window_counts(self) -> None:
        pace = Pace(3, 10)
        pace.heard = Heard(late=1, at=100.0, part=1)
        assert pace.due(98.5, 100.0, told) == 102.0
        assert pace.due(102.0, 100.0, told) == 105.0

    def test_limits_of_zero_have_everything_read_at_once(self) -> None:
        pace = Pace(0, 0)
        pace.heard = Heard(late=100, at=100.0, part=1)
        assert pace.due(100.0, 100.0, shown) <= 100.0

    def test_nothing_waits_where_events_are_delivered_inline(self) -> None:
        pace = Pace(10, 10)
        pace.is_inline = True
        pace.heard = Heard(late=5, at=100.0, part=1)
        assert pace.due(100.0, 100.0, shown) == -math.inf

    @given(heards, seconds, seconds, some.floats(0, 1000), urgencies)
    def test_no_wait_is_longer_than_the_users_limits(
        self, heard, interval, most, read_at, urgency
    ) -> None:
        pace = Pace(interval, most)
        pace.heard = heard
        for since in (0.0, heard.at, heard.at + 5):
            latest = max(read_at + interval, since + most)
            assert pace.due(read_at, since, lambda: urgency) <= latest

    def test_answers_that_are_late_again_and_again_do_not_put_it_off_again(self) -> None:
        pace = Pace(0, 10)
        for at in range(100, 200):
            pace.heard = Heard(late=5, at=at, part=1)
            assert pace.due(-math.inf, 100.0, shown) <= 110.0

    def test_clients_that_hear_the_same_are_spread_over_the_window(self) -> None:
        dues = set()
        for _ in range(50):
            pace = Pace(0, 10)
            pace.note_answer(time.monotonic() - 60)
            assert pace.heard.late > 50
            pace.heard = Heard(late=1, at=100.0, part=pace.heard.part)
            dues.add(pace.due(-math.inf, 100.0, told))
        assert len(dues) == 50
        assert all(100 <= due <= 102 for due in dues)


class TestLimits:
    @pytest.mark.parametrize("bad", [-1, math.inf, math.nan])
    def test_bad_numbers_are_named(self, bad) -> None:
        with pytest.raises(ValueError, match="min_interval is a finite number of seconds"):
            Pace(bad)
        with pytest.raises(ValueError, match="spread is a finite number of seconds"):
            Pace(0, bad)

    @pytest.mark.parametrize("bad", ["1", None, True])
    def test_a_limit_that_is_no_number_is_named(self, bad) -> None:
        with pytest.raises(TypeError, match="min_interval is a number of seconds, not"):
            Pace(bad)
