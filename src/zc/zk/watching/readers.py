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
from zc.zk.errors import LinkLoop
from zc.zk.journey import Journey
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

    `reads_ahead` says whether nodes may be read that turn out not to be needed.
    """

    reads_ahead: bool

    def scout(self, ways: Mapping[str, Kind | None]) -> Mapping[Key, bool]:
        """Return the nodes on the way of each path, and whether they are there now.

        They are looked at before they are read, where the source does not read ahead. At the end of
        a way is the node of this kind.
        """

    def known(self, kind: Kind, path: str) -> Answer:
        """Return what is known of a node; UNREAD if it has to be read."""

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        """Return what the servers say of these nodes now."""

    def properties(self, data: str | None, path: str) -> Properties:
        """Return the properties of a node that was read with these data."""


class SessionSource:
    """The servers, which are asked for everything. Nothing is subscribed to."""

    reads_ahead = True

    def __init__(
        self, session: Session, decode: Callable[[str | None, str], Properties] = codec.decode
    ) -> None:
        self._session = session
        self.properties = decode

    def scout(self, ways: Mapping[str, Kind | None]) -> Mapping[Key, bool]:
        return {}

    def known(self, kind: Kind, path: str) -> Answer:
        return UNREAD

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        return self._session.call(fetch.read_many, list(keys), self._session.binding)


class WatchingSource:
    """The cache, to whose nodes a subscription is added when they are read.

    If `fresh`, the servers are asked for what is in the cache, too.
    """

    reads_ahead = False  # a watch would be left behind, to be removed again

    def __init__(
        self, watches: Subscriptions, subscription: Subscription, *, fresh: bool = False
    ) -> None:
        self._watches = watches
        self._subscription = subscription
        self._fresh = fresh
        self._absent: set[Key] = set()

    def scout(self, ways: Mapping[str, Kind | None]) -> Mapping[Key, bool]:
        found = _Scout(SessionSource(self._watches.session, self._watches.decode)).go(ways)
        self._absent = {key for key, is_there in found.items() if not is_there}
        return found

    def known(self, kind: Kind, path: str) -> Answer:
        if self._fresh:
            return UNREAD
        node = self._subscription.nodes.get((kind, path))
        if node is None:
            node = self._watches.watch(self._subscription, kind, path)
        return node.answer

    def read_many(self, keys: Iterable[Key]) -> Mapping[Key, Answer]:
        absent, self._absent = self._absent, set()
        return self._watches.watch_and_read_many(self._subscription, keys, absent)

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
        # The paths on whose way nodes are lacking, and what is to be read at the end of each.
        self._ways: dict[str, Kind | None] = {}
        self._sought: Kind | None = None

    def complete(self, see: Callable[[NodeReader], T]) -> T:
        """Call `see` until all has been read that it asks for; return its result."""
        while True:
            try:
                return see(self)
            except NotRead:
                lacking, self.lacking = self.lacking, {}
                ways, self._ways = self._ways, {}
                if ways:
                    lacking.update((key, None) for key in self._source.scout(ways))
                    lacking = {key: None for key in lacking if key not in self.answers}
                self.answers.update(self._source.read_many(lacking))

    def exists(self, path: str) -> bool:
        # It is seen by reading, as many nodes can be read in one request.
        try:
            self.read(Kind.DATA, path)
        except zookeeper.NoNodeException:
            return False
        except zookeeper.NoAuthException:
            pass  # there is something
        return True

    def get_properties(self, path: str) -> Mapping[str, Any]:
        return self.properties(self.read(Kind.DATA, path), path)

    def foresee(self, journey: Journey) -> None:
        if not self._source.reads_ahead:
            self._ways[journey.asked] = self._sought
            return
        for path in journey.ahead():
            if (key := (Kind.DATA, path)) not in self.answers:
                self.lacking[key] = None

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
        self._sought = kind
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


class _Scout(NodeReader):
    """Goes ways ahead of another reader, to find out which nodes that comes by.

    It has nodes watched as it reads them, which takes a round trip for each step of a way.
    """

    def __init__(self, source: SessionSource) -> None:
        super().__init__(source)
        self._asked: dict[Key, None] = {}

    def go(self, ways: Mapping[str, Kind | None]) -> dict[Key, bool]:
        """Return the nodes that the other reader will ask for, and whether they are there."""
        ends = self.complete(lambda _: self._ends_of(ways))
        found = {
            key: not isinstance(self.answers[key], zookeeper.NoNodeException) for key in self._asked
        }
        found.update(dict.fromkeys(ends, True))
        return found

    def _ends_of(self, ways: Mapping[str, Kind | None]) -> list[Key]:
        ends = []
        for path, kind in ways.items():
            try:
                end = self.resolve(path)
            except NotRead:
                continue  # others may lack more, which is then read at once
            except (zookeeper.ZooKeeperException, LinkLoop):
                continue  # the other reader will meet with it
            if kind is not None:
                ends.append((kind, end))
        if self.lacking:
            raise NotRead
        return ends

    def read(self, kind: Kind, path: str) -> Answer:
        try:
            return super().read(kind, path)
        finally:
            if (kind, path) in self.answers:
                self._asked[kind, path] = None


def resolve(
    session: Session,
    path: str,
    decode: Callable[[str | None, str], Properties] = codec.decode,
) -> str:
    """Return the path of the node that `path` leads to; watch nothing.

    Raises what `Resolver.resolve` raises.
    """
    reader = NodeReader(SessionSource(session, decode))
    return reader.complete(lambda reader: reader.resolve(path))
