"""Reading nodes, with links followed, in a way that can be watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

import zookeeper
from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.links import NotRead
from zc.zk.resolver import Resolver
from zc.zk.session.session import Session
from zc.zk.watching.cache import UNREAD, Answer, Interest, Kind
from zc.zk.watching.dependencies import Watches

if TYPE_CHECKING:
    from zookeeper.types import Stat

T = TypeVar("T")


class PlainReader(Resolver):
    """Reads nodes by single calls, and follows links among them."""

    def __init__(
        self, session: Session, decode: Callable[[str | None, str], Properties] = codec.decode
    ) -> None:
        self._session = session
        self._decode = decode

    def exists(self, path: str) -> bool:
        return self._session.call(self._session.binding.exists, path) is not None

    def get_properties(self, path: str) -> Mapping[str, Any]:
        data, _ = self._session.call(self._session.binding.get, path)
        return self._decode(data, path)


class LookReader(Resolver):
    """Reads nodes for one look of a live object, each once.

    For an `interest`, so that it depends on what is read; for None just so. What is not known, and
    if `fresh` everything, is not read when it is asked for: NotRead is raised then, and what a look
    lacks is read at once, by `complete` or, for the keeper, by and by after `postpone`.
    """

    def __init__(self, watches: Watches, interest: Interest | None, *, fresh: bool) -> None:
        self._watches = watches
        self._interest = interest
        self._fresh = fresh
        self.answers: dict[tuple[Kind, str], Answer] = {}
        self.lacking: dict[tuple[Kind, str], None] = {}

    def complete(self, see: Callable[[LookReader], T]) -> T:
        """What `see` returns, called again until all has been read that it asks for."""
        while True:
            try:
                return see(self)
            except NotRead:
                self._learn()

    def postpone(self) -> None:
        """Have the keeper read what is lacking; the look is taken again then."""
        assert self._interest is not None
        for kind, path in self.lacking:
            self._watches.depend(self._interest, kind, path)

    def require_all(self) -> None:
        """Raise NotRead if a part of the look, which went on without it, lacked something."""
        if self.lacking:
            raise NotRead

    def data(self, path: str) -> tuple[str | None, Stat]:
        """Data and stat of the node at `path`. Raises NoNodeException."""
        answer: tuple[str | None, Stat] = self._read(Kind.DATA, path)
        return answer

    def children(self, path: str) -> list[str]:
        """The names of the children of the node at `path`. Raises NoNodeException."""
        answer: list[str] = self._read(Kind.CHILDREN, path)
        return answer

    def exists(self, path: str) -> bool:
        try:
            self.data(path)
        except zookeeper.NoNodeException:
            return False
        except zookeeper.NoAuthException:
            pass  # there is something
        return True

    def get_properties(self, path: str) -> Mapping[str, Any]:
        answer = self.data(path)
        if self._interest is None:
            return self._watches.decode(answer[0], path)
        return self._watches.properties(path, answer)

    def _read(self, kind: Kind, path: str) -> Answer:
        key = kind, path
        if key not in self.answers:
            answer = UNREAD
            if self._interest is not None and not self._fresh:
                answer = self._watches.known(self._interest, kind, path)
            if answer is UNREAD:
                self.lacking[key] = None
                raise NotRead
            self.answers[key] = answer
        answer = self.answers[key]
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise copy(answer)  # to be raised means to refer to frames
        return answer

    def _learn(self) -> None:
        lacking, self.lacking = list(self.lacking), {}
        if self._interest is not None:
            self.answers.update(self._watches.read_many(self._interest, lacking))
        else:
            self.answers.update(self._watches.peek_many(lacking))
