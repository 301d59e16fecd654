"""Set many watches: `zookeeper.watch_many`, one by one, and pipelined.

A data watch and a child watch on each node of a tree. Every round sets them on a new session, and
then changes some of the nodes to see the watches fire; only the setting is timed.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterator, Sequence

import zookeeper
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.service import Service, connected, raise_first
from harness.shapes import generate
from zookeeper.types import Watcher

ROOT = "/benchmark-watches"

OURS = "zookeeper.watch_many"
PIPELINED = "zookeeper.aget, aget_children"
ONE_BY_ONE = "zookeeper.get, get_children"

IN_FLIGHT = 1000
CHANGES = 100
WAIT_SECONDS = 60

SetWatches = Callable[[int, Sequence[str], Watcher], None]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for shape in options.shapes:
        nodes = generate(shape, options.nodes)
        paths = [ROOT + node.path for node in nodes]

        def competitor(
            name: str, set_watches: SetWatches, rounds: int | None = None, paths: list[str] = paths
        ) -> Competitor:
            return Competitor(name, lambda: watch(service, paths, set_watches), rounds)

        with service.tree(ROOT, nodes):
            yield Case(
                f"set {2 * len(paths):,} watches, {shape}",
                "seconds",
                [
                    competitor(OURS, watch_many),
                    competitor(PIPELINED, watch_pipelined),
                    competitor(ONE_BY_ONE, watch_one_by_one, 3),
                ],
                [Goal(OURS, ONE_BY_ONE, at_most=1 / 50)],
                {"watches": 2 * len(paths), "shape": shape},
            )


def watch(service: Service, paths: Sequence[str], set_watches: SetWatches) -> float:
    """Return the seconds that it takes to set the watches, seen to be set."""
    changed = paths[:: max(1, len(paths) // CHANGES)]
    waiting = set(changed)
    all_reported = threading.Event()

    def watcher(handle: int, kind: int, state: int, path: str) -> None:
        if kind == zookeeper.CHANGED_EVENT:
            waiting.discard(path)
            if not waiting:
                all_reported.set()

    with connected(service.hosts) as handle, connected(service.hosts) as other:
        seconds, _ = timed(lambda: set_watches(handle, paths, watcher))
        raise_first(zookeeper.write_many(other, [("set", path, b"{}") for path in changed]))
        expect(all_reported.wait(WAIT_SECONDS), True, "changes reported")
    return seconds


def watch_many(handle: int, paths: Sequence[str], watcher: Watcher) -> None:
    data, children, _ = zookeeper.watch_many(handle, data=paths, children=paths, watcher=watcher)
    raise_first(data)
    raise_first(children)


def watch_one_by_one(handle: int, paths: Sequence[str], watcher: Watcher) -> None:
    for path in paths:
        zookeeper.get(handle, path, watcher)
        zookeeper.get_children(handle, path, watcher)


def watch_pipelined(handle: int, paths: Sequence[str], watcher: Watcher) -> None:
    """Send all requests at once, within a window.

    The window is as large as the server's and our own queues can take.
    """
    free = threading.Semaphore(IN_FLIGHT)
    failures = []

    def complete(handle: int, rc: int, *results: object) -> None:
        if rc != zookeeper.OK:
            failures.append(rc)
        free.release()

    for path in paths:
        free.acquire()
        zookeeper.aget(handle, path, watcher, complete)
        free.acquire()
        zookeeper.aget_children(handle, path, watcher, complete)
    for _ in range(IN_FLIGHT):
        free.acquire()
    expect(failures, [], "failures")


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000, shapes=("mixed", "wide", "deep"))
