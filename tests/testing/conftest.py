"""A server of our own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import SUPERUSER
from zc.zk.testing import Server
from zc.zk.testing.engine import digest


@pytest.fixture
def own() -> Iterator[Server]:
    """Our own server, running."""
    with Server(superuser=digest(SUPERUSER[1])) as server:
        yield server
