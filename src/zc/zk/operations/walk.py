"""Going through a tree, at the pace of whoever goes, with what he changes on the way seen.

Read at once, a subtree takes a few round trips; read node by node, it takes one for each. But what
was read at once is old as soon as somebody has changed the nodes. Somebody else may do that at any
time, and nobody can tell. What the one who walks does himself he expects to see: so what was read
is doubted whenever he had the time to talk to a server. That is a pause in which his thread gave
its processor away, by itself or not: on a busy machine the answer can be there when it gets it
back, so nothing tells waiting for a server from being interrupted.

What is doubted is looked at again when it is needed: as many nodes as he last visited between two
pauses, then twice as many at a time as long as he makes no other one. The answer has the number of
the servers' last change. If that has not moved, nothing has changed anywhere, and all is as it was.
Otherwise a node whose children have not changed since is visited as it was, and another one is read
anew, with all below it. So a slow walk costs a round trip or two for each node, and a fast one that
stumbled is soon fast again.
"""

from __future__ import annotations

import resource
import threading
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

# Seconds. No request to a server is answered any sooner: 80 microseconds are seen on loopback.
NO_ROUND_TRIP = 0.00005

LEAST_AHEAD, MOST_AHEAD = 2, 1000


def walk(session: Session, path: str, *, ephemeral: bool, children: bool) -> Iterator[Any]:
    """Yield the paths of a node and all below it; see `zc.zk.ZooKeeper.walk`."""
    return _Walk(session, ephemeral).go(path, children)


class _View:
    """A subtree as it was at some moment: before which pause, after which change."""

    def __init__(self, tree: Subtree, pauses: int) -> None:
        self.states = snapshot(
            (node.path, None, node.version, node.ephemeralOwner != 0, node.error) for node in tree
        )
        self.zxid = tree.zxid
        self.pauses = pauses


class _Step:
    """A node to be visited, and where it was seen; None: it is to be read, with all below it."""

    __slots__ = ("path", "view")

    def __init__(self, path: str, view: _View | None) -> None:
        self.path = path
        self.view = view


class _Found(Enum):
    """What has become of a node that was doubted."""

    SAME = "itself and the names of its children as they were"
    CHANGED = "there, and to be read again"
    GONE = "not there"


class _Walk:
    def __init__(self, session: Session, ephemeral: bool) -> None:
        self._session = session
        self._ephemeral = ephemeral
        self._to_do: list[_Step] = []
        self._pauses = 0
        self._rests: object = None
        # Since the last pause: the servers' last change, what was looked at, how far to look.
        self._visited = 0
        self._zxid: int | None = None
        self._found: dict[str, _Found] = {}
        self._ahead = LEAST_AHEAD

    def go(self, root: str, children: bool) -> Iterator[Any]:
        self._to_do.append(_Step(root, self._read(root)))
        while self._to_do:
            step = self._to_do.pop()
            state = self._state(step)
            if state is None or (state.is_ephemeral and not self._ephemeral):
                continue
            names = self._children(step, state)
            self._visited += 1
            lent_at = time.monotonic()
            yield (step.path, names) if children else step.path
            if self._session.delivers_inline or time.monotonic() - lent_at > NO_ROUND_TRIP:
                self._consider_pause()
                if not children and self._is_doubtful(step):
                    state = self._state(step)
                    names = self._children(step, state) if state is not None else []
            self._to_do += [_Step(join(step.path, name), step.view) for name in reversed(names)]

    def _consider_pause(self) -> None:
        rests = _rests()
        if self._session.delivers_inline or rests != self._rests:
            self._rests = rests
            self._pauses += 1
            self._zxid = None
            self._found = {}
            self._ahead = min(max(LEAST_AHEAD, self._visited), MOST_AHEAD)
            self._visited = 0

    def _is_doubtful(self, step: _Step) -> bool:
        view = step.view
        return view is not None and view.pauses != self._pauses and view.zxid != self._zxid

    def _state(self, step: _Step) -> NodeState | None:
        """What there is now; None if it is gone."""
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
                tree = self._session.call(zookeeper.read_tree, path)
        self._rests = _rests()
        return _View(tree, self._pauses)

    def _look_ahead(self, step: _Step) -> None:
        """See what has become of a node that is doubted, and of those that come next."""
        steps = list(islice(self._upcoming(step), self._ahead))
        self._ahead = min(2 * self._ahead, MOST_AHEAD)
        paths = [step.path for step in steps]
        for attempt in attempts(self._session):
            with attempt:
                answers = self._session.call(zookeeper.get_many, paths)
        self._rests = _rests()
        self._zxid = answers.zxid
        self._found = {
            step.path: _found(step, answer) for step, answer in zip(steps, answers, strict=True)
        }

    def _upcoming(self, step: _Step) -> Iterator[_Step]:
        """A step and those that come next if nothing has changed, as far as they are doubted."""
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


def _rests() -> object:
    """How often this thread has been without its processor; never the same where nobody counts."""
    if not hasattr(resource, "RUSAGE_THREAD"):
        return object()
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    # The system's number of the thread: Python's own goes to the next thread when one has ended.
    return threading.get_native_id(), usage.ru_nvcsw + usage.ru_nivcsw
