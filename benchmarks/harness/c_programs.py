"""Build and run the C programs of `benchmarks/c`.

A program is built when it is older than its sources.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent.parent / "c"
BUILD = SOURCES.parent.parent / "build" / "benchmarks"


def run(program: str, *arguments: object) -> dict[str, Any]:
    """Run one program and return what it printed.

    Raises CalledProcessError when it gives up.
    """
    build()
    command = [str(BUILD / program), *map(str, arguments)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


@cache
def build() -> None:
    """Bring the programs up to date, once in the life of this process."""
    make = ["make", "--silent", f"--directory={SOURCES}", f"BUILD={BUILD}"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
