"""Starting: a small tree is exported by a whole process.

zkCli.sh, which has no export, lists the names of the nodes. Where the script is not installed, what
it runs is called without it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from harness.cases import Case, Competitor, Goal, expect
from harness.command import main
from harness.service import Service
from harness.shapes import generate

ROOT = "/benchmark-startup"
NODES = 10

EXPORT = Path(sys.executable).with_name("zookeeper_export")

# What somebody who has kazoo writes into a file: argv has the servers and the root.
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

SCRIPT = Path("/usr/share/zookeeper/bin/zkCli.sh")
JARS = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("zookeeper", "slf4j-simple"))
ZKCLI = [str(SCRIPT)] if SCRIPT.exists() else [
    "java", "-cp", JARS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "org.apache.zookeeper.ZooKeeperMain",
]  # fmt: skip

# Start-up is at its usual when the compiled modules may be kept, as they are when installed.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with service.tree(ROOT, generate("mixed", NODES)):
        commands = {
            "zookeeper_export": [str(EXPORT), service.hosts, ROOT],
            "kazoo": [sys.executable, "-c", KAZOO, service.hosts, ROOT],
            "zkCli.sh": [*ZKCLI, "-server", service.hosts, "ls", "-R", ROOT],
        }
        check(commands, service)
        goals = [
            Goal("zookeeper_export", "kazoo", at_most=1),
            Goal("zookeeper_export", "zkCli.sh", at_most=0.2),
        ]
        for unit, measure in (("milliseconds", elapsed), ("CPU milliseconds", used)):
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


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        check=True,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def elapsed(command: Sequence[str]) -> float:
    start = time.perf_counter()
    run(command)
    return (time.perf_counter() - start) * 1000


def used(command: Sequence[str]) -> float:
    """On all cores, the process and those that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    main(cases, __doc__, rounds=20)
