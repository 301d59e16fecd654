"""Compare the text side of an import and an export with the network side.

The text side is the part of `zk.import_tree` and `zk.export_tree` without the server: parse and
plan, or render. The network side is the part with it: write_many, or read_tree.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import zookeeper
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.service import Service, connected, raise_first, remove
from harness.shapes import generate
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.tree.changes import Change, operations
from zc.zk.tree.diff import NodeState, plan_import
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.render import render

NAME = "benchmark-text"
ROOT = f"/{NAME}"

READ, RENDER = "zookeeper.read_tree", "render"
WRITE, PARSE, PLAN = "zookeeper.write_many", "parse", "plan"
PARSE_AND_PLAN = f"{PARSE} and {PLAN}"


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for shape in options.shapes:
        nodes = generate(shape, options.nodes)
        with connected(service.hosts) as handle, service.tree(ROOT, nodes):
            rows = [
                (node.depth, node.name, node.data) for node in zookeeper.read_tree(handle, ROOT)
            ]
            text = "".join(render(rows))
            work = Work(handle, text, rows)
            parameters = {"nodes": options.nodes, "shape": shape}
            yield Case(
                f"export of {options.nodes:,} nodes, {shape}",
                "seconds",
                [Competitor(RENDER, work.render), Competitor(READ, work.read)],
                [Goal(RENDER, READ, at_most=1)],
                parameters,
            )
            remove(handle, ROOT)
            yield Case(
                f"fresh import of {options.nodes:,} nodes, {shape}",
                "seconds",
                [
                    Competitor(PARSE_AND_PLAN, work.parse_and_plan),
                    Competitor(PARSE, work.parse),
                    Competitor(PLAN, work.plan),
                    Competitor(WRITE, work.write),
                ],
                [Goal(PARSE_AND_PLAN, WRITE, at_most=1)],
                parameters,
            )
            work.leave_tree()


class Work:
    """Both sides of the work on one tree.

    The tree is not on the server when it is to be written.
    """

    def __init__(self, handle: int, text: str, rows: list[tuple[int, str, str | None]]) -> None:
        self._handle = handle
        self._text = text
        self._rows = rows
        self._tree = parse_tree(text)
        self._operations = operations(self._planned(), OPEN_ACL_UNSAFE)

    def read(self) -> float:
        seconds, found = timed(lambda: zookeeper.read_tree(self._handle, ROOT))
        expect(len(found), len(self._rows), "nodes")
        return seconds

    def render(self) -> float:
        seconds, text = timed(lambda: "".join(render(iter(self._rows))))
        expect(text, self._text, "text")
        return seconds

    def parse(self) -> float:
        return timed(lambda: parse_tree(self._text))[0]

    def plan(self) -> float:
        return timed(self._planned)[0]

    def parse_and_plan(self) -> float:
        return self.parse() + self.plan()

    def write(self) -> float:
        seconds, results = timed(lambda: zookeeper.write_many(self._handle, self._operations))
        raise_first(results)
        remove(self._handle, ROOT)
        return seconds

    def leave_tree(self) -> None:
        raise_first(zookeeper.write_many(self._handle, self._operations))

    def _planned(self) -> list[Change]:
        return list(plan_import(self._tree, "/", {"/": NodeState("", 0, False)}))


if __name__ == "__main__":
    main(cases, __doc__, nodes=100_000, shapes=("mixed", "many_properties"))
