"""The order of names (core/order.c), against that of the bytes they are made of."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"

PREFIXES = (b"", b"a", b"node-", b"10.0.", b"a-prefix-longer-than-a-key-", "größe-".encode())
ALPHABETS = (b"ab", b"0123456789", bytes(range(1, 256)), "aäöüß€😀".encode(), b"\x7f\x80\xff")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("order") / "order"
    sources = [ROOT / "tests" / "threads" / "order.c", CORE / "order.c", CORE / "memory.c"]
    strict = ["-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{CORE}"]
    sanitized = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"]
    compiler = os.environ.get("CC", "gcc")
    subprocess.run([compiler, *strict, *sanitized, *sources, "-o", path], check=True)
    return path


def ordered(program: Path, names: list[bytes]) -> list[bytes]:
    ended = subprocess.run(
        [program],
        input=b"".join(name + b"\0" for name in names),
        capture_output=True,
        timeout=scaled(60),
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    return ended.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize(
    "names",
    [
        [],
        [b"one"],
        [b"two", b"one"],
        [b""] * 20,
        [b"same"] * 20,
        [b"", *(b"\x01" * length for length in range(30, 0, -1))],
        [b"prefix"[:length] for length in range(7)] * 3,
        [b"common" + b"x" * length for length in range(20, -1, -1)],
        [bytes([byte]) for byte in range(255, 0, -1)],
        [b"12345678" + bytes([byte]) for byte in range(255, 0, -1)],
        [b"1234567" + bytes([byte]) for byte in range(255, 0, -1)],
        [b"12345678%d" % (number * 7919 % 1000) for number in range(1000)],
        [b"10.0.%d.%d:8080" % (number >> 8, number & 255) for number in range(10_000)],
        # Many that are alike in the first eight bytes that differ at all, and in others than those.
        [b"%d-12345678-%d" % (number % 3, number * 7919 % 4001) for number in range(4000)],
        [b"%07d" % (number // 9) + bytes([120 + number % 9]) * 20 for number in range(900)],
        [b"1", *([b"2"] * 500), b"3"],
    ],
    ids=lambda names: f"{len(names)}-{names[-1][:9]!r}" if names else "none",
)
def test_names_are_sorted_by_their_bytes(program: Path, names: list[bytes]) -> None:
    assert ordered(program, names) == sorted(names)
    assert ordered(program, names[::-1]) == sorted(names)


@pytest.mark.parametrize("seed", range(40))
def test_random_names_are_sorted_by_their_bytes(program: Path, seed: int) -> None:
    chance = random.Random(seed)
    prefix, alphabet = chance.choice(PREFIXES), chance.choice(ALPHABETS)
    longest = chance.choice((1, 3, 7, 8, 9, 20))
    names = [
        prefix + bytes(chance.choices(alphabet, k=chance.randrange(longest + 1)))
        for _ in range(chance.choice((2, 5, 12, 13, 14, 100, 199, 200, 201, 3000)))
    ]
    assert ordered(program, names) == sorted(names)
