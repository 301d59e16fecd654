"""A wheel is tried.

It is imported, passes the core of the contract, in the clear and by TLS, and shows the
demonstration.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.wheels.building import BUILD_TOOLS
from scripts.wheels.interpreters import ROOT
from scripts.wheels.places import Place
from scripts.wheels.running import plain_environment, run
from tests.secured import STARTUP, VARIABLE, Keys
from tests.servers import standalone

# All that the tests of the contract need: certificates are made here, not there.
TEST_TOOLS = ["pytest"]

# The binding's contract, as far as it takes neither Java nor another process of ours for long.
CORE = [
    f"tests/binding/test_{name}.py"
    for name in ("module", "nodes", "acl", "multi", "async", "watches")
]

# The same by TLS, with a real server, and the tests that tell of refusals.
SECURED = [*CORE, "tests/binding/test_tls_anywhere.py"]

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
    plain = _run_tests(place, CORE, environment)
    with secured_server() as variables:
        path = f"{variables['PYTHONPATH']}:{environment['PYTHONPATH']}"
        by_tls = _run_tests(place, SECURED, {**environment, **variables, "PYTHONPATH": path})
    run(place.program, "examples/demo.py", cwd=ROOT, environment=environment)
    return f"{told.strip()}: {plain}, by TLS {by_tls}, and the demonstration"


@contextmanager
def secured_server() -> Iterator[Mapping[str, str]]:
    """Run a server that accepts nothing but TLS; yield the variables by which tests go there.

    Keys are made, and the server is started, by the Python of this machine: the one that is tried
    needs neither `ssl` nor Java.
    """
    with tempfile.TemporaryDirectory(prefix="zookeeper-keys-") as folder:
        keys = Keys.make(Path(folder))
        with standalone(keys=keys) as server:
            yield {
                VARIABLE: folder,
                "PYTHONPATH": str(STARTUP),
                "TEST_ZOOKEEPER_CONNECTION": server.connection_string,
                "ZK_TEST_TARGETS": "real",
            }


def _run_tests(place: Place, tests: Sequence[str], environment: Mapping[str, str]) -> str:
    options = ["-q", "-p", "no:cacheprovider"]
    told = run(place.program, "-m", "pytest", *options, *tests, cwd=ROOT, environment=environment)
    return told.strip().splitlines()[-1].strip("= ")


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
