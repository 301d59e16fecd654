"""A server of our own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.embedded import embedded
from zc.zk.testing import Server


@pytest.fixture
def own() -> Iterator[Server]:
    """Yield our own server, running."""
    with embedded() as server:
        yield server
