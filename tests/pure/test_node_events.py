"""Events of nodes, and how several of the same node are told as one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.cli.nodeevents import (
    ADDED,
    CHANGED,
    REMOVED,
    Event,
    Pending,
    lines,
    members,
    one_of_each,
)
from zc.zk.cli.watchinbox import MANY_EVENTS, Inbox

pytestmark = pytest.mark.quick


def added(new):
    return Event("/a/b", ADDED, "", new)


def changed(old, new):
    return Event("/a/b", CHANGED, old, new)


def removed(old):
    return Event("/a/b", REMOVED, old)


def one_of(*events):
    pending = Pending()
    for event in events:
        pending.note(event)
    return pending.take()


def test_events_are_told_to_people_by_lines():
    assert list(lines(added('{"x": 1}'))) == ["/a add child b", "/a/b add property x = 1"]
    assert list(lines(changed("y", "z"))) == ["/a/b string_value change from 'y' to 'z'"]
    assert list(lines(removed("z"))) == ["/a remove child b"]
    assert list(lines(Event("/b", REMOVED))) == ["/ remove child b"]
    assert list(lines(removed("z")._replace(is_top=True))) == ["/a/b deleted"]
    assert list(lines(added("")._replace(is_top=True))) == []
    assert list(lines(added("z")._replace(is_child=False))) == [
        "/a/b add property string_value = 'z'"
    ]


def test_events_are_told_to_programs_by_members():
    assert members(added('{"x": 1}')) == {
        "path": "/a/b",
        "change": "added",
        "properties": {"x": 1},
    }
    assert members(Event("/a/b", ADDED)) == {"path": "/a/b", "change": "added"}
    assert members(added("\udcff")) == {"path": "/a/b", "change": "added", "base64": "/w=="}
    assert members(removed("z")) == {"path": "/a/b", "change": "removed"}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([added("x"), changed("x", "y")], [added("y")]),
        ([added("x"), removed("x")], []),
        ([removed("x"), added("x")], []),
        ([removed("x"), added("y")], [changed("x", "y")]),
        ([changed("x", "y"), changed("y", "z")], [changed("x", "z")]),
        ([changed("x", "y"), changed("y", "x")], []),
        ([changed("x", "y"), removed("y")], [removed("x")]),
        ([changed("x", "x")], []),
    ],
)
def test_several_of_a_node_are_told_as_one(events, told):
    assert one_of(*events) == told


def test_events_that_may_have_been_told_are_not_left_out():
    pending = Pending()
    pending.note(removed("x"))
    pending.put_back([added("x")])
    assert pending.take() == [removed("")]
    pending.note(changed("y", "x"))
    pending.put_back([changed("x", "y")])
    assert pending.take() == [changed("x", "x")]


def test_nodes_are_told_in_natural_order():
    pending = Pending()
    for path in ("/p10", "/p2", "/p2/x"):
        pending.note(Event(path, ADDED))
    assert [event.path for event in pending.take()] == ["/p2", "/p2/x", "/p10"]
    assert len(pending) == 0


class Reader:
    """Knows a node by what it was told."""

    def __init__(self) -> None:
        self.data: str | None = None

    def hear(self, event: Event) -> None:
        self.data = None if event.kind == REMOVED else event.new


STEPS = st.lists(st.one_of(st.none(), st.sampled_from("xyz"), st.booleans()), max_size=20)


@given(STEPS)
def test_a_reader_knows_how_it_is_whenever_it_was_told(steps):
    """None deletes the node, a text writes it, a boolean is a run that succeeds or fails."""
    there: str | None = None
    pending, reader = Pending(), Reader()
    for step in [*steps, True]:
        if isinstance(step, bool):
            events = pending.take()
            if step:
                for event in events:
                    reader.hear(event)
                assert reader.data == there
            else:
                pending.put_back(events)
            continue
        if step is None and there is not None:
            pending.note(removed(there))
        elif step is not None:
            pending.note(added(step) if there is None else changed(there, step))
        there = step


def test_one_event_is_made_of_those_of_a_node_by_the_time_of_the_last():
    top = Event("/a/b", CHANGED, "1", "2", is_top=True)
    other = Event("/c", ADDED, "", "3")
    assert one_of_each([added("1"), other, top, changed("1", "2")]) == [other, top, added("2")]
    assert one_of_each([added("1"), other, removed("1")]) == [other]


def test_a_reader_that_does_not_read_keeps_an_event_of_each_node():
    inbox = Inbox()
    for number in range(3 * MANY_EVENTS):
        inbox.note(changed(str(number), str(number + 1)))
        inbox.note(Event(f"/flaps/{number}", ADDED, "", ""))
        inbox.note(Event(f"/flaps/{number}", REMOVED, ""))
    events = inbox.take()
    assert len(events) <= MANY_EVENTS + 1
    ours = [event for event in events if event.path == "/a/b"]
    assert (ours[0].old, ours[-1].new) == ("0", str(3 * MANY_EVENTS))
    assert all(former.new == later.old for former, later in pairwise(ours))


def test_a_reader_that_reads_is_told_each_event():
    inbox = Inbox()
    events = [changed(str(number), str(number + 1)) for number in range(MANY_EVENTS - 1)]
    for _ in range(3):
        for event in events:
            inbox.note(event)
        assert inbox.take() == events


def test_nodes_that_are_there_are_told_however_many_there_are():
    inbox = Inbox()
    events = [Event(f"/{number}", ADDED, "", "") for number in range(5 * MANY_EVENTS)]
    for event in events:
        inbox.note(event)
    assert inbox.take() == events


def test_bad_json_is_told_with_the_path_of_its_node(caplog):
    deep = '{"a": ' * 201 + "1" + "}" * 201
    assert members(added(deep))["properties"] == {"string_value": deep}
    assert list(lines(added(deep)))[1].startswith("/a/b add property string_value = ")
    assert [record.getMessage()[:22] for record in caplog.records] == ["bad JSON data at /a/b:"] * 2
