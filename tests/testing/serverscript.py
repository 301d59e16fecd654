"""The command zookeeper_server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.deadlines import scaled

COMMAND = (sys.executable, "-m", "zc.zk", "server")

BANNER = "for development and tests; for real work run a ZooKeeper ensemble"

Start = Callable[..., tuple["subprocess.Popen[str]", str]]


def fault(*arguments: object, status: int = 1) -> str:
    """Return the one line that the command prints when it ends with `status`.

    The name of the command is left out.
    """
    process = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )
    assert (process.returncode, process.stdout) == (status, "")
    lines = [line.removeprefix("python -m zc.zk server: ") for line in process.stderr.splitlines()]
    said = [line for line in lines if line != BANNER]
    assert len(said) == 1, process.stderr
    return said[0]
