"""README.txt does what it says: its examples run from top to bottom.

They run in one namespace.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zc.zk.testing
import zookeeper
from tests.conftest import EXTERNAL_SERVICE, TARGETS
from tests.docs import examples
from tests.servers import standalone
from zc.zk.testing import Server
from zc.zk.testing.suites import REAL_SERVER_VARIABLE, service

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.txt"

# The guide says that ZooKeeper is here.
NAMED = "zookeeper.example.com:2181"


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Yield where a real server is, a secured one, and ours; None for the emulation."""
    if EXTERNAL_SERVICE or request.param == "emulation":
        yield EXTERNAL_SERVICE
    elif request.param == "tls":
        with standalone() as running:
            yield running.connection_string
    elif request.param == "real":
        yield request.getfixturevalue("real_server").connection_string
    else:
        with Server() as own:
            yield own.connection_string


@pytest.fixture
def server_of_the_guide(target: str | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the connection string of the guide lead there, as `setUp` does."""
    if target is None:
        monkeypatch.delenv(REAL_SERVER_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(REAL_SERVER_VARIABLE, target)
    with service(NAMED):
        yield


@contextmanager
def clients_closed(variables: dict[str, Any]) -> Iterator[None]:
    """Close and remove what examples that failed left open."""
    try:
        yield
    finally:
        for value in variables.values():
            if isinstance(value, zc.zk.ZooKeeper):
                value.close()
            elif isinstance(value, Server):
                value.stop()
            elif isinstance(value, tempfile.TemporaryDirectory):
                value.cleanup()
        variables.clear()


def test_the_examples_of_the_guide(server_of_the_guide: None) -> None:
    variables: dict[str, Any] = {"__name__": "guide"}
    with clients_closed(variables):
        report = examples.run(README.read_text(), README.name, variables)
    assert not report, report


REFERENCE = README.read_text().partition("\nReference\n=")[2]

# A parsed node has these for planners, not for programs.
INTERNAL = {"data_may_wait", "plain_data"}

DOCUMENTED_CLASSES = [
    zc.zk.ZooKeeper,
    zc.zk.Children,
    zc.zk.Properties,
    zc.zk.Provider,
    zc.zk.Providers,
    zc.zk.Registration,
    zc.zk.ParseNode,
    zc.zk.BadPropertyLink,
    zc.zk.LinkLoop,
    zc.zk.testing.Certificates,
    zc.zk.testing.Emulation,
    zc.zk.testing.Server,
]


@pytest.mark.parametrize("documented", DOCUMENTED_CLASSES)
def test_the_reference_has_every_attribute(documented: type) -> None:
    names = {name for name in dir(documented) if not name.startswith("_")}
    assert not missing(names - INTERNAL - set(dir(Exception)))


def test_the_reference_has_every_name_of_the_library() -> None:
    assert not missing([*zc.zk.__all__, *zc.zk.testing.__all__])


def test_the_reference_has_every_function_of_the_binding() -> None:
    assert not missing(
        name
        for name in dir(zookeeper)
        if name.islower() and name[0] != "_" and callable(getattr(zookeeper, name))
    )


def missing(names: Iterable[str]) -> list[str]:
    """Return the names that the reference does not have in a literal."""
    literals = " ".join(re.findall(r"``(.+?)``", REFERENCE, re.DOTALL))
    return [name for name in names if not re.search(rf"\b{name}\b", literals)]


def test_the_commands_of_the_guide_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for target in re.findall(r"^    make ([a-z-]+)", README.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
