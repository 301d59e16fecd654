"""Clients of hostile servers, in a process of their own. `tests.fuzz` starts it.

It reads cases from standard input, one a line as JSON, and writes one line for each that has ended.
A case is wrong when a call does not end, when closing takes long, or when what a call returns is
not what the server has sent.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import zookeeper
from tests.deadlines import scaled
from tests.sessions import OPEN
from tests.testing import protocol as p

AT_ONCE = 8
SESSION_MILLISECONDS = int(scaled(400))
# Calls of a session that is never opened wait for it, and end when it is closed.
PATIENCE_SECONDS = scaled(1.5)
CALL_SECONDS = scaled(20)
CLOSE_SECONDS = scaled(8)

STAT = dict(zip(p.STAT_FIELDS, range(1, 12), strict=True))

# A call, its arguments after the handle, and its true results.
CALLS: list[tuple[str, tuple[Any, ...], list[Any]]] = [
    ("aget", ("/a", "watcher"), ["data of /a", STAT]),
    ("aexists", ("/b", "watcher"), [STAT]),
    ("aget_children", ("/x", "watcher"), [["a", "b"]]),
    ("aget_children2", ("/c", "watcher"), [["a", "b"], STAT]),
    ("aset", ("/d", "value", -1), [STAT]),
    ("acreate", ("/e", "value", OPEN, 0), ["/e"]),
    ("amulti", ([("create", "/f", "", OPEN), ("delete", "/g")],), [["/f", None]]),
    ("aget", ("/" + "long" * 2000, None), ["data of /" + "long" * 2000, STAT]),
]


class Case:
    """One case: a session, calls, and the end."""

    def __init__(self, number: int, hosts: str, is_true: bool, tls: Any, hurry: float) -> None:
        self.number = number
        self.hosts = hosts
        self.is_true = is_true
        self.tls = tls
        self.hurry = hurry
        self.problems: list[str] = []
        self.answered = 0

    def run(self) -> None:
        handle = zookeeper.init(self.hosts, None, SESSION_MILLISECONDS, tls=self.tls)
        try:
            waiting = [self._begin(handle, *call) for call in CALLS]
            if self.hurry:
                time.sleep(self.hurry)
            else:
                until = time.monotonic() + PATIENCE_SECONDS
                for _, done in waiting:
                    done.wait(until - time.monotonic())
                self._read_many(handle)
        finally:
            started = time.monotonic()
            zookeeper.close(handle)
            took = time.monotonic() - started
        if took > CLOSE_SECONDS:
            self.problems.append(f"closing takes {took:.1f} seconds")
        for name, done in waiting:
            if not done.wait(CALL_SECONDS):
                self.problems.append(f"{name} does not end")

    def _begin(
        self, handle: int, name: str, arguments: tuple[Any, ...], truth: list[Any]
    ) -> tuple[str, threading.Event]:
        done = threading.Event()

        def complete(_handle: int, code: int, *results: Any) -> None:
            if done.is_set():
                self.problems.append(f"{name} ends twice, with {code}")
            if code == zookeeper.OK:
                self.answered += 1
                if self.is_true and [*results] != truth:
                    self.problems.append(f"{name} gives {results!r:.300}")
            done.set()

        given = [(lambda *_: None) if value == "watcher" else value for value in arguments]
        try:
            getattr(zookeeper, name)(handle, *given, complete)
        except zookeeper.ZooKeeperException:
            done.set()
        return name, done

    def _read_many(self, handle: int) -> None:
        calls: list[Callable[[], list[Any]]] = [
            lambda: zookeeper.get_many(handle, ["/h", "/i"], timeout=PATIENCE_SECONDS),
            lambda: zookeeper.get_children_many(handle, ["/x", "/x"], timeout=PATIENCE_SECONDS),
        ]
        # Where MultiRead has ended connections, each node is read by itself, with its own data.
        datas = ("data", "data of /h", "data of /i")
        truths: list[list[Any]] = [[(data, STAT) for data in datas], [["a", "b"]]]
        for call, truth in zip(calls, truths, strict=True):
            started = time.monotonic()
            try:
                found = call()
            except zookeeper.ZooKeeperException:
                found = []
            if time.monotonic() - started > CALL_SECONDS:
                self.problems.append("a bulk read takes long")
            good = [value for value in found if not isinstance(value, Exception)]
            self.answered += len(good)
            if self.is_true and any(value not in truth for value in good):
                self.problems.append(f"a bulk read gives {found!r:.300}")


def main() -> None:
    faulthandler.enable()
    logging.disable()
    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_ERROR)
    authority = sys.argv[1]
    tls = zookeeper.TLS(ca=authority)
    tls.configuration()
    cases = [json.loads(line) for line in sys.stdin]
    printing = threading.Lock()

    def run(given: dict[str, Any]) -> None:
        own = tls if given["tls"] else None
        case = Case(given["number"], given["hosts"], given["is_true"], own, given["hurry"])
        try:
            case.run()
        except Exception as problem:
            case.problems.append(f"{type(problem).__name__}: {problem}")
        with printing:
            result = {"number": case.number, "problems": case.problems, "answered": case.answered}
            print(json.dumps(result), flush=True)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, cases))


if __name__ == "__main__":
    main()
