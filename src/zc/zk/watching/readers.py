"""Reading nodes, each once, and following the links among them.

A reader has its nodes from a source: the servers, or the cache, to whose nodes its subscription is
added. So all that was read is of one look at things, and it is known what that look depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.errors import LinkLoop
from zc.zk.journey import Journey
from zc.zk.links import NotRead, is_direct, parent_of
from zc.zk.resolver import Resolver
from zc.zk.session.session import Session
from zc.zk.watching import fetch
from zc.zk.watching.decoding import properties_of
from zc.zk.watching.dependencies import UNREAD, Answer, Key, Kind, Subscription
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zookeeper.types import Stat

T = TypeVar("T")

ROOT = Kind.DATA, "/"

# Below so many nodes paths are remembered to have had no links, so that no way is read ahead.
MAX_STRAIGHT = 1000


class Source(Protocol):
    """Where a reader has its nodes from.

    `straight` are nodes below which paths were found to have no links in them.
    """

    straight: set[str]

    def known(self, kind: Kind, path: str) -> Answer:
        """Return what is known of a node; UNREAD if it has to be read."""

    def read_many(self, keys: Iterable[Key], ahead: Collection[Key] = ()) -> Mapping[Key, Answer]:
        """Return what the servers say of these nodes now, and of those that may be needed next."""

    def loose(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of which it would not be heard if they change, though it should."""

    def let_go(self, keys: Collection[Key]) -> None:
        """Hear that of the nodes that were read ahead no others than these are needed."""

    def properties(self, data: str | None, path: str) -> Properties:
        """Return the properties of a node that was read with these data."""


class SessionSource:
    """The servers, which are asked for everything. Nothing is subscribed to."""

    def __init__(
        self,
        session: Session,
        decode: Callable[[str | None, str], Properties] = codec.decode,
        straight: set[str] | None = None,
    ) -> None:
        self._session = session
        self.properties = decode
        self.straight = set() if straight is None else straight

    def known(self, kind: Kind, path: str) -> Answer:
        return UNREAD

    def read_many(self, keys: Iterable[Key], ahead: Collection[Key] = ()) -> Mapping[Key, Answer]:
        keys = list(dict.fromkeys([*keys, *ahead]))
        return self._session.call(fetch.read_many, keys, self._session.binding)

    def loose(self, keys: Iterable[Key]) -> list[Key]:
        return []

    def let_go(self, keys: Collection[Key]) -> None:
        pass


class WatchingSource:
    """The cache, to whose nodes a subscription is added when they are read.

    If `fresh`, the servers are asked for what is in the cache, too. A node that was missing, and
    one that was read ahead of the first answer, is watched with the next request if it is needed.
    """

    def __init__(
        self, watches: Subscriptions, subscription: Subscription, *, fresh: bool = False
    ) -> None:
        self._watches = watches
        self._subscription = subscription
        self._fresh = fresh
        self.straight = watches.straight
        self._has_looked = False
        # Nodes that were read and are not watched, and whether they were missing.
        self._loose: dict[Key, bool] = {}
        self._ahead: set[Key] = set()  # to which the subscription was added on a guess

    def known(self, kind: Kind, path: str) -> Answer:
        if self._fresh:
            return UNREAD
        node = self._subscription.nodes.get((kind, path))
        if node is None:
            node = self._watches.watch(self._subscription, kind, path)
        return node.answer

    def read_many(self, keys: Iterable[Key], ahead: Collection[Key] = ()) -> Mapping[Key, Answer]:
        watched = dict.fromkeys(keys)
        absent = [key for key in watched if self._loose.get(key)]
        guesses = [key for key in ahead if key not in watched]
        unwatched = guesses
        if self._has_looked:
            # After a link these are the way that it goes, or most of it, but the root is rarely
            # needed. At first most paths have no link, and watches would have to be removed again.
            unwatched = [ROOT] if ROOT in guesses and len(guesses) > 1 else []
        self._has_looked = True
        likely = [key for key in guesses if key not in unwatched]
        nodes = self._subscription.nodes
        self._ahead.update(key for key in likely if key not in nodes)
        watched.update(dict.fromkeys(likely))
        answers, loose = self._watches.watch_and_look(
            self._subscription, watched, absent, unwatched
        )
        for key in answers:
            self._loose.pop(key, None)
        for key, answer in loose.items():
            self._loose[key] = isinstance(answer, zookeeper.NoNodeException)
        return {**answers, **loose}

    def loose(self, keys: Iterable[Key]) -> list[Key]:
        return [key for key in keys if key in self._loose] if self._loose else []

    def let_go(self, keys: Collection[Key]) -> None:
        if self._ahead:
            gone, self._ahead = self._ahead.difference(keys), set()
            self._watches.watch_no_more(self._subscription, gone)

    def properties(self, data: str | None, path: str) -> Properties:
        node = self._subscription.nodes.get((Kind.DATA, path))
        if node is None:
            # Another view, taken at the same time, has let go of it.
            return codec.decode(data, path)
        return properties_of(node, data)


class NodeReader(Resolver):
    """Reads nodes, each once, and follows links.

    A node that its source does not know is noted in `lacking`, and NotRead raised: `complete` has
    it read, together with all else that lacks. `answers` are what was read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.answers: dict[Key, Answer] = {}
        self.lacking: dict[Key, None] = {}
        # Nodes that may be needed next; those of them that were read, and not needed yet.
        self._ahead: dict[Key, None] = {}
        self._foreseen: dict[Key, Answer] = {}
        self._sought: Kind | None = None

    def complete(self, see: Callable[[NodeReader], T]) -> T:
        """Call `see` until all has been read that it asks for; return its result."""
        try:
            while True:
                try:
                    result = see(self)
                except NotRead:
                    pass
                except (zookeeper.ZooKeeperException, LinkLoop):
                    if not self._source.loose(self.answers):
                        raise
                else:
                    if not self._source.loose(self.answers):
                        return result
                self._read_on()
        finally:
            self._source.let_go({**self.answers, **self.lacking})

    def _read_on(self) -> None:
        lacking = [*self.lacking, *self._source.loose(self.answers)]
        ahead = [key for key in self._ahead if key not in self.answers]
        for key, answer in self._source.read_many(lacking, ahead).items():
            is_needed = key in self.lacking or key in self.answers
            (self.answers if is_needed else self._foreseen)[key] = answer
        self.lacking.clear()
        self._ahead.clear()

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
        ahead = journey.ahead()
        if self._sought is None or len(ahead) > 1:  # else it is the root, to which no link leads
            self._ahead.update(dict.fromkeys((Kind.DATA, path) for path in ahead))
        if self._sought is not None:
            self._ahead[self._sought, ahead[-1]] = None

    def properties(self, answer: tuple[str | None, Stat], path: str) -> Mapping[str, Any]:
        """Return the properties of a node that was read with this answer."""
        return self._source.properties(answer[0], path)

    def follow(self, kind: Kind, path: str) -> tuple[str, Answer]:
        """Return the path that `path` leads to, and what there is.

        Raises what `read` raises, and LinkLoop.
        """
        self._sought = kind
        if is_direct(path):
            straight, parent = self._source.straight, parent_of(path)
            try:
                answer = self.read(kind, path)
            except zookeeper.NoNodeException:
                straight.discard(parent)  # there may be links in it
            except NotRead:
                if parent not in straight:
                    self.foresee(Journey(self, path))
                raise
            else:
                if len(straight) >= MAX_STRAIGHT:
                    straight.clear()
                straight.add(parent)
                return path, answer
        real_path = self.resolve(path)
        return real_path, self.read(kind, real_path)

    def read(self, kind: Kind, path: str) -> Answer:
        """Return what there is at `path`.

        Raises what the server says against it, or NotRead.
        """
        key = kind, path
        answer = self.answers.get(key, UNREAD)
        if answer is UNREAD:
            answer = self._foreseen.get(key, UNREAD)
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
    reader = NodeReader(SessionSource(session, decode))
    return reader.complete(lambda reader: reader.resolve(path))
