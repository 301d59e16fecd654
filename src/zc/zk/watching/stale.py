"""Stale subscriptions, whose subscribers are to be refreshed, in the order in which they came.

All of it is the worker's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable

import zookeeper
from zc.zk.watching.dependencies import CachedNode, Subscription
from zc.zk.watching.unread import Unread

logger = logging.getLogger("zc.zk")


class Stale:
    """The subscriptions, each with whether its subscriber is told of a session not yet seen."""

    def __init__(self) -> None:
        self._told: dict[Subscription, bool] = {}

    def clear(self) -> None:
        """Forget all, in a child process."""
        self._told.clear()

    def drop(self, subscription: Subscription) -> None:
        """Refresh a subscriber no more: its subscription has ended."""
        self._told.pop(subscription, None)

    def note_session(self, subscriptions: Iterable[Subscription], epoch: int) -> None:
        """Enter those that hear of sessions, in a new one."""
        for subscription in subscriptions:
            # One made in this session has missed nothing; many care for changes alone.
            if subscription.hears_of_sessions and subscription.epoch < epoch:
                self._told[subscription] = True
                subscription.epoch = epoch

    def add(self, nodes: Iterable[CachedNode], doubted: Collection[CachedNode], epoch: int) -> None:
        """Enter the subscriptions to nodes that have been read, with the lock of these.

        A doubted node was read as the session is new.
        """
        for node in nodes:
            is_doubted = node in doubted
            for subscription in node.subscriptions:
                self._told.setdefault(subscription, is_doubted and subscription.epoch < epoch)

    def refresh(self, unread: Unread, ask: Callable[[Collection[CachedNode]], object]) -> None:
        """Have all subscribers refreshed whose nodes have been read in this session.

        One that fails is again when one of its nodes has been read, for which `ask` is called.
        """
        # Most often nothing is: then no subscription is asked for its nodes.
        has_unverified = unread.has_unverified
        told = self._told
        waiting = list(told)  # not pairs, each of which the collector would look at
        at = 0
        while at < len(waiting):
            subscription = waiting[at]
            tell = told.get(subscription, False)
            at += 1
            if tell:
                if has_unverified and unread.is_unverified(subscription.nodes.values()):
                    continue  # until all that it shows is of this session
            elif count := _refresh_alike(waiting, at - 1, told):
                at += count - 1
                continue
            _refresh(subscription, tell, ask)
            told.pop(subscription, None)


def _refresh_alike(waiting: list[Subscription], start: int, told: dict[Subscription, bool]) -> int:
    """Refresh subscribers that show the same, if these do, and return how many were."""
    alike = waiting[start].care.refresh_alike
    if alike is None:
        return 0
    try:
        count = alike(waiting, start, told)
    except Exception as fault:
        # One of them fails by itself, too, which is logged as an error when its turn comes.
        logger.debug("objects could not be updated as one: %r", fault)
        return 0
    for subscription in waiting[start : start + count]:
        told.pop(subscription, None)
    return count


def _refresh(
    subscription: Subscription, tell: bool, ask: Callable[[Collection[CachedNode]], object]
) -> None:
    owner = subscription.owner()
    if owner is None:
        return
    try:
        subscription.care.refresh(owner, tell)
    except zookeeper.SessionError:
        raise
    except Exception:
        # One object's fault must not keep the others from hearing.
        logger.exception("%r could not be updated", owner)
        ask(subscription.nodes.values())  # it is when one is read again
