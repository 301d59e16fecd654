"""Fixtures for modules whose tests run with a real server and with our own, through a proxy.

A module takes them over by name: `server = eachserver.server`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import zc.zk
from tests.conftest import SharedServer
from tests.deadlines import LONG_SESSION
from tests.embedded import embedded
from tests.tcpproxy import TcpProxy


@pytest.fixture(scope="module", params=["real", "wire"])
def server(request: pytest.FixtureRequest) -> Iterator[SharedServer]:
    if request.param == "real":
        yield request.getfixturevalue("real_server")
    else:
        with embedded() as running:
            yield running


@pytest.fixture(scope="module")
def connection_string(server: SharedServer) -> str:
    return server.connection_string


@pytest.fixture
def followed(client: Callable[..., zc.zk.ZooKeeper], proxy: TcpProxy, root: str) -> zc.zk.ZooKeeper:
    """Return a client whose way leads through the proxy."""
    return client(proxy.connection_string + root, session_timeout=LONG_SESSION)
