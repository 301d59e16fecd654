"""Measure whole processes: their time, and their share of a processor."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Sequence

# Python starts as it usually does when it may keep compiled modules, as installed programs may.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command that has to succeed; what it prints is in the result."""
    return subprocess.run(
        command,
        check=True,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def elapsed(command: Sequence[str]) -> float:
    """Return the milliseconds that a command takes."""
    start = time.perf_counter()
    run(command)
    return (time.perf_counter() - start) * 1000


def used(command: Sequence[str]) -> float:
    """Return the milliseconds of processor time of a command, on all cores.

    The processes that it starts count as well.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
