"""Lets a child process try everything on a completion queue that it inherited.

Argument: hosts. Prints as JSON what the child has seen, and what the parent drained afterwards.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable
from typing import Any

import zookeeper
from tests.deadlines import scaled
from tests.sessions import wait_until_connected, wait_until_delivered


def outcome(call: Callable[[], object]) -> str:
    try:
        return repr(call())
    except Exception as problem:
        return type(problem).__name__


def in_the_child(queue: zookeeper.CompletionQueue, bound: Callable[..., None]) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "fileno": outcome(queue.fileno),
        "bind": outcome(lambda: queue.bind(print)),
        "drain": outcome(queue.drain),
        "close": outcome(queue.close),
        "call": outcome(bound),
    }
    own = zookeeper.CompletionQueue()
    own.bind(lambda: None)()
    seen["own queue"] = own.drain()
    own.close()
    return seen


def main() -> None:
    handle = zookeeper.init(sys.argv[1], None, int(scaled(10_000)))
    wait_until_connected(zookeeper, handle)
    queue = zookeeper.CompletionQueue()
    bound = queue.bind(lambda *_: None)
    for _ in range(100):
        zookeeper.aget(handle, "/", None, bound)
    wait_until_delivered(zookeeper, handle)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with os.fdopen(writing, "w") as output:
            json.dump(in_the_child(queue, bound), output)
        del queue, bound
        sys.exit(0)
    os.close(writing)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with os.fdopen(reading) as result:
        child = json.load(result)
    bound()
    assert select.select([queue.fileno()], [], [], 0)[0]
    print(json.dumps({"child": child, "status": status, "drained by the parent": queue.drain()}))
    zookeeper.close(handle)


if __name__ == "__main__":
    main()
