"""No client of one test is in the figures of the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import zc.zk
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from zc.zk.metrics import durations, measuring


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with no client measured, and end without anybody who listens."""
    monkeypatch.setattr(measuring, "_measured", {})
    yield
    assert durations.taps == []


@pytest.fixture
def other_zk(place: str) -> Iterator[zc.zk.ZooKeeper]:
    """Yield another client of the same place, which is not measured."""
    with zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as client:
        yield client
