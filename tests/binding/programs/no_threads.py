"""Opens handles while one of a handle's three threads cannot be started.

Arguments: hosts, which thread. Prints the errors of `init`, and the root's children after it.

A thread of the C client takes as much address space for its stack as the shell says, megabytes; a
thread of Python takes as much as `threading.stack_size` says. The process may have less than a
stack more. GLIBC_TUNABLES has to say that no stack of an ended thread is kept for the next one.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import threading
import time
from pathlib import Path

import zookeeper
from tests.sessions import wait_until_connected

PLENTY = 1 << 30
LITTLE = 1 << 18


def settled_size() -> int:
    """Return the bytes of address space once no thread comes or goes any more.

    The stack of a thread that ends later would make room for one that is to fail.
    """
    status, since = "", time.monotonic()
    while time.monotonic() - since < 0.3:
        text = Path("/proc/self/status").read_text()
        seen = " ".join(re.findall(r"^(?:VmSize|Threads):\s*(\d+)", text, re.MULTILINE))
        if seen != status:
            status, since = seen, time.monotonic()
        time.sleep(0.02)
    return int(status.split()[0]) << 10


def main() -> None:
    hosts, which = sys.argv[1:]
    threading.stack_size(LITTLE)
    # The handle stays open, or the stacks of its threads would be kept for the next ones.
    first = zookeeper.init(hosts)
    wait_until_connected(zookeeper, first)
    # A large stack may be kept after all, that of a thread nobody joins, as glibc looks at it while
    # the thread is still ending. It goes when a later thread is joined, which is what `close` does.
    other = zookeeper.init(hosts)
    wait_until_connected(zookeeper, other)
    settled_size()
    zookeeper.close(other)
    size = settled_size()
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    threading.stack_size(PLENTY if which == "python's" else LITTLE)
    room = {"python's": 0, "the first": stack // 2, "the second": stack * 3 // 2}[which]
    limit = size + room
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    raised = []
    for _ in range(3):
        try:
            opened = zookeeper.init(hosts)
        except zookeeper.ZooKeeperException as problem:
            raised.append([type(problem).__name__, str(problem)])
        else:
            raised.append(["nothing", ""])
            zookeeper.close(opened)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    threading.stack_size(0)
    handle = zookeeper.init(hosts)
    wait_until_connected(zookeeper, handle)
    children = zookeeper.get_children(handle, "/")
    zookeeper.close_many([first, handle])
    print(json.dumps({"raised": raised, "handle": handle, "children": children}))


if __name__ == "__main__":
    main()
