"""The reads of a live tree: what an agenda asks for, in a few requests."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.watching.treeagenda import Agenda, Answers, Reads

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.types import Stat

# So many nodes are asked for in one call, which is a few requests: the worker has other duties.
MAX_AT_ONCE = 5000

# So many requests for stats are under way at once.
MAX_STATS_AT_ONCE = 500

# An answer that takes so many session timeouts does not come.
MAX_TIMEOUTS = 2


def read_all(handle: int, agenda: Agenda, binding: Binding) -> None:
    """Read until nothing is left to read."""
    while reads := agenda.next(MAX_AT_ONCE):
        agenda.take(reads, answers(handle, reads, binding))


def answers(handle: int, reads: Reads, binding: Binding) -> Answers:
    """Read nodes. Their errors are answers; those of the session are raised."""
    return Answers(
        binding.get_many(handle, reads.nodes) if reads.nodes else (),
        stats(handle, reads.stats, binding),
        binding.get_children_many(handle, reads.names) if reads.names else (),
    )


def stats(handle: int, paths: Sequence[str], binding: Binding) -> list[Any]:
    """Ask for the stats of nodes, all at once: None for one that is not there."""
    found: dict[str, Any] = {}
    for start in range(0, len(paths), MAX_STATS_AT_ONCE):
        found.update(_stats(handle, paths[start : start + MAX_STATS_AT_ONCE], binding))
    return [found[path] for path in paths]


def _stats(handle: int, paths: Sequence[str], binding: Binding) -> dict[str, Any]:
    arrived: queue.SimpleQueue[tuple[str, int, Stat | None]] = queue.SimpleQueue()

    def arrive(path: str, _: int, code: int, stat: Stat | None) -> None:
        arrived.put((path, code, stat))

    for path in paths:
        binding.aexists(handle, path, None, partial(arrive, path))
    seconds = MAX_TIMEOUTS * binding.recv_timeout(handle) / 1000
    found: dict[str, Any] = {}
    for _ in paths:
        try:
            path, code, stat = arrived.get(timeout=seconds)
        except queue.Empty:
            raise zookeeper.error(zookeeper.OPERATIONTIMEOUT, None, "no answer came") from None
        fault = None if code in (zookeeper.OK, zookeeper.NONODE) else zookeeper.error(code, path)
        if isinstance(fault, zookeeper.SessionError):
            raise fault
        found[path] = fault or stat
    return found
