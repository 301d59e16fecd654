"""The garbage collector rests while very many objects are made."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from tests.deadlines import scaled
from zc.zk.garbage import collected_later
from zc.zk.tree import parse_tree

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def is_collecting() -> bool:
    """Whether Python looks for garbage while very many objects are made."""
    ring = Ring()
    found = weakref.ref(ring)
    del ring
    kept = [[number] for number in range(100_000)]
    return bool(kept) and found() is None


@collected_later
def is_collecting_meanwhile(fails: bool = False) -> bool:
    if fails:
        raise ValueError("it fails")
    return is_collecting()


def test_nothing_is_collected_meanwhile_and_all_as_before_afterwards() -> None:
    threshold = gc.get_threshold()
    assert is_collecting()
    assert not is_collecting_meanwhile()
    assert gc.get_threshold() == threshold
    assert is_collecting()


def test_all_is_as_before_after_a_failure() -> None:
    threshold = gc.get_threshold()
    with pytest.raises(ValueError, match="it fails"):
        is_collecting_meanwhile(fails=True)
    with pytest.raises(ValueError, match="2"):
        parse_tree("/a\n/a")
    assert gc.get_threshold() == threshold
    assert is_collecting()


def test_it_stays_off_in_a_program_that_has_switched_it_off() -> None:
    gc.disable()
    assert not is_collecting_meanwhile()
    assert not gc.isenabled()
    gc.enable()
    gc.set_threshold(0)
    assert not is_collecting_meanwhile()
    assert gc.get_threshold()[0] == 0


@pytest.mark.parametrize(
    ("switch", "is_enabled", "threshold"),
    [
        (gc.disable, False, 700),
        (lambda: (gc.disable(), gc.enable()), True, 700),
        (lambda: gc.set_threshold(0), True, 0),
        (lambda: gc.set_threshold(50_000), True, 50_000),
        (lambda: (gc.disable(), gc.set_threshold(900)), False, 900),
    ],
)
def test_a_switch_by_another_thread_meanwhile_holds(
    switch: Callable[[], object], is_enabled: bool, threshold: int
) -> None:
    gc.set_threshold(700)
    begun, done = threading.Event(), threading.Event()

    @collected_later
    def work() -> None:
        begun.set()
        assert done.wait(scaled(30))

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(scaled(30))
    switch()
    assert gc.isenabled() is is_enabled
    done.set()
    worker.join()
    assert gc.isenabled() is is_enabled
    assert gc.get_threshold()[0] == threshold


def test_a_program_that_switches_it_off_before_and_on_meanwhile_finds_it_on() -> None:
    @collected_later
    def work() -> None:
        gc.enable()

    gc.disable()
    work()
    assert gc.isenabled()


def test_two_at_once_leave_it_as_it_was() -> None:
    threshold = gc.get_threshold()
    inner_may_end, outer_may_end = threading.Event(), threading.Event()
    both = threading.Barrier(3)

    @collected_later
    def work(may_end: threading.Event) -> None:
        both.wait(scaled(30))
        assert may_end.wait(scaled(30))

    workers = [
        threading.Thread(target=work, args=(each,)) for each in (outer_may_end, inner_may_end)
    ]
    for worker in workers:
        worker.start()
    both.wait(scaled(30))
    for worker, may_end in zip(workers, (outer_may_end, inner_may_end), strict=True):
        may_end.set()
        worker.join()
    assert gc.get_threshold() == threshold


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_is_forked_meanwhile_collects_garbage() -> None:
    threshold = gc.get_threshold()
    begun, done = threading.Event(), threading.Event()

    @collected_later
    def work() -> None:
        begun.set()
        done.wait(scaled(30))

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(scaled(30))
    child = os.fork()
    if not child:
        os._exit(gc.get_threshold() == threshold and is_collecting())
    done.set()
    worker.join()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
