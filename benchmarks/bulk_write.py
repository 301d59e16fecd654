"""Create many nodes: `zookeeper.write_many` against C and kazoo."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import zookeeper
from harness import c_programs, kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.floor import create_floor
from harness.service import WORLD_ACL, Service, connected, raise_first, remove

ROOT = "/benchmark-write"
DATA = b"x" * 50

OURS = "zookeeper.write_many"
C_TRANSACTIONS = "zoo_amulti in C"
FLOOR = "the floor: a raw socket in C"
C_CREATES = "zoo_acreate in C"
TRANSACTIONS = "kazoo transactions"
ONE_BY_ONE = "kazoo one by one"

# The defaults of write_many: operations in a transaction, transactions in flight.
BATCH = 500
IN_FLIGHT = 4


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    paths = [f"{ROOT}/node-{number:08}" for number in range(options.nodes)]
    with connected(service.hosts) as handle, kazoo_jobs.connected(service.hosts) as client:

        def start_afresh() -> None:
            if zookeeper.exists(handle, ROOT):
                remove(handle, ROOT)
            zookeeper.create(handle, ROOT, b"", WORLD_ACL)

        def created(seconds: float) -> float:
            stat = zookeeper.exists(handle, ROOT)
            expect(stat and stat["numChildren"], options.nodes, "nodes")
            return seconds

        def ours() -> float:
            start_afresh()
            operations = [("create", path, DATA, WORLD_ACL) for path in paths]
            seconds, results = timed(lambda: zookeeper.write_many(handle, operations))
            raise_first(results)
            return created(seconds)

        def c_program(batch: int, in_flight: int) -> float:
            start_afresh()
            arguments = (service.hosts, ROOT, options.nodes, len(DATA), batch, in_flight)
            return created(float(c_programs.run("create_pipelined", *arguments)["seconds"]))

        def floor() -> float:
            start_afresh()
            nodes = [(path.removeprefix(ROOT), DATA) for path in paths]
            return created(create_floor(service.hosts, ROOT, nodes, BATCH, IN_FLIGHT).seconds)

        def transactions() -> float:
            start_afresh()
            nodes = [(path, DATA) for path in paths]
            return created(timed(lambda: kazoo_jobs.create_best(client, nodes))[0])

        def one_by_one() -> float:
            def create_each() -> None:
                for path in paths:
                    client.create(path, DATA)

            start_afresh()
            return created(timed(create_each)[0])

        try:
            yield Case(
                f"create {options.nodes:,} nodes",
                "seconds",
                [
                    Competitor(OURS, ours),
                    Competitor(C_TRANSACTIONS, lambda: c_program(BATCH, IN_FLIGHT)),
                    Competitor(FLOOR, floor),
                    Competitor(C_CREATES, lambda: c_program(1, 1000)),
                    Competitor(TRANSACTIONS, transactions),
                    Competitor(ONE_BY_ONE, one_by_one, rounds=3),
                ],
                [Goal(OURS, TRANSACTIONS, at_most=0.5), Goal(OURS, ONE_BY_ONE, at_most=0.05)],
                {"nodes": options.nodes},
            )
        finally:
            remove(handle, ROOT)


if __name__ == "__main__":
    main(cases, __doc__, nodes=10_000)
