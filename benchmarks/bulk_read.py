"""Read a whole tree: `zookeeper.read_tree` against C and kazoo.

The trees have several shapes. All competitors keep what they read in memory. kazoo has made Python
objects of it then; read_tree makes them when they are asked for, so the comparison with kazoo is
made after path, data and stat of each node were asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from kazoo.client import KazooClient

import zookeeper
from harness import c_programs, kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.floor import prepared, read_floor
from harness.service import Service, connected
from harness.shapes import SHAPES, generate

ROOT = "/benchmark-read"

OURS = "zookeeper.read_tree"
OURS_CONVERTED = "the same, all of it used"
C_WALK = "zoo_aget walk in C"
FLOOR = "the floor: a raw socket in C"
SEQUENTIAL = "kazoo one by one"
ASYNCHRONOUS = "kazoo asynchronous"

C_WINDOW = 1000
SLOW_ROUNDS = 3


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for shape in options.shapes:
        nodes = generate(shape, options.nodes)
        plain = prepared(nodes)
        with (
            service.tree(ROOT, nodes),
            connected(service.hosts) as handle,
            kazoo_jobs.connected(service.hosts) as client,
        ):

            def ours(handle: int = handle) -> float:
                seconds, found = timed(lambda: zookeeper.read_tree(handle, ROOT))
                expect(len(found), options.nodes, "nodes")
                return seconds

            def ours_converted(handle: int = handle) -> float:
                def read() -> list[object]:
                    tree = zookeeper.read_tree(handle, ROOT)
                    return [(node.path, node.data, node.stat) for node in tree]

                seconds, found = timed(read)
                expect(len(found), options.nodes, "nodes")
                return seconds

            def c_walk() -> float:
                result = c_programs.run("walk_aget", service.hosts, ROOT, C_WINDOW)
                expect(result["nodes"], options.nodes, "nodes")
                return float(result["seconds"])

            def floor(plain: list[tuple[str, bytes]] = plain) -> float:
                return read_floor(service.hosts, ROOT, plain).seconds

            def sequential(client: KazooClient = client) -> float:
                seconds, found = timed(lambda: dict(kazoo_jobs.read_obviously(client, ROOT)))
                expect(len(found), options.nodes, "nodes")
                return seconds

            def asynchronous(client: KazooClient = client) -> float:
                seconds, found = timed(lambda: kazoo_jobs.read_best(client, ROOT))
                expect(len(found), options.nodes, "nodes")
                return seconds

            yield Case(
                f"read {options.nodes:,} nodes, {shape}",
                "seconds",
                [
                    Competitor(OURS, ours),
                    Competitor(OURS_CONVERTED, ours_converted),
                    Competitor(C_WALK, c_walk),
                    Competitor(FLOOR, floor),
                    Competitor(ASYNCHRONOUS, asynchronous),
                    Competitor(SEQUENTIAL, sequential, rounds=SLOW_ROUNDS),
                ],
                [
                    Goal(OURS, C_WALK, at_most=0.2),
                    Goal(OURS_CONVERTED, SEQUENTIAL, at_most=0.02),
                    Goal(OURS_CONVERTED, ASYNCHRONOUS, at_most=0.05),
                ],
                {"nodes": options.nodes, "shape": shape, "delay": 0},
            )


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000, shapes=tuple(SHAPES))
