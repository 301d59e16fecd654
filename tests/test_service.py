"""What is known of a service (core/service.c), by a clock that the test moves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"
INCLUDE = os.environ.get("ZOOKEEPER_INCLUDE_DIR", "/usr/include/zookeeper")

# Their numbers in service.h: others take their place; nothing does.
REPLACED = {
    "MultiRead": 0,
    "SetWatches": 1,
    "transactions": 2,
    "RemoveWatches": 3,
    "SetWatches2": 5,
}
MISSED = {"AddWatch": 4, "GetEphemerals": 6, "GetAllChildrenNumber": 7, "WhoAmI": 8}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("service") / "service"
    sources = [ROOT / "tests/threads/service.c", CORE / "service.c", CORE / "memory.c"]
    strict = ["-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    threads = ["-DTHREADED", "-pthread"]
    options = [*strict, *threads, "-O1", "-g", f"-I{CORE}", f"-I{INCLUDE}", "-Wl,--wrap=core_now"]
    compiler = os.environ.get("CC", "gcc")
    subprocess.run([compiler, *options, *sources, "-o", path], check=True)
    return path


def course(program: Path, operation: int, happens: str) -> str:
    """Return a sign for each event: `+` if the operation is used behind it, `-` if not."""
    ended = subprocess.run(
        [program, str(operation)],
        input=happens,
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=True,
    )
    return ended.stdout.strip()


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_a_refusal_is_believed_at_once_and_stays(program: Path, operation: int) -> None:
    assert course(program, operation, "answered denied 60 4000") == "+---"


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_an_answer_clears_it_of_lost_connections(program: Path, operation: int) -> None:
    assert course(program, operation, "lost answered lost answered lost") == "+++++"


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_losses_of_many_handles_at_once_count_as_one(program: Path, operation: int) -> None:
    assert course(program, operation, "lost others") == "++"
    assert course(program, operation, "answered lost others lost others lost others") == 7 * "+"


@pytest.mark.parametrize("operation", REPLACED.values())
def test_two_losses_leave_out_an_operation_that_others_replace(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "lost lost 3000") == "+--"
    assert course(program, operation, "answered lost lost lost lost 3000") == "++++--"


@pytest.mark.parametrize("operation", MISSED.values())
def test_four_losses_leave_out_an_operation_without_substitute_for_a_minute(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "lost lost lost lost 59 1") == "+++--+"


@pytest.mark.parametrize("operation", MISSED.values())
def test_a_server_that_hangs_up_loses_a_connection_a_minute(program: Path, operation: int) -> None:
    assert course(program, operation, "lost lost lost lost 60 lost 59 1 lost") == "+++-+--+-"


@pytest.mark.parametrize("operation", MISSED.values())
def test_losses_never_leave_out_one_that_has_worked_and_has_no_substitute(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "answered " + 20 * "lost ") == 21 * "+"
