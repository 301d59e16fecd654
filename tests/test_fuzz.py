"""The fuzzer of the transport, for a moment; `make fuzz` runs it for as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.deadlines import scaled
from tests.fuzz.mutations import mutate, mutate_frame, pieces, some_record

ROOT = Path(__file__).resolve().parent.parent


def test_clients_of_some_hostile_servers_get_the_truth_or_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "1", "--batch", "40", "--unsanitized"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=scaled(200),
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    last = run.stdout.splitlines()[-1]
    found = re.search(r"(\d+) cases \(.*, ([\d,]+) answers accepted, 0 problems", last)
    assert found, last
    # A server that nothing comes through would be no test.
    assert int(found[2].replace(",", "")) >= int(found[1])


@pytest.mark.parametrize("change", [mutate, mutate_frame])
def test_the_same_chance_makes_the_same_changes(change) -> None:
    data = bytes(range(200))
    made = [change(Random(seed), data) for seed in range(300)]
    assert made == [change(Random(seed), data) for seed in range(300)]
    assert sum(each != data for each in made) > 250


def test_pieces_are_the_whole_and_records_have_their_length() -> None:
    chance = Random(5)
    for size in (0, 1, 7, 3000):
        data = chance.randbytes(size)
        assert b"".join(pieces(chance, data)) == data
    for _ in range(100):
        made = some_record(chance)
        assert int.from_bytes(made[3:5], "big") == len(made) - 5
