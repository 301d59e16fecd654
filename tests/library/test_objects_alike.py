"""Live objects that show one node are refreshed together, and told as if one by one."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import zc.zk
from tests.deadlines import scaled, wait_until
from zc.zk.watching.alike import MAX_AT_ONCE

MANY = MAX_AT_ONCE + 7


@pytest.fixture(autouse=True)
def node(zk: zc.zk.ZooKeeper) -> str:
    zk.import_tree("/alike\n  n = 0\n/linked\n  n => /alike n\n")
    return "/alike"


def followers(zk: zc.zk.ZooKeeper, count: int = MANY) -> list[zc.zk.Properties]:
    return [zk.properties("/alike") for _ in range(count)]


def test_a_change_takes_a_serial_number_for_hundreds_of_objects(zk, other) -> None:
    objects = followers(zk)
    before = next(zk.watches.serials)
    other.properties("/alike", watch=False).update(n=1)
    wait_until(lambda: all(each["n"] == 1 for each in objects), "all show it")
    assert next(zk.watches.serials) - before < MANY / 10


def test_objects_are_told_in_order_though_some_are_not_like_the_others(zk, other) -> None:
    told: list[int] = []
    objects: list[Any] = []
    for number in range(MANY):
        path = "/linked" if number % 50 == 30 else "/alike"
        follower = zk.properties(path)
        follower.callbacks.append(lambda _, number=number: told.append(number))
        objects.append(follower)
    other.properties("/alike", watch=False).update(n=1)
    wait_until(lambda: len(told) == MANY, "all are told")
    assert told == list(range(MANY))


def test_one_that_fails_or_cancels_or_is_gone_leaves_the_others_told(zk, other) -> None:
    objects: list[Any] = followers(zk)
    told: list[int] = []

    def tell(number: int) -> None:
        told.append(number)
        if number == 5:
            objects[6] = None  # the program drops one whose turn comes
        if number == 7:
            raise zc.zk.CancelWatch
        if number == 8:
            raise ValueError(number)

    for number, each in enumerate(objects):
        each.callbacks.append(lambda _, number=number: tell(number))
    del each
    other.properties("/alike", watch=False).update(n=1)
    wait_until(lambda: MANY - 1 in told, "the last one is told")
    assert told in ([*range(MANY)], [*range(6), *range(7, MANY)])
    assert (objects[7].callbacks, objects[8].callbacks) == ([], [])
    assert (objects[7].failed_calls, objects[8].failed_calls) == (0, 1)
    told.clear()
    other.properties("/alike", watch=False).update(n=2)
    wait_until(lambda: MANY - 1 in told, "the last one is told")
    assert told == [*range(6), *range(9, MANY)]


@pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
def test_changes_while_objects_wait_for_their_turn_are_told_in_one_call(zk, other, request) -> None:
    objects = followers(zk)
    begun, go_on = threading.Event(), threading.Event()
    told: list[int] = []

    def block(follower: zc.zk.Properties) -> None:
        begun.set()
        assert go_on.wait(scaled(60))

    request.addfinalizer(go_on.set)
    objects[0].callbacks.append(block)
    for each in objects[1:]:
        each.callbacks.append(lambda follower: told.append(follower["n"]))
    other.properties("/alike", watch=False).update(n=1)
    assert begun.wait(scaled(60))
    wait_until(lambda: objects[-1]["n"] == 1, "the others show it")
    other.properties("/alike", watch=False).update(n=2)
    wait_until(lambda: objects[-1]["n"] == 2, "the others show that, too")
    assert not told
    go_on.set()
    wait_until(lambda: len(told) >= MANY - 1, "all are told")
    other.properties("/alike", watch=False).update(n=3)
    wait_until(lambda: len(told) >= 2 * (MANY - 1), "all are told of what comes then")
    assert told == [2] * (MANY - 1) + [3] * (MANY - 1)


def test_no_lock_is_held_while_they_are_told(zk, other) -> None:
    objects = followers(zk, 10)
    free: list[bool] = []

    def look(_: object) -> None:
        def take() -> None:
            free.append(zk.watches.lock.acquire(timeout=scaled(20)))
            if free[-1]:
                zk.watches.lock.release()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    for each in objects:
        each.callbacks.append(look)
    other.properties("/alike", watch=False).update(n=1)
    wait_until(lambda: len(free) == 10, "all are told")
    assert all(free)


def test_get_is_that_of_a_mapping(zk) -> None:
    zk.import_tree("/odd\n  a = 1\n  lost => /nowhere a\n  none = None\n")
    odd = zk.properties("/odd")
    assert (odd.get("a"), odd.get("a", 2), odd.get("b"), odd.get("b", 2)) == (1, 1, None, 2)
    assert odd.get("none", 3) is None
    assert odd.get(key="b", default=4) == 4
    assert zk.properties("/linked").get("n") == 0
    with pytest.raises(zc.zk.BadPropertyLink):
        odd.get("lost", 1)
    with pytest.raises(TypeError):
        odd.get([], 1)


def test_get_asks_a_subclass_that_looks_up_in_its_own_way(zk) -> None:
    class Upper(zc.zk.Properties):
        def __getitem__(self, name: str) -> Any:
            return str(super().__getitem__(name)).upper()

    zk.import_tree("/words\n  a = 'b'\n")
    assert Upper(zk.watches, "/words").get("a") == "B"
