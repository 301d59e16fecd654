"""A server of our own for each test that asks for one."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.embedded import embedded
from tests.testing.serverscript import COMMAND, Start
from zc.zk.testing import Server


@pytest.fixture
def own() -> Iterator[Server]:
    """Yield our own server, running."""
    with embedded() as server:
        yield server


@pytest.fixture
def start() -> Iterator[Start]:
    """Yield a function that starts the command.

    It returns the process and its connection string.
    """
    with ExitStack() as opened:

        def start(*arguments: object) -> tuple[subprocess.Popen[str], str]:
            process = subprocess.Popen(
                [*COMMAND, *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            opened.enter_context(process)
            opened.callback(process.kill)
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"listening on (127\.0\.0\.1:\d+)\n", line)
            return process, match[1] if match else line

        yield start
