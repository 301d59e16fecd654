"""Measure a live tree: its first read against `read_tree`, and what a node takes of memory.

The rival is kazoo's TreeCache, up to a size at which it is still bearable. Each is a process of its
own. A node's memory is what the process has more than before, by the number of nodes, without the
bytes of data and names; `read_tree` keeps nothing but a block of C.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

from harness.cases import Case, Competitor, Goal, expect, replay
from harness.command import main
from harness.service import Service
from harness.shapes import Node, generate

ROOT = "/benchmark-livetree"

OURS, READ, KAZOO = "zk.tree", "zookeeper.read_tree", "kazoo TreeCache"

# Larger trees get one round, and are none of kazoo's business.
MOST_FOR_ALL_ROUNDS = 100_000
MOST_FOR_KAZOO = 10_000

# Bytes that a node takes besides its data and its name; and time.
MAX_BYTES = 400
MAX_RATIO = 1.5

CONNECT = {
    OURS: "import zc.zk, zc.zk.watching.tree; zk = zc.zk.ZooKeeper(hosts, 60_000)",
    READ: "import zc.zk, zookeeper; zk = zc.zk.ZooKeeper(hosts, 60_000)",
    KAZOO: """
import threading
from kazoo.client import KazooClient
from kazoo.recipe.cache import TreeCache, TreeEvent
zk = KazooClient(hosts, timeout=60)
zk.start()
""",
}
FOLLOW = {
    OURS: "tree = zk.tree(root)\ncount = lambda: len(tree)",
    READ: "tree = zk.read_tree(root)\ncount = lambda: len(tree)",
    KAZOO: """
complete = threading.Event()
tree = TreeCache(zk, root)
tree.listen(lambda event: event.event_type == TreeEvent.INITIALIZED and complete.set())
tree.start()
complete.wait()
def count():
    found, to_do = 0, [tree._root]
    while to_do:
        node = to_do.pop()
        found += 1
        to_do += node._children.values()
    return found
""",
}

# argv: the servers and the root. Memory that was freed goes back before it is looked at.
PROGRAM = """\
import ctypes, gc, json, sys, time
hosts, root = sys.argv[1:]
def memory():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:')) * 1024
{connect}
before = memory()
start = time.perf_counter()
{follow}
seconds = time.perf_counter() - start
print(json.dumps([seconds, memory() - before, count()]))
"""


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for shape in options.shapes:
        nodes = generate(shape, options.nodes)
        with service.tree(ROOT, nodes):
            yield from cases_of(service, shape, nodes)


def cases_of(service: Service, shape: str, nodes: list[Node]) -> Iterator[Case]:
    """Yield time and memory of each, which were measured together."""
    who = [OURS, READ] + [KAZOO] * (len(nodes) <= MOST_FOR_KAZOO)
    figures: dict[str, list[float]] = {each: [] for each in who}
    given = sum(len(node.data) + len(node.path.rpartition("/")[2]) for node in nodes)

    def seconds(who: str) -> float:
        program = PROGRAM.format(connect=CONNECT[who], follow=FOLLOW[who])
        command = [sys.executable, "-c", program, service.hosts, ROOT]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        took, memory, count = json.loads(done.stdout)
        expect(count, len(nodes), "nodes")
        figures[who].append((memory - given) / len(nodes))
        return float(took)

    def competitors(figure: Callable[[str], Callable[[], float]]) -> list[Competitor]:
        rounds = None if len(nodes) <= MOST_FOR_ALL_ROUNDS else 1
        return [Competitor(each, figure(each), rounds) for each in who]

    title = f"{len(nodes):,} nodes, {shape}"
    parameters = {"nodes": len(nodes), "shape": shape}
    yield Case(
        f"a live tree's first read, {title}",
        "seconds",
        competitors(lambda who: partial(seconds, who)),
        [Goal(OURS, READ, at_most=MAX_RATIO)],
        parameters,
    )
    yield Case(
        f"its memory for a node, {title}",
        "bytes",
        competitors(lambda who: replay(figures[who])),
        [Goal(OURS, at_most=MAX_BYTES)],
        parameters,
    )


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000, shapes=("mixed", "wide"), rounds=3)
