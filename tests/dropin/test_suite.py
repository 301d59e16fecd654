"""Doctests in the style of programs written for earlier releases pass."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import zc.zk.monitor
import zc.zk.testing

SUITE = Path(__file__).with_name("suite.txt")


def run() -> str:
    """Run the suite as users do; return doctest's report, '' for nothing."""
    test = doctest.DocTestParser().get_doctest(SUITE.read_text(), {}, SUITE.name, str(SUITE), 0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    zc.zk.testing.setUp(test)
    try:
        runner.run(test, out=told.append, clear_globs=False)
    finally:
        zc.zk.testing.tearDown(test)
    assert runner.tries == len(test.examples) > 80
    return "".join(told)


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zc.zk.monitor, "_registered", {})


def test_on_the_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_ZOOKEEPER_CONNECTION", raising=False)
    assert run() == ""


def test_on_a_server(monkeypatch: pytest.MonkeyPatch, connection_string: str) -> None:
    monkeypatch.setenv("TEST_ZOOKEEPER_CONNECTION", connection_string)
    assert run() == ""
