"""`zk watch` of one node, of which two live objects tell, each in its own time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from zc.zk.cli.nodeevents import ADDED, REMOVED, Event
from zc.zk.cli.nodefollowing import NodeFollower

pytestmark = pytest.mark.quick


class Live:
    """A live object, as far as a follower knows one."""

    deleted = False

    def __call__(self, callback: Any) -> Live:
        self.tell = callback
        callback(self)
        return self


class LiveProperties(Live, dict[str, Any]):
    @property
    def data(self) -> dict[str, Any]:
        return dict(self)


class LiveChildren(Live, list[str]):
    pass


def test_one_object_that_knows_before_the_other_tells_nothing_twice() -> None:
    properties, children = LiveProperties(x=1), LiveChildren(["a"])
    zk: Any = SimpleNamespace(properties=lambda path: properties, children=lambda path: children)
    events: list[Event] = []
    NodeFollower(zk, "/n", events.append, children=True, properties=True)
    top, child = (Event("/n", ADDED, "", '{"x":1}', is_top=True), Event("/n/a", ADDED))
    assert events == [top, child]
    events.clear()

    properties.deleted = True
    properties.tell()
    gone = Event("/n", REMOVED, '{"x":1}', None, is_top=True)
    assert events == [gone]
    children.clear()
    children.tell(children)  # it still has the node, without the child
    children.deleted = True
    children.tell()
    assert events == [gone]
    events.clear()

    children.deleted = False
    children.append("a")
    children.tell(children)
    assert events == []
    properties.deleted = False
    properties.tell(properties)
    assert events == [top, child]
