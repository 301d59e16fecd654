"""Going through a tree, at the caller's pace, with what the caller changes on the way seen.

Read at once, a subtree takes a few round trips; read node by node, it takes one for each. But what
was read at once may be old as soon as anybody has changed a node. So it is doubted

- when this process has written since, by any client: `zookeeper.write_count` tells exactly
  (read-your-writes);
- and when it is older than `MAX_AGE_SECONDS`, as others write, too.

A doubted node is looked at again when it is needed. The answer has the number of the servers' last
change, the zxid. If that has not moved, nothing has changed anywhere, and all is as it was.
Otherwise a node whose children have not changed since is visited as it was, and another one is read
anew, with all below it. As many nodes are looked at as the caller last visited between two doubts,
then twice as many at a time as long as there is no other one. So a slow walk costs a round trip or
two for each node, and a fast one next to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.links import join
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.diff import NodeState, snapshot

if TYPE_CHECKING:
    from zookeeper.types import Subtree

# For so long (seconds) what others change may go unseen: a walk near the servers then asks for news
# for less than a hundredth of its time.
MAX_AGE_SECONDS = 0.05

MIN_AHEAD, MAX_AHEAD = 2, 1000


def walk(session: Session, path: str, *, ephemeral: bool, children: bool) -> Iterator[Any]:
    """Yield the paths of a node and all below it; see `zc.zk.ZooKeeper.walk`."""
    return _Walk(session, ephemeral).go(path, children)


class _View:
    """A subtree as it was at some moment: before which doubt, after which change."""

    def __init__(self, tree: Subtree, doubts: int) -> None:
        self.states = snapshot(
            (node.path, None, node.version, node.ephemeralOwner, node.error) for node in tree
        )
        self.zxid = tree.zxid
        self.doubts = doubts


class _Step:
    """A node to be visited, and where it was seen; None: it is to be read, with all below it."""

    __slots__ = ("path", "view")

    def __init__(self, path: str, view: _View | None) -> None:
        self.path = path
        self.view = view


class _Found(Enum):
    """The fate of a node that was doubted."""

    SAME = "itself and the names of its children as they were"
    CHANGED = "there, and to be read again"
    GONE = "not there"


class _Walk:
    def __init__(self, session: Session, ephemeral: bool) -> None:
        self._session = session
        self._ephemeral = ephemeral
        self._to_do: list[_Step] = []
        self._doubts = 0
        # Nodes known since then are not doubted until this process writes, or that is long ago.
        self._writes = zookeeper.write_count()
        self._known_at = time.monotonic()
        # Since the last doubt: the servers' last change, what was looked at, how far to look now
        # and from the next time on.
        self._visited = 0
        self._zxid: int | None = None
        self._found: dict[str, _Found] = {}
        self._ahead = self._later_ahead = MIN_AHEAD

    def go(self, root: str, children: bool) -> Iterator[Any]:
        self._to_do.append(_Step(root, self._read(root)))
        while self._to_do:
            step = self._to_do.pop()
            state = self._state(step)
            if state is None or (state.is_ephemeral and not self._ephemeral):
                continue
            names = self._children(step, state)
            self._visited += 1
            yield (step.path, names) if children else step.path
            if self._has_come_into_doubt() and not children and self._is_doubtful(step):
                state = self._state(step)
                names = self._children(step, state) if state is not None else []
            self._to_do += [_Step(join(step.path, name), step.view) for name in reversed(names)]

    def _has_come_into_doubt(self) -> bool:
        """Say whether what is known may be old, and doubt it then."""
        writes, now = zookeeper.write_count(), time.monotonic()
        # An emulation does not count, and is near.
        has_written = writes != self._writes or self._session.delivers_inline
        if not has_written and now - self._known_at < MAX_AGE_SECONDS:
            return False
        self._writes, self._known_at = writes, now
        self._doubts += 1
        self._zxid = None
        self._found = {}
        self._later_ahead = min(max(MIN_AHEAD, self._visited), MAX_AHEAD)
        # Where nobody has changed anything, which is usual, a small answer tells.
        self._ahead = self._later_ahead if has_written else MIN_AHEAD
        self._visited = 0
        return True

    def _is_doubtful(self, step: _Step) -> bool:
        view = step.view
        return view is not None and view.doubts != self._doubts and view.zxid != self._zxid

    def _state(self, step: _Step) -> NodeState | None:
        """Return the state that a node has now; None if it is gone."""
        if self._is_doubtful(step) and step.path not in self._found:
            self._look_ahead(step)
        if self._is_doubtful(step):
            found = self._found[step.path]
            if found is _Found.GONE:
                return None
            if found is _Found.CHANGED:
                step.view = None
        if step.view is None or step.path not in step.view.states:
            try:
                step.view = self._read(step.path)
            except zookeeper.NoNodeException:
                return None
        return step.view.states[step.path]

    def _children(self, step: _Step, state: NodeState) -> list[str]:
        if state.error is not None:
            raise state.error
        if self._ephemeral or step.view is None:
            return list(state.children)
        states = step.view.states
        return [name for name in state.children if not states[join(step.path, name)].is_ephemeral]

    def _read(self, path: str) -> _View:
        for attempt in attempts(self._session):
            with attempt:
                tree = self._session.call(self._session.binding.read_tree, path)
        return _View(tree, self._doubts)

    def _look_ahead(self, step: _Step) -> None:
        """Look what has become of a node that is doubted, and of those that come next."""
        steps = list(islice(self._upcoming(step), self._ahead))
        self._ahead = min(max(2 * self._ahead, self._later_ahead), MAX_AHEAD)
        paths = [step.path for step in steps]
        for attempt in attempts(self._session):
            with attempt:
                answers = self._session.call(self._session.binding.get_many, paths)
        self._zxid = answers.zxid
        self._found = {
            step.path: _found(step, answer) for step, answer in zip(steps, answers, strict=True)
        }

    def _upcoming(self, step: _Step) -> Iterator[_Step]:
        """Yield a step and those that come next if nothing has changed, while they are doubted."""
        later = reversed(self._to_do)
        now: _Step | None = step
        below: list[_Step] = []
        while now is not None and self._is_doubtful(now):
            yield now
            state = now.view.states.get(now.path) if now.view else None
            if state is not None:
                below += [
                    _Step(join(now.path, name), now.view) for name in reversed(state.children)
                ]
            now = below.pop() if below else next(later, None)


def _found(step: _Step, answer: Any) -> _Found:
    if isinstance(answer, zookeeper.NoNodeException):
        return _Found.GONE
    known = step.view.states.get(step.path) if step.view else None
    if known is None or known.error is not None or not isinstance(answer, tuple):
        return _Found.CHANGED
    # A node that was deleted and made again has got its children since, too, be it none.
    return _Found.SAME if step.view and answer[1]["pzxid"] <= step.view.zxid else _Found.CHANGED
