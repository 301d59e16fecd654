"""Fixtures for pytest. In a `conftest.py`:

    pytest_plugins = ["zc.zk.testing.pytest_plugin"]

zookeeper_server: an embedded server, the same for all tests of a run.
zookeeper_connection_string: where a new root for one test is; removed at the end.
zookeeper_client: a `zc.zk.ZooKeeper` that is connected there.
zookeeper_async_client: a `zc.zk.aio.ZooKeeper` for there, which `async with` opens in the test's
    own event loop, be it pytest-asyncio's or another's.
zookeeper_emulation: an emulated server with nothing in it, for one test. It is handed in, and
    replaces nothing in the process: `zc.zk.ZooKeeper(zookeeper_emulation.connection_string,
    binding=zookeeper_emulation.binding)`.

With TEST_ZOOKEEPER_CONNECTION (`host:port,...`) in the environment that service is used in place
of all of them but the emulation, which needs none; tests that ask for `zookeeper_server` itself are
skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from zc.zk.client import ZooKeeper
from zc.zk.testing.emulation import Emulation
from zc.zk.testing.server import Server
from zc.zk.testing.suites import REAL_SERVER_VARIABLE, clients_closed, new_root

if TYPE_CHECKING:
    from zc.zk.aio import ZooKeeper as AsyncZooKeeper


@pytest.fixture(scope="session")
def zookeeper_server() -> Iterator[Server]:
    """Start a server on loopback, with verbs for bad days, for the whole run."""
    if os.environ.get(REAL_SERVER_VARIABLE):
        pytest.skip(f"{REAL_SERVER_VARIABLE} names another server")
    with Server() as server:
        yield server


@pytest.fixture
def zookeeper_connection_string(request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a connection string with a root that no other test has."""
    servers = os.environ.get(REAL_SERVER_VARIABLE)
    if not servers:
        servers = request.getfixturevalue("zookeeper_server").connection_string
    with new_root(servers) as connection_string:
        yield connection_string


@pytest.fixture
def zookeeper_client(zookeeper_connection_string: str) -> Iterator[ZooKeeper]:
    """Connect a client whose `/` is the test's root."""
    with ZooKeeper(zookeeper_connection_string) as client:
        yield client


@pytest.fixture
def zookeeper_async_client(zookeeper_connection_string: str) -> AsyncZooKeeper:
    """Make a client whose `/` is the test's root, for `async with`."""
    from zc.zk.aio import ZooKeeper

    return ZooKeeper(zookeeper_connection_string)


@pytest.fixture
def zookeeper_emulation() -> Iterator[Emulation]:
    """Make an emulated server with nothing in it, and close clients at the end."""
    with closing(Emulation(with_config=False)) as emulation, clients_closed():
        yield emulation
