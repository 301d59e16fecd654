"""Subscriptions to the cache of nodes: how what depends on nodes says so, and reads them.

A function that makes its caller depend on a node has `watch` in its name; the others do not.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from copy import copy
from typing import TypeVar

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.session.session import Session
from zc.zk.watching import forks
from zc.zk.watching.cache import NodeCache
from zc.zk.watching.dependencies import (
    UNREAD,
    Answer,
    CachedNode,
    Dependencies,
    Key,
    Kind,
    Subscription,
)

T = TypeVar("T")


class Subscriptions:
    """All that depend on nodes, of a client. Its length is the number of live objects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # What live objects that are made from now on do about callbacks that fail.
        self.keep_callbacks = False
        self._dependencies = Dependencies()
        self._warned_in = 0  # the process
        self.cache = NodeCache(session, self._dependencies)

    def __len__(self) -> int:
        return self._dependencies.objects()

    def __repr__(self) -> str:
        return f"<{len(self)} watch objects of {self.session.connection_string}>"

    def subscribe(
        self,
        owner: T,
        refresh: Callable[[T, bool], object],
        *,
        weakly: bool = True,
        after_fork: Callable[[T], object] | None = None,
    ) -> Subscription:
        """A subscription of `owner`, to nothing yet; see `Subscription`.

        When the program drops an owner held weakly, it ends; otherwise with `unsubscribe`.
        """
        self.session.check_process()
        subscription: Subscription
        reference = weakref.ref(owner, lambda _: self.unsubscribe(subscription)) if weakly else None
        subscription = Subscription(
            reference or (lambda: owner),
            refresh,
            self.session.epoch,
            is_weak=weakly,
            after_fork=after_fork,
        )
        self._dependencies.enter(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Depend on nothing any more. May be called in the middle of anything."""
        subscription.has_ended = True
        self.cache.end(subscription)

    def watch(self, subscription: Subscription, kind: Kind, path: str) -> CachedNode:
        """The node, which `subscription` depends on from now on, as far as it is known."""
        node = self._dependencies.connect(subscription, kind, path)
        if subscription.has_ended:
            # Somebody was still using it, and it has got a new node.
            self.unsubscribe(subscription)
        return node

    def watch_soon(self, subscription: Subscription, keys: Iterable[Key]) -> None:
        """Let `subscription` depend on nodes that the keeper is to read soon, if it has not yet."""
        nodes = [self.watch(subscription, *key) for key in keys]
        unread = [node for node in nodes if node.answer is UNREAD]
        if unread:
            self.cache.read_soon(unread)

    def watch_only(self, subscription: Subscription, keys: Iterable[Key]) -> None:
        """Let `subscription` depend on none but the nodes of `keys`."""
        if self._dependencies.retain(subscription, keys):
            self.session.nudge(self.cache.keep)

    def watch_and_read(
        self, subscription: Subscription, kind: Kind, path: str, *, fresh: bool = False
    ) -> Answer:
        """What there is at `path`, which `subscription` depends on from now on.

        That is (data, stat), the list of child names, or the stat. Only if `fresh`, or if nothing
        is known yet, the server is asked. Raises what the server says, NoNodeException for one.
        """
        answer = UNREAD if fresh else self.watch(subscription, kind, path).answer
        if answer is UNREAD:
            (answer,) = self.watch_and_read_many(subscription, [(kind, path)]).values()
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise copy(answer)  # to be raised means to refer to frames
        return answer

    def watch_and_read_many(
        self, subscription: Subscription, keys: Iterable[Key]
    ) -> dict[Key, Answer]:
        """What the servers say of these nodes, which `subscription` depends on from now on."""
        # Connected before they are read, so that what happens meanwhile is not missed.
        nodes = {key: self.watch(subscription, *key) for key in keys}
        answers = self.cache.read_now([*nodes.values()])
        return {key: answers[node] for key, node in nodes.items()}

    def warn_of_fork(self) -> None:
        """Have it logged, once, when nothing is kept up to date in this process."""
        self._warned_in = forks.warn(self.session, self._warned_in)

    def find(self, kind: Kind, path: str) -> CachedNode | None:
        """The node, if anything depends on it."""
        return self._dependencies.find((kind, path))

    def decode(self, data: str | None, path: str) -> Properties:
        """The properties of a node that has been read just now; see `NodeCache.properties_of`."""
        node = self.find(Kind.DATA, path)
        return codec.decode(data, path, None if node is None else node.good)

    def after_fork(self) -> None:
        """In a child process, whose session is to watch what the parent's does."""
        self.cache.after_fork()
        self._dependencies.after_fork()
        for subscription in self._dependencies.subscriptions():
            owner = subscription.owner()
            if owner is not None and subscription.after_fork is not None:
                subscription.after_fork(owner)
