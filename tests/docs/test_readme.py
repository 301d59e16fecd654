"""README.txt does what it says: its examples run, in one namespace, from top to bottom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.docs import examples

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.txt"

# Where the guide's ZooKeeper is said to be.
NAMED = "zookeeper.example.com:2181"


@pytest.fixture
def server_of_the_guide(
    monkeypatch: pytest.MonkeyPatch, connection_string: str, root: str
) -> Iterator[None]:
    """Lets the connection string in the guide lead to a place on the server under test."""
    init = zookeeper.init

    def init_there(hosts: str, *more: Any, **options: Any) -> int:
        assert hosts.startswith(NAMED), hosts
        return init(hosts.replace(NAMED, connection_string + root), *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(zookeeper, "init", init_there)
        yield


@contextmanager
def clients_closed(variables: dict[str, Any]) -> Iterator[None]:
    """Close what examples that failed left open."""
    try:
        yield
    finally:
        for value in variables.values():
            if isinstance(value, zc.zk.ZooKeeper):
                value.close()
        variables.clear()


def test_the_examples_of_the_guide(server_of_the_guide: None) -> None:
    variables: dict[str, Any] = {"__name__": "guide"}
    with clients_closed(variables):
        report = examples.run(README.read_text(), README.name, variables)
    assert not report, report


REFERENCE = README.read_text().partition("\nReference\n=")[2]

# What a live object has for those who keep it up to date, not for programs.
INTERNAL = {"begin_again", "look_again"}

DOCUMENTED_CLASSES = [
    zc.zk.ZooKeeper,
    zc.zk.Children,
    zc.zk.Properties,
    zc.zk.Registration,
    zc.zk.ParseNode,
    zc.zk.BadPropertyLink,
    zc.zk.LinkLoop,
]


@pytest.mark.parametrize("documented", DOCUMENTED_CLASSES)
def test_the_reference_has_every_attribute(documented: type) -> None:
    names = {name for name in dir(documented) if not name.startswith("_")}
    assert not missing(names - INTERNAL - set(dir(Exception)))


def test_the_reference_has_every_name_of_the_library() -> None:
    assert not missing(zc.zk.__all__)


def test_the_reference_has_every_function_of_the_binding() -> None:
    assert not missing(
        [name for name in dir(zookeeper) if name.islower() and callable(getattr(zookeeper, name))]
    )


def missing(names: Iterable[str]) -> list[str]:
    """Those names that the reference does not have in a literal."""
    literals = " ".join(re.findall(r"``(.+?)``", REFERENCE, re.DOTALL))
    return [name for name in names if not re.search(rf"\b{name}\b", literals)]


def test_the_commands_of_the_guide_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for target in re.findall(r"^    make ([a-z-]+)", README.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
