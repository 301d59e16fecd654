"""Many writes (core/write_many.c), while others learn what the service does not take."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import zookeeper
from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"
INCLUDE = os.environ.get("ZOOKEEPER_INCLUDE_DIR", "/usr/include/zookeeper")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("writes") / "writes"
    sources = [ROOT / "tests/threads/writes.c"]
    sources += [CORE / "write_many.c", CORE / "memory.c", CORE / "locks.c"]
    strict = ["-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    options = [*strict, "-DTHREADED", "-pthread", "-O1", "-g", f"-I{CORE}", f"-I{INCLUDE}"]
    compiler = os.environ.get("CC", "gcc")
    subprocess.run([compiler, *options, *sources, "-o", path], check=True)
    return path


def sent(program: Path, learned: str, count: int) -> tuple[list[int], int]:
    """Return how many operations each request has, and the code of the whole."""
    ended = subprocess.run(
        [program, learned],
        input=str(count),
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=True,
    )
    sizes, _, code = ended.stdout.partition("code ")
    return [int(size) for size in sizes.split()], int(code)


def test_a_limit_learned_meanwhile_makes_the_next_transactions_smaller(program: Path) -> None:
    assert sent(program, "small", 100) == ([50, 9, 9, 9, 9, 9, 5], zookeeper.OK)


def test_transactions_refused_meanwhile_are_done_one_by_one(program: Path) -> None:
    assert sent(program, "none", 70) == ([50] + 20 * [1], zookeeper.OK)


def test_one_operation_over_the_limit_ends_it_all_the_same(program: Path) -> None:
    assert sent(program, "tiny", 100) == ([50], zookeeper.BADARGUMENTS)
