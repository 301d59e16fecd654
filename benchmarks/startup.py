"""Measure the start: a whole process exports a small tree.

The floor is an interpreter that imports the binding, and reads the same nodes one by one.

zkCli.sh, which has no export, lists the names of the nodes. Where the script is not installed, the
program that it runs is called without it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harness.cases import Case, Competitor, Goal, expect
from harness.command import main
from harness.processes import elapsed, run, used
from harness.service import Service
from harness.shapes import generate

ROOT = "/benchmark-startup"
NODES = 10

EXPORT = Path(sys.executable).with_name("zookeeper_export")

# The program of a user of kazoo: argv has the servers and the root.
KAZOO = """\
import sys
from kazoo.client import KazooClient

def export(path):
    data, _ = zk.get(path)
    print(path, data.decode())
    for name in sorted(zk.get_children(path)):
        export(path + '/' + name)

zk = KazooClient(sys.argv[1])
zk.start()
export(sys.argv[2])
zk.stop()
zk.close()
"""

# No argument is parsed, and data are written as they are.
BINDING = """\
import sys, threading
import zookeeper

def export(path):
    data, _ = zookeeper.get(handle, path)
    print(path, data)
    for name in sorted(zookeeper.get_children(handle, path)):
        export(path + '/' + name)

connected = threading.Event()
handle = zookeeper.init(sys.argv[1], lambda *event: connected.set())
connected.wait()
export(sys.argv[2])
zookeeper.close(handle)
"""

SCRIPT = Path("/usr/share/zookeeper/bin/zkCli.sh")
JARS = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("zookeeper", "slf4j-simple"))
ZKCLI = [str(SCRIPT)] if SCRIPT.exists() else [
    "java", "-cp", JARS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "org.apache.zookeeper.ZooKeeperMain",
]  # fmt: skip


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with service.tree(ROOT, generate("mixed", NODES)):
        commands = {
            "zookeeper_export": [str(EXPORT), service.hosts, ROOT],
            "binding": [sys.executable, "-c", BINDING, service.hosts, ROOT],
            "kazoo": [sys.executable, "-c", KAZOO, service.hosts, ROOT],
            "zkCli.sh": [*ZKCLI, "-server", service.hosts, "ls", "-R", ROOT],
        }
        check(commands, service)
        as_kazoo = Goal("zookeeper_export", "kazoo", at_most=1)
        as_binding = Goal("zookeeper_export", "binding", at_most=1.5)
        # A person waits for a fifth of the time; how much of it zkCli.sh is idle is its own.
        as_zkcli = Goal("zookeeper_export", "zkCli.sh", at_most=0.2)
        for unit, measure, goals in (
            ("milliseconds", elapsed, [as_kazoo, as_zkcli, as_binding]),
            ("CPU milliseconds", used, [as_kazoo, as_binding]),
        ):
            yield Case(
                f"a tree of {NODES} nodes, exported by a whole process",
                unit,
                [Competitor(who, partial(measure, command)) for who, command in commands.items()],
                goals,
            )


def check(commands: dict[str, list[str]], service: Service) -> None:
    """See that each of them shows all the nodes."""
    for who, command in commands.items():
        shown = run(command).stdout.decode()
        for node in generate("mixed", NODES):
            name = node.path.rpartition("/")[2]
            expect(name in shown, True, f"{who} shows {node.path}")


if __name__ == "__main__":
    main(cases, __doc__, rounds=20)
