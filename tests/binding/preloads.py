"""Libraries that a program is run with before all others (LD_PRELOAD), made of tests' own C."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"

STRICT = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]


def library_of(source: str) -> Callable[[pytest.TempPathFactory], Path]:
    """Make a fixture that compiles a file of `programs`, and gives the library."""

    @pytest.fixture(scope="module")
    def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("preloads") / f"{Path(source).stem}.so"
        compiler = [os.environ.get("CC", "gcc"), *STRICT]
        subprocess.run([*compiler, "-o", path, PROGRAMS / source, "-ldl"], check=True)
        return path

    return library


def with_library(library: Path, *settings: str) -> list[str]:
    """Return a command that runs another one with the library, and variables (NAME=VALUE)."""
    preloaded = f"{os.environ.get('LD_PRELOAD', '')} {library}"
    return ["env", f"LD_PRELOAD={preloaded}", *settings]
