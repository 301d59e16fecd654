"""Measure the first milliseconds: the import, and its first connection.

An import is measured in a process of its own, above what a bare interpreter takes that was started
just before. Processor time counts: a process that has to wait for its turn is not slower.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from harness import kazoo_jobs
from harness.cases import Case, Competitor, Goal
from harness.command import main
from harness.processes import used
from harness.service import Service, connected, connected_library

# A plain client asks for no more than the class of clients.
PLAIN = "zc.zk.ZooKeeper"
IMPORTS = {
    PLAIN: "import zc.zk; zc.zk.ZooKeeper",
    "all of zc.zk": "from zc.zk import *; import zc.zk.operations.import_",
    "zookeeper": "import zookeeper",
    "kazoo.client": "import kazoo.client",
    "logging, typing, threading, json": "import logging, typing, threading, json",
}
MOST_MILLISECONDS = 40

CONNECT: dict[str, Callable[[str], AbstractContextManager[Any]]] = {
    "zc.zk": connected_library,
    "zookeeper": connected,
    "kazoo": kazoo_jobs.connected,
}


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    yield Case(
        "import",
        "milliseconds of processor time above a bare interpreter",
        [Competitor(name, partial(above_bare, program)) for name, program in IMPORTS.items()],
        [Goal(PLAIN, at_most=MOST_MILLISECONDS)],
    )
    yield Case(
        "connect",
        "milliseconds",
        [Competitor(who, partial(connect, service.hosts, who)) for who in CONNECT],
    )


def above_bare(program: str) -> float:
    return used([sys.executable, "-c", program]) - used([sys.executable, "-c", ""])


def connect(hosts: str, who: str) -> float:
    start = time.perf_counter()
    with CONNECT[who](hosts):
        return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main(cases, __doc__, rounds=20)
