"""Look at all that is looked at before a release: `make release-check`.

The checks build the wheels twice, try them in fresh environments of every Python and on other
systems, and read what an index would show. All of them run, and the failures are told at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from scripts.readme import project_field
from scripts.wheels.building import Workshop, time_of_commit
from scripts.wheels.interpreters import ROOT, find_interpreter
from scripts.wheels.places import PLACES, Place
from scripts.wheels.running import BuildError, plain_environment, run
from scripts.wheels.targets import PYTHONS, TARGETS, wheel_name
from scripts.wheels.trials import builder, try_wheel
from scripts.wheels.verdicts import faults_of_wheel

RELEASE = ROOT / "build" / "release"
WORK = ROOT / "build" / "wheels"
TRIALS = ROOT / "build" / "trials"

VERSION = project_field((ROOT / "pyproject.toml").read_text(), "version")

# The wheels that this machine can install.
NATIVE = TARGETS[0]

# The guide, executed, the binding's contract in its quickest form, TLS with a real server, and the
# commands. Each module is imported, too: what one Python takes another may refuse.
EXECUTED = [
    "tests/docs/test_pages.py",
    "tests/binding/test_nodes.py",
    "tests/binding/test_watches.py",
    "tests/binding/test_tls_anywhere.py",
    "tests/test_imports.py",
    "tests/cli",
]


def check_checkout() -> str:
    """Look for what is not committed, and for the release in CHANGES.txt."""
    left = run("git", "status", "--porcelain", cwd=ROOT).strip()
    if left:
        raise BuildError(f"it is not committed:\n{left}")
    release = re.sub(r"rc\d+$", "", VERSION)
    if not re.search(
        rf"^{re.escape(release)} \(", (ROOT / "CHANGES.txt").read_text(), re.MULTILINE
    ):
        raise BuildError(f"CHANGES.txt tells nothing of {release}")
    return VERSION


def build_wheels() -> str:
    """Build everything, and have auditwheel and readelf look at each wheel."""
    print(run(sys.executable, "-m", "scripts.wheels", "--output", RELEASE, cwd=ROOT), end="")
    return f"{len(list(RELEASE.glob('*.whl')))} wheels"


def build_again() -> str:
    """Build everything in another folder, with nothing of the first time but the sources."""
    again = TRIALS / "again-elsewhere"
    shutil.rmtree(again, ignore_errors=True)
    run("git", "clone", "--quiet", ROOT, again / "checkout")
    work, output = again / "work", again / "output"
    shutil.copytree(WORK / "sources", work / "sources")
    words = ["--output", str(output), "--work", str(work)]
    run(sys.executable, "-m", "scripts.wheels", *words, cwd=again / "checkout")
    names = sorted(path.name for path in RELEASE.iterdir())
    if names != sorted(path.name for path in output.iterdir()):
        raise BuildError("there are other files the second time")
    differing = [
        name for name in names if (RELEASE / name).read_bytes() != (output / name).read_bytes()
    ]
    if differing:
        raise BuildError(f"they differ the second time: {', '.join(differing)}")
    shutil.rmtree(again)
    return f"{len(names)} files are the same, byte for byte"


def check_metadata() -> str:
    """Have twine look at what an index would show."""
    files = sorted(RELEASE.iterdir())
    told = run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files)
    if told.count("PASSED") != len(files):
        raise BuildError(told)
    return f"{len(files)} files"


def fresh_environment(python: str, name: str) -> tuple[Path, dict[str, str]]:
    """Return the Python of an empty environment, and variables for what runs in it."""
    folder = TRIALS / name
    run(find_interpreter(python), "-m", "venv", "--clear", folder)
    variables = {
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "ZK_TEST_TARGETS": "wire emulation",
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    return folder / "bin" / "python", plain_environment(variables)


def try_python(python: str) -> str:
    """Install the wheel of a Python into an empty environment, and execute the guide."""
    wheel = RELEASE / wheel_name("zc_zk", VERSION, python, NATIVE)
    program, environment = fresh_environment(python, f"python{python}")
    return _execute(program, environment, wheel)


def try_sdist() -> str:
    """Compile the source distribution in an empty environment, and execute the guide."""
    program, environment = fresh_environment("3.11", "sdist")
    return _execute(program, environment, RELEASE / f"zc_zk-{VERSION}.tar.gz")


def _execute(program: Path, environment: Mapping[str, str], distribution: Path) -> str:
    def call(*words: str | Path) -> str:
        return run(program, *words, cwd=TRIALS, environment=environment)

    # Alone at first: it must need nothing.
    call("-m", "pip", "install", "--quiet", "--no-deps", distribution)
    call("-c", "import zc.zk, zookeeper._tls, zc.zk._speedups._text")
    # By its name, as it is there: by that of its file it would be compiled once more.
    call("-m", "pip", "install", "--quiet", f"zc.zk[test]=={VERSION}", "gevent")
    options = ["-q", "-n", "2", "--dist", "loadscope", "-m", "not java", "--rootdir", str(ROOT)]
    tests = [str(ROOT / name) for name in EXECUTED]
    told = call("-m", "pytest", *options, *tests)
    found = call("-c", "import zookeeper; print(zookeeper.__file__)").strip()
    if not found.startswith(str(program.parent.parent)):
        raise BuildError(f"the tests took {found}")
    return told.strip().splitlines()[-1].strip("= ")


def try_place(name: str) -> str:
    """Try a wheel on a system that is not this one."""
    place = PLACES[name](TRIALS / "systems")
    wheel = RELEASE / wheel_name("zc_zk", VERSION, place.python, place.target)
    work = TRIALS / name.replace(" ", "-")
    if place.python not in PYTHONS:
        wheel = _build_for(place, work)
    return try_wheel(place, wheel, work)


def _build_for(place: Place, work: Path) -> Path:
    """Build the wheel of a Python that is not released for yet."""
    work.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(WORK, RELEASE / f"zc_zk-{VERSION}.tar.gz", time_of_commit())
    workshop.fetch_sources()
    (wheel,) = workshop.build_wheels(place.python, builder(place, work), [place.target], work)
    if faults := faults_of_wheel(wheel):
        raise BuildError("; ".join(faults))
    return wheel


CHECKS: Mapping[str, Callable[[], str]] = {
    "checkout": check_checkout,
    "wheels": build_wheels,
    "again": build_again,
    "metadata": check_metadata,
    **{f"Python {python}": partial(try_python, python) for python in PYTHONS},
    "sdist": try_sdist,
    **{name: partial(try_place, name) for name in PLACES},
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="release_check", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHECKS, help="leave the others out")
    options = parser.parse_args(arguments)
    TRIALS.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in options.only or CHECKS:
        began = time.monotonic()
        print(f"{name} ...", flush=True)
        try:
            told = CHECKS[name]()
        except (BuildError, LookupError, OSError) as error:
            failed.append(name)
            told = f"FAILED: {error}"
        print(f"{name}: {told} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "nothing is wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
