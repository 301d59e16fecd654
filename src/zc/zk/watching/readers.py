"""Reading nodes, each once, and following the links among them.

A reader has its nodes from a source: the servers, or the cache, to whose nodes its subscription is
added. So all that was read is of one look at things, and it is known what that look depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.links import NotRead, is_direct
from zc.zk.resolver import Resolver
from zc.zk.session.session import Session
from zc.zk.watching import fetch
from zc.zk.watching.dependencies import UNREAD, Answer, Key, Kind, Subscription
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.types import Stat

T = TypeVar("T")


class Source(Protocol):
    """Where a reader has its nodes from.

    `existence` is the kind that tells whether a node is there.
    """

    existence: Kind

    def known(self, kind: Kind, path: str) -> Answer:
        """Return what is known of a node; UNREAD if it has to be read."""

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        """Return what the servers say of these nodes now."""

    def properties(self, data: str | None, path: str) -> Properties:
        """Return the properties of a node that was read with these data."""


class SessionSource:
    """The servers, which are asked for everything. Nothing is subscribed to.

    If `at_once`, they are asked for a node when the reader is; otherwise for many together.
    """

    def __init__(
        self,
        session: Session,
        decode: Callable[[str | None, str], Properties] = codec.decode,
        *,
        at_once: bool = False,
    ) -> None:
        self._session = session
        self._at_once = at_once
        self.properties = decode
        # In bulk existence is seen by reading.
        self.existence = Kind.EXISTS if at_once else Kind.DATA

    def known(self, kind: Kind, path: str) -> Answer:
        if not self._at_once:
            return UNREAD
        return self._session.call(fetch.read, kind, path, self._session.binding)

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        return self._session.call(fetch.read_many, list(keys), self._session.binding)


class WatchingSource:
    """The cache, to whose nodes a subscription is added when they are read.

    If `fresh`, the servers are asked for what is in the cache, too.
    """

    existence = Kind.DATA

    def __init__(
        self, watches: Subscriptions, subscription: Subscription, *, fresh: bool = False
    ) -> None:
        self._watches = watches
        self._subscription = subscription
        self._fresh = fresh

    def known(self, kind: Kind, path: str) -> Answer:
        if self._fresh:
            return UNREAD
        node = self._subscription.nodes.get((kind, path))
        if node is None:
            node = self._watches.watch(self._subscription, kind, path)
        return node.answer

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        return self._watches.watch_and_read_many(self._subscription, keys)

    def properties(self, data: str | None, path: str) -> Properties:
        node = self._subscription.nodes.get((Kind.DATA, path))
        if node is None:
            # Another view, taken at the same time, has let go of it.
            return codec.decode(data, path)
        return self._watches.cache.properties_of(node, data)


class NodeReader(Resolver):
    """Reads nodes, each once, and follows links.

    A node that its source does not know is noted in `lacking`, and NotRead raised: `complete` has
    it read, together with all else that lacks. `answers` are what was read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.answers: dict[Key, Answer] = {}
        self.lacking: dict[Key, None] = {}

    def complete(self, see: Callable[[NodeReader], T]) -> T:
        """Call `see` until all has been read that it asks for; return its result."""
        while True:
            try:
                return see(self)
            except NotRead:
                lacking, self.lacking = self.lacking, {}
                self.answers.update(self._source.read_many(lacking))

    def exists(self, path: str) -> bool:
        try:
            self.read(self._source.existence, path)
        except zookeeper.NoNodeException:
            return False
        except zookeeper.NoAuthException:
            pass  # there is something
        return True

    def get_properties(self, path: str) -> Mapping[str, Any]:
        return self.properties(self.read(Kind.DATA, path), path)

    def properties(self, answer: tuple[str | None, Stat], path: str) -> Mapping[str, Any]:
        """Return the properties of a node that was read with this answer."""
        return self._source.properties(answer[0], path)

    def follow(self, kind: Kind, path: str) -> tuple[str, Answer]:
        """Return the path that `path` leads to, and what there is.

        Raises what `read` raises, and LinkLoop.
        """
        if is_direct(path):
            try:
                return path, self.read(kind, path)
            except zookeeper.NoNodeException:
                pass  # there may be links in it
        real_path = self.resolve(path)
        return real_path, self.read(kind, real_path)

    def read(self, kind: Kind, path: str) -> Answer:
        """Return what there is at `path`.

        Raises what the server says against it, or NotRead.
        """
        key = kind, path
        answer = self.answers.get(key, UNREAD)
        if answer is UNREAD:
            answer = self._source.known(kind, path)
            if answer is UNREAD:
                self.lacking[key] = None
                raise NotRead
            self.answers[key] = answer
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise copy(answer)  # to be raised means to refer to frames
        return answer


def resolve(
    session: Session,
    path: str,
    decode: Callable[[str | None, str], Properties] = codec.decode,
) -> str:
    """Return the path of the node that `path` leads to; watch nothing.

    Raises what `Resolver.resolve` raises.
    """
    return NodeReader(SessionSource(session, decode, at_once=True)).resolve(path)
