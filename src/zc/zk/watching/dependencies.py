"""Dependencies: subscriptions, and the nodes of the cache that they are to.

Pure bookkeeping: nothing here talks to a server. The table of both is `dependencytable`.
"""

from __future__ import annotations

import enum
import math
import weakref
from collections.abc import Callable, Collection, Iterable
from typing import Any

import zookeeper
from zc.zk._speedups import FewEntries
from zc.zk.codec import Properties
from zc.zk.session.pace import Urgency


class Kind(enum.Enum):
    """A kind of knowledge of a node. Each is watched, and changes, by itself."""

    DATA = "data"
    CHILDREN = "children"
    EXISTS = "exists"

    # There is one of each, and millions of look-ups; Enum's own hashes the name every time.
    __hash__ = object.__hash__


# A kind of knowledge of the node at a path.
Key = tuple[Kind, str]

# (data, stat), child names, or stat, depending on the kind; or an exception: why there is none of
# these. UNREAD before the first answer. The stat that is beside data is one of `packedstats`.
Answer = Any
UNREAD = object()

NEVER = -math.inf


# Refreshes subscribers from an index on, if it can, and returns how many. The mapping says which of
# them are told of a session.
RefreshAlike = Callable[["list[Subscription]", int, "dict[Subscription, bool]"], int]


class Care:
    """How subscribers of one kind are seen to: what is called, with the subscriber.

    `refresh` when one of its nodes has been read again, and with whether that was in a new session,
    which counts as a change anyway; `refresh_alike`, if there is one, does that for many, as
    `zc.zk.watching.alike` does; `after_fork`, in a child process, where a thread that does not
    exist may have left things half done; `urgency`: how long may it wait for what has changed?
    `hears_of_sessions`: whether they are refreshed in a new session though nothing has changed.
    """

    __slots__ = "after_fork", "hears_of_sessions", "refresh", "refresh_alike", "urgency"

    def __init__(
        self,
        refresh: Callable[[Any, bool], object],
        after_fork: Callable[[Any], object] | None = None,
        urgency: Callable[[Any], Urgency] = lambda _: Urgency.TOLD,
        *,
        hears_of_sessions: bool = True,
        refresh_alike: RefreshAlike | None = None,
    ) -> None:
        self.refresh = refresh
        self.refresh_alike = refresh_alike
        self.after_fork = after_fork
        self.urgency = urgency
        self.hears_of_sessions = hears_of_sessions


NoteGone = Callable[["Subscription"], None]


class Subscription(weakref.ref[Any]):
    """The nodes that one subscriber depends on; a weak reference to the subscriber itself.

    `owner` gives the subscriber, or None when that is gone. `epoch` is that of the session in which
    it was made, or of which it has heard last.
    """

    __slots__ = "care", "epoch", "has_ended", "hears_of_sessions", "nodes"
    is_weak = True
    owner = weakref.ref.__call__

    # Those of a reference are its subscriber's, in Python perhaps; so are all if one of them is.
    __hash__, __eq__, __ne__ = object.__hash__, object.__eq__, object.__ne__
    __lt__, __le__ = object.__lt__, object.__le__  # type: ignore[operator]
    __gt__, __ge__ = object.__gt__, object.__ge__  # type: ignore[operator]

    def __new__(cls, owner: object, note_gone: NoteGone | None, *_: object) -> Subscription:
        return super().__new__(cls, owner, note_gone)

    def __init__(self, owner: object, _: NoteGone | None, care: Care, epoch: int) -> None:
        self.care = care
        self.epoch = epoch
        self.has_ended = False
        self.hears_of_sessions = care.hears_of_sessions
        self.nodes: FewEntries[Key, CachedNode] = FewEntries()

    def depends_on_just(self, keys: Collection[Key]) -> bool:
        """Say whether these are the keys of all of its nodes."""
        nodes = self.nodes
        return len(nodes) == len(keys) and all(map(nodes.__contains__, keys))

    def depends_on(self, keys: Iterable[Key]) -> bool:
        """Say whether there are nodes of these keys among others."""
        return all(map(self.nodes.__contains__, keys))


class StrongSubscription(Subscription):
    """One that keeps its subscriber alive until it ends."""

    __slots__ = ("_kept",)
    is_weak = False

    def __init__(self, owner: object, _: NoteGone | None, care: Care, epoch: int) -> None:
        super().__init__(owner, _, care, epoch)
        self._kept = owner


class CachedNode:
    """One kind of knowledge of one node, and the subscriptions to it."""

    __slots__ = (
        "answer", "decoded", "good", "is_gone", "key", "path", "read_at",
        "reads_under_way", "subscriptions", "ticket", "told", "view",
    )  # fmt: skip

    def __init__(self, key: Key) -> None:
        self.key = key
        _, self.path = key
        # In the order in which they came, which is the order in which objects are told.
        self.subscriptions: FewEntries[Subscription, None] = FewEntries()
        # Whether it has been without a subscription, so that another one takes its place.
        self.is_gone = False
        self.answer: Answer = UNREAD
        # The answer that its subscribers were refreshed for, or read themselves. None: neither yet.
        # UNREAD: they are to be refreshed, whatever is read.
        self.told: Answer = None
        # Reads may overlap; each draws a ticket before it begins. An answer is dropped when a read
        # that began later has answered. If the dropped one was newer after all, then the change
        # came after the other one's watch was set, and that watch causes another read.
        self.ticket = 0
        self.reads_under_way = 0  # by threads of the program
        self.read_at = NEVER  # by the worker, as it had changed, on a steady clock
        # The properties last made of the data, and of which data.
        self.decoded: tuple[str | None, Properties] | None = None
        # These, if it was a JSON object; the last that was one, if the data have become bad JSON.
        self.good: Properties | None = None
        # The view of live objects that show no other node, and so all the same.
        self.view: Any = None

    @property
    def kind(self) -> Kind:
        return self.key[0]

    @property
    def is_missing(self) -> bool:
        return isinstance(self.answer, zookeeper.NoNodeException)

    @property
    def is_refused(self) -> bool:
        """Whether it could not be read, though it may be there."""
        return isinstance(self.answer, zookeeper.ZooKeeperException) and not self.is_missing

    def server_watches(self) -> set[int]:
        """Return the kinds of watches that a server may have for this."""
        if self.kind is not Kind.CHILDREN:
            return {zookeeper.WATCH_DATA}
        if self.answer is UNREAD or self.reads_under_way:
            return {zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN}
        return {zookeeper.WATCH_DATA if self.is_missing else zookeeper.WATCH_CHILDREN}
