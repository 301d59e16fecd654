"""Measure single synchronous calls against C and kazoo.

The figures are the latency of one thread and the throughput of several. The limit is a loop of
zoo_get in C. It is measured twice: as the C client comes, which looks up the host list again with
every poll, and with the resolution window that the binding sets. The floor is a raw socket in C
with prepared bytes: what the hardware and the server allow. "Busy" cases have one more Python
thread that only computes, as real programs have; the interpreter makes any other thread wait for
it, five milliseconds at a time.
"""

from __future__ import annotations

import argparse
import itertools
import select
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import zookeeper
from harness import c_programs, kazoo_jobs
from harness.cases import Case, Competitor, Goal
from harness.command import main
from harness.service import WORLD_ACL, Service, connected, remove
from harness.shapes import Node, encode

ROOT = "/benchmark-calls"
PROPERTIES = {"threads": 1, "database": "/databases/foomain"}
DATA = encode(PROPERTIES)

CALLS = ("get", "exists", "set", "create")
THREADS = (1, 8, 32)

# The calls of all threads together.
LATENCY_CALLS = 2000
THROUGHPUT_CALLS = 6400
BUSY_CALLS = 96

OURS = "zookeeper"
KAZOO = "kazoo"
C_LOOP = "zoo_get in C"
C_LOOP_AS_IT_COMES = "zoo_get in C, no window"
FLOOR = "the floor: a raw socket in C"
INTERPRETER = "select, a tenth of a millisecond"
WINDOW_MILLISECONDS = 5000

Call = Callable[[], object]


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    with (
        service.tree(ROOT, [Node("", PROPERTIES)]),
        connected(service.hosts) as handle,
        kazoo_jobs.connected(service.hosts) as client,
    ):
        # Both sides create nodes of one folder, which is emptied after each round.
        numbers = itertools.count()
        folder = f"{ROOT}/created"
        zookeeper.create(handle, folder, b"", WORLD_ACL)
        callers: dict[str, dict[str, Call]] = {
            "get": {
                OURS: lambda: zookeeper.get(handle, ROOT),
                KAZOO: lambda: client.get(ROOT),
            },
            "exists": {
                OURS: lambda: zookeeper.exists(handle, ROOT),
                KAZOO: lambda: client.exists(ROOT),
            },
            "set": {
                OURS: lambda: zookeeper.set(handle, ROOT, DATA),
                KAZOO: lambda: client.set(ROOT, DATA),
            },
            "create": {
                OURS: lambda: zookeeper.create(
                    handle, f"{folder}/{next(numbers)}", DATA, WORLD_ACL
                ),
                KAZOO: lambda: client.create(f"{folder}/{next(numbers)}", DATA),
            },
        }

        def measured(measure: Callable[[Call], float], call: Call) -> float:
            figure = measure(call)
            remove(handle, folder)
            zookeeper.create(handle, folder, b"", WORLD_ACL)
            return figure

        for call in CALLS:
            for busy in (False, True):
                for threads in THREADS:
                    measure, unit = measurement(threads, busy)
                    competitors = [
                        Competitor(name, partial(measured, measure, caller))
                        for name, caller in callers[call].items()
                    ]
                    goals = []
                    if call == "get" and not busy and threads < max(THREADS):
                        competitors += in_c(service.hosts, threads)
                        goals = GOALS[threads]
                    if call == "get" and busy and threads == 1:
                        # To wait for anything at all, as the interpreter has it.
                        nap = partial(select.select, (), (), (), 0.0001)
                        competitors.append(Competitor(INTERPRETER, partial(measure, nap)))
                        goals = [Goal(OURS, INTERPRETER, at_most=1.1)]
                    yield Case(
                        f"{call}, {threads} thread{'s' if threads > 1 else ''}"
                        f"{' beside a busy one' if busy else ''}",
                        unit,
                        competitors,
                        goals,
                        {"call": call, "threads": threads, "busy": busy},
                    )


GOALS = {
    1: [Goal(OURS, FLOOR, at_most=1.2), Goal(OURS, C_LOOP, at_most=0.7)],
    8: [Goal(OURS, C_LOOP, at_least=1)],
}


def in_c(hosts: str, threads: int) -> list[Competitor]:
    """Return the loop in C, with its latency or its throughput as the figure.

    One thread is measured by its latency, several by their throughput.
    """

    def loop(name: str, figure: str, calls: int, window: int) -> Competitor:
        arguments = (hosts, ROOT, calls // threads, threads, window)
        return Competitor(name, lambda: float(c_programs.run("get_loop", *arguments)[figure]))

    if threads > 1:
        return [loop(C_LOOP, "calls_per_second", THROUGHPUT_CALLS, WINDOW_MILLISECONDS)]
    return [
        loop(C_LOOP, "median_us", LATENCY_CALLS, WINDOW_MILLISECONDS),
        loop(C_LOOP_AS_IT_COMES, "median_us", LATENCY_CALLS, 0),
        Competitor(
            FLOOR,
            lambda: float(c_programs.run("floor_get", hosts, ROOT, LATENCY_CALLS)["median_us"]),
        ),
    ]


def measurement(threads: int, busy: bool) -> tuple[Callable[[Call], float], str]:
    """Name the measurement and its unit."""
    if threads == 1 and busy:
        return mean_latency_beside_a_busy_thread, "microseconds a call, mean"
    if threads == 1:
        return median_latency, "microseconds a call, median"
    return partial(throughput, threads, busy), "calls a second"


def median_latency(call: Call) -> float:
    """Return the median of a call in microseconds."""
    return statistics.median(latencies(call, LATENCY_CALLS))


def mean_latency_beside_a_busy_thread(call: Call) -> float:
    """Return the mean of a call in microseconds.

    Calls are either quick or wait a turn, or several.
    """
    with busy_thread():
        return statistics.fmean(latencies(call, BUSY_CALLS))


def latencies(call: Call, calls: int) -> list[float]:
    """Return the microseconds of each call, after calls that warm up.

    The calls that warm up are a tenth as many.
    """
    clock = time.perf_counter
    microseconds = []
    for _ in range(calls // 10):
        call()
    for _ in range(calls):
        start = clock()
        call()
        microseconds.append((clock() - start) * 1e6)
    return microseconds


def throughput(threads: int, busy: bool, call: Call) -> float:
    """Return the calls a second of some threads together."""
    calls = (BUSY_CALLS if busy else THROUGHPUT_CALLS) // threads
    together = threading.Barrier(threads + 1)

    def call_repeatedly() -> None:
        together.wait()
        for _ in range(calls):
            call()
        together.wait()

    workers = [threading.Thread(target=call_repeatedly) for _ in range(threads)]
    with busy_thread() if busy else nullcontext():
        for worker in workers:
            worker.start()
        together.wait()
        start = time.perf_counter()
        together.wait()
        elapsed = time.perf_counter() - start
        for worker in workers:
            worker.join()
    return threads * calls / elapsed


@contextmanager
def busy_thread() -> Iterator[None]:
    """Run a Python thread that never waits for anything."""
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
    main(cases, __doc__)
