"""Opening a session and clearing a place, with nothing but the simplest calls of the binding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.calls import Calls
from tests.deadlines import scaled, wait_until

OPEN = [{"perms": 31, "scheme": "world", "id": "anyone"}]


def wait_until_connected(zookeeper: ModuleType, handle: int) -> None:
    """Wait until the session is there."""
    wait_until(
        lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE,
        lambda: f"handle {handle} is connected; its state is {zookeeper.state(handle)}",
        30,
    )


def wait_until_delivered(zookeeper: ModuleType, handle: int) -> None:
    """Wait until callbacks have been called for everything that the server has sent by now.

    Events and answers are delivered in the server's order: what comes before the answer to this
    has been delivered when that answer is.
    """
    answered = Calls()
    zookeeper.async_(handle, "/", answered)
    answered.wait_one(30)


@contextmanager
def session(zookeeper: ModuleType, hosts: str) -> Iterator[int]:
    """A connected session for a few calls."""
    handle = zookeeper.init(hosts, None, int(scaled(10_000)))
    try:
        wait_until_connected(zookeeper, handle)
        yield handle
    finally:
        zookeeper.close(handle)


def remove_tree(zookeeper: ModuleType, handle: int, path: str) -> None:
    """Remove a node with everything below it, as fast as requests can follow one another."""
    levels = [[path]]
    while levels[-1]:
        answers = Calls()
        for parent in levels[-1]:
            zookeeper.aget_children(handle, parent, None, answers)
        below = []
        for parent, (_, code, names) in zip(levels[-1], answers.wait(len(levels[-1]), 60)):
            assert code in (zookeeper.OK, zookeeper.NONODE), (parent, zookeeper.zerror(code))
            below += [f"{parent}/{name}" for name in names or ()]
        levels.append(below)
    for level in reversed(levels):
        answers = Calls()
        for node in level:
            zookeeper.adelete(handle, node, -1, answers)
        for node, (_, code) in zip(level, answers.wait(len(level), 60)):
            # Ephemeral nodes of the test may be going at the same time.
            assert code in (zookeeper.OK, zookeeper.NONODE), (node, zookeeper.zerror(code))
