"""Looking through a tree of any size: many nodes a round trip, and few of them in memory.

The nodes come depth first and in natural order, as people read them. They are read ahead, level by
level below those that come next, so that deep trees and flat ones take few round trips; and while
the caller has these, the servers are at work on the next. Of a node that was read and has not come
yet only its stat is kept, and what the caller makes of its data; of a node that was not read, its
name.

A tree that is read so is no snapshot: what others change meanwhile may be seen or not. A node that
vanishes is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import zookeeper
from zc.zk.links import join
from zc.zk.naturalorder import sorted_naturally
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Progress, Stat

T = TypeVar("T")

# So many nodes are read at a time; fewer if their data are long, so that the answers take about so
# many bytes of memory. The first read does not know that yet.
MAX_AT_ONCE = 2000
FIRST_AT_ONCE = 100
MAX_BYTES_AT_ONCE = 8_000_000

# So many nodes are read ahead, level by level, before the first of them comes.
MAX_AHEAD = 10_000


class Found(Generic[T]):
    """A node: its path, the levels above it, its stat, and what was made of its data.

    `refusal` says why it could not be read; there is no `value` then, and nothing below it comes.
    """

    __slots__ = ("depth", "path", "refusal", "stat", "value")

    def __init__(
        self,
        path: str,
        depth: int,
        stat: Stat,
        value: T | None,
        refusal: zookeeper.ZooKeeperException | None = None,
    ) -> None:
        self.path = path
        self.depth = depth
        self.stat = stat
        self.value = value
        self.refusal = refusal

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class _Seen:
    """A node that was read, None if it is gone; and its children, if they belong to it."""

    __slots__ = ("below", "found")

    def __init__(self, found: Found[Any] | None) -> None:
        self.found = found
        self.below: _Family | None = None


class _Family:
    """The children of a node: the name of each, what was seen of it, and then None.

    `at` is the place of the one that comes next.
    """

    __slots__ = ("at", "depth", "members", "path")

    def __init__(self, path: str, depth: int, names: list[str]) -> None:
        self.path = path
        self.depth = depth
        self.members: list[str | _Seen | None] = [*names]
        self.at = 0


# A member of a family that has not been read.
_Unread = tuple[_Family, int]


def survey(
    session: Session,
    path: str,
    take: Callable[[str, str | None, Stat], T],
    *,
    depth: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Found[T]]:
    """Yield the node at `path` and all below it, at most `depth` levels.

    `take(path, data, stat)` is called when a node is read, and its result is the `value`. Raises
    NoNodeException when there is no node at `path`.
    """
    return _Survey(session, take, depth, progress).go(path)


class _Survey(Generic[T]):
    def __init__(
        self,
        session: Session,
        take: Callable[[str, str | None, Stat], T],
        depth: int | None,
        progress: Progress | None,
    ) -> None:
        self._session = session
        self._take = take
        self._depth = depth
        self._progress = progress
        self._at_once = FIRST_AT_ONCE
        self._count = 0
        # Those whose members come next, the innermost last; and the first read of them that is
        # under way.
        self._families: list[_Family] = []
        self._asked: _Asked | None = None

    def go(self, path: str) -> Iterator[Found[T]]:
        above, _, name = path.rpartition("/")
        top = _Family(above or "/", 0, [name])
        self._read([(top, 0)])
        seen = top.members[0]
        if not isinstance(seen, _Seen) or seen.found is None:
            raise zookeeper.error(zookeeper.NONODE, path)
        self._families.append(top)
        try:
            yield from self._go_on()
        finally:
            if self._asked is not None:
                self._asked.give_up()

    def _go_on(self) -> Iterator[Found[T]]:
        while self._families:
            family = self._families[-1]
            if family.at == len(family.members):
                self._families.pop()
                continue
            if isinstance(family.members[family.at], str):
                self._read_ahead()
            seen = family.members[family.at]
            family.members[family.at] = None
            family.at += 1
            if isinstance(seen, _Seen) and seen.found is not None:
                yield seen.found
                if seen.below is not None:
                    self._families.append(seen.below)

    def _read_ahead(self) -> None:
        """Read the nodes that come next, and those below them, as many as may be kept."""
        read = 0
        asked, self._asked = self._asked, None
        answers = None if asked is None else asked.answers(self._session.timeout_seconds())
        unread = list(islice(self._to_come(), self._at_once)) if asked is None else asked.unread
        while unread and read < MAX_AHEAD:
            read += len(unread)
            families = self._read(unread, answers)
            answers = None
            below = ((family, at) for family in families for at in range(len(family.members)))
            unread = list(islice(below, self._at_once))
        self._ask_for(list(islice(self._to_come(), self._at_once)))

    def _ask_for(self, unread: list[_Unread]) -> None:
        """Have the servers begin with what is read next, if there is a connection."""
        # The emulation answers in this thread.
        if unread and not self._session.delivers_inline:
            with suppress(zookeeper.ZooKeeperException):
                self._asked = _Asked(self._session, unread)

    def _to_come(self) -> Iterator[_Unread]:
        """Yield what comes next and has not been read."""
        for family in reversed(self._families):
            yield from _unread_in(family)

    def _read(self, unread: list[_Unread], answers: list[Any] | None = None) -> list[_Family]:
        """Read nodes and the names of their children. Return the families that they have.

        `answers` are those about the nodes, if they are there already.
        """
        size = 0
        parents: list[_Seen] = []
        paths = [_path(family, at) for family, at in unread]
        if answers is None:
            answers = self._in_bulk(self._session.binding.get_many, paths)
        for (family, at), path, answer in zip(unread, paths, answers, strict=True):
            if isinstance(answer, tuple):
                data, stat = answer
                size += stat["dataLength"]
                found = Found(path, family.depth, stat, self._take(path, data, stat))
                seen = _Seen(found)
                if stat["numChildren"] and family.depth != self._depth:
                    parents.append(seen)
            else:
                seen = _Seen(self._refused(path, family.depth, answer))
            family.members[at] = seen
        self._note_size(len(unread), size)
        self._count += len(unread)
        if self._progress is not None:
            self._progress(self._count, None)
        return self._read_children(parents)

    def _read_children(self, parents: list[_Seen]) -> list[_Family]:
        known = [(seen, seen.found) for seen in parents if seen.found is not None]
        families: list[_Family] = []
        if known:
            paths = [found.path for _, found in known]
            answers = self._in_bulk(self._session.binding.get_children_many, paths)
            for (seen, found), answer in zip(known, answers, strict=True):
                if isinstance(answer, list):
                    seen.below = _Family(found.path, found.depth + 1, sorted_naturally(answer))
                    families.append(seen.below)
                else:
                    seen.found = self._refused(found.path, found.depth, answer)
        return families

    def _refused(
        self, path: str, depth: int, refusal: zookeeper.ZooKeeperException
    ) -> Found[T] | None:
        """Return a node that may not be read; None if it is gone. Anybody may see its stat."""
        if isinstance(refusal, zookeeper.NoNodeException):
            return None
        for attempt in attempts(self._session):
            with attempt:
                stat = self._session.call(self._session.binding.exists, path)
        return None if stat is None else Found(path, depth, stat, None, refusal)

    def _in_bulk(self, read: Callable[..., list[Any]], paths: list[str]) -> list[Any]:
        for attempt in attempts(self._session):
            with attempt:
                answers = self._session.call(read, paths)
        return answers

    def _note_size(self, count: int, size: int) -> None:
        """Have as many nodes read next as are expected to have the right size; few tell little."""
        expected = MAX_BYTES_AT_ONCE * count // max(1, size)
        self._at_once = max(1, min(expected, max(2 * count, self._at_once), MAX_AT_ONCE))


class _Asked:
    """A read of nodes that is under way."""

    def __init__(self, session: Session, unread: list[_Unread]) -> None:
        self.unread = unread
        self._answers: SimpleQueue[list[Any] | None] = SimpleQueue()
        self._work = session.call(
            session.binding.aget_many, [_path(*each) for each in unread], self._note
        )

    def _note(self, handle: int, code: int, answers: list[Any] | None) -> None:
        self._answers.put(answers if code == zookeeper.OK else None)

    def answers(self, timeout_seconds: float) -> list[Any] | None:
        """Return the answers; None if the connection broke, or none come in twice its timeout."""
        try:
            return self._answers.get(timeout=2 * timeout_seconds)
        except Empty:
            self.give_up()
            return None

    def give_up(self) -> None:
        """Have nothing more sent."""
        self._work.cancel()


def _path(family: _Family, at: int) -> str:
    name = family.members[at]
    assert isinstance(name, str)
    return join(family.path, name)


def _unread_in(family: _Family) -> Iterator[_Unread]:
    """Yield the members of a family, and of those below it, that have not been read."""
    inner = [(family, iter(range(family.at, len(family.members))))]
    while inner:
        family, places = inner[-1]
        at = next(places, None)
        if at is None:
            inner.pop()
            continue
        member = family.members[at]
        if isinstance(member, str):
            yield family, at
        elif member is not None and member.below is not None:
            below = member.below
            inner.append((below, iter(range(len(below.members)))))
