"""The checks of the core's locks (core/locks.h).

A mistake ends a process, where the checks are on.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"


def compiled(folder: Path, *options: str) -> Path:
    program = folder / "locks"
    sources = [ROOT / "tests" / "threads" / "locks.c", CORE / "locks.c"]
    strict = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{CORE}"]
    subprocess.run(
        [os.environ.get("CC", "gcc"), *strict, *options, *sources, "-o", program], check=True
    )
    return program


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("checked"), "-DCORE_CHECKS")


def run(program: Path, what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, what], capture_output=True, text=True, timeout=scaled(10), check=False
    )


@pytest.mark.parametrize("what", ["in order", "waiting"])
def test_locks_that_are_taken_as_they_may_be_cause_nothing(checked: Path, what: str) -> None:
    assert run(checked, what).returncode == 0


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("out of order", "a lock is taken out of order"),
        ("of one rank", "a lock is taken out of order"),
        ("without", "a lock is not held"),
        ("of another thread", "a lock is not held"),
    ],
)
def test_a_mistake_ends_the_process_with_its_name(checked: Path, what: str, message: str) -> None:
    ended = run(checked, what)
    assert ended.returncode == -signal.SIGABRT
    assert ended.stderr.startswith(f"zookeeper: {message}")


def test_without_checks_they_cost_nothing_and_find_nothing(tmp_path: Path) -> None:
    program = compiled(tmp_path)
    assert run(program, "out of order").returncode == 0
    assert b"core_check_held" not in program.read_bytes()


def test_the_build_that_tests_use_has_the_checks() -> None:
    import zookeeper._client

    built = Path(zookeeper._client.__file__)
    if built.parent != CORE.parent:
        pytest.skip("an installed wheel, which is built without")
    assert b"a lock is taken out of order" in built.read_bytes()
