"""Helpers that open a session, wait for its deliveries, and clean up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tests.calls import Calls
from tests.deadlines import scaled, wait_until

if TYPE_CHECKING:
    from tests.tcpproxy import TcpProxy

OPEN: list[Any] = [{"perms": 31, "scheme": "world", "id": "anyone"}]


def wait_until_connected(zookeeper: ModuleType, handle: int) -> None:
    """Wait until the session is connected."""
    wait_until(
        lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE,
        lambda: f"handle {handle} is connected; its state is {zookeeper.state(handle)}",
        30,
    )


def wait_until_delivered(zookeeper: ModuleType, handle: int) -> None:
    """Wait until callbacks have been called for everything the server has sent.

    Events and answers are delivered in the server's order: everything before the answer to this
    request has been delivered when that answer is.
    """
    answered = Calls()
    zookeeper.async_(handle, "/", answered)
    answered.wait_one(30)


def reconnected(
    zookeeper: ModuleType, handle: int, proxy: TcpProxy, meanwhile: Callable[[], object]
) -> None:
    """Break the session's connection, call a function, and wait for the next one's deliveries."""
    connections = proxy.connections
    proxy.refuse()
    proxy.cut()
    wait_until(lambda: zookeeper.state(handle) != zookeeper.CONNECTED_STATE, "it is disconnected")
    meanwhile()
    proxy.allow()
    wait_until(lambda: proxy.connections > connections, "it connects again")
    wait_until_connected(zookeeper, handle)
    wait_until_delivered(zookeeper, handle)


@contextmanager
def session(zookeeper: ModuleType, hosts: str) -> Iterator[int]:
    """Open a connected session for a few calls."""
    handle = zookeeper.init(hosts, None, int(scaled(10_000)))
    try:
        wait_until_connected(zookeeper, handle)
        yield handle
    finally:
        zookeeper.close(handle)


def remove_tree(zookeeper: ModuleType, handle: int, path: str) -> None:
    """Remove a node with everything below it."""

    def removed() -> bool:
        try:
            tree = zookeeper.read_tree(handle, path)
        except zookeeper.NoNodeException:
            return True
        # A node that is deleted meanwhile (a race) undoes its transaction: the next round retries.
        zookeeper.write_many(handle, [("delete", node.path) for node in reversed(tree)], stop=False)
        return False

    wait_until(removed, f"{path} is removed with everything below it", 60)
