"""Servers that fail are out for a while, and never all of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zc.zk.providers.outliers import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, Outliers

pytestmark = pytest.mark.quick

ADDRESSES = [f"10.0.0.{n}:80" for n in range(10)]
ONE = ADDRESSES[0]


def outliers(kept_share: float = 0.5, chance: float = 1.0) -> Outliers:
    return Outliers(kept_share, lambda: chance)


def pauses(known: Outliers, count: int) -> list[float]:
    """Have one server fail as soon as it is back; return for how long it is out each time."""
    now, found = 100.0, []
    for _ in range(count):
        known.note_failure(ONE, now)
        until = known.out_of(ADDRESSES, now)[ONE]
        found.append(until - now)
        now = until
    return found


def test_a_server_that_fails_again_is_out_for_twice_as_long() -> None:
    assert pauses(outliers(), 9) == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])


def test_pauses_are_spread_over_half_their_length() -> None:
    assert pauses(outliers(chance=0.0), 3) == pytest.approx([0.5, 1, 2])


def test_a_server_is_back_when_its_time_is_over() -> None:
    known = outliers()
    known.note_failure(ONE, 100)
    assert known.out_of(ADDRESSES, 100.9) == {ONE: 101}
    assert known.out_of(ADDRESSES, 101) == {}


def test_failures_of_calls_that_were_under_way_count_once() -> None:
    known = outliers()
    for now in (100, 100.1, 100.9):
        known.note_failure(ONE, now)
    assert known.out_of(ADDRESSES, 100.95) == {ONE: 101}


def test_a_success_lets_a_server_in_and_forgets_its_failures() -> None:
    known = outliers()
    assert len(pauses(known, 5)) == 5
    known.note_success(ONE)
    assert known.out_of(ADDRESSES, 0) == {}
    assert pauses(known, 1) == pytest.approx([FIRST_PAUSE_SECONDS])


def test_a_server_that_was_well_for_long_begins_anew() -> None:
    known = outliers()
    pauses(known, 5)
    now = 100 + 31 + MAX_PAUSE_SECONDS + 1
    known.note_failure(ONE, now)
    assert known.out_of(ADDRESSES, now) == {ONE: now + FIRST_PAUSE_SECONDS}


def test_a_server_that_registers_again_begins_anew() -> None:
    known = outliers()
    pauses(known, 3)
    known.forget(ADDRESSES[1:])
    assert pauses(known, 1) == pytest.approx([FIRST_PAUSE_SECONDS])


def test_the_version_changes_with_the_servers_that_are_out() -> None:
    known = outliers()
    seen = [known.version]
    known.note_failure(ONE, 100)
    seen.append(known.version)
    known.note_failure(ONE, 100.1)
    assert known.version is seen[-1]
    known.note_success("10.9.9.9:1")
    assert known.version is seen[-1]
    known.note_success(ONE)
    assert known.version not in seen


@settings(deadline=None)
@given(
    st.integers(0, 10),
    st.floats(0.01, 1),
    st.lists(st.tuples(st.sampled_from(ADDRESSES), st.floats(0, 50)), max_size=60),
)
def test_a_share_of_the_servers_always_stays(count, kept_share, failures) -> None:
    registered = ADDRESSES[:count]
    known = outliers(kept_share)
    for address, now in sorted(failures, key=lambda failure: failure[1]):
        known.note_failure(address, now)
        out = known.out_of(registered, now)
        assert set(out) <= set(registered)
        assert len(registered) - len(out) >= len(registered) * kept_share - 1e-9
        assert not registered or len(out) < len(registered)


def test_of_too_many_those_that_are_back_first_stay() -> None:
    known = outliers()
    for now, address in enumerate(ADDRESSES):
        known.note_failure(address, now / 100)
    assert set(known.out_of(ADDRESSES, 0.2)) == set(ADDRESSES[5:])


@pytest.mark.parametrize("share", [0, -1, 1.01, float("nan")])
def test_a_share_that_makes_no_sense_is_refused(share) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        outliers(share)
