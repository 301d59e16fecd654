"""Clients with an event loop, of a server on a port and of the emulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

import zc.zk.aio
from tests.aio import running
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from zc.zk.testing import Emulation

NewClient = Callable[..., zc.zk.aio.ZooKeeper]


@pytest.fixture(scope="session")
def uvloop_has_begun() -> None:
    """Let uvloop open what it keeps for good, before a test's descriptors are counted."""
    running.LOOPS["uvloop"]().close()


@pytest.fixture(params=list(running.LOOPS))
def run(uvloop_has_begun: None, request: pytest.FixtureRequest) -> running.Run[Any]:
    """Return what runs a coroutine, in each kind of loop."""
    return partial(running.run, loops=request.param)


@pytest.fixture
def new_client(place: str) -> NewClient:
    """Return what makes clients of the shared server, whose `/` is the test's own node."""
    return partial(zc.zk.aio.ZooKeeper, place, SESSION_TIMEOUT_MILLISECONDS)


@pytest.fixture(params=["wire", "emulation"])
def anywhere(connection_string: str, request: pytest.FixtureRequest) -> Iterator[NewClient]:
    """Yield what makes clients of the shared server, and of an emulation."""
    if request.param == "wire":
        yield request.getfixturevalue("new_client")
        return
    with closing(Emulation(with_config=False)) as emulation:
        yield partial(zc.zk.aio.ZooKeeper, emulation.connection_string, binding=emulation.binding)
