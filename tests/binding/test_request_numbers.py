"""The numbers of requests, which are the whole process's, once very many have been made."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.binding import subprocesses

CLOCK = Path(__file__).parent / "programs" / "clock.c"

pytestmark = pytest.mark.not_emulated("its requests have no numbers")


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "clock.so"
    compiler = [os.environ.get("CC", "gcc"), "-O2", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, "-o", path, CLOCK], check=True)
    return path


@pytest.mark.parametrize("first", [2**31 - 20, 2**32 - 20], ids=["31 bits", "32 bits"])
def test_calls_are_answered_when_the_numbers_begin_again(
    zookeeper, connection_string, root, clock, first
):
    preloaded = f"{os.environ.get('LD_PRELOAD', '')} {clock}"
    seen = subprocesses.run(
        "request_numbers", connection_string + root, "40",
        within=["env", f"LD_PRELOAD={preloaded}", f"CLOCK_SECONDS={first}"],
    )  # fmt: skip
    assert seen == {"answered": 40, "failed": []}
