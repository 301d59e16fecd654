"""Subscriptions to the cache of nodes: how what depends on nodes says so, and reads them.

A function that makes its caller depend on a node has `watch` in its name; the others do not.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import weakref
from collections import Counter
from collections.abc import Collection, Iterable
from copy import copy
from typing import TYPE_CHECKING

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.session.backoff import MAX_PAUSE_SECONDS, soonest
from zc.zk.session.session import Session
from zc.zk.watching.cache import NodeCache
from zc.zk.watching.dependencies import (
    UNREAD,
    Answer,
    CachedNode,
    Care,
    Key,
    Kind,
    StrongSubscription,
    Subscription,
)
from zc.zk.watching.dependencytable import Dependencies

if TYPE_CHECKING:
    from zc.zk.watching.treekeeper import Owner, Upkeep

logger = logging.getLogger("zc.zk")

# Whether this process was forked: one that was not need not ask at each read which one it is.
is_child = False


def _note_fork() -> None:
    global is_child
    is_child = True


os.register_at_fork(after_in_child=_note_fork)


class Subscriptions:
    """The subscriptions of a client. Their length counts its live objects."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # Whether live objects that are made from now on keep callbacks that fail.
        self.keep_callbacks = False
        self._dependencies = Dependencies()
        # Guards the views that live objects show; see `LiveObject`.
        self.lock = threading.RLock()
        self._owner_is_gone = self.unsubscribe  # one for all references
        # The serial numbers of their views.
        self.serials = itertools.count(1)
        # Nodes below which objects were found without links in their paths.
        self.straight: set[str] = set()
        self._warned_in = 0  # the process
        self.cache = NodeCache(session, self._dependencies)
        self._trees: dict[Upkeep, None] = {}

    def add_duties(self) -> None:
        """Have the session's worker keep all up to date."""
        self.session.maintenance.add_stepped_duty(self.cache.keep)
        self.session.add_duty(self.keep_trees)

    def __len__(self) -> int:
        return self._dependencies.objects()

    def count_objects(self) -> Counter[str]:
        """Count the live objects by the names of their classes."""
        return Counter(kind.__name__ for kind in self._dependencies.kinds())

    def count_watches(self) -> Counter[str]:
        """Count the nodes that are watched by what of them is, and the trees."""
        kinds = Counter(kind.value for kind, _ in self._dependencies.watched())
        kinds["tree"] = len(self._trees)
        return kinds

    def __repr__(self) -> str:
        return f"<{len(self)} watch objects of {self.session.connection_string}>"

    def subscribe(self, owner: object, care: Care, *, weakly: bool = True) -> Subscription:
        """Return a subscription of `owner`, to nothing yet; see `Subscription`.

        When the program drops an owner held weakly, it ends; otherwise with `unsubscribe`.
        """
        self.session.check_process()
        kind = Subscription if weakly else StrongSubscription
        subscription = kind(owner, self._owner_is_gone, care, self.session.epoch)
        self._dependencies.enter(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription. A finaliser may call this at any point."""
        subscription.has_ended = True
        self.cache.end(subscription)

    # Live trees

    def wake_trees(self) -> None:
        """Have the worker look after live trees: there may be something to do."""
        self.session.wake(self.keep_trees)

    def enter_tree(self, upkeep: Upkeep, owner: Owner) -> None:
        """Keep a tree up to date until the program drops it, which is `owner`."""
        upkeep.owner = weakref.ref(owner, lambda _: self.session.nudge(self.keep_trees))
        self._trees[upkeep] = None
        self.wake_trees()

    def drop_tree(self, upkeep: Upkeep) -> None:
        """Have the watch removed of a tree that could not be read at all."""
        self._trees[upkeep] = None
        self.session.nudge(self.keep_trees)

    def keep_trees(self, handle: int) -> float | None:
        """Bring the live trees up to date: a duty of the session."""
        delays: list[float | None] = []
        for upkeep in list(self._trees):
            if upkeep.owner() is None:
                del self._trees[upkeep]
                upkeep.unwatch(handle)
                continue
            try:
                delays.append(upkeep.keep(handle, self.session.maintenance.moment))
            except zookeeper.SessionError:
                raise
            except Exception:
                # One tree's fault must not keep the others from hearing.
                logger.exception("the tree at %s could not be updated", upkeep.root)
                upkeep.distrust()
                delays.append(MAX_PAUSE_SECONDS)
        return soonest(*delays)

    # Subscriptions to nodes

    def watch(self, subscription: Subscription, kind: Kind, path: str) -> CachedNode:
        """Let `subscription` depend on a node, and return what is known of it."""
        node = self._dependencies.connect(subscription, kind, path)
        if subscription.has_ended:
            # It was in use by another thread, and has got a new node.
            self.unsubscribe(subscription)
        return node

    def watch_soon(
        self, subscription: Subscription, keys: Iterable[Key], *, refresh: bool = False
    ) -> None:
        """Let `subscription` depend on nodes; have unread ones read soon.

        If `refresh`, it is refreshed then in any case: when other subscribers have had all of the
        nodes read, be it just now, these are read again.
        """
        nodes = [self.watch(subscription, *key) for key in keys]
        unread = [node for node in nodes if node.answer is UNREAD]
        if unread or refresh:
            self.cache.read_soon(unread or nodes)

    def watch_only(self, subscription: Subscription, keys: Iterable[Key]) -> None:
        """Let `subscription` depend on none but the nodes of `keys`."""
        if self._dependencies.retain(subscription, keys):
            self.session.nudge(self.cache.keep)

    def watch_just(self, subscription: Subscription, kind: Kind, path: str) -> None:
        """Let `subscription` depend on this node alone, and have it read soon if it is unread."""
        key = kind, path
        node = subscription.nodes.get(key)
        if node is None or node.answer is UNREAD or len(subscription.nodes) > 1:
            self.watch_soon(subscription, [key])
            self.watch_only(subscription, [key])

    def watch_and_read(
        self, subscription: Subscription, kind: Kind, path: str, *, fresh: bool = False
    ) -> Answer:
        """Let `subscription` depend on a node, and return what there is.

        That is (data, stat), the list of child names, or the stat. Only if `fresh`, or if nothing
        is known yet, the server is asked. Raises what the server says, NoNodeException for one.
        """
        node = None if fresh else subscription.nodes.get((kind, path))
        answer = UNREAD
        if not fresh:
            answer = (node or self.watch(subscription, kind, path)).answer
        if answer is UNREAD:
            (answer,) = self.watch_and_read_many(subscription, [(kind, path)]).values()
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise copy(answer)  # to be raised means to refer to frames
        return answer

    def watch_and_read_many(
        self, subscription: Subscription, keys: Iterable[Key]
    ) -> dict[Key, Answer]:
        """Let `subscription` depend on nodes, and return what servers say."""
        # Connected before they are read, so that what happens meanwhile is not missed.
        nodes = {key: self.watch(subscription, *key) for key in keys}
        answers = self.cache.read_now([*nodes.values()])
        return {key: answers[node] for key, node in nodes.items()}

    def watch_and_look(
        self,
        subscription: Subscription,
        keys: Iterable[Key],
        absent: Collection[Key],
        unwatched: Collection[Key],
    ) -> tuple[dict[Key, Answer], dict[Key, Answer]]:
        """Do as `watch_and_read_many`, in one round trip, and read others that are not watched.

        Returns what servers say of those that are watched now, and of the rest: missing ones are
        watched if they are in `absent`, and still missing.
        """
        nodes = {key: self.watch(subscription, *key) for key in keys}
        return self.cache.look_now([*nodes.values()], absent, unwatched)

    def watch_no_more(self, subscription: Subscription, keys: Collection[Key]) -> None:
        """Let `subscription` not depend on these nodes any more."""
        if self._dependencies.release(subscription, keys):
            self.session.nudge(self.cache.keep)

    def watch_each_and_read(self, wanted: Iterable[tuple[Subscription, Kind, str]]) -> None:
        """Let each subscription depend on its node, and have all of these read.

        The answers are what servers say of each node.
        """
        nodes = dict.fromkeys(self.watch(*each) for each in wanted)
        self.cache.read_now([*nodes])

    def age(self) -> float:
        """Return how many seconds ago all that is known was known to be up to date.

        0.0 while the servers can tell of changes: what they have told is seen at once.
        """
        return self.session.silence()

    def warn_of_fork(self) -> None:
        """Log, once, when nothing is kept up to date in this process."""
        session = self.session
        if session.is_forked and self._warned_in != (process := os.getpid()):
            self._warned_in = process
            logger.warning(
                "%s: what live objects show is as it was at the fork, and does not change in this"
                " process: call `reopen` of the client first, or make a new one",
                session.connection_string,
            )

    def find(self, kind: Kind, path: str) -> CachedNode | None:
        """Return a node, if anything depends on it."""
        return self._dependencies.find((kind, path))

    def decode(self, data: str | None, path: str) -> Properties:
        """Decode the data of a node that has been read just now.

        See `properties_of`.
        """
        node = self.find(Kind.DATA, path)
        return codec.decode(data, path, None if node is None else node.good)

    def after_fork(self) -> None:
        """Begin anew in a child process, to watch what the parent does."""
        self.lock = threading.RLock()
        self.cache.after_fork()
        self._dependencies.after_fork()
        for upkeep in self._trees:
            upkeep.after_fork()
        for subscription in self._dependencies.subscriptions():
            owner = subscription.owner()
            after_fork = subscription.care.after_fork
            if owner is not None and after_fork is not None:
                after_fork(owner)
