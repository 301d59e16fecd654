"""A wheel is tried.

It is imported, passes the core of the contract, and shows the demonstration.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.wheels.building import BUILD_TOOLS
from scripts.wheels.interpreters import ROOT
from scripts.wheels.places import Place
from scripts.wheels.running import plain_environment, run

# What the tests of the contract need.
TEST_TOOLS = ["pytest", "trustme"]

# The binding's contract, as far as it takes neither Java nor another process of ours for long.
CORE = [
    f"tests/binding/test_{name}.py"
    for name in ("module", "nodes", "acl", "multi", "async", "watches")
]

PROGRAM = """
import platform, sys, zookeeper, zookeeper._tls, zc.zk, zc.zk._speedups._text
assert zookeeper.__file__.startswith(sys.argv[1]), zookeeper.__file__
print(zc.zk.__version__, zookeeper.__version__, platform.machine(), platform.libc_ver()[1])
"""


def try_wheel(place: Place, wheel: Path, work: Path) -> str:
    """Try a wheel on a system; return what it says of itself. Raise BuildError if it fails."""
    packages = work / "packages"
    done = packages / "installed"
    if not done.exists():
        _install(place, packages, TEST_TOOLS)
        done.touch()
    package = work / "wheel"
    run("rm", "-rf", package)
    _install(place, package, ["--no-index", str(wheel)])
    environment = plain_environment(
        {
            "PYTHONPATH": f"{package}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ZK_TEST_TARGETS": "wire",
            "ZK_TEST_TIMEOUT_SCALE": "10",
        }
    )
    told = run(place.program, "-c", PROGRAM, str(package), environment=environment)
    options = ["-q", "-p", "no:cacheprovider"]
    tests = run(place.program, "-m", "pytest", *options, *CORE, cwd=ROOT, environment=environment)
    run(place.program, "examples/demo.py", cwd=ROOT, environment=environment)
    return f"{told.strip()}: {tests.strip().splitlines()[-1].strip('= ')}, and the demonstration"


def builder(place: Place, work: Path) -> Path:
    """Return a program that is the Python of a place with packages that build the extensions."""
    packages = work / "build-tools"
    if not packages.exists():
        _install(place, packages, BUILD_TOOLS)
    program = work / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{place.program}" "$@"\n')
    program.chmod(0o755)
    return program


def _install(place: Place, folder: Path, words: list[str]) -> None:
    """Install wheels for the system of a place, whatever this one is."""
    machine = place.target.machine
    libc = "musllinux_1_2" if "musl" in place.target.tag else "manylinux_2_28"
    platforms = [f"{libc}_{machine}", place.target.tag, f"manylinux2014_{machine}"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
    pip += [f"--platform={platform}" for platform in platforms]
    pip += [f"--python-version={place.python}", "--implementation=cp", f"--target={folder}"]
    run(*pip, *words)
