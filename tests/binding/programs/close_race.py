"""Races calls in six threads against the close of their handle, many times.

Arguments: hosts, rounds. Prints counts as JSON; anything that must not happen is an exception.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import zookeeper
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, wait_until_connected

Call = Callable[[int], object]


class Completions:
    """Counts how often the completion of each asynchronous call is called."""

    def __init__(self) -> None:
        self.called: Counter[int] = Counter()
        self.codes: Counter[int] = Counter()
        self.submitted: list[int] = []

    def submit(self, function: Callable[..., object], *arguments: object) -> None:
        number = len(self.submitted)

        def completion(_handle: int, code: int, *_results: object) -> None:
            self.called[number] += 1
            self.codes[code] += 1

        self.submitted.append(number)
        try:
            function(*arguments, completion=completion)
        except BaseException:
            self.submitted.pop()
            raise

    def under_way(self) -> int:
        return len(self.submitted) - len(self.called)

    def check(self) -> None:
        """Wait for the last completion; raise if one was called twice."""
        wait_until(
            lambda: self.under_way() == 0,
            lambda: f"{len(self.called)} of {len(self.submitted)} completions are called",
            30,
        )
        assert set(self.called.values()) <= {1}, self.called.most_common(3)


def synchronous(handle: int) -> None:
    zookeeper.set(handle, "/a", "x")
    zookeeper.get(handle, "/a", lambda *_: None)
    zookeeper.get_children(handle, "/")
    zookeeper.multi(handle, [("check", "/a"), ("set", "/a", "y")])
    zookeeper.get_acl(handle, "/")


def asynchronous(handle: int, completions: Completions) -> None:
    for _ in range(3):
        completions.submit(zookeeper.aget, handle, "/a", lambda *_: None)
        completions.submit(zookeeper.aset, handle, "/a", "z")
        completions.submit(zookeeper.aget_children, handle, "/")
        completions.submit(zookeeper.amulti, handle, [("check", "/a")])
        completions.submit(zookeeper.async_, handle, "/")
    # Backpressure: with too many calls under way the other threads would never get a turn.
    while completions.under_way() > 50:
        time.sleep(0.001)


def reading_in_bulk(handle: int) -> None:
    zookeeper.read_tree(handle, "/")
    zookeeper.get_many(handle, ["/a"] * 100)
    zookeeper.watch_many(handle, data=["/a"], children=["/"], watcher=print)


def writing_in_bulk(handle: int) -> None:
    results = zookeeper.write_many(handle, [("set", "/a", "w")] * 100, batch=10)
    assert len(results) == 100
    problems = [result for result in results if isinstance(result, zookeeper.ZooKeeperException)]
    kinds = set(map(type, problems))
    assert kinds <= {zookeeper.ClosingException, zookeeper.NothingException}, kinds
    if problems:
        raise zookeeper.error(zookeeper.CLOSING)


def one_round(hosts: str, outcomes: dict[str, Counter[str]], at_once: bool) -> None:
    handle = zookeeper.init(hosts)
    wait_until_connected(zookeeper, handle)
    completions = [Completions(), Completions()]
    users: dict[str, list[Call]] = {
        "synchronous": [synchronous] * 2,
        "asynchronous": [partial(asynchronous, completions=each) for each in completions],
        "bulk": [reading_in_bulk, writing_in_bulk],
    }
    unexpected: list[BaseException] = []
    # Lists, which threads may append to: a counter's first addition of a key loses others'.
    returned: list[str] = []
    ends: list[tuple[str, str]] = []

    def use(kind: str, call: Call) -> None:
        try:
            while True:
                call(handle)
                returned.append(kind)
        except (zookeeper.InvalidStateException, zookeeper.ClosingException) as end:
            ends.append((kind, type(end).__name__))
        except BaseException as problem:
            unexpected.append(problem)

    threads = [
        threading.Thread(target=use, args=(kind, call), daemon=True)
        for kind, calls in users.items()
        for call in calls
    ]
    for thread in threads:
        thread.start()
    if at_once:
        time.sleep(random.uniform(0, 0.03))
    else:
        wait_until(lambda: set(returned) == set(users), "each kind of call has returned once")
    closer = threading.Thread(target=zookeeper.close, args=(handle,))
    closer.start()
    for thread in (*threads, closer):
        thread.join(scaled(30))
        assert not thread.is_alive(), f"a call does not return after close: {thread}"
    if unexpected:
        raise unexpected[0]
    for kind, end in (*ends, *((kind, "returned") for kind in returned)):
        outcomes[kind][end] += 1
    for each in completions:
        each.check()
        outcomes["completions"].update(map(zookeeper.zerror, each.codes.elements()))


def main() -> None:
    hosts, rounds = sys.argv[1], int(sys.argv[2])
    handle = zookeeper.init(hosts)
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/a", "", OPEN)
    zookeeper.write_many(handle, [("create", f"/{number}", "", OPEN) for number in range(100)])
    zookeeper.close(handle)
    outcomes: dict[str, Counter[str]] = {
        kind: Counter() for kind in ("synchronous", "asynchronous", "bulk", "completions")
    }
    for number in range(rounds):
        one_round(hosts, outcomes, at_once=number % 2 == 0)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
