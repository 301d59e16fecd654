"""Pythons for systems that have none of ours: an old glibc, musl, and releases not yet packaged.

They are compiled out of Debian's source packages, with as little as the tests need.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.wheels.libraries import unpack
from scripts.wheels.running import plain_environment, run


class Recipe(NamedTuple):
    """How a Python is made: `name` is that of its program, such as python3.11."""

    name: str
    compiler: str = "cc"
    linked: str = ""
    options: Sequence[str] = ()


def build_python(recipe: Recipe, archive: Path, folder: Path) -> Path:
    """Build a Python of an archive in a folder, unless it is there; return its program."""
    program = folder / "installed" / "bin" / recipe.name
    made_of = f"{recipe}\n{archive.name}\n"
    done = folder / "built-of"
    if done.exists() and done.read_text() == made_of:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = unpack(archive, folder / "source")
    environment = plain_environment(
        {
            "CC": recipe.compiler,
            # Without -fPIC a program has copies of libc's variables, and zig's musl does not say
            # that `environ` has a second name: the copy stays empty.
            "CFLAGS": "-O1 -fPIC -Wno-error=date-time",
            "LDFLAGS": recipe.linked,
            # It tells of this system's libraries, which are not for the other one.
            "PKG_CONFIG_LIBDIR": str(folder / "none"),
        }
    )
    run(
        "./configure",
        f"--prefix={folder / 'installed'}",
        "--without-ensurepip",
        "--disable-test-modules",
        *recipe.options,
        cwd=source,
        environment=environment,
    )
    run("make", f"-j{os.cpu_count()}", cwd=source, environment=environment)
    run("make", "altinstall", cwd=source, environment=environment)
    shutil.rmtree(folder / "source")
    done.write_text(made_of)
    return program
