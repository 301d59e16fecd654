"""Wake-ups of the I/O thread (core/wakeups.c), by threads that do nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"

ITEMS = 30_000
PRODUCERS = 3


@pytest.mark.parametrize("options", [["-O2"], ["-O1", "-fsanitize=thread"]], ids=["fast", "tsan"])
def test_no_wakeup_is_lost_and_a_thread_at_work_is_not_woken(
    tmp_path: Path, options: list[str]
) -> None:
    program = tmp_path / "wakeups"
    sources = [ROOT / "tests" / "threads" / "wakeups.c", CORE / "wakeups.c"]
    strict = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{CORE}"]
    subprocess.run(
        [os.environ.get("CC", "gcc"), *strict, *options, *sources, "-o", program], check=True
    )
    ended = subprocess.run(
        ["setarch", "-R", program, str(ITEMS), str(int(scaled(10_000)))],
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert 0 < int(ended.stdout) < ITEMS * PRODUCERS
