"""Run one job on a tree in a process of its own, and print its cost.

    python -m harness.one_job WHO JOB HOSTS ROOT FILE

Memory can only be measured like this: what a process has once taken it seldom gives back. FILE is
the text to import or to compare with, or where an export goes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from . import kazoo_jobs
from .service import connected_library, requests_received

BENCHMARKS = Path(__file__).parent.parent
SESSION_MILLISECONDS = 60_000

# A job returns the number of nodes that it has met, where nothing else would tell.
Work = Callable[[Any, str, Path], "int | None"]


class Cost(NamedTuple):
    """The cost of one job."""

    seconds: float
    megabytes: float  # at most, of the whole process
    requests: int  # that reached the server, connecting included
    nodes: int | None


def cost_of(who: str, job: str, hosts: str, root: str, file: Path) -> Cost:
    """Run a job in a process of its own, and return its cost.

    Raises CalledProcessError when it fails.
    """
    command = [sys.executable, "-m", "harness.one_job", who, job, hosts, root, str(file)]
    before = requests_received(hosts)
    done = subprocess.run(command, check=True, cwd=BENCHMARKS, stdout=subprocess.PIPE)
    figures = json.loads(done.stdout)
    return Cost(requests=requests_received(hosts) - before, **figures)


def export(zk: Any, root: str, file: Path) -> None:
    file.write_text(zk.export_tree(root))


def import_(zk: Any, root: str, file: Path) -> None:
    zk.import_tree(file.read_text())


def diff(zk: Any, root: str, file: Path) -> None:
    str(zk.plan_import(file.read_text(), trim=True))


def walk(zk: Any, root: str, file: Path) -> int:
    return sum(1 for _ in zk.walk(root))


def delete(zk: Any, root: str, file: Path) -> None:
    zk.delete_recursive(root)


def export_with_kazoo(client: Any, root: str, file: Path) -> None:
    file.write_text(kazoo_jobs.export_best(client, root, root.rpartition("/")[2]))


def import_with_kazoo(client: Any, root: str, file: Path) -> None:
    kazoo_jobs.import_best(client, root, kazoo_jobs.parse(file.read_text(), root))


def walk_with_kazoo(client: Any, root: str, file: Path) -> int:
    return len(kazoo_jobs.walk_best(client, root))


def delete_with_kazoo(client: Any, root: str, file: Path) -> None:
    kazoo_jobs.delete_best(client, root)


JOBS: dict[str, dict[str, Work]] = {
    "zc.zk": {
        "fresh import": import_,
        "unchanged import": import_,
        "1 % changed import": import_,
        "diff": diff,
        "export": export,
        "walk": walk,
        "delete": delete,
    },
    "kazoo": {
        "fresh import": import_with_kazoo,
        "unchanged import": import_with_kazoo,
        "1 % changed import": import_with_kazoo,
        "export": export_with_kazoo,
        "walk": walk_with_kazoo,
        "delete": delete_with_kazoo,
    },
}


def peak_megabytes() -> float:
    """Return the most memory that this process has had.

    Not `ru_maxrss`, in which Linux counts what the parent had when it started this process.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM in /proc/self/status")


def main(who: str, job: str, hosts: str, root: str, file: str) -> None:
    connected = connected_library if who == "zc.zk" else kazoo_jobs.connected
    with connected(hosts) as client:
        start = time.perf_counter()
        nodes = JOBS[who][job](client, root, Path(file))
        seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes(), "nodes": nodes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
