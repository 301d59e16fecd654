"""Measure `zc.zk` on whole trees, near and behind a delay.

The rivals are kazoo and C. The jobs are fresh import, unchanged import, export, walk and delete of
the same tree. Programs in C are there for two of them, which make nothing of what comes: one reads
by pipelined zoo_aget calls, one sends requests that are prepared (the floor). The result of each
job is checked each time, which is not timed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from kazoo.client import KazooClient

import zc.zk
import zookeeper
from harness import c_programs, kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.floor import create_floor, prepared, read_floor
from harness.service import Service, connected, load, remove
from harness.shapes import Node, generate

NAME = "benchmark-tree"
ROOT = f"/{NAME}"

IMPORT, EXPORT = "zk.import_tree", "zk.export_tree"
OBVIOUS = "kazoo one by one"
BEST = "kazoo asynchronous"
TRANSACTIONS = "kazoo transactions"
C_WALK = "zoo_aget in C"
FLOOR = "the floor: a raw socket in C"
C_WINDOW = 1000

# Rounds that kazoo one by one takes part in. Behind a delay one of its rounds takes a minute, so
# that it is there for one round of one job only.
OBVIOUS_ROUNDS_NEAR, OBVIOUS_ROUNDS_FAR, OBVIOUS_JOB_FAR = 3, 1, "export"

# Rounds of a second, where ours and the floor have many of some hundredths.
BEST_ROUNDS = 5

# The goals against kazoo one by one are set for this shape. With large values and many properties
# it is the server that takes the time: the floor of an import would not reach them.
GOALS_AGAINST_OBVIOUS = "mixed"


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for shape in options.shapes:
        nodes = generate(shape, options.nodes)
        text = text_of(service, nodes)
        for delay in options.delays:
            with (
                near_or_far(service, delay) as hosts,
                zc.zk.ZooKeeper(hosts) as zk,
                kazoo_jobs.connected(hosts) as client,
                connected(service.hosts) as helper,
            ):
                jobs = Jobs(hosts, nodes, prepared(nodes), text, zk, client, helper)
                yield from jobs.cases(shape, delay)


def text_of(service: Service, nodes: Sequence[Node]) -> str:
    """Return the text that imports as `nodes`."""
    with service.tree(ROOT, nodes), zc.zk.ZooKeeper(service.hosts) as zk:
        return str(zk.export_tree(ROOT))


def near_or_far(service: Service, delay: float) -> AbstractContextManager[str]:
    return service.delayed(delay) if delay else nullcontext(service.hosts)


@dataclass(frozen=True)
class Jobs:
    """The jobs, on one tree.

    `helper` is a handle near the server for the work that does not count.
    """

    hosts: str
    nodes: Sequence[Node]
    plain: list[tuple[str, bytes]]
    text: str
    zk: zc.zk.ZooKeeper
    client: KazooClient
    helper: int

    def cases(self, shape: str, delay: float) -> Iterator[Case]:
        slowly = OBVIOUS_ROUNDS_FAR if delay else OBVIOUS_ROUNDS_NEAR

        def case(
            job: str, competitors: list[Competitor], *near: Goal, far: Sequence[Goal] = ()
        ) -> Case:
            away = f", {delay:g} ms away" if delay else ""
            if delay and job != OBVIOUS_JOB_FAR:
                competitors = [each for each in competitors if each.name != OBVIOUS]
            goals = [
                goal
                for goal in (far if delay else near)
                if shape == GOALS_AGAINST_OBVIOUS or goal.rival != OBVIOUS
            ]
            return Case(
                f"{job}, {len(self.nodes):,} nodes, {shape}{away}",
                "seconds",
                competitors,
                goals,
                {"job": job, "nodes": len(self.nodes), "shape": shape, "delay": delay},
            )

        yield case(
            "fresh import",
            [
                Competitor(IMPORT, self.fresh_import),
                Competitor(FLOOR, self.fresh_import_floor),
                Competitor(TRANSACTIONS, self.fresh_import_best, BEST_ROUNDS),
                Competitor(OBVIOUS, self.fresh_import_obviously, slowly),
            ],
            Goal(IMPORT, FLOOR, at_most=1.2),
            Goal(IMPORT, TRANSACTIONS, at_most=1 / 2),
            Goal(IMPORT, OBVIOUS, at_most=1 / 80),
        )
        load(self.helper, ROOT, self.nodes)
        try:
            yield case(
                "unchanged import",
                [
                    Competitor(IMPORT, self.unchanged_import),
                    Competitor(EXPORT, self.export),
                    Competitor(BEST, self.unchanged_import_best, BEST_ROUNDS),
                    Competitor(OBVIOUS, self.unchanged_import_obviously, slowly),
                ],
                Goal(IMPORT, EXPORT, at_most=1.2),
            )
            yield case(
                "export",
                [
                    Competitor(EXPORT, self.export),
                    Competitor(FLOOR, self.export_floor),
                    Competitor(C_WALK, self.walk_in_c),
                    Competitor(BEST, self.export_best, BEST_ROUNDS),
                    Competitor(OBVIOUS, self.export_obviously, slowly),
                ],
                Goal(EXPORT, FLOOR, at_most=1.5),
                Goal(EXPORT, C_WALK, at_most=0.15),
                Goal(EXPORT, BEST, at_most=1 / 20),
                Goal(EXPORT, OBVIOUS, at_most=1 / 150),
                far=[Goal(EXPORT, FLOOR, at_most=1.5), Goal(EXPORT, OBVIOUS, at_most=1 / 500)],
            )
            yield case(
                "walk",
                [
                    Competitor("zk.walk", self.walk),
                    Competitor(BEST, self.walk_best, BEST_ROUNDS),
                    Competitor(OBVIOUS, self.walk_obviously, slowly),
                ],
            )
        finally:
            remove(self.helper, ROOT)
        yield case(
            "delete",
            [
                Competitor("zk.delete_recursive", self.delete),
                Competitor(TRANSACTIONS, self.delete_best, BEST_ROUNDS),
                Competitor(OBVIOUS, self.delete_obviously, slowly),
            ],
            Goal("zk.delete_recursive", OBVIOUS, at_most=1 / 50),
        )

    # Fresh import

    def fresh_import(self) -> float:
        return self.imported(timed(lambda: self.zk.import_tree(self.text))[0])

    def fresh_import_obviously(self) -> float:
        return self.imported(timed(lambda: self.kazoo_import(kazoo_jobs.import_obviously))[0])

    def fresh_import_floor(self) -> float:
        return self.imported(create_floor(self.hosts, ROOT, self.plain).seconds)

    def fresh_import_best(self) -> float:
        return self.imported(timed(lambda: self.kazoo_import(kazoo_jobs.import_best))[0])

    def imported(self, seconds: float) -> float:
        """Check the tree that was imported, and remove it again."""
        found = {
            node.path: json.loads(node.data) if node.data else {}
            for node in zookeeper.read_tree(self.helper, ROOT)
        }
        expect(len(found), len(self.nodes), "nodes")
        for node in self.nodes:
            expect(found.get(ROOT + node.path), node.properties, f"properties of {node.path}")
        remove(self.helper, ROOT)
        return seconds

    # Unchanged import

    def unchanged_import(self) -> float:
        return self.not_written(timed(lambda: self.zk.import_tree(self.text))[0])

    def unchanged_import_obviously(self) -> float:
        return self.not_written(timed(lambda: self.kazoo_import(kazoo_jobs.import_obviously))[0])

    def unchanged_import_best(self) -> float:
        return self.not_written(timed(lambda: self.kazoo_import(kazoo_jobs.import_best))[0])

    def not_written(self, seconds: float) -> float:
        """Check that nothing was written: every node is as it was created."""
        found = zookeeper.read_tree(self.helper, ROOT)
        expect(len(found), len(self.nodes), "nodes")
        expect({node.version for node in found}, {0}, "versions")
        return seconds

    def kazoo_import(self, import_node: kazoo_jobs.Import) -> None:
        tree = kazoo_jobs.parse(self.text, ROOT)
        expect(import_node(self.client, ROOT, tree), 0, "extra nodes")

    # Export, walk, delete

    def export(self) -> float:
        return self.exported(*timed(lambda: self.zk.export_tree(ROOT)))

    def export_obviously(self) -> float:
        export = kazoo_jobs.export_obviously
        return self.exported(*timed(lambda: export(self.client, ROOT, NAME)))

    def export_best(self) -> float:
        export = kazoo_jobs.export_best
        return self.exported(*timed(lambda: export(self.client, ROOT, NAME)))

    def export_floor(self) -> float:
        return read_floor(self.hosts, ROOT, self.plain).seconds

    def walk_in_c(self) -> float:
        result = c_programs.run("walk_aget", self.hosts, ROOT, C_WINDOW)
        expect(result["nodes"], len(self.nodes), "nodes")
        return float(result["seconds"])

    def exported(self, seconds: float, text: str) -> float:
        """Check that a text has a line for each node.

        Each competitor writes values in its own way.
        """
        lines = (line.lstrip() for line in text.splitlines())
        expect(sum(line.startswith("/") for line in lines), len(self.nodes), "nodes in the text")
        return seconds

    def walk(self) -> float:
        return self.walked(*timed(lambda: list(self.zk.walk(ROOT))))

    def walk_obviously(self) -> float:
        return self.walked(*timed(lambda: list(kazoo_jobs.walk_obviously(self.client, ROOT))))

    def walk_best(self) -> float:
        return self.walked(*timed(lambda: kazoo_jobs.walk_best(self.client, ROOT)))

    def walked(self, seconds: float, paths: Sequence[str]) -> float:
        missed = {ROOT + node.path for node in self.nodes}.difference(paths)
        expect((len(paths), missed), (len(self.nodes), set()), "paths and those missed")
        return seconds

    def delete(self) -> float:
        load(self.helper, ROOT, self.nodes)
        return self.deleted(timed(lambda: self.zk.delete_recursive(ROOT))[0])

    def delete_obviously(self) -> float:
        load(self.helper, ROOT, self.nodes)
        return self.deleted(timed(lambda: kazoo_jobs.delete_obviously(self.client, ROOT))[0])

    def delete_best(self) -> float:
        load(self.helper, ROOT, self.nodes)
        return self.deleted(timed(lambda: kazoo_jobs.delete_best(self.client, ROOT))[0])

    def deleted(self, seconds: float) -> float:
        expect(zookeeper.exists(self.helper, ROOT), None, "what is left")
        return seconds


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000, shapes=("mixed",), delays=(0, 1))
