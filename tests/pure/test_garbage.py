"""The garbage collector has a rest while very many objects are made."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator

import pytest

from tests.deadlines import scaled
from zc.zk.garbage import collected_later
from zc.zk.tree import parse_tree


@pytest.fixture(autouse=True)
def collector_on_again() -> Iterator[None]:
    yield
    gc.enable()


@collected_later
def is_collecting(fails: bool = False) -> bool:
    if fails:
        raise ValueError("it fails")
    return gc.isenabled()


def test_nothing_is_collected_meanwhile_and_all_as_before_afterwards() -> None:
    assert not is_collecting()
    assert gc.isenabled()


def test_it_is_switched_on_again_after_a_failure() -> None:
    with pytest.raises(ValueError, match="it fails"):
        is_collecting(fails=True)
    assert gc.isenabled()
    with pytest.raises(ValueError, match="2"):
        parse_tree("/a\n/a")
    assert gc.isenabled()


def test_it_stays_off_in_a_program_that_has_switched_it_off() -> None:
    gc.disable()
    assert not is_collecting()
    assert not gc.isenabled()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_is_forked_meanwhile_collects_garbage() -> None:
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
        os._exit(gc.isenabled())
    done.set()
    worker.join()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
