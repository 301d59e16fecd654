"""Commands called as their users do, in a place of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.deadlines import scaled

PATIENCE_SECONDS = 60

# A command that a test talks to line by line lives no longer.
LONGEST_SECONDS = 120

VARIABLES = ("ZC_ZK_", "_ARGCOMPLETE")


class Outcome(NamedTuple):
    """The status of a command, and its output."""

    status: int
    output: str
    messages: str


Command = Callable[..., Outcome]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the commands' environment, without ours that matters to them."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)
    }
    return {**inherited, "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}


@pytest.fixture
def start(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Yield a function that starts a command, in the folder `tmp_path`.

    The command is gone after the test, and does not outlive a test that waits for ever for a line.
    """
    started: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        for process in started:
            process.kill()

    longest = threading.Timer(scaled(LONGEST_SECONDS), kill)
    longest.start()

    def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        defaults: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "env": environment,
            "cwd": tmp_path,
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-m", "zc.zk", *map(str, arguments)]
        process = subprocess.Popen(command, **{**defaults, **pipes, **options})
        started.append(process)
        return process

    yield start
    longest.cancel()
    longest.join()
    kill()
    for process in started:
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def command(start: Callable[..., subprocess.Popen[bytes]], environment: dict[str, str]) -> Command:
    """Return a function that runs a command: command("export", place, "-e").

    `given` is what it reads from standard input, and `variables` are added to its environment.
    """

    def command(
        *arguments: object,
        given: str | bytes = b"",
        variables: dict[str, str] | None = None,
    ) -> Outcome:
        content = given.encode() if isinstance(given, str) else given
        process = start(*arguments, stdin=subprocess.PIPE, env={**environment, **(variables or {})})
        output, messages = process.communicate(content, timeout=scaled(PATIENCE_SECONDS))
        return Outcome(process.returncode, output.decode(), messages.decode())

    return command
