"""Reading nodes, with links followed, in a way that can be watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import zookeeper
from zc.zk import nodedata
from zc.zk.links import Resolver
from zc.zk.nodedata import Properties
from zc.zk.nodes import Answer, Interest, Kind, Stat
from zc.zk.session import Session
from zc.zk.watches import Watches


class PlainReader(Resolver):
    """Reads nodes by single calls, and follows links among them."""

    def __init__(
        self, session: Session, decode: Callable[[str | None, str], Properties] = nodedata.decode
    ) -> None:
        self._session = session
        self._decode = decode

    def exists(self, path: str) -> bool:
        return zookeeper.exists(self._session.require_handle(), path) is not None

    def get_properties(self, path: str) -> Mapping[str, Any]:
        data, _ = zookeeper.get(self._session.require_handle(), path)
        return self._decode(data, path)


class LookReader(Resolver):
    """Reads nodes for one look of a live object, each once.

    For an `interest`, so that it depends on what is read; for None just so. Only if `fresh` the
    server is asked for what is known already.
    """

    def __init__(self, watches: Watches, interest: Interest | None, *, fresh: bool) -> None:
        self._watches = watches
        self._interest = interest
        self._fresh = fresh
        self.answers: dict[tuple[Kind, str], Answer] = {}

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
            try:
                self.answers[key] = self._ask(kind, path)
            except zookeeper.NoNodeException as missing:
                # Not `missing` itself, whose traceback refers to us.
                self.answers[key] = zookeeper.error(missing.code, path)
                raise
        answer = self.answers[key]
        if isinstance(answer, zookeeper.NoNodeException):
            raise zookeeper.error(answer.code, path)
        return answer

    def _ask(self, kind: Kind, path: str) -> Answer:
        if self._interest is not None:
            return self._watches.read(self._interest, kind, path, fresh=self._fresh)
        handle = self._watches.session.require_handle()
        if kind is Kind.DATA:
            return zookeeper.get(handle, path)
        return zookeeper.get_children(handle, path)
