"""Forks many times while other threads use the handle.

Each lock that a thread may hold is inherited by some child. Arguments: hosts, number of forks.
Prints the children's exit codes as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import zookeeper
from tests.deadlines import scaled
from tests.sessions import OPEN, wait_until_connected


def attempt(handle: int) -> int:
    # No init here: glibc's getaddrinfo has a lock too, which a thread may have held at the fork.
    for call in (
        lambda: zookeeper.get(handle, "/"),
        lambda: zookeeper.aget(handle, "/"),
        lambda: zookeeper.read_tree(handle, "/"),
        lambda: zookeeper.close(handle),
    ):
        try:
            call()
        except zookeeper.ForkedException:
            continue
        return 1
    return 0


def main() -> None:
    hosts, forks = sys.argv[1], int(sys.argv[2])
    handle = zookeeper.init(hosts, None, int(scaled(30_000)))
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            zookeeper.get(handle, "/e", lambda *_: None)
            for _ in range(20):
                zookeeper.aset(handle, "/e", "x", -1, lambda *_: None)
            zookeeper.read_tree(handle, "/")

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for _ in range(forks):
        pid = os.fork()
        if pid == 0:
            os._exit(attempt(handle))
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"codes": codes, "ephemeral": zookeeper.exists(handle, "/e") is not None}))
    zookeeper.close(handle)


if __name__ == "__main__":
    main()
