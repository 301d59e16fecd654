"""The lock of `zk lock`, when sessions end and nodes go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import end_session
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.operations.lock import Lock

pytestmark = pytest.mark.not_emulated("it has threads that wait")


def lock_of(zk: zc.zk.ZooKeeper) -> Lock:
    return Lock(zk._session, "/lock", OPEN_ACL_UNSAFE)


def queue(zk: zc.zk.ZooKeeper) -> list[str]:
    try:
        return zk.get_children("/lock")
    except zookeeper.NoNodeException:
        return []


@contextmanager
def waiting(lock: Lock) -> Iterator[threading.Event]:
    """Have another thread wait for a lock; the event tells that it is had."""
    is_had = threading.Event()

    def wait() -> None:
        if lock.acquire(scaled(60), lambda node: None):
            is_had.set()

    thread = threading.Thread(target=wait)
    thread.start()
    yield is_had
    thread.join()


def acquired(lock: Lock) -> bool:
    return lock.acquire(0, lambda node: None)


def test_a_lock_is_had_by_one_and_the_number_grows(zk, other):
    first, second = lock_of(zk), lock_of(other)
    assert acquired(first)
    assert not acquired(second)
    assert len(queue(zk)) == 1
    first.release()
    assert acquired(second)
    assert second.fencing_number > first.fencing_number > 0
    second.release()
    assert queue(zk) == []


def test_a_waiting_session_that_ends_is_replaced_in_the_queue(zk, other, connection_string):
    first, second = lock_of(zk), lock_of(other)
    assert acquired(first)
    with waiting(second) as is_had:
        wait_until(lambda: len(queue(zk)) == 2, "in the queue")
        before = set(queue(zk))
        end_session(other, connection_string)
        wait_until(lambda: len(queue(zk)) == 2 and set(queue(zk)) != before, "again in the queue")
        assert not is_had.is_set()
        first.release()
        assert is_had.wait(scaled(30))
    second.release()


def test_a_session_that_ends_loses_the_lock(zk, other, connection_string):
    lock = lock_of(zk)
    assert acquired(lock)
    end_session(zk, connection_string)
    reason = lock.wait_until_lost(lambda: False)
    assert reason is not None
    assert reason == "the session is over" or "somebody has deleted" in reason
    assert acquired(lock_of(other))
    lock.release()
    assert len(queue(other)) == 1  # that of the other one


def test_a_lock_is_held_until_it_is_over(zk):
    lock = lock_of(zk)
    assert acquired(lock)
    over: list[bool] = []
    reasons: list[str | None] = []
    thread = threading.Thread(
        target=lambda: reasons.append(lock.wait_until_lost(lambda: bool(over)))
    )
    thread.start()
    over.append(True)
    lock.note_over()
    thread.join(scaled(30))
    assert reasons == [None]


def test_the_watch_is_on_the_predecessor_alone(zk, other, client, monkeypatch):
    first, second, third = lock_of(zk), lock_of(other), lock_of(client())
    looks: list[str] = []

    def noted(name):
        real = getattr(zookeeper, name)

        def function(h, path, *arguments, **options):
            result = real(h, path, *arguments, **options)
            if h == third._session.handle:
                looks.append(name)
            return result

        monkeypatch.setattr(zookeeper, name, function)

    noted("get_children")
    noted("exists")
    assert acquired(first)
    with waiting(second):
        wait_until(lambda: len(queue(zk)) == 2, "in the queue")
        with waiting(third) as is_had:
            wait_until(lambda: "exists" in looks, "the third one waits")
            looks.clear()
            first.release()
            wait_until(lambda: second.fencing_number, "the second one has it")
            assert looks == []
            assert not is_had.is_set()
            second.release()
            assert is_had.wait(scaled(30))
    third.release()


def test_a_place_in_the_queue_that_is_deleted_is_an_error(zk, other):
    first, second = lock_of(zk), lock_of(other)
    assert acquired(first)
    faults: list[Exception] = []

    def wait() -> None:
        try:
            second.acquire(scaled(60), lambda node: None)
        except zookeeper.NoNodeException as fault:
            faults.append(fault)

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: len(queue(zk)) == 2, "in the queue")
    zk.delete("/lock/" + sorted(queue(zk), key=lambda name: name[-10:])[1])
    first.release()
    thread.join(scaled(30))
    assert "somebody has deleted this place in the queue" in str(faults[0])
