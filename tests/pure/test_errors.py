"""The trees of exceptions: drawn as they are, shown by their public names.

They can be pickled and copied.
"""

from __future__ import annotations

import copy
import importlib
import pickle
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import zc.zk.errors
import zookeeper.errors
from zc.zk.formats import FormatUnavailable
from zc.zk.graphvis import GraphvizError
from zc.zk.rendering.faults import RenderError, SettingsError, TooFew, Unsafe
from zc.zk.testing.snapshot import SnapshotError

pytestmark = pytest.mark.quick

PAGE = Path(__file__).parents[2] / "docs/reference/exceptions.txt"

MARKS = ("may have happened", "retriable")

CLASSES = [
    cls
    for cls in vars(zookeeper).values()
    if isinstance(cls, type) and issubclass(cls, zookeeper.ZooKeeperException)
]

_DRAWN = re.compile(
    r"    (?P<branches>(?:[│ ]   )*(?:[├└]── )?)(?P<name>[A-Z]\w+)(?:  +(?P<note>.*))?"
)


def drawing_of(text: str | None) -> list[re.Match[str]]:
    """Return the lines of the tree in a text, such as a module's docstring."""
    lines = (text or "").splitlines()
    return [match for line in lines if (match := _DRAWN.fullmatch(line))]


def drawn_tree(module: ModuleType) -> dict[str, list[str]]:
    """Map each name that is drawn to the names below it, in order."""
    below: dict[str, list[str]] = {"": []}
    way: list[str] = []
    for line in drawing_of(module.__doc__):
        del way[len(line["branches"]) // 4 :]
        below[way[-1] if way else ""].append(line["name"])
        below[line["name"]] = []
        way.append(line["name"])
    return below


def branches_of(below: dict[str, list[str]], names: list[str], before: str = "") -> list[str]:
    """Return the lines of a tree below its roots, as they have to be drawn.

    Notes are left out.
    """
    lines = []
    for name in names:
        is_last = name == names[-1]
        lines.append(before + ("└── " if is_last else "├── ") + name)
        lines += branches_of(below, below[name], before + ("    " if is_last else "│   "))
    return lines


@pytest.mark.parametrize(
    ("module", "roots"),
    [
        (zookeeper.errors, [zookeeper.ZooKeeperException]),
        (zc.zk.errors, [zc.zk.CancelWatch, zc.zk.Error]),
    ],
)
def test_the_drawing_shows_the_classes_and_no_others(module, roots) -> None:
    below = drawn_tree(module)
    assert below.pop("") == [root.__name__ for root in roots]
    found = {}
    left = list(roots)
    while left:
        cls = left.pop()
        # Tests and programs may have classes of their own.
        children = [
            each
            for each in cls.__subclasses__()
            if each.__module__.startswith(("zookeeper", "zc.zk"))
        ]
        found[cls.__name__] = {each.__name__ for each in children}
        left += children
    assert {name: set(names) for name, names in below.items()} == found
    shown = [line["branches"] + line["name"] for line in drawing_of(module.__doc__)]
    expected = []
    for root in roots:
        expected += [root.__name__, *branches_of(below, below[root.__name__])]
    assert shown == expected


def test_the_marks_of_the_drawing_are_the_attributes_of_the_classes() -> None:
    for line in drawing_of(zookeeper.errors.__doc__):
        cls = getattr(zookeeper, line["name"])
        marks = (line["note"] or "").split(", ")
        assert tuple(mark in marks for mark in MARKS) == (
            cls.may_have_happened,
            cls.is_retriable,
        ), cls


def test_the_reference_draws_the_same_errors_of_the_session() -> None:
    branch = re.compile(r" +(│   .*── )(\w+) *(.*)")
    shown, told = (
        [
            (branches, name, [mark for mark in MARKS if mark in note.split(", ")])
            for branches, name, note in branch.findall(text)
        ]
        for text in (zookeeper.errors.__doc__ or "", PAGE.read_text("utf-8"))
    )
    assert len(shown) > 5
    assert told == shown


def test_an_error_of_connection_or_session_is_a_session_error() -> None:
    assert {cls.__name__ for cls in CLASSES if issubclass(cls, zookeeper.SessionError)} == {
        "AuthFailedException",
        "ClosingException",
        "ConnectionLossException",
        "ForkedException",
        "InvalidStateException",
        "NotReadOnlyException",
        "OperationTimeoutException",
        "SASLError",
        "SSLConnectionErrorException",
        "SessionClosedRequireSaslAuthException",
        "SessionError",
        "SessionExpiredException",
        "SessionMovedException",
    }


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_class_shows_the_name_by_which_programs_know_it(cls) -> None:
    assert repr(cls) == f"<class 'zookeeper.{cls.__name__}'>"
    assert getattr(zookeeper, cls.__name__) is getattr(zookeeper.errors, cls.__name__) is cls


@pytest.mark.parametrize(
    "name", ["CancelWatch", *drawn_tree(zc.zk.errors)["Error"][:3], "LinkLoop"]
)
def test_a_class_of_the_library_shows_the_name_by_which_programs_know_it(name) -> None:
    cls = getattr(zc.zk, name)
    assert repr(cls) == f"<class 'zc.zk.{name}'>"
    assert getattr(zc.zk.errors, name) is cls


@pytest.mark.parametrize(
    "cls", [zc.zk.BadPropertyLink, FormatUnavailable, GraphvizError, SnapshotError]
)
def test_an_error_of_the_library_is_found_where_it_says(cls) -> None:
    assert issubclass(cls, zc.zk.Error)
    assert getattr(importlib.import_module(cls.__module__), cls.__name__) is cls
    assert not issubclass(cls, zookeeper.ZooKeeperException)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "passed_on", [copy.copy, copy.deepcopy, lambda fault: pickle.loads(pickle.dumps(fault))]
)
def test_an_exception_survives_pickling_and_copying(cls, passed_on) -> None:
    fault = zookeeper.errors.with_context(cls, cls.code, "/a", "why")
    fault.may_have_happened = not cls.may_have_happened
    got = passed_on(fault)
    assert type(got) is cls
    assert (str(got), got.code, got.path) == (str(fault), fault.code, "/a")
    assert got.may_have_happened is not cls.may_have_happened


@pytest.mark.parametrize(
    "fault",
    [
        zc.zk.CancelWatch("enough"),
        zc.zk.Error("why"),
        zc.zk.FailedConnect("h:1: why"),
        zc.zk.LinkLoop(("/a", "/b")),
        zc.zk.BadPropertyLink("/a", "b", "why"),
        zc.zk.TreeSyntaxError(3, "line", "why"),
        FormatUnavailable("why"),
        GraphvizError("why"),
        RenderError("why"),
        SettingsError("why"),
        SnapshotError("why"),
        TooFew("/a", 1, 2, "children"),
        Unsafe("why"),
    ],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize(
    "passed_on", [copy.copy, copy.deepcopy, lambda fault: pickle.loads(pickle.dumps(fault))]
)
def test_an_exception_of_the_library_survives_pickling_and_copying(fault, passed_on) -> None:
    got = passed_on(fault)
    assert type(got) is type(fault)
    assert (str(got), vars(got)) == (str(fault), vars(fault))


def test_pickles_of_earlier_releases_are_read() -> None:
    """They name the modules that define the classes."""
    for cls, module in ((zookeeper.NoNodeException, "errors"), (zc.zk.LinkLoop, "errors")):
        name = f"{cls.__module__}.{module}"
        assert pickle.loads(f"c{name}\n{cls.__name__}\n.".encode()) is cls


def test_a_program_s_own_class_keeps_its_name() -> None:
    class Unpaid(zookeeper.NoAuthException):
        pass

    assert Unpaid.__module__ == __name__
    assert sys.modules[Unpaid.__module__].__name__ == __name__
    assert type(zookeeper.error(zookeeper.NOAUTH)) is zookeeper.NoAuthException


class TestWhetherTheRequestMayHaveHappened:
    def test_is_known_by_the_class(self) -> None:
        assert zookeeper.error(zookeeper.CONNECTIONLOSS).may_have_happened is True
        assert zookeeper.error(zookeeper.SESSIONEXPIRED).may_have_happened is False
        assert zookeeper.error(zookeeper.NONODE).may_have_happened is False

    def test_is_known_better_by_the_caller_of_error(self) -> None:
        fault = zookeeper.error(zookeeper.CONNECTIONLOSS, "/a", may_have_happened=False)
        assert fault.may_have_happened is False
        assert zookeeper.ConnectionLossException.may_have_happened is True
        assert str(fault) == "connection loss: /a"


def test_an_unknown_code_is_told_with_its_number() -> None:
    fault = zookeeper.errors.error(-4711, "/a", "a detail")
    assert str(fault) == "unknown error -4711: /a: a detail"
    assert fault.code == -4711
