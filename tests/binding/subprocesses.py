"""Running a program in an interpreter of its own.

A crash or a hang is a failed test there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.deadlines import scaled

ROOT = Path(__file__).parents[2]


def run(program: str, *arguments: str, seconds: float = 60, within: Sequence[str] = ()) -> Any:
    """Run `tests.binding.programs.PROGRAM` and return its last line, as JSON.

    `within` is a command that runs another one.

    Raises AssertionError with all of its output when it fails or does not end within `seconds`.
    """
    command = [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *within,
        *(sys.executable, "-X", "faulthandler", "-W", "error"),
        # A warning of Python 3.12: it is correct, and its cause is the subject of the programs.
        *("-W", "ignore:This process:DeprecationWarning"),
        *("-m", f"tests.binding.programs.{program}", *arguments),
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=scaled(seconds))
    except subprocess.TimeoutExpired:
        # The program is killed with its children, which hold its pipes open.
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise AssertionError(f"{program} hangs\n{output}\n{errors}") from None
    assert process.returncode == 0, f"{program}: {process.returncode}\n{output}\n{errors}"
    assert "Traceback" not in errors, errors
    return json.loads(output.splitlines()[-1])
