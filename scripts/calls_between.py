"""Count the Python calls between a node's change and a callback.

The event thread's call of the watcher is the first one that counts, and the program's callback the
last. All threads of the client are looked at; what compiled code calls is not seen. Part of it goes
on beside the callback, so that the numbers vary a little: they are medians.

    .venv/bin/python scripts/calls_between.py [--names]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

ROUNDS = 21
QUIET_SECONDS = 0.05
WAIT_SECONDS = 30

SERVER = """\
import sys
from zc.zk.testing import Server
with Server() as server:
    print(server.connection_string, flush=True)
    sys.stdin.read()
"""


class Called(NamedTuple):
    """A call of a Python function."""

    file: str
    function: str


class Recorder:
    """Notes the Python functions that the client's threads call for a while."""

    def __init__(self) -> None:
        self.calls: list[Called] = []
        self.is_on = False

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call; see `sys.setprofile`."""
        code = frame.f_code
        if self.is_on and event == "call" and code.co_filename != __file__:
            self.calls.append(Called(code.co_filename, code.co_name))

    def calls_until(self, told: threading.Event, change: Callable[[], object]) -> list[Called]:
        """Return the calls from `change` until the callback has `told`."""
        self.wait_until_quiet()
        self.calls = []
        told.clear()
        self.is_on = True
        change()
        if not told.wait(WAIT_SECONDS):
            raise TimeoutError("no callback has come")
        self.is_on = False
        return self.calls

    def wait_until_quiet(self) -> None:
        """Wait until no thread has called anything for a while."""
        self.is_on = True
        count = -1
        while count != len(self.calls):
            count = len(self.calls)
            time.sleep(QUIET_SECONDS)
        self.is_on = False


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of a server in a process of its own."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def measure(library: ModuleType, recorder: Recorder, hosts: str) -> Iterator[tuple[str, Any]]:
    """Yield the calls of each round, for each kind of live object."""
    told = threading.Event()

    def callback(_: object) -> None:
        recorder.is_on = False
        told.set()

    threading.setprofile(None)
    with library.ZooKeeper(hosts) as other:
        other.create("/followed", '{"n": 0}')
        other.create("/linked", '{"n": 0}')
        other.create("/linking", '{"n =>": "/linked n", "m =>": "/followed n"}')
        threading.setprofile(recorder.profile)
        with library.ZooKeeper(hosts) as zk:
            threading.setprofile(None)
            number = 0

            def written() -> str:
                return f'{{"n": {number}}}'

            cases: list[tuple[str, Callable[[], Any], Callable[[], object]]] = [
                (
                    "children",
                    lambda: zk.children("/followed"),
                    lambda: other.create(f"/followed/{number}"),
                ),
                (
                    "properties",
                    lambda: zk.properties("/followed"),
                    lambda: other.set("/followed", written()),
                ),
                (
                    "properties with two links",
                    lambda: zk.properties("/linking"),
                    lambda: other.set("/linked", written()),
                ),
            ]
            for name, follow, change in cases:
                followed = follow()(callback)
                rounds = []
                for _ in range(ROUNDS):
                    number += 1
                    rounds.append(recorder.calls_until(told, change))
                yield name, rounds
                del followed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", action="store_true", help="name the functions")
    options = parser.parse_args()
    import zc.zk

    recorder = Recorder()
    with server() as hosts:
        for name, rounds in measure(zc.zk, recorder, hosts):
            calls = statistics.median(len(calls) for calls in rounds)
            files = statistics.median(len({call.file for call in calls}) for calls in rounds)
            print(f"{name:28}{calls:4.0f} calls in {files:2.0f} files")
            if options.names:
                typical = min(rounds, key=lambda round_: abs(len(round_) - calls))
                for file, count in Counter(call.file for call in typical).items():
                    print(f"    {count:3} {Path(file).stem}")
                for call in typical:
                    print(f"        {Path(call.file).stem}.{call.function}")


if __name__ == "__main__":
    main()
