"""A Python of each version, with the tools that build the extensions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from scripts.wheels.running import BuildError, run
from scripts.wheels.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent.parent


def find_interpreter(version: str) -> Path:
    """Return a Python of a version such as 3.12, from PATH or from pyenv."""
    name = f"python{version}"
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [*sorted(versions.glob(f"{version}.*/bin/{name}")), shutil.which(name)]
    for candidate in candidates:
        if candidate is not None and _answers(Path(candidate), version):
            return Path(candidate)
    raise BuildError(
        f"there is no {name} with headers, on PATH or of pyenv; --python chooses others"
    )


def _answers(candidate: Path, version: str) -> bool:
    # A program of pyenv may stand for a version that is not switched on.
    program = (
        "import os, sys, sysconfig;"
        "assert os.path.exists(sysconfig.get_path('include') + '/Python.h');"
        "print('%d.%d' % sys.version_info[:2])"
    )
    try:
        return run(candidate, "-c", program).strip() == version
    except (BuildError, OSError):
        return False


def link_headers(interpreter: Path, folder: Path) -> list[str]:
    """Return the options by which a compiler of another system finds all headers of a Python.

    Debian's are in two folders, the second named for the machine and beside those of its libc,
    which are not for the compiler. 64-bit systems of Linux differ in none of what is there.
    """
    program = (
        "import sysconfig; print(sysconfig.get_path('include'));"
        "print(sysconfig.get_config_var('MULTIARCH'))"
    )
    include, machine = run(interpreter, "-c", program).split()
    headers = Path(include)
    beside = headers.parent / machine / headers.name
    if not beside.is_dir():
        return []
    shutil.rmtree(folder, ignore_errors=True)
    for target in TARGETS:
        place = folder / f"{target.machine}-linux-gnu" / headers.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(beside)
    return [f"-I{folder}"]


def environment_of(version: str, folder: Path, requirements: Iterable[str]) -> Path:
    """Make an environment with the locked releases of some packages; return its Python."""
    python = folder / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    requirements = [*requirements]
    done = folder / "installed"
    wanted = "\n".join([*requirements, constraints.read_text()])
    if done.exists() and done.read_text() == wanted:
        return python
    run(find_interpreter(version), "-m", "venv", "--clear", folder)
    run(python, "-m", "pip", "install", "--quiet", "--constraint", constraints, *requirements)
    done.write_text(wanted)
    return python
