"""The page sorts names as the library does."""

from __future__ import annotations

import random

from tests.browse.javascript import needs_node, run
from zc.zk.naturalorder import sorted_naturally

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


@needs_node
def test_names_and_paths_are_sorted_as_by_the_library():
    chance = random.Random(5)
    names = EDGES + ["".join(chance.choices("ab019-é", k=chance.randint(1, 6))) for _ in range(500)]
    paths = ["/" + "/".join(filter(None, chance.choices(names, k=3))) for _ in range(2000)]
    paths += [f"{path}/{name}" for path in paths[:200] for name in EDGES if name]
    lists = [sorted(set(names)), sorted(set(paths)), ["9" * 400, "1" * 401, "p" + "9" * 5000]]
    for each in lists:
        chance.shuffle(each)
    ran = run(
        "order: compareNaturally",
        "return given.map((list) => list.sort(compareNaturally));",
        lists,
    )
    assert ran == [sorted_naturally(each) for each in lists]
