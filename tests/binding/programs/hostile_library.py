"""Runs clients of the library against the hostile servers of one group.

Arguments and output are those of `tests.binding.programs.hostile`.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import zc.zk
import zookeeper
from tests.binding.programs.hostile import SCENARIOS_AT_ONCE, Trial, watch_for_spins
from tests.deadlines import scaled
from tests.hostile import Hostility, hostility
from tests.hostile_scenarios import GROUPS

TIMEOUT = int(scaled(600))  # milliseconds, of a session
MAX_REQUESTS = 400  # of a client that is left alone, while it is watched for spins

# The purposes of the library; the answers are those of no sensible tree.
WORK: dict[str, Callable[[zc.zk.ZooKeeper], object]] = {
    "children": lambda zk: list(zk.children("/x")),
    "properties": lambda zk: dict(zk.properties("/x")),
    "register": lambda zk: zk.register("/x", ("example.com", 80)),
    "export_tree": lambda zk: zk.export_tree("/x"),
    "import_tree": lambda zk: zk.import_tree("/y\n  a = 1\n/z\n", trim=True),
    "walk": lambda zk: list(zk.walk("/x")),
    "delete_recursive": lambda zk: zk.delete_recursive("/x"),
    "create_recursive": lambda zk: zk.create_recursive("/x/y/z", "", zc.zk.OPEN_ACL_UNSAFE),
    "resolve": lambda zk: zk.resolve("/x"),
}

EXPECTED = (zookeeper.ZooKeeperException, zc.zk.FailedConnect, ValueError, KeyError)


class ShortWait(zc.zk.ZooKeeper):
    initial_connection_wait = 0.3


class LibraryTrial(Trial):
    """One scenario: each kind of work ends, whatever its result is."""

    zk: zc.zk.ZooKeeper | None = None

    def run(self) -> None:
        print("begins:", self.scenario.name, file=sys.stderr, flush=True)
        try:
            self.zk = ShortWait(self.server.connection_string, TIMEOUT)
        except EXPECTED as problem:
            self.outcomes += [type(problem).__name__] * len(WORK)
        if self.zk is not None:
            workers = {
                name: threading.Thread(target=self.work, args=(name, self.zk), daemon=True)
                for name in WORK
            }
            for worker in workers.values():
                worker.start()
            for name, worker in workers.items():
                worker.join(scaled(30))
                if worker.is_alive():
                    self.problems.append(f"{name} does not end")
        print("ends:", self.scenario.name, file=sys.stderr, flush=True)

    def work(self, name: str, zk: zc.zk.ZooKeeper) -> None:
        try:
            WORK[name](zk)
            self.outcomes.append("returned")
        except EXPECTED as problem:
            self.outcomes.append(type(problem).__name__)
        except BaseException as problem:
            self.problems.append(f"{name}: {type(problem).__name__}: {problem}")

    def close(self) -> None:
        if self.zk is not None:
            self.zk.close()


def watch_requests(trials: list[LibraryTrial], hostile: Hostility) -> None:
    """Look for storms of requests while the clients are left alone.

    On a busy machine the last retries of the clients may fall into the first window. Retries end: a
    storm does not, and is there in the second window too.
    """
    stormy = dict.fromkeys(range(len(trials)), 0)
    for _ in range(2):
        before = [trial.server.requests for trial in trials]
        watch_for_spins(trials, hostile)
        counts = [
            trial.server.requests - count for trial, count in zip(trials, before, strict=True)
        ]
        stormy = {number: counts[number] for number in stormy if counts[number] > MAX_REQUESTS}
        if not stormy:
            return
    for number, count in stormy.items():
        trials[number].problems.append(f"{count} requests, left alone")


def main() -> None:
    logging.disable()
    group, *parts = sys.argv[1:]
    with hostility() as hostile:
        chosen = [s for s in GROUPS[group]() if not parts or any(part in s.name for part in parts)]
        trials = [LibraryTrial(hostile.serve(scenario)) for scenario in chosen]
        with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
            list(pool.map(LibraryTrial.run, trials))
        watch_requests(trials, hostile)
        with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
            list(pool.map(LibraryTrial.close, trials))
        print(
            json.dumps(
                {
                    "outcomes": {trial.scenario.name: Counter(trial.outcomes) for trial in trials},
                    "problems": {t.scenario.name: t.problems for t in trials if t.problems},
                }
            )
        )


if __name__ == "__main__":
    main()
