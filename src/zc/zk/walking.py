"""Going through a tree, at the pace of whoever goes, with what he changes on the way seen.

Read at once, a subtree takes a few round trips; read node by node, it takes one for each. But what
was read at once is old as soon as somebody has changed the nodes. Somebody else may do that at any
time, and nobody can tell. What the one who walks does himself he expects to see: so what was read
is taken for old whenever he had the time to talk to a server.

What is old is read again when it is needed: first one node, then twice as many at a time as long as
he makes no other pause. So a slow walk costs a round trip or two for each node, and a fast one that
stumbled is soon fast again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import zookeeper
from zc.zk import bulk
from zc.zk.links import join
from zc.zk.riding import ride
from zc.zk.session import Session
from zc.zk.tree.diff import NodeState

# Seconds. No request to a server is answered any sooner.
NO_ROUND_TRIP = 0.0001

MOST_AHEAD = 1000


def walk(session: Session, path: str, *, ephemeral: bool, children: bool) -> Iterator[Any]:
    """Yield the paths of a node and all below it; see `zc.zk.ZooKeeper.walk`."""
    return _Walk(session, ephemeral).go(path, children)


class _View:
    """Nodes as they were at some moment, by path."""

    def __init__(self, states: Mapping[str, NodeState]) -> None:
        self.states = states
        self.read_at = time.monotonic()


class _Step:
    """A node to be visited, and where it was seen; None: it is to be read, with all below it."""

    __slots__ = ("is_gone", "path", "view")

    def __init__(self, path: str, view: _View | None) -> None:
        self.path = path
        self.view = view
        self.is_gone = False


class _Walk:
    def __init__(self, session: Session, ephemeral: bool) -> None:
        self._session = session
        self._ephemeral = ephemeral
        self._to_do: list[_Step] = []
        self._last_pause = time.monotonic()
        self._ahead = 1

    def go(self, root: str, children: bool) -> Iterator[Any]:
        self._to_do.append(_Step(root, self._read(root)))
        while self._to_do:
            step = self._to_do.pop()
            state = self._state(step)
            if state is None or (state.is_ephemeral and not self._ephemeral):
                continue
            names = self._children(step, state)
            lent_at = time.monotonic()
            yield (step.path, names) if children else step.path
            if self._session.delivers_inline or time.monotonic() - lent_at > NO_ROUND_TRIP:
                self._note_pause()
                if not children:
                    step.view = None
                    state = self._state(step)
                    names = self._children(step, state) if state is not None else []
            self._to_do += [_Step(join(step.path, name), step.view) for name in reversed(names)]

    def _note_pause(self) -> None:
        self._last_pause = time.monotonic()
        self._ahead = 1

    def _is_old(self, step: _Step) -> bool:
        return step.view is not None and step.view.read_at < self._last_pause

    def _state(self, step: _Step) -> NodeState | None:
        """What there is now; None if it is gone."""
        if self._is_old(step):
            self._look_ahead(step)
        if step.is_gone:
            return None
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
        # The moment counts at which reading began.
        view = _View({})
        view.states = bulk.read_states(self._session, path)
        return view

    def _look_ahead(self, step: _Step) -> None:
        """See whether the next nodes are still there; of those with children no more than that."""
        steps = [step]
        for following in reversed(self._to_do):
            if len(steps) == self._ahead or not self._is_old(following):
                break
            steps.append(following)
        self._ahead = min(2 * self._ahead, MOST_AHEAD)
        view = _View({})
        paths = [step.path for step in steps]
        answers = ride(self._session, lambda handle: zookeeper.get_many(handle, paths))
        view.states = states = {}
        for step, answer in zip(steps, answers, strict=True):
            step.view = None
            if isinstance(answer, zookeeper.NoNodeException):
                step.is_gone = True
            elif isinstance(answer, tuple) and not answer[1]["numChildren"]:
                states[step.path] = bulk.state_of(answer)
                step.view = view
