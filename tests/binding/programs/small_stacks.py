"""Works and closes in threads that have the smallest stack that Python allows.

Arguments: hosts. Prints the threads that came to their end.
"""

from __future__ import annotations

import json
import sys
import threading

import zookeeper
from tests.deadlines import scaled
from tests.sessions import OPEN, wait_until_connected

# The least that `threading.stack_size` takes.
STACK_BYTES = 32768


def work(hosts: str, number: int, ended: list[int]) -> None:
    handle = zookeeper.init(hosts, None, int(scaled(10_000)))
    wait_until_connected(zookeeper, handle)
    path = f"/s{number}"
    zookeeper.create(handle, path, "x" * 100_000, OPEN)
    zookeeper.write_many(handle, [("set", path, "y" * 100_000, 0)])
    zookeeper.get_many(handle, [path] * 10)
    for _ in range(50):
        zookeeper.aget(handle, path, None, lambda *_: None)
    zookeeper.close(handle)  # with answers unread
    ended.append(number)


def main() -> None:
    ended: list[int] = []
    threading.stack_size(STACK_BYTES)
    threads = [
        threading.Thread(target=work, args=(sys.argv[1], number, ended)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sorted(ended)))


if __name__ == "__main__":
    main()
