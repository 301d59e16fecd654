"""Clients of the library, each in the test's own place, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import zc.zk
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS, SHARED_SERVER

Client = Callable[..., zc.zk.ZooKeeper]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_SERVER == "emulation":
        for item in items:
            if mark := item.get_closest_marker("not_emulated"):
                item.add_marker(pytest.mark.skip(reason=f"not with the emulation: {mark.args[0]}"))


@pytest.fixture
def client(connection_string: str, root: str) -> Iterator[Client]:
    """Return a function that makes clients, by default of `root`.

    `hosts` replaces address and root; other arguments are those of `zc.zk.ZooKeeper`.
    """
    with ExitStack() as opened:

        def client(hosts: str | None = None, **arguments: Any) -> zc.zk.ZooKeeper:
            arguments.setdefault("session_timeout", SESSION_TIMEOUT_MILLISECONDS)
            zk = zc.zk.ZooKeeper(hosts or connection_string + root, **arguments)
            opened.callback(zk.close)
            return zk

        yield client


@pytest.fixture
def zk(client: Client) -> zc.zk.ZooKeeper:
    """Return a client whose `/` is `root`."""
    return client()


@pytest.fixture
def other(client: Client) -> zc.zk.ZooKeeper:
    """Return another client of the same place."""
    return client()


@pytest.fixture
def providers(zk: zc.zk.ZooKeeper) -> None:
    """Create a node for servers to register below, and return its path."""
    zk.create("/providers")
