"""Access control lists, events and exceptions."""

from __future__ import annotations

import importlib
import pickle
import sys
from types import ModuleType

import pytest

from zc.zk import acl, errors, event

pytestmark = pytest.mark.quick


def test_the_ready_made_access_control_lists() -> None:
    assert acl.OPEN_ACL_UNSAFE == [{"perms": 31, "scheme": "world", "id": "anyone"}]
    assert acl.READ_ACL_UNSAFE == [{"perms": 1, "scheme": "world", "id": "anyone"}]
    assert acl.world_permission(6) == {"perms": 6, "scheme": "world", "id": "anyone"}


def test_a_registering_server_shows_what_it_is() -> None:
    registering = event.RegisteringServer("1.2.3.4:80", "/path", {"pid": 1})
    assert repr(registering) == "RegisteringServer('1.2.3.4:80', '/path', {'pid': 1})"
    registering.properties["x"] = 2
    assert registering.properties == {"pid": 1, "x": 2}
    assert (registering.name, registering.path) == ("1.2.3.4:80", "/path")


@pytest.fixture
def zope_event(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Replace zope.event by a module of the test; return the events it gets."""
    told: list[object] = []
    module = ModuleType("zope.event")
    module.notify = told.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "zope", ModuleType("zope"))
    monkeypatch.setitem(sys.modules, "zope.event", module)
    return told


def fresh_event_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a second copy of zc.zk.event.

    The copy that all others use stays as it is.
    """
    monkeypatch.delitem(sys.modules, "zc.zk.event")
    monkeypatch.setattr("zc.zk.event", event)
    return importlib.import_module("zc.zk.event")


def test_notify_is_zope_s_where_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, zope_event: list[object]
) -> None:
    fresh_event_module(monkeypatch).notify("event")
    assert zope_event == ["event"]


def test_notify_does_nothing_without_zope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zope.event", None)
    assert fresh_event_module(monkeypatch).notify("event") is None


@pytest.mark.parametrize(
    "exception",
    [
        errors.LinkLoop(("/a", "/b", "/a")),
        errors.BadPropertyLink("/a", "x", "why"),
        errors.TreeSyntaxError(3, "the line", "why"),
    ],
)
def test_exceptions_can_cross_processes(exception: Exception) -> None:
    copy = pickle.loads(pickle.dumps(exception))
    assert type(copy) is type(exception)
    assert str(copy) == str(exception)
    assert vars(copy) == vars(exception)


def test_a_cancelled_watch_is_no_error() -> None:
    assert not issubclass(errors.CancelWatch, errors.Error)
