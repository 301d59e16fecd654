"""Lists that vanish hold a text back."""

from __future__ import annotations

import pytest

from zc.zk.rendering.guards import Guard

pytestmark = pytest.mark.quick


@pytest.fixture
def guard():
    guard = Guard(30.0)
    guard.accept({"/a": 10, "/b": 2})
    return guard


def test_lists_that_grow_or_lose_half_are_believed(guard):
    assert guard.held({"/a": 5, "/b": 1}, 0.0) is None
    assert guard.held({"/a": 50, "/b": 2}, 0.0) is None


def test_a_list_that_loses_more_than_half_is_held_back_for_a_while(guard):
    held = guard.held({"/a": 4, "/b": 2}, 100.0)
    assert held == ("there are suddenly 4 of 10 at /a", 30.0)
    assert guard.held({"/a": 3, "/b": 2}, 110.0).seconds == 20.0
    assert guard.held({"/a": 3, "/b": 2}, 130.0) is None


def test_a_list_that_returns_begins_the_time_anew(guard):
    assert guard.held({"/a": 1}, 100.0) is not None
    assert guard.held({"/a": 9}, 120.0) is None
    assert guard.held({"/a": 1}, 125.0).seconds == 30.0


def test_a_text_that_was_accepted_is_the_measure_of_the_next(guard):
    guard.held({"/a": 4}, 0.0)
    guard.accept({"/a": 4})
    assert guard.held({"/a": 2}, 100.0) is None
    assert guard.held({"/a": 1}, 100.0).seconds == 30.0


def test_a_list_that_is_asked_for_first_is_believed(guard):
    assert guard.held({"/new": 0}, 0.0) is None
    assert Guard(30.0).held({"/a": 0}, 0.0) is None


def test_no_time_is_no_guard():
    guard = Guard(0.0)
    guard.accept({"/a": 10})
    assert guard.held({"/a": 0}, 0.0) is None
