"""A plan follows from a seed."""

from __future__ import annotations

import itertools

from tests.faults.plan import (
    LONGEST_ABSENCE,
    OVER_AT_ONCE,
    ROUND_SECONDS,
    SASL_WEIGHTS,
    TLS_WEIGHTS,
    WEIGHTS,
    Fault,
    Kind,
    rounds,
)


def faults(seed: int, count: int, *, by_tls: bool = False, by_sasl: bool = False) -> list[Fault]:
    planned = rounds(seed, count, clients=4, session_seconds=2.0, by_tls=by_tls, by_sasl=by_sasl)
    return list(itertools.chain(*planned))


def test_the_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    assert faults(1, 100) == faults(1, 100)
    assert faults(1, 100) != faults(2, 100)


def test_there_are_as_many_as_asked_for() -> None:
    for count in (0, 1, 10, 99):
        assert len(faults(1, count)) == count


def test_every_kind_has_its_turn() -> None:
    assert {fault.kind for fault in faults(1, 1000)} == set(WEIGHTS)
    assert {fault.kind for fault in faults(1, 1000, by_tls=True)} == set(TLS_WEIGHTS)
    assert {fault.kind for fault in faults(1, 1000, by_sasl=True)} == set(SASL_WEIGHTS)
    both = faults(1, 1000, by_tls=True, by_sasl=True)
    assert {fault.kind for fault in both} == set(Kind)


def test_a_round_is_in_order_and_within_its_time() -> None:
    for faults_of_round in rounds(3, 200, clients=4, session_seconds=2.0):
        times = [fault.at for fault in faults_of_round]
        assert times == sorted(times)
        assert all(0 <= at <= ROUND_SECONDS for at in times)


def test_absences_are_shorter_and_longer_than_a_session() -> None:
    lasting = [fault for fault in faults(1, 1000) if fault.kind not in OVER_AT_ONCE]
    assert min(fault.seconds for fault in lasting) < 2.0 < max(fault.seconds for fault in lasting)
    assert all(fault.seconds <= 2.0 * LONGEST_ABSENCE for fault in lasting)
    assert all(fault.seconds == 0 for fault in faults(1, 1000) if fault.kind in OVER_AT_ONCE)


def test_every_client_and_every_role_of_a_server_is_hit() -> None:
    assert {fault.client for fault in faults(1, 1000)} == {0, 1, 2, 3}
    assert {fault.leader for fault in faults(1, 1000)} == {True, False}
