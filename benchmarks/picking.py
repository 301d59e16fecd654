"""Pick the server to call, of 10 to 10,000.

The rival is what programs write themselves: names kept by `zk.children`, sorted, and taken apart
for each call; weights from properties that are read when the list is, and `random.choices`. A pick
asks no server in either case. The other cases are the list at first, and after one change.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import zc.zk
from harness.cases import Case, Competitor, Goal, expect
from harness.command import main
from harness.service import Service, connected_library
from harness.shapes import Node
from zc.zk.providers import Strategy, least_used, rendezvous, round_robin, subset, weighted

ROOT = "/benchmark-picking"
SIZES = (10, 100, 1000, 10_000)
CALLS = 2000
PICKS_IN_A_CALL = 5
SIZE_OF_GOALS = 1000

OURS = "zc.zk"
HOME_MADE = "home-made"

STRATEGIES: dict[str, Strategy] = {
    "round robin": round_robin,
    "weighted": weighted(),
    "least used": least_used,
    "rendezvous": rendezvous,
    "subset of 20": subset(20, "benchmark"),
}


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    for size in options.sizes:
        nodes = [
            Node(
                "" if n < 0 else f"/10.{n // 62_500}.{n // 250 % 250}.{n % 250}:80",
                {"weight": n % 3},
            )
            for n in range(-1, size)
        ]
        with service.tree(ROOT, nodes), connected_library(service.hosts) as zk:
            yield from of_size(zk, size)


def of_size(zk: zc.zk.ZooKeeper, size: int) -> Iterator[Case]:
    rivals = home_made(zk)
    for name, strategy in STRATEGIES.items():
        live = zk.providers(ROOT, strategy)
        expect(len(live), size, "servers")
        competitors = [Competitor(OURS, partial(median, partial(live.pick, "key")))]
        if name in rivals:
            competitors.append(Competitor(HOME_MADE, partial(median, rivals[name])))
        yield Case(
            f"pick one of {size:,} servers: {name}",
            "microseconds, median",
            competitors,
            [Goal(OURS, at_most=5)] if size == SIZE_OF_GOALS else [],
            {"strategy": name, "servers": size},
        )
    yield Case(
        f"the list of {size:,} servers at first",
        "milliseconds",
        [
            Competitor(OURS, partial(milliseconds, partial(zk.providers, ROOT))),
            Competitor(HOME_MADE, partial(milliseconds, partial(home_made, zk))),
        ],
        [Goal(OURS, HOME_MADE, at_most=0.5)] if size == SIZE_OF_GOALS else [],
        {"servers": size},
    )
    yield Case(
        f"{size:,} servers, from a change of one to the next pick",
        "milliseconds",
        [Competitor(OURS, partial(change, zk, zk.providers(ROOT), itertools.count()))],
        [],
        {"servers": size},
    )


def home_made(zk: zc.zk.ZooKeeper) -> dict[str, Callable[[], object]]:
    """Return what programs write: a function for each way of picking."""
    names = zk.children(ROOT)
    turns = itertools.count()
    weights = {name: zk.get_properties(f"{ROOT}/{name}").get("weight", 1) for name in names}

    def in_turn() -> object:
        addresses = sorted(names)
        return zc.zk.parse_addr(addresses[next(turns) % len(addresses)])

    def by_weight() -> object:
        (name,) = random.choices(list(weights), list(weights.values()))
        return zc.zk.parse_addr(name)

    return {"round robin": in_turn, "weighted": by_weight}


def change(zk: zc.zk.ZooKeeper, live: zc.zk.Providers, numbers: Iterator[int]) -> float:
    """Change the properties of a server, and return how long it takes until they are picked by."""
    address, number = next(iter(live)), next(numbers)
    start = time.perf_counter()
    zk.properties(f"{ROOT}/{address}", watch=False).update(weight=number + 5)
    while live[address]["weight"] != number + 5:
        time.sleep(0)
    live.pick()
    return (time.perf_counter() - start) * 1e3


def milliseconds(make: Callable[[], object]) -> float:
    start = time.perf_counter()
    make()
    return (time.perf_counter() - start) * 1e3


def median(call: Callable[[], object]) -> float:
    """Return the median of a call in microseconds."""
    microseconds = []
    for _ in range(CALLS // PICKS_IN_A_CALL):
        start = time.perf_counter()
        for _ in range(PICKS_IN_A_CALL):
            call()
        microseconds.append((time.perf_counter() - start) * 1e6 / PICKS_IN_A_CALL)
    return statistics.median(microseconds)


if __name__ == "__main__":
    main(cases, __doc__, rounds=3, sizes=SIZES)
