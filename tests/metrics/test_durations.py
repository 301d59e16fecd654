"""Histograms that all threads write and nobody waits for."""

from __future__ import annotations

import threading

import pytest

from zc.zk.metrics import durations
from zc.zk.metrics.durations import BOUNDS, Durations

pytestmark = pytest.mark.quick


def test_bounds_grow_and_reach_a_session_timeout():
    assert list(BOUNDS) == sorted(set(BOUNDS))
    assert BOUNDS[-1] == 10


def test_a_bucket_holds_what_took_as_long_as_its_bound_at_most():
    noted = Durations("family")
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], BOUNDS[-1] * 2):
        noted.note(("get", "ok"), seconds)
    (histogram,) = noted.read().values()
    assert histogram.counts[:2] == (2, 3)
    assert histogram.counts[-2:] == (4, 5)
    assert histogram.total == pytest.approx(BOUNDS[0] * 2.01 + BOUNDS[-1] * 3)


def test_each_value_of_the_labels_has_a_histogram_of_its_own():
    noted = Durations("family")
    noted.note(("get", "ok"), 1)
    noted.note(("get", "lost"), 2)
    assert {values: histogram.total for values, histogram in noted.read().items()} == {
        ("get", "lost"): 2,
        ("get", "ok"): 1,
    }


def test_nothing_that_many_threads_note_at_once_is_lost():
    noted = Durations("family")
    begin = threading.Barrier(8)

    def note() -> None:
        begin.wait()
        for _ in range(5000):
            noted.note(("get", "ok"), 0.001)

    threads = [threading.Thread(target=note) for _ in range(8)]
    for thread in threads:
        thread.start()
    last = 0
    while any(thread.is_alive() for thread in threads):
        for histogram in noted.read().values():
            assert histogram.counts[-1] >= last
            last = histogram.counts[-1]
    for thread in threads:
        thread.join()
    (histogram,) = noted.read().values()
    assert histogram.counts[-1] == 40_000
    assert histogram.total == pytest.approx(40)


def test_places_of_threads_that_have_ended_are_taken_by_others():
    noted = Durations("family")
    for _ in range(200):
        thread = threading.Thread(target=noted.note, args=((), 1))
        thread.start()
        thread.join()
    assert len(noted._cells) < 20
    assert noted.read()[()].counts[-1] == 200


def test_a_tap_is_told_of_each_with_the_clients_name():
    told: list[object] = []
    noted = Durations("family")
    noted.client = "shop"
    durations.taps.append(lambda *what: told.append(what))
    try:
        noted.note(("get", "ok"), 1)
    finally:
        durations.taps.clear()
    assert told == [("family", ("shop", "get", "ok"), 1)]
