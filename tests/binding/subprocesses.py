"""Running a program in an interpreter of its own, where a crash or a hang is a failed test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deadlines import scaled

ROOT = Path(__file__).parents[2]


def run(program: str, *arguments: str, seconds: float = 60) -> Any:
    """Run `tests.binding.programs.PROGRAM` and return what it printed last, as JSON.

    Raises AssertionError with all of its output when it fails or does not end within `seconds`.
    """
    command = [
        *(sys.executable, "-X", "faulthandler", "-W", "error"),
        # A warning of Python 3.12 that is to the point, and what the programs are there to try.
        *("-W", "ignore:This process:DeprecationWarning"),
        *("-m", f"tests.binding.programs.{program}", *arguments),
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=scaled(seconds),
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"{program} hangs: {expired.stdout!r} {expired.stderr!r}") from None
    assert done.returncode == 0, f"{program}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
