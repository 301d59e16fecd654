"""Lets a child process try everything on a handle that it inherited.

Arguments: hosts, how the child is made (fork or multiprocessing), how it ends (exit or _exit).
Prints as JSON what the child has seen, and the state of the parent afterwards.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from typing import Any

import zookeeper
from tests.binding.every_call import calls_with_a_path, calls_without_a_path
from tests.deadlines import scaled
from tests.sessions import OPEN, wait_until_connected, wait_until_delivered


def in_the_child(hosts: str, handle: int) -> dict[str, Any]:
    outcomes, slowest = {}, 0.0
    calls: dict[str, Any] = {
        name: lambda h, c=call: c(h, "/") for name, call in calls_with_a_path(zookeeper).items()
    }
    calls.update(calls_without_a_path(zookeeper))
    for name, call in calls.items():
        started = time.monotonic()
        try:
            outcomes[name] = repr(call(handle))
        except Exception as problem:
            outcomes[name] = type(problem).__name__
            message = str(problem)
        slowest = max(slowest, time.monotonic() - started)
    own = zookeeper.init(hosts)
    wait_until_connected(zookeeper, own)
    created = zookeeper.create(own, "/by-the-child", "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.close(own)
    return {
        "outcomes": outcomes,
        "slowest": slowest,
        "message": message,
        "own handle": [own, created],
    }


def child(hosts: str, handle: int, result: int) -> None:
    with os.fdopen(result, "w") as output:
        json.dump(in_the_child(hosts, handle), output)


def main() -> None:
    hosts, made_by, ended_by = sys.argv[1:]
    handle = zookeeper.init(hosts, None, int(scaled(10_000)))
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/e", "the parent's", OPEN, zookeeper.EPHEMERAL)
    session = zookeeper.client_id(handle)
    events: list[Any] = []
    zookeeper.get(handle, "/e", lambda *event: events.append(event))
    reading, writing = os.pipe()

    if made_by == "multiprocessing":
        context = multiprocessing.get_context("fork")
        process = context.Process(target=child, args=(hosts, handle, writing))
        process.start()
        os.close(writing)
        process.join()
        status = process.exitcode
    else:
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            child(hosts, handle, writing)
            if ended_by == "_exit":
                os._exit(0)
            sys.exit(0)
        os.close(writing)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    with os.fdopen(reading) as result:
        seen = json.load(result)
    zookeeper.set(handle, "/e", "changed")
    wait_until_delivered(zookeeper, handle)
    stat = zookeeper.get(handle, "/e")[1]
    print(
        json.dumps(
            {
                "child": seen,
                "status": status,
                "session is the same": zookeeper.client_id(handle) == session,
                "ephemeral": stat["ephemeralOwner"] == session[0],
                "events": len(events),
                "nodes": zookeeper.get_children(handle, "/"),
            }
        )
    )
    zookeeper.close(handle)


if __name__ == "__main__":
    main()
