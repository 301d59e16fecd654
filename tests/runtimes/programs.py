"""Programs for a test to run, in processes of their own: a patched one cannot be mended."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap

import pytest

from tests.deadlines import scaled

SECONDS = 90  # to end a program that hangs: several processes begin in it, on a busy machine


def require(*modules: str) -> None:
    """Skip the test where one of these is not installed, which it must not import itself."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}")


def run(program: str, *arguments: str) -> str:
    """Return what a program prints; it has to end well, and in time."""
    # Warnings are eventlet's, of its own end, and Python's, of forks.
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), *arguments]
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=scaled(SECONDS),
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
