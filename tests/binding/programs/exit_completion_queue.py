"""Ends with answers in a completion queue, and others under way, in several ways.

Arguments: hosts, and the way. Prints "created", as JSON, when its ephemeral node is there.
"""

from __future__ import annotations

import asyncio
import json
import sys

import zookeeper
from tests.deadlines import scaled
from tests.sessions import OPEN, wait_until_connected, wait_until_delivered


def main() -> None:
    hosts, way = sys.argv[1:]
    handle = zookeeper.init(hosts, None, int(scaled(60_000)))
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    queue = zookeeper.CompletionQueue()
    for _ in range(100):
        zookeeper.aget(handle, "/", None, queue.bind(lambda *_: None))
    wait_until_delivered(zookeeper, handle)
    print(json.dumps("created"), flush=True)
    for _ in range(100):
        zookeeper.aget(handle, "/", None, queue.bind(lambda *_: sys.exit(0)))
        zookeeper.aget(handle, "/", lambda *_: None, queue.bind(lambda *_: sys.exit(0)))
    if way == "in a callback":
        wait_until_delivered(zookeeper, handle)
        queue.drain()
    elif way == "closing":
        zookeeper.aclose(handle, queue.bind(print))
    elif way == "the loop is stopped":
        loop = asyncio.new_event_loop()
        loop.add_reader(queue.fileno(), queue.drain)
        loop.close()


if __name__ == "__main__":
    main()
