"""The page sorts names as the library does."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled
from zc.zk import browse
from zc.zk.naturalorder import sorted_naturally

ORDER = Path(browse.__file__).parent / "page" / "order.js"

PROGRAM = f"""
import {{ compareNaturally }} from {json.dumps(ORDER.as_uri())};
import {{ readFileSync }} from "fs";
const lists = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(lists.map((list) => list.sort(compareNaturally))));
"""

EDGES = [
    "",
    "0",
    "00",
    "1",
    "01",
    "10",
    "2",
    "a",
    "a1",
    "a-",
    "a10b2",
    "a10b10",
    "a1b",
    "é1",
    "\ud7ff",
]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_names_and_paths_are_sorted_as_by_the_library():
    chance = random.Random(5)
    names = EDGES + ["".join(chance.choices("ab019-é", k=chance.randint(1, 6))) for _ in range(500)]
    paths = ["/" + "/".join(filter(None, chance.choices(names, k=3))) for _ in range(2000)]
    paths += [f"{path}/{name}" for path in paths[:200] for name in EDGES if name]
    lists = [sorted(set(names)), sorted(set(paths)), ["9" * 400, "1" * 401, "p" + "9" * 5000]]
    for each in lists:
        chance.shuffle(each)
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", PROGRAM],
        input=json.dumps(lists), capture_output=True, text=True, timeout=scaled(30), check=True,
    )  # fmt: skip
    assert json.loads(ran.stdout) == [sorted_naturally(each) for each in lists]
