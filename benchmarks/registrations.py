"""Measure a thousand registrations of one client: at its start, and after its session expired.

kazoo leaves the second to the program: what it creates again one by one, or in transactions. The
floor is `zookeeper.write_many`, which creates the same nodes.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator

import zc.zk
import zookeeper
from harness import kazoo_jobs
from harness.cases import Case, Competitor, Goal, expect, timed
from harness.command import main
from harness.service import SESSION_MILLISECONDS, WORLD_ACL, Service, connected, raise_first, remove
from harness.shapes import generate
from reestablish import PROVIDERS, Client

ROOT = "/benchmark-registrations"
SERVERS = 1000
DATA = b'{"pid":4711,"weight":1}'

OURS = "register_all"
ONE_BY_ONE = "register, one by one"
BINDING = "zookeeper.write_many"
KAZOO = "kazoo, one by one"
KAZOO_BEST = "kazoo, transactions"


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    names = [f"10.0.{n >> 8}.{n & 255}:80" for n in range(options.nodes)]
    paths = [f"{ROOT}/{name}" for name in names]
    with connected(service.hosts) as handle:

        def afresh(register: Callable[[], float]) -> float:
            zookeeper.create(handle, ROOT, b"", WORLD_ACL)
            try:
                return register()
            finally:
                remove(handle, ROOT)

        def counted(seconds: float) -> float:
            expect(len(zookeeper.get_children(handle, ROOT)), len(names), "registrations")
            return seconds

        def ours(at_once: bool) -> float:
            with zc.zk.ZooKeeper(service.hosts, SESSION_MILLISECONDS) as zk:
                if at_once:
                    servers = [(ROOT, name) for name in names]
                    return counted(timed(lambda: zk.register_all(servers, pid=4711, weight=1))[0])

                def one_by_one() -> list[zc.zk.Registration]:
                    return [zk.register(ROOT, name, pid=4711, weight=1) for name in names]

                return counted(timed(one_by_one)[0])

        def binding() -> float:
            with connected(service.hosts) as other:
                operations = [
                    ("create", path, DATA, WORLD_ACL, zookeeper.EPHEMERAL) for path in paths
                ]
                seconds, results = timed(lambda: zookeeper.write_many(other, operations))
                raise_first(results)
                return counted(seconds)

        def kazoo(in_transactions: bool) -> float:
            with kazoo_jobs.connected(service.hosts) as client:

                def one_by_one() -> None:
                    for path in paths:
                        client.create(path, DATA, ephemeral=True)

                def transactions() -> None:
                    for start in range(0, len(paths), kazoo_jobs.BATCH):
                        transaction = client.transaction()
                        for path in paths[start : start + kazoo_jobs.BATCH]:
                            transaction.create(path, DATA, ephemeral=True)
                        transaction.commit()

                return counted(timed(transactions if in_transactions else one_by_one)[0])

        yield Case(
            f"register {len(names):,} servers of one client",
            "seconds",
            [
                Competitor(OURS, lambda: afresh(lambda: ours(True))),
                Competitor(BINDING, lambda: afresh(binding)),
                Competitor(KAZOO_BEST, lambda: afresh(lambda: kazoo(True))),
                Competitor(ONE_BY_ONE, lambda: afresh(lambda: ours(False)), 3),
                Competitor(KAZOO, lambda: afresh(lambda: kazoo(False)), 3),
            ],
            [Goal(OURS, KAZOO, at_most=0.25)],
            {"registrations": len(names)},
        )
        with (
            service.tree(PROVIDERS, generate("wide", 1)),
            Client(service.hosts, [], names) as client,
        ):
            yield Case(
                f"register {len(names):,} servers again, after the session expired",
                "seconds",
                [
                    Competitor(OURS, client.lose_session),
                    Competitor(BINDING, lambda: afresh(binding)),
                    Competitor(KAZOO, lambda: afresh(lambda: kazoo(False)), 3),
                ],
                [Goal(OURS, KAZOO, at_most=0.25)],
                {"registrations": len(names)},
            )


if __name__ == "__main__":
    # This benchmark ends sessions: such lines in the log are no news.
    logging.disable(logging.ERROR)
    main(cases, __doc__, nodes=SERVERS)
