"""Measure jobs on trees of a thousand to a million nodes.

The figures are time, peak memory and requests. Each job is done by a process of its own, which
reads its text from a file or writes it to one; the start of the interpreter and the connection do
not count as time. The rival is kazoo at its best, up to a size at which it is still bearable.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import zookeeper
from harness.cases import Case, Competitor, Goal, expect, replay
from harness.command import main
from harness.one_job import JOBS, Cost, cost_of
from harness.service import Service, connected, connected_library, remove
from harness.shapes import Node, generate
from zc.zk.tree.render import render

NAME = "benchmark-scale"
ROOT = f"/{NAME}"

OURS, KAZOO = "zc.zk", "kazoo"

# One node in so many is another one in the changed text.
UNCHANGED_NODES = 100

# Larger trees get fewer rounds, and kazoo fewer jobs.
MOST_FOR_ALL_ROUNDS, FEW_ROUNDS = 10_000, {OURS: 3, KAZOO: 1}
MOST_FOR_FEW_ROUNDS, JOBS_FOR_KAZOO = 100_000, ("fresh import", "export", "delete")
# The largest ones get these jobs only, without a rival.
MOST_FOR_ALL_JOBS, JOBS_AT_ANY_SIZE = 100_000, ("fresh import", "export", "walk")

# The limit is for a process that exports a million nodes to a file.
MOST_NODES, MOST_MEGABYTES = 1_000_000, 1000


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for size in options.sizes:
            with Tree(service.hosts, Path(folder), size) as tree:
                for job in JOBS[OURS]:
                    if size <= MOST_FOR_ALL_JOBS or job in JOBS_AT_ANY_SIZE:
                        yield from cases_of(tree, job, size)


def cases_of(tree: Tree, job: str, size: int) -> Iterator[Case]:
    """Yield time, memory and requests of a job, which were measured together."""
    kazoo_jobs = JOBS[KAZOO] if size <= MOST_FOR_ALL_ROUNDS else JOBS_FOR_KAZOO
    rivals = [KAZOO] if job in kazoo_jobs and size <= MOST_FOR_ALL_JOBS else []
    costs: dict[str, list[Cost]] = {who: [] for who in (OURS, *rivals)}

    def seconds(who: str) -> float:
        costs[who].append(tree.cost_of(who, job))
        return costs[who][-1].seconds

    def competitors(figure: Callable[[str], Callable[[], float]]) -> list[Competitor]:
        return [Competitor(who, figure(who), rounds_of(who, size)) for who in costs]

    def measured(attribute: str) -> list[Competitor]:
        return competitors(lambda who: replay(getattr(cost, attribute) for cost in costs[who]))

    title = f"{job}, {size:,} nodes"
    parameters = {"job": job, "nodes": size}
    yield Case(title, "seconds", competitors(lambda who: partial(seconds, who)), [], parameters)
    goals = []
    if (job, size) == ("export", MOST_NODES):
        goals = [Goal(OURS, at_most=MOST_MEGABYTES)]
    for what in ("megabytes", "requests"):
        yield Case(f"{title}: {what}", what, measured(what), goals, parameters)
        goals = []


def rounds_of(who: str, size: int) -> int | None:
    if size <= MOST_FOR_ALL_ROUNDS:
        return None
    return FEW_ROUNDS[who] if size <= MOST_FOR_FEW_ROUNDS else 1


class Tree:
    """A tree as text in files, and whatever of it is on the server at the moment."""

    def __init__(self, hosts: str, folder: Path, size: int) -> None:
        self._hosts = hosts
        self._size = size
        self._plain = folder / f"{size}.txt"
        self._changed = folder / f"{size}-changed.txt"
        self._exported = folder / "exported.txt"
        self._present: Path | None = None

    def __enter__(self) -> Tree:
        nodes = generate("mixed", self._size)
        write(self._plain, nodes)
        for index in range(0, self._size, UNCHANGED_NODES):
            nodes[index] = Node(nodes[index].path, {**nodes[index].properties, "changed": 1})
        write(self._changed, nodes)
        return self

    def __exit__(self, *_: object) -> None:
        self._have(None)

    def cost_of(self, who: str, job: str) -> Cost:
        """Return the cost of a job on the tree as the job needs it.

        The result of the job is checked.
        """
        self._have(None if job == "fresh import" else self._plain)
        text = self._changed if job in ("1 % changed import", "diff") else self._plain
        file = self._exported if job == "export" else text
        cost = cost_of(who, job, self._hosts, ROOT, file)
        if job == "export":
            with file.open() as lines:
                exported = sum(line.lstrip().startswith("/") for line in lines)
            expect(exported, self._size, "nodes in the text")
        elif job == "walk":
            expect(cost.nodes, self._size, "nodes walked")
        elif job != "diff":
            self._present = None if job == "delete" else text
            self._check()
        return cost

    def _have(self, text: Path | None) -> None:
        if self._present != text:
            with connected(self._hosts) as handle:
                if self._present is not None:
                    remove(handle, ROOT)
            if text is not None:
                with connected_library(self._hosts) as zk:
                    zk.import_tree(text.read_text())
            self._present = text

    def _check(self) -> None:
        """Check that the nodes on the server are those of the text that is there."""
        with connected(self._hosts) as handle:
            if self._present is None:
                expect(zookeeper.exists(handle, ROOT), None, "what is left")
                return
            nodes = zookeeper.read_tree(handle, ROOT)
            expect(len(nodes), self._size, "nodes")
            changed = sum('"changed":1' in (node.data or "") for node in nodes)
            expected = len(range(0, self._size, UNCHANGED_NODES))
            expect(changed, expected if self._present == self._changed else 0, "changed nodes")


def write(file: Path, nodes: Sequence[Node]) -> None:
    """Write the text of a tree, in the form that an export has."""
    ordered = sorted(nodes, key=lambda node: node.path.split("/"))
    file.write_text(
        "".join(
            render(
                (node.path.count("/"), node.path.rpartition("/")[2] or NAME, node.data.decode())
                for node in ordered
            )
        )
    )


if __name__ == "__main__":
    main(cases, __doc__, rounds=3, sizes=(1_000, 10_000, 100_000, 1_000_000))
