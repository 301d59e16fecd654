"""Synchronous `get`: latency of one thread and throughput of several, against C and kazoo.

The limit is a loop of zoo_get in C. It is measured twice: as the C client comes, which looks up the
host list again with every poll, and with the resolution window that the binding sets. "Busy" cases
have one more Python thread that only computes, as real programs have; the interpreter makes whoever
wants to go on wait for it, five milliseconds at a time.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import zookeeper
from harness import c_programs, kazoo_jobs
from harness.cases import Case, Competitor, Goal
from harness.command import main
from harness.service import Service, connected
from harness.shapes import Node

ROOT = "/benchmark-get"
THREADS = 8

LATENCY_CALLS = 2000
THROUGHPUT_CALLS = 1000
BUSY_CALLS = 200

OURS = "zookeeper.get"
KAZOO = "kazoo get"
C_LOOP = "zoo_get in C"
C_LOOP_AS_IT_COMES = "zoo_get in C, no window"
WINDOW_MILLISECONDS = 5000

Get = Callable[[], object]
Measure = Callable[[Get], float]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with (
        service.tree(ROOT, [Node("", {"threads": 1, "database": "/databases/foomain"})]),
        connected(service.hosts) as handle,
        kazoo_jobs.connected(service.hosts) as client,
    ):
        readers: dict[str, Get] = {
            OURS: lambda: zookeeper.get(handle, ROOT),
            KAZOO: lambda: client.get(ROOT),
        }

        def both(measure: Measure) -> list[Competitor]:
            return [Competitor(name, partial(measure, get)) for name, get in readers.items()]

        def in_c(name: str, figure: str, calls: int, threads: int, window: int) -> Competitor:
            arguments = (service.hosts, ROOT, calls, threads, window)
            return Competitor(name, lambda: float(c_programs.run("get_loop", *arguments)[figure]))

        yield Case(
            "get, one thread: median of a call",
            "microseconds",
            [
                *both(median_latency),
                in_c(C_LOOP, "median_us", LATENCY_CALLS, 1, WINDOW_MILLISECONDS),
                in_c(C_LOOP_AS_IT_COMES, "median_us", LATENCY_CALLS, 1, 0),
            ],
            [Goal(OURS, C_LOOP, at_most=1.2)],
            {"threads": 1, "busy": False},
        )
        yield Case(
            f"get, {THREADS} threads: throughput",
            "calls a second",
            [
                *both(throughput),
                in_c(C_LOOP, "calls_per_second", THROUGHPUT_CALLS, THREADS, WINDOW_MILLISECONDS),
            ],
            [Goal(OURS, KAZOO, at_least=2)],
            {"threads": THREADS, "busy": False},
        )
        yield Case(
            "get, one thread beside a busy one: mean of a call",
            "microseconds",
            both(mean_latency_beside_a_busy_thread),
            parameters={"threads": 1, "busy": True},
        )
        yield Case(
            f"get, {THREADS} threads beside a busy one: throughput",
            "calls a second",
            both(throughput_beside_a_busy_thread),
            parameters={"threads": THREADS, "busy": True},
        )


def median_latency(get: Get) -> float:
    """The median of a call in microseconds."""
    return statistics.median(latencies(get, LATENCY_CALLS))


def mean_latency_beside_a_busy_thread(get: Get) -> float:
    """The mean of a call in microseconds: calls are either quick or wait a turn, or several."""
    with busy_thread():
        return statistics.fmean(latencies(get, BUSY_CALLS))


def latencies(get: Get, calls: int) -> list[float]:
    """How long each call took, in microseconds; a tenth as many calls before them do not count."""
    clock = time.perf_counter
    microseconds = []
    for _ in range(calls // 10):
        get()
    for _ in range(calls):
        start = clock()
        get()
        microseconds.append((clock() - start) * 1e6)
    return microseconds


def throughput(get: Get, calls: int = THROUGHPUT_CALLS) -> float:
    """The calls a second of `THREADS` threads that make `calls` calls each."""
    together = threading.Barrier(THREADS + 1)

    def read_repeatedly() -> None:
        together.wait()
        for _ in range(calls):
            get()
        together.wait()

    threads = [threading.Thread(target=read_repeatedly) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    together.wait()
    start = time.perf_counter()
    together.wait()
    elapsed = time.perf_counter() - start
    for thread in threads:
        thread.join()
    return THREADS * calls / elapsed


def throughput_beside_a_busy_thread(get: Get) -> float:
    """The calls a second of `THREADS` threads while another one computes."""
    with busy_thread():
        return throughput(get, BUSY_CALLS // THREADS)


@contextmanager
def busy_thread() -> Iterator[None]:
    """A Python thread that never waits for anything."""
    stopped = threading.Event()

    def compute() -> None:
        while not stopped.is_set():
            sum(number * number for number in range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


if __name__ == "__main__":
    main(cases, __doc__, rounds=15)
