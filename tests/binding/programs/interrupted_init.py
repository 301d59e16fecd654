"""Lets signals raise an exception in the middle of `init`, at many places.

Arguments: hosts, rounds. Prints how often `init` was interrupted, how many threads are left over,
and whether a session that was opened after all of them ended at the exit.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from types import FrameType

import zookeeper
from tests.deadlines import wait_until
from tests.sessions import OPEN, wait_until_connected


class Interrupted(BaseException):
    """The signal's exception, which Python's own code does not catch.

    KeyboardInterrupt is another one of that kind.
    """


armed = False


def interrupt(_number: int, frame: FrameType | None) -> None:
    if armed:
        raise Interrupted


def main() -> None:
    global armed
    # An exception in a finaliser of the interpreter's own is reported, and interrupts nothing.
    sys.unraisablehook = lambda _: None
    signal.signal(signal.SIGALRM, interrupt)
    hosts, rounds = sys.argv[1], int(sys.argv[2])
    zookeeper.close(zookeeper.init(hosts))
    threads = len(os.listdir("/proc/self/task"))
    interrupted = 0
    opened = set()
    for number in range(rounds):
        try:
            try:
                armed = True
                # Dense at first, and in the end longer than `init` takes, on a busy machine too.
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + 20e-3 * (number / rounds) ** 3)
                opened.add(zookeeper.init(hosts))
            finally:
                armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupted:
            interrupted += 1
        # Only the table of handles knows a number that its caller never got.
        zookeeper.close_many(range(rounds))
    wait_until(
        lambda: len(os.listdir("/proc/self/task")) <= threads,
        lambda: f"threads end: {[thread.name for thread in threading.enumerate()]}",
    )
    handle = zookeeper.init(hosts)
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    print(json.dumps({"interrupted": interrupted, "opened": len(opened), "handle": handle}))


if __name__ == "__main__":
    main()
