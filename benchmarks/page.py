"""Measure the page of a large tree with many readers: memory, first paint, delay of a change.

`zookeeper_browse` shows 200,000 nodes: 20,000 services with eight providers each. 20 readers open
its events at once, as pages do, and read all of it. Then nodes are changed, one at a time: the
figure is the time until the last of the readers has been told. Twenty more readers ask for all and
read nothing. Where Chromium is, it opens the page, alone and beside the readers; its figures are
the browser's own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from urllib.parse import quote, urlsplit

import zookeeper
from harness.cases import Case, Competitor, expect, replay
from harness.command import main
from harness.service import Service, connected
from harness.shapes import Node

ROOT = "/benchmark-page"

READERS = 20
PROVIDERS = 8
GROUPS = 20
CHANGES = 100
WAIT_SECONDS = 300.0
PAGE = "zookeeper_browse"

MEGABYTE = 1024 * 1024


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    nodes = services(options.nodes)
    figures: dict[str, list[float]] = {}

    def first() -> float:
        for name, figure in measure(service, len(nodes)).items():
            figures.setdefault(name, []).append(figure)
        return figures["start"][-1]

    def case(what: str, unit: str, run: Competitor) -> Case:
        parameters = {"nodes": len(nodes), "readers": READERS}
        return Case(f"{what}, {len(nodes):,} nodes", unit, [run], [], parameters)

    with service.tree(ROOT, nodes):
        rounds = options.rounds
        yield case("until the page is there", "seconds", Competitor(PAGE, partial(first), rounds))
        for name, (what, unit) in TITLES.items():
            if name in figures:
                yield case(what, unit, Competitor(PAGE, replay(figures[name]), rounds))


TITLES = {
    "all": (f"until {READERS} readers have all", "seconds"),
    "memory": ("memory of the server without readers", "megabytes"),
    "memory read": (f"and after {READERS} readers have read all", "megabytes"),
    "memory stalled": (f"and with {READERS} more who read nothing", "megabytes"),
    "delay": (f"from a change to the last of {READERS} readers, median", "milliseconds"),
    "delay worst": (f"from a change to the last of {READERS} readers, the longest", "milliseconds"),
    "delay loading": ("from a change to a reader, while 20 others read all", "milliseconds"),
    "paint": ("first contentful paint in Chromium", "milliseconds"),
    "paint tree": ("until the first services are seen in Chromium", "milliseconds"),
    "paint all": ("until Chromium has all", "seconds"),
    "paint memory": ("memory of the page in Chromium, its heap", "megabytes"),
}


def services(count: int) -> list[Node]:
    """Return a tree of about so many nodes: services with providers, in groups."""
    nodes = [Node("", {})] + [Node(f"/group{group}", {}) for group in range(GROUPS)]
    for number in range(max(1, (count - len(nodes)) // (PROVIDERS + 2))):
        path = f"/group{number % GROUPS}/service{number}"
        nodes += [Node(path, {"type": "web", "threads": 8}), Node(f"{path}/providers", {})]
        nodes += [
            Node(f"{path}/providers/10.0.{number % 250}.{each}:8080", {"pid": 99, "version": "1.4"})
            for each in range(PROVIDERS)
        ]
    return nodes


def measure(service: Service, count: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        other = stack.enter_context(connected(service.hosts))
        started = time.perf_counter()
        server, url = stack.enter_context(browsing(service))
        figures["start"] = time.perf_counter() - started
        key = key_of(url)
        # One reader waits until all views are made.
        read_all([stack.enter_context(reader(url, key))], count)
        figures["memory"] = megabytes(server)
        started = time.perf_counter()
        readers = [stack.enter_context(reader(url, key)) for _ in range(READERS)]
        read_all(readers, count)
        figures["all"] = time.perf_counter() - started
        figures["memory read"] = megabytes(server)
        delays = [delay(other, number, readers) for number in range(CHANGES)]
        figures["delay"] = statistics.median(delays)
        figures["delay worst"] = max(delays)
        more = [stack.enter_context(reader(url, key)) for _ in range(READERS)]
        figures["delay loading"] = statistics.median(
            delay(other, CHANGES + number, readers[:1]) for number in range(10)
        )
        read_all(more, count)
        stalled = [stack.enter_context(reader(url, key)) for _ in range(READERS)]
        time.sleep(2)  # until they have as much as goes into their sockets
        figures["memory stalled"] = megabytes(server)
        for each in stalled:
            each.close()
        figures |= painted(url, count)
    return figures


@contextmanager
def browsing(service: Service) -> Iterator[tuple[int, str]]:
    """Run `zookeeper_browse`, and yield its process and the address that it prints."""
    command = [sys.executable, "-m", "zc.zk", "browse", "--port", "0", "--limit", "1000000"]
    with subprocess.Popen(
        [*command, service.hosts + ROOT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.pid, process.stdout.readline().strip()
        finally:
            process.terminate()


def key_of(url: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_SECONDS)
    connection.request("GET", "/")
    found = re.search(r'name="key" content="(.+?)"', connection.getresponse().read().decode())
    connection.close()
    assert found is not None
    return found[1]


class Reader:
    """A page's connection for events, read by hand: counts views, and looks for a text."""

    def __init__(self, url: str, key: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_SECONDS)
        self.connection.request("GET", f"/events?key={quote(key)}")
        self.answer = self.connection.getresponse()
        expect(self.answer.status, 200, "status")

    def read_views(self, count: int) -> None:
        """Read until there have been so many views."""
        seen = 0
        while seen < count:
            line = self.answer.readline()
            expect(bool(line), True, "there is more")
            # A view has one field of this name, and a property is none.
            seen += line.count(b'"properties": [')

    def read_until(self, text: bytes) -> float:
        while text not in (line := self.answer.readline()):
            expect(bool(line), True, "there is more")
        return time.perf_counter()

    def close(self) -> None:
        self.connection.close()
        self.answer.close()


@contextmanager
def reader(url: str, key: str) -> Iterator[Reader]:
    made = Reader(url, key)
    try:
        yield made
    finally:
        made.close()


def read_all(readers: list[Reader], count: int) -> None:
    threads = [threading.Thread(target=each.read_views, args=(count,)) for each in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        expect(thread.is_alive(), False, "still reading")


def delay(other: int, number: int, readers: list[Reader]) -> float:
    """Return the milliseconds until the last reader has been told of a change."""
    path = f"{ROOT}/group{number % GROUPS}"
    text = f"change {time.time_ns()}"
    heard: list[float] = []
    threads = [
        threading.Thread(target=lambda each=each: heard.append(each.read_until(text.encode())))
        for each in readers
    ]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    zookeeper.set(other, path, json.dumps({"text": text}))
    for thread in threads:
        thread.join(WAIT_SECONDS)
    expect(len(heard), len(readers), "readers who were told")
    return (max(heard) - start) * 1000


def megabytes(process: int) -> float:
    with open(f"/proc/{process}/status") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return kilobytes * 1024 / MEGABYTE


def painted(url: str, count: int) -> dict[str, float]:
    """Open the page in Chromium, as on a wall, if it is installed."""
    from tests.browse.chromium import (
        Browser,
        chromium,
        missing,
    )  # `harness` has put it within reach

    if missing():
        return {}
    with chromium() as driver:
        browser = Browser(driver, url)
        started = time.perf_counter()
        driver.get(url)
        browser.wait_for("#outline .pill", "providers", WAIT_SECONDS)
        tree = (time.perf_counter() - started) * 1000
        expected = f"{(count - GROUPS - 1) // (PROVIDERS + 2):,} services"
        browser.wait_for("#details .summary", expected, WAIT_SECONDS)
        done = time.perf_counter() - started
        paint = browser.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        heap = browser.evaluate("performance.memory.usedJSHeapSize") / MEGABYTE
        driver.get("about:blank")
    return {"paint": paint, "paint tree": tree, "paint all": done, "paint memory": heap}


if __name__ == "__main__":
    main(cases, __doc__, nodes=200_000, rounds=3)
