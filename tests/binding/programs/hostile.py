"""Makes every call against the hostile servers of one group of scenarios.

Arguments: the group, and parts of scenarios' names to limit it to. Prints how the calls ended and
what was wrong, as JSON. Standard error names the scenarios that were under way when the process
crashed or hung.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import zookeeper
import zookeeper.log
from tests.binding.every_call import calls_with_a_path, calls_without_a_path
from tests.deadlines import LONG_SESSION, scaled
from tests.hostile import HostileServer, Hostility, Scenario, hostility
from tests.hostile_scenarios import GROUPS
from tests.sessions import OPEN

TIMEOUT = int(scaled(600))  # milliseconds, of a session: a call without an answer ends then
SCENARIOS_AT_ONCE = 8

# How long the program looks whether a handle spins: a share of a processor, and connections.
WINDOW = 1.5
MOST_CPU = 0.2
MOST_CONNECTIONS = 40

# Calls without a result, or whose answer has no body, or one of a number: they succeed whatever
# comes.
WITHOUT_AN_ANSWER = ("of nothing", "state", "client_id", "recv_timeout", "is_unrecoverable")
WITHOUT_A_BODY = (
    *("delete", "set_acl", "remove_watches", "add_watch", "get_all_children_number"),
    *("add_auth", "event_thread", "event_thread_busy", "event_zxid", "set_watcher"),
)
ASYNCHRONOUS = ("adelete", "aset_acl", "aremove", "aadd_watch", "aget_all_children")


def has_a_body(name: str) -> bool:
    name = name.removeprefix("a") if name.startswith(ASYNCHRONOUS) else name
    return not name.startswith(WITHOUT_A_BODY) and not name.endswith(WITHOUT_AN_ANSWER)


class Waited:
    """An asynchronous call that waits for its completion.

    The completion comes once, and in time.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> list[Any]:
        done = threading.Event()
        results: list[tuple[Any, ...]] = []

        def completion(_handle: int, *values: Any) -> None:
            results.append(values)
            done.set()

        self.function(*arguments, completion=completion)
        if not done.wait(scaled(20)):
            raise AssertionError("its completion is not called")
        if len(results) != 1:
            raise AssertionError(f"its completion is called {len(results)} times")
        (code, *values) = results[0]
        if code != zookeeper.OK:
            raise zookeeper.error(code)
        return values


class WaitedBulk(Waited):
    """One that has the results of many nodes, those that failed among them."""

    def __call__(self, *arguments: Any) -> Any:
        (results,) = super().__call__(*arguments)
        return results


def every_call() -> dict[str, Callable[[int], object]]:
    calls: dict[str, Callable[[int], object]] = {}
    z: Any = zookeeper
    asynchronous: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(["adelete", "aexists", "aget", "aget_children"], ()),
        **dict.fromkeys(["aget_children2", "aget_acl", "async_"], ()),
        **dict.fromkeys(["aget_ephemerals", "aget_all_children_number"], ()),
        "aadd_watch": (zookeeper.PERSISTENT, print),
        **dict.fromkeys(["acreate", "acreate2"], ("", OPEN)),
        "aset": ("",),
        "aset_acl": (-1, OPEN),
    }
    for name, call in calls_with_a_path(zookeeper).items():
        if name in asynchronous:
            waited = Waited(getattr(z, name))
            calls[name] = partial(lambda w, a, h: w(h, "/x", *a), waited, asynchronous[name])
        else:
            calls[name] = partial(lambda call, h: call(h, "/x"), call)
    for name, alone in calls_without_a_path(zookeeper).items():
        if name not in ("close", "aclose"):
            calls[name] = alone
    watching = partial(z.awatch_many, data=["/x"], watcher=print)
    calls["awatch_many"] = WaitedBulk(watching)
    calls["aread_tree"] = lambda h: WaitedBulk(z.aread_tree)(h, "/x")
    for name in ("aget_many", "aget_acl_many", "aget_children_many"):
        calls[name] = partial(lambda w, h: w(h, ["/x"]), WaitedBulk(getattr(z, name)))
    writing = WaitedBulk(z.awrite_many)
    calls["awrite_many"] = lambda h: writing(h, [("create", "/x", "", OPEN)])
    multi, config = Waited(z.amulti), Waited(z.aget_config)
    calls["aget_config"] = config
    calls["awhoami"] = Waited(z.awhoami)
    calls["areconfig"] = lambda h: Waited(z.areconfig)(h, None, "9")
    calls["amulti"] = lambda h: multi(h, [("check", "/x")])
    calls["multi of all"] = lambda h: z.multi(
        h,
        [
            ("create", "/x", "", OPEN),
            ("create2", "/x", "", OPEN),
            ("set", "/x", ""),
            ("check", "/x"),
            ("delete", "/x"),
        ],
    )
    calls["get watched"] = lambda h: z.get(h, "/x", lambda *_: None)
    calls["get_children watched"] = lambda h: z.get_children(h, "/x", lambda *_: None)
    return calls


CALLS = every_call()


def threads() -> set[str]:
    return set(os.listdir("/proc/self/task"))


def cpu_of(thread: str) -> float:
    try:
        with open(f"/proc/self/task/{thread}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9
    except OSError:
        return 0.0


class LogTime:
    """The processor time that threads spend on log lines, by native id, in seconds.

    One thread of a process has the lines of all handles: dozens that connect as often as they may
    keep it busy on a slow machine, which is no spinning.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def __call__(self, emit: Callable[..., object], line: str) -> bool:
        """Emit a line, as `zookeeper.log.carry`."""
        began = time.thread_time()
        emit(line)
        self.seconds[str(threading.get_native_id())] += time.thread_time() - began
        return True


class Trial:
    """One scenario: each call is made, and ends as it should."""

    def __init__(self, server: HostileServer) -> None:
        self.server = server
        self.scenario: Scenario = server.scenario
        self.problems: list[str] = []
        # A list, which threads may append to: a counter's first addition of a key loses others'.
        self.outcomes: list[str] = []
        self.handle = -1

    def open(self) -> int:
        # Calls that have to succeed are not lost for a late answer of a slow machine.
        timeout = LONG_SESSION if self.scenario.calls == "succeeds" else TIMEOUT
        read_only = self.scenario.read_only
        return zookeeper.init(self.server.connection_string, None, timeout, read_only=read_only)

    def run(self) -> None:
        print("begins:", self.scenario.name, file=sys.stderr, flush=True)
        if self.scenario.sessions == "own":
            for name in CALLS:
                handle = self.open()
                self.make(name, handle)
                zookeeper.close(handle)
        self.handle = self.open()
        if self.scenario.sessions == "shared":
            for name in CALLS:
                self.make(name, self.handle)
        elif self.scenario.sessions == "at once":
            makers = [
                threading.Thread(target=self.make, args=(name, self.handle), daemon=True)
                for name in CALLS
            ]
            for maker in makers:
                maker.start()
            for name, maker in zip(CALLS, makers, strict=True):
                maker.join(scaled(20))
                if maker.is_alive():
                    self.problems.append(f"{name} does not end")
        print("ends:", self.scenario.name, file=sys.stderr, flush=True)

    def make(self, name: str, handle: int) -> None:
        try:
            value = CALLS[name](handle)
        except zookeeper.ZooKeeperException as problem:
            self.outcomes.append(type(problem).__name__)
            if self.scenario.calls == "succeeds":
                self.problems.append(f"{name}: {type(problem).__name__}: {problem}")
            return
        except BaseException as problem:
            self.problems.append(f"{name}: {type(problem).__name__}: {problem}")
            return
        self.outcomes.append("returned")
        failed = isinstance(value, list) and any(isinstance(v, Exception) for v in value)
        if self.scenario.calls == "fails" and has_a_body(name) and not failed:
            self.problems.append(f"{name} succeeds: {value!r:.200}")


def watch_for_spins(trials: Sequence[Trial], hostile: Hostility) -> None:
    """Leave all handles alone for a while, and see that none spins.

    A handle spins when it uses a processor, or connects without end.
    """
    log = zookeeper.log.carry = LogTime()
    mine = {str(threading.get_native_id())}
    before = {thread: cpu_of(thread) for thread in threads() - mine}
    connections = [trial.server.connections for trial in trials]
    used, server = time.process_time(), hostile.seconds
    time.sleep(WINDOW)
    used = time.process_time() - used - (hostile.seconds - server)
    for trial, count in zip(trials, connections, strict=True):
        if trial.server.connections - count > MOST_CONNECTIONS:
            trial.problems.append(f"{trial.server.connections - count} connections in {WINDOW} s")
    del before[str(hostile.native_id)]
    shares = {t: cpu_of(t) - seconds - log.seconds[t] for t, seconds in before.items()}
    spinning = {thread: share for thread, share in shares.items() if share > MOST_CPU * WINDOW}
    if spinning:
        trials[0].problems.append(
            f"threads spin in {WINDOW} s (seconds of each: {spinning}, of all: {used:.2f}, "
            f"of log lines: {sum(log.seconds.values()):.2f})"
        )


def main() -> None:
    logging.disable()
    group, *parts = sys.argv[1:]
    with hostility() as hostile:
        scenarios = list(GROUPS[group]())
        assert len({s.name for s in scenarios}) == len(scenarios)
        chosen = [s for s in scenarios if not parts or any(part in s.name for part in parts)]
        trials = [Trial(hostile.serve(scenario)) for scenario in chosen]
        with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
            list(pool.map(Trial.run, trials))
        watch_for_spins(trials, hostile)
        with ThreadPoolExecutor(SCENARIOS_AT_ONCE) as pool:
            list(pool.map(zookeeper.close, [trial.handle for trial in trials]))
        problems = {t.scenario.name: t.problems for t in trials if t.problems}
        print(
            json.dumps(
                {
                    "outcomes": {trial.scenario.name: Counter(trial.outcomes) for trial in trials},
                    "calls": len(CALLS),
                    "problems": problems,
                }
            )
        )


if __name__ == "__main__":
    main()
