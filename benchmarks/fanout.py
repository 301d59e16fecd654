"""Measure from a change to the followers of a node, against DataWatch.

One node is followed by 1, 100 or 10,000 live objects of zc.zk with a callback each, another one by
as many of kazoo's DataWatch, and somebody else changes it: the first figure is the time until the
last callback has the new value. Then a thousand nodes are changed, 10,000 changes a second for a
while; the age of the news in a callback, at the beginning and at the end, tells whether a lag
builds up. Last, a callback takes a second: the figure is the time until the program knows of a
change to another node.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import zc.zk
import zookeeper
from harness import kazoo_jobs
from harness.cases import Case, Competitor, expect, replay
from harness.command import main
from harness.service import Service, connected, connected_library, raise_first
from harness.shapes import generate

ROOT = "/benchmark-fanout"

FOLLOWERS = (1, 100, 10_000)
NODES = 1000
CHANGES_A_SECOND = 10_000
TICKS_A_SECOND = 10
SECONDS = 5
SLOW_SECONDS = 1.0
POLL_SECONDS = 0.0002
WAIT_SECONDS = 120

# A callback gets the properties of a node, at first and whenever they have changed.
Callback = Callable[[Any], object]
# It follows a node, and what it returns gives the properties as they are known.
Follow = Callable[[str, Callback], Callable[[], Any]]


@contextmanager
def live_objects(hosts: str) -> Iterator[Follow]:
    """Follow by live objects of zc.zk."""
    objects: list[zc.zk.Properties] = []

    def follow(path: str, callback: Callback) -> Callable[[], Any]:
        properties = zk.properties(path)
        properties(callback)
        objects.append(properties)
        return lambda: properties

    with connected_library(hosts) as zk:
        yield follow


@contextmanager
def data_watches(hosts: str) -> Iterator[Follow]:
    """Follow by kazoo's DataWatch."""

    def follow(path: str, callback: Callback) -> Callable[[], Any]:
        known: dict[str, Any] = {}

        def tell(data: bytes, stat: object) -> None:
            known.update(json.loads(data))
            callback(known)

        client.DataWatch(path, tell)
        return lambda: known

    with kazoo_jobs.connected(hosts) as client:
        yield follow


RIVALS = {"zk.properties": live_objects, "kazoo DataWatch": data_watches}


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    nodes = generate("wide", NODES + 1)
    paths = [ROOT + node.path for node in nodes][1:]
    # Of its own for each: in one process the rival would be busy with the same change.
    followed = iter(paths)
    with service.tree(ROOT, nodes), connected(service.hosts) as other:
        with live_objects(service.hosts) as ours, data_watches(service.hosts) as kazoos:
            for count in FOLLOWERS:
                yield Case(
                    f"one change to the last of {count:,} followers",
                    "milliseconds",
                    [
                        Competitor(
                            name, Audience(follow, next(followed), count, other).hear_of_change
                        )
                        for name, follow in zip(RIVALS, (ours, kazoos), strict=True)
                    ],
                    [],
                    {"followers": count},
                )
            yield Case(
                f"another node's change known, beside a callback of {SLOW_SECONDS:g} s",
                "milliseconds",
                [
                    Competitor(name, partial(known_beside_slow_callback, follow, paths, other))
                    for name, follow in zip(RIVALS, (ours, kazoos), strict=True)
                ],
            )
        yield from under_load(service, paths, other)


def change(other: int, path: str, number: int) -> None:
    zookeeper.set(other, path, json.dumps({"number": number}))


class Audience:
    """Many followers of one node."""

    def __init__(self, follow: Follow, path: str, count: int, other: int) -> None:
        self._path = path
        self._count = count
        self._other = other
        self._number = 0
        self._heard = 0
        self._all_heard = threading.Event()
        for _ in range(count):
            follow(path, self._hear)

    def hear_of_change(self) -> float:
        """Return the milliseconds until everybody has heard of a change."""
        self._number, self._heard = time.time_ns(), 0
        self._all_heard.clear()
        start = time.perf_counter()
        change(self._other, self._path, self._number)
        expect(self._all_heard.wait(WAIT_SECONDS), True, "heard in time")
        return (time.perf_counter() - start) * 1000

    def _hear(self, properties: Any) -> None:
        """Count one callback: all of a client's callbacks come on one thread."""
        if properties.get("number") == self._number:
            self._heard += 1
            if self._heard == self._count:
                self._all_heard.set()


def known_beside_slow_callback(follow: Follow, paths: Sequence[str], other: int) -> float:
    """Return the milliseconds until a change is known beside a slow callback.

    The callback of another node is at work.
    """
    slow_path, quick_path = paths[-2:]
    number = time.time_ns()
    sleeps = threading.Event()

    def sleep(properties: Any) -> None:
        if properties.get("number") == number:
            sleeps.set()
            time.sleep(SLOW_SECONDS)

    follow(slow_path, sleep)
    known = follow(quick_path, lambda properties: None)
    change(other, slow_path, number)
    expect(sleeps.wait(WAIT_SECONDS), True, "slow callback begun in time")
    start = time.perf_counter()
    change(other, quick_path, number)
    while known().get("number") != number:
        expect(time.perf_counter() < start + WAIT_SECONDS, True, "known in time")
        time.sleep(POLL_SECONDS)
    return (time.perf_counter() - start) * 1000


class News(NamedTuple):
    """The news that callbacks heard while many changes were made."""

    first: float  # the median age in the first second, milliseconds
    last: float  # and in the last one
    changes: float  # that were made, a second
    heard: float  # a second; changes that follow each other closely are heard of once


def under_load(service: Service, paths: Sequence[str], other: int) -> Iterator[Case]:
    """Measure how old and how much the news is while many changes are made."""
    news: dict[str, list[News]] = {name: [] for name in RIVALS}

    def age_at_first(name: str) -> float:
        with RIVALS[name](service.hosts) as follow:
            news[name].append(hear_of_many_changes(follow, paths, other))
        return news[name][-1].first

    def case(what: str, unit: str, figure: Callable[[str], Callable[[], float]]) -> Case:
        title = f"{CHANGES_A_SECOND:,} changes a second: {what}"
        return Case(title, unit, [Competitor(name, figure(name)) for name in RIVALS])

    def measured(attribute: str) -> Callable[[str], Callable[[], float]]:
        return lambda name: replay(getattr(each, attribute) for each in news[name])

    age = "milliseconds, median"
    yield case("age of the news in the first second", age, lambda name: partial(age_at_first, name))
    yield case(f"age of the news in the last of {SECONDS}", age, measured("last"))
    yield case("news heard", "a second", measured("heard"))
    yield case("changes made", "a second", measured("changes"))


def hear_of_many_changes(follow: Follow, paths: Sequence[str], other: int) -> News:
    heard: list[tuple[float, float]] = []

    def hear(properties: Any) -> None:
        if "at" in properties:
            now = time.perf_counter()
            heard.append((now, (now - properties["at"]) * 1000))

    for path in paths:
        follow(path, hear)
    heard.clear()
    start = time.perf_counter()
    ticks = SECONDS * TICKS_A_SECOND
    for tick in range(ticks):
        time.sleep(max(0.0, start + tick / TICKS_A_SECOND - time.perf_counter()))
        data = json.dumps({"at": time.perf_counter()})
        operations = [
            ("set", paths[number % len(paths)], data)
            for number in range(CHANGES_A_SECOND // TICKS_A_SECOND)
        ]
        raise_first(zookeeper.write_many(other, operations))
    end = max(time.perf_counter(), start + SECONDS)
    return News(
        first=statistics.median(age for at, age in heard if at < start + 1),
        last=statistics.median(age for at, age in heard if end - 1 <= at),
        changes=SECONDS * CHANGES_A_SECOND / (end - start),
        heard=len(heard) / (end - start),
    )


if __name__ == "__main__":
    main(cases, __doc__, rounds=3)
