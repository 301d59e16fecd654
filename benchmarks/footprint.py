"""Measure the memory of a client with and without 10,000 live objects.

The client without them has nothing to do. Each is a process of its own, which tells how much it
holds in memory when all is set up.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from harness.cases import Case, Competitor
from harness.command import main
from harness.service import Service
from harness.shapes import generate

ROOT = "/benchmark-footprint"
OBJECTS = 10_000

# A program does this to be connected, and then to follow some paths.
CONNECT = {
    "python alone": "",
    "zc.zk": "import zc.zk; zk = zc.zk.ZooKeeper(hosts)",
    "kazoo": "import kazoo.client as k; zk = k.KazooClient(hosts); zk.start()",
}
FOLLOW = {
    "zc.zk": "followed = [zk.properties(path) for path in paths]",
    "kazoo": "followed = [zk.DataWatch(path, lambda *news: None) for path in paths]",
}

# argv: the servers, the root and the number of nodes.
PROGRAM = """\
import sys
hosts, paths = sys.argv[1], [sys.argv[2] + '/10.0.%d.%d:8080' % divmod(n, 256)
                             for n in range(int(sys.argv[3]))]
{connect}
{follow}
print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmRSS:')))
"""


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with service.tree(ROOT, generate("wide", OBJECTS + 1)):
        yield Case(
            "a client that has nothing to do",
            "megabytes",
            [Competitor(who, partial(megabytes, service, who, 0)) for who in CONNECT],
        )
        yield Case(
            f"a client that follows the data of {OBJECTS:,} nodes",
            "megabytes",
            [Competitor(who, partial(megabytes, service, who, OBJECTS)) for who in FOLLOW],
        )


def megabytes(service: Service, who: str, objects: int) -> float:
    """Return the memory of a client that follows some nodes."""
    program = PROGRAM.format(connect=CONNECT[who], follow=FOLLOW[who] if objects else "")
    command = [sys.executable, "-c", program, service.hosts, ROOT, str(objects)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return int(done.stdout) / 1024


if __name__ == "__main__":
    main(cases, __doc__, rounds=3)
