"""Live objects that show the same node are refreshed as one, as far as they are alike."""

from __future__ import annotations

import itertools
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from zc.zk.watching import alike
from zc.zk.watching.alike import refresh_alike
from zc.zk.watching.dependencies import CachedNode, Care, Kind, Subscription

KEY = (Kind.DATA, "/n")
NEW = "the view of now"


class View(str):
    """A view that counts how often it is compared."""

    compared: list[Any]

    def differs_from(self, former: object) -> bool:
        self.compared.append(former)
        return self != former


class Watches(SimpleNamespace):
    """Those of a client whose rounds of callbacks are kept in a list."""

    def __init__(self) -> None:
        self.rounds: list[object] = []
        session = SimpleNamespace(call_all_soon=self.rounds.extend)
        super().__init__(lock=threading.RLock(), serials=itertools.count(1), session=session)


class Owner:
    """A live object, as far as it is refreshed."""

    _key = KEY
    _complaint = ""
    _is_told_then = False

    def __init__(self, watches: Watches, number: int) -> None:
        self._watches = watches
        self._view: Any = "the view before"
        self._serial = 0
        self.number = number
        self.changes = 0

    def _view_of(self, node: CachedNode) -> Any:
        return node.view

    def _count_change(self) -> int:
        self.changes += 1
        return self.number


class OtherOwner(Owner):
    """One of another class."""


@pytest.fixture
def watches() -> Watches:
    return Watches()


@pytest.fixture
def node() -> CachedNode:
    node = CachedNode(KEY)
    node.view = View(NEW)
    node.view.compared = []
    return node


@pytest.fixture
def owners(watches) -> list[Owner]:
    return [Owner(watches, number) for number in range(5)]


def subscribed(owners: list[Owner], *nodes: CachedNode) -> list[Subscription]:
    subscriptions = []
    for owner in owners:
        subscription = Subscription(owner, None, Care(lambda owner, tell: None), 1)
        for node in nodes:
            subscription.nodes[node.key] = node
        subscriptions.append(subscription)
    return subscriptions


def test_all_show_the_new_view_and_are_told_in_their_order(watches, node, owners):
    assert refresh_alike(subscribed(owners, node), 0, {}) == 5
    assert {owner._view for owner in owners} == {NEW}
    assert watches.rounds == [0, 1, 2, 3, 4]


def test_a_view_that_all_have_shown_is_compared_once(node, owners):
    refresh_alike(subscribed(owners, node), 0, {})
    assert node.view.compared == ["the view before"]


def test_those_that_show_it_already_are_not_told(watches, node, owners):
    owners[1]._view = owners[2]._view = node.view
    assert refresh_alike(subscribed(owners, node), 0, {}) == 5
    assert watches.rounds == [0, 3, 4]


def test_one_that_has_shown_something_else_is_compared_by_itself(watches, node, owners):
    owners[2]._view = NEW  # equal, but not the same
    assert refresh_alike(subscribed(owners, node), 0, {}) == 5
    assert watches.rounds == [0, 1, 3, 4]


def test_one_that_is_being_made_is_shown_it_and_not_told(watches, node, owners):
    owners[2]._view = None
    assert refresh_alike(subscribed(owners, node), 0, {}) == 5
    assert owners[2]._view == NEW
    assert watches.rounds == [0, 1, 3, 4]


def test_a_view_that_began_later_stays(watches, node, owners):
    owners[2]._serial, owners[2]._view = 7, "a later view"
    assert refresh_alike(subscribed(owners, node), 0, {}) == 5
    assert (owners[2]._serial, owners[2]._view) == (7, "a later view")
    assert watches.rounds == [0, 1, 3, 4]


def test_those_that_are_gone_are_done_with(watches, node, owners):
    subscriptions = subscribed(owners, node)
    del owners[1:3]
    assert refresh_alike(subscriptions, 0, {}) == 5
    assert watches.rounds == [0, 3, 4]


def complain(owner: Owner) -> None:
    owner._complaint = "no permission"


def be_told_then(owner: Owner) -> None:
    owner._is_told_then = True


@pytest.mark.parametrize("differ", [complain, be_told_then])
def test_those_behind_one_that_is_unlike_wait_for_it(watches, node, owners, differ):
    differ(owners[2])
    subscriptions = subscribed(owners, node)
    assert refresh_alike(subscriptions, 0, {}) == 2
    assert refresh_alike(subscriptions, 2, {}) == 0
    assert refresh_alike(subscriptions, 3, {}) == 2
    assert owners[2]._view == "the view before"
    assert watches.rounds == [0, 1, 3, 4]


def test_one_that_is_told_of_a_session_is_unlike(node, owners):
    subscriptions = subscribed(owners, node)
    assert refresh_alike(subscriptions, 0, {subscriptions[3]: True}) == 3


def test_one_that_depends_on_another_node_too_is_unlike(node, owners):
    subscriptions = subscribed(owners, node)
    subscriptions[3].nodes[(Kind.DATA, "/link")] = CachedNode((Kind.DATA, "/link"))
    assert refresh_alike(subscriptions, 0, {}) == 3
    assert refresh_alike(subscriptions, 3, {}) == 0


def test_one_of_another_node_begins_anew(node, owners):
    subscriptions = subscribed(owners[:3], node)
    other = CachedNode((Kind.DATA, "/m"))
    other.view = "the other's"
    owners[3]._key = owners[4]._key = other.key
    subscriptions += subscribed(owners[3:], other)
    assert refresh_alike(subscriptions, 0, {}) == 3


def test_one_of_another_class_is_unlike(watches, node, owners):
    subscriptions = subscribed([*owners, last := OtherOwner(watches, 5)], node)
    assert refresh_alike(subscriptions, 0, {}) == 5
    assert refresh_alike(subscriptions, 5, {}) == 1
    assert last._view == NEW


def test_none_is_refreshed_for_a_node_of_which_no_view_can_be_made(node, owners):
    node.view = None
    assert refresh_alike(subscribed(owners, node), 0, {}) == 0
    assert {owner._view for owner in owners} == {"the view before"}


def test_the_lock_is_let_go_of_in_between(watches, node, monkeypatch):
    monkeypatch.setattr(alike, "MAX_AT_ONCE", 2)
    owners = [Owner(watches, number) for number in range(5)]
    assert refresh_alike(subscribed(owners, node), 0, {}) == 2
    assert watches.rounds == [0, 1]


def test_rounds_that_count_as_queued_are_called_after_an_interrupt(watches, node, owners):
    def interrupt() -> int:
        raise KeyboardInterrupt

    owners[2]._count_change = interrupt
    with pytest.raises(KeyboardInterrupt):
        refresh_alike(subscribed(owners, node), 0, {})
    assert watches.rounds == [0, 1]


def test_one_that_is_dropped_meanwhile_ends_when_the_lock_is_free(watches, node):
    owners: list[Owner] = []
    is_free: list[bool] = []

    class Dropped(Owner):
        def _count_change(self) -> int:
            owners.remove(self)  # as another thread of the program may
            return super()._count_change()

        def __del__(self) -> None:
            def take() -> None:
                is_free.append(watches.lock.acquire(blocking=False))
                if is_free[-1]:
                    watches.lock.release()

            thread = threading.Thread(target=take)
            thread.start()
            thread.join()

    owners.extend(Dropped(watches, number) for number in range(3))
    refresh_alike(subscribed(owners, node), 0, {})
    assert is_free == [True] * 3
