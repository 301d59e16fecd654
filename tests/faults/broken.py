"""Clients that are broken on purpose, to see that the checker notices.

The environment variable below names a fault that is built into a client process before it starts.
"""

from __future__ import annotations

import os
from typing import Any

import zookeeper
from zc.zk.registration.attempt import Attempt
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.registry import Registry
from zc.zk.registration.step import Observed, Presence
from zc.zk.watching import cache
from zc.zk.watching.cache import NodeCache
from zc.zk.watching.dependencies import CachedNode, Kind
from zc.zk.watching.treeagenda import Agenda

VARIABLE = "ZK_FAULTS_BREAK"

IGNORE_NODEEXISTS = "ignore NODEEXISTS"
DROP_REWATCH = "drop re-watch"
SKIP_ONE = "skip one node after a gap"
TRUST_TREES = "doubt no tree after a gap"


def break_as_told() -> None:
    """Break the library in this process, if the environment says so."""
    fault = os.environ.get(VARIABLE)
    if fault == IGNORE_NODEEXISTS:
        _ignore_nodeexists()
    elif fault == DROP_REWATCH:
        _drop_rewatch()
    elif fault == SKIP_ONE:
        _skip_one()
    elif fault == TRUST_TREES:
        _trust_trees()
    else:
        assert not fault, f"{VARIABLE}={fault}"


def _ignore_nodeexists() -> None:
    """Take an existing node of any session for one that was made.

    This is the classic mistake.
    """

    after_creation = Attempt.after_creation

    def take(self: Attempt, fault: Exception) -> Observed:
        observed = after_creation(self, fault)
        return self.written() if observed.presence is Presence.EXISTS else observed

    def nothing_to_look_at(self: Registry, node: EphemeralNode, tell: bool) -> None:
        pass

    Attempt.after_creation = take  # type: ignore[method-assign]
    Registry._refresh = nothing_to_look_at  # type: ignore[method-assign]


def _drop_rewatch() -> None:
    """Read everything again after a gap in the connection, but do not watch it."""
    note_gap, fetch_many = NodeCache._note_gap, NodeCache._fetch_many
    gaps = 0

    def remember_gap(self: NodeCache, moment: tuple[int, int]) -> None:
        nonlocal gaps
        gaps += 1
        note_gap(self, moment)

    def fetch_without_watching(
        self: NodeCache, handle: int, nodes: list[CachedNode], begun: None = None
    ) -> Any:
        nonlocal gaps
        if not gaps:
            return fetch_many(self, handle, nodes)
        gaps = 0
        watcher, self._watcher = self._watcher, _deaf
        try:
            return fetch_many(self, handle, nodes)
        finally:
            self._watcher = watcher

    # Or they would have been watched before.
    vars(cache)["begin"] = lambda *_: None
    NodeCache._note_gap = remember_gap  # type: ignore[method-assign]
    NodeCache._fetch_many = fetch_without_watching  # type: ignore


def _skip_one() -> None:
    """Hear nothing of one node that has changed in a gap, the first that fires, until the next."""
    note_event = NodeCache._note_event
    connections: dict[NodeCache, int] = {}
    skipped: dict[NodeCache, str] = {}

    def note_others(self: NodeCache, handle: int, type: int, state: int, path: str) -> None:
        connects = self._session.connects
        if type == zookeeper.SESSION_EVENT:
            return
        # An event of a node that nothing depends on any more would be passed over anyhow.
        is_needed = any((kind, path) in self._dependencies._nodes for kind in Kind)
        if connections.setdefault(self, connects) != connects and is_needed:
            connections[self], skipped[self] = connects, path
        if path != skipped.get(self):
            note_event(self, handle, type, state, path)

    NodeCache._note_event = note_others  # type: ignore[method-assign]


def _trust_trees() -> None:
    """Have a live tree read nothing after a gap but what an event names."""
    Agenda.doubt = lambda self: None  # type: ignore[method-assign]


def _deaf(handle: int, type: int, state: int, path: str) -> None:
    """Ignore the event."""
