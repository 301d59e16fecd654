"""Programs that a build runs: quiet if they succeed, and loud if they do not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# Of a builder's environment, these would change what is built.
_LEFT_OUT = (
    "CC",
    "CXX",
    "CFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "LDSHARED",
    "AR",
    "ARFLAGS",
    "PYTHONPATH",
)
_LEFT_OUT_PREFIXES = ("ZOOKEEPER_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "CCACHE_")


class BuildError(Exception):
    """Something cannot be built; the message says what."""


def plain_environment(additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without what would change a build, with additions."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _LEFT_OUT and not name.startswith(_LEFT_OUT_PREFIXES)
    }
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(additions or {})}


def run(
    *command: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return what it prints. Raise BuildError, with all of it, if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=plain_environment() if environment is None else environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise BuildError(f"{words}\n{done.stdout}\nfailed with status {done.returncode}")
    return done.stdout
