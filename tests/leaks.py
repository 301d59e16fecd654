"""Resources that a test must not leave: threads, children, descriptors.

Threads are looked up in the kernel, for Python does not know those of the C client.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import Counter
from pathlib import Path

from tests.deadlines import POLL_SECONDS, scaled

PATIENCE_SECONDS = 5

# This thread is kept for the next server that a test starts.
SERVER_STARTER = "server-starter"

Resources = dict[str, str]
"""The resources there are, with a description each: another description is another resource."""


def resources() -> Resources:
    """Return the threads, children and descriptors of this process."""
    return {**_threads(), **_children(), **_descriptors()}


def check(before: Resources) -> None:
    """Raise AssertionError if there are more than before, and they stay."""
    deadline = time.monotonic() + scaled(PATIENCE_SECONDS)
    while left := _more_than(before):
        if time.monotonic() > deadline:
            raise AssertionError("left behind: " + "; ".join(left))
        gc.collect()
        time.sleep(POLL_SECONDS)


def _more_than(before: Resources) -> list[str]:
    return [
        f"{what} ({description})"
        for what, description in resources().items()
        if before.get(what) != description
    ]


def _threads() -> Resources:
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    numbers = map(int, os.listdir("/proc/self/task"))
    return {
        f"thread {number}": name
        for number in numbers
        if not (name := names.get(number, "not Python's")).startswith(SERVER_STARTER)
    }


def _children() -> Resources:
    # By command and not by number: a restarted server is no additional resource.
    commands: Counter[str] = Counter()
    for task in Path("/proc/self/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue  # a thread that has just ended
        for child in children:
            try:
                command = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except FileNotFoundError:
                continue
            commands[command] += 1
    return {f"process {command}": str(count) for command, count in commands.items()}


def _descriptors() -> Resources:
    found: Resources = {}
    with os.scandir("/proc/self/fd") as entries:
        for entry in entries:
            try:
                found[f"descriptor {entry.name}"] = os.readlink(entry.path)
            except FileNotFoundError:
                continue
    return {what: target for what, target in found.items() if not target.startswith("/proc/")}
