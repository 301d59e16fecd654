"""Watches that stay, when connections and sessions end, and with servers that do not know them."""

from __future__ import annotations

import itertools
import logging
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from tests.binding.test_sessions import expire
from tests.binding.test_standing_watches import READS
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.hostile import HANG_UP, HostileServer, Hostility, Scenario, event, header, hostility
from tests.sessions import OPEN, reconnected, wait_until_connected, wait_until_delivered
from tests.testing import protocol as p
from tests.wireframes import Op

pytestmark = pytest.mark.not_emulated("it has no network")

SYSTEM_ERROR, UNIMPLEMENTED, THROTTLED = -1, -6, -127
SINGLE = [name for name in READS if "many" not in name]
OLD = {Op.ADD_WATCH, Op.SET_WATCHES2}


@pytest.fixture
def session(connect, proxy, root):
    """Return a session whose connection can be cut."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


@pytest.fixture
def events(zookeeper, session):
    """Return a function: the events of nodes that a watcher has been told of by now."""

    def events(watcher):
        zookeeper.sync(session, "/")
        wait_until_delivered(zookeeper, session)
        calls = watcher.all()
        return [(kind, path) for _, kind, _, path in calls if kind != zookeeper.SESSION_EVENT]

    return events


@pytest.fixture
def during_a_gap(zookeeper, session, proxy):
    """Return a function that calls another one while there is no connection."""

    def during_a_gap(change):
        reconnected(zookeeper, session, proxy, change)

    return during_a_gap


def test_watches_stay_through_a_lost_connection(
    zookeeper, session, handle, proxy, node, events, during_a_gap
):
    persistent, recursive = Calls(), Calls()
    zookeeper.add_watch(session, node, zookeeper.PERSISTENT, persistent)
    zookeeper.add_watch(session, "/", zookeeper.PERSISTENT_RECURSIVE, recursive)
    for number in range(3):
        during_a_gap(lambda: zookeeper.set(handle, node, "nobody is told"))
        assert proxy.requests[Op.SET_WATCHES2] == number + 1
    assert proxy.requests[Op.SET_WATCHES] == 0
    assert (events(persistent), events(recursive)) == ([], [])
    zookeeper.set(handle, node, "x")
    zookeeper.create(handle, "/a/b", "", OPEN)
    zookeeper.set(handle, "/a/b", "x")
    changed = (zookeeper.CHANGED_EVENT, node)
    assert events(persistent) == [changed, (zookeeper.CHILD_EVENT, node)]
    created = (zookeeper.CREATED_EVENT, "/a/b")
    assert events(recursive) == [changed, created, (zookeeper.CHANGED_EVENT, "/a/b")]
    states = [state for _, kind, state, _ in recursive.all() if kind == zookeeper.SESSION_EVENT]
    assert states == [zookeeper.CONNECTING_STATE, zookeeper.CONNECTED_STATE] * 3


@pytest.mark.parametrize("mode", ["PERSISTENT", "PERSISTENT_RECURSIVE"])
@pytest.mark.parametrize("first", ["read", "stay"])
@pytest.mark.parametrize("name", SINGLE)
def test_one_time_watches_at_the_same_path_tell_of_the_gap(
    zookeeper, session, handle, node, events, during_a_gap, mode, first, name
):
    staying, leaving = Calls(), Calls()
    if first == "read":
        READS[name](zookeeper, session, node, leaving)
    zookeeper.add_watch(session, node, getattr(zookeeper, mode), staying)
    if first == "stay":
        READS[name](zookeeper, session, node, leaving)

    def change():
        zookeeper.set(handle, node, "x")
        zookeeper.create(handle, "/a/b", "", OPEN)

    during_a_gap(change)
    kind = zookeeper.CHILD_EVENT if "children" in name else zookeeper.CHANGED_EVENT
    wait_until(lambda: events(leaving) == [(kind, node)], "it is told of the gap")
    before = len(events(staying))
    zookeeper.set(handle, node, "1")
    zookeeper.set(handle, node, "2")
    zookeeper.create(handle, "/a/c", "", OPEN)
    changed = (zookeeper.CHANGED_EVENT, node)
    child = (zookeeper.CHILD_EVENT, node)
    created = (zookeeper.CREATED_EVENT, "/a/c")
    last = child if mode == "PERSISTENT" else created
    assert events(staying)[before:] == [changed, changed, last]
    assert events(leaving) == [(kind, node)]


def test_reads_after_the_news_of_a_connection_are_watched(
    zookeeper, session, handle, node, during_a_gap
):
    """A watcher reads when it hears of the connection: no change after that read is missed."""
    latest: list[str | None] = []

    def read(h, kind, state, path):
        if kind != zookeeper.SESSION_EVENT or state == zookeeper.CONNECTED_STATE:
            zookeeper.aget(h, node, None, lambda h, code, data, stat: latest.append(data))

    zookeeper.add_watch(session, node, zookeeper.PERSISTENT, read)
    for number in range(4):
        values = [f"{number} {part}" for part in range(20)]

        def change(values=values):
            zookeeper.write_many(handle, [("set", node, value) for value in values[:10]])

        during_a_gap(change)
        for value in values[10:]:
            zookeeper.set(handle, node, value)
        last = values[-1]
        wait_until(lambda last=last: latest[-1:] == [last], lambda: f"{latest[-1:]} is the last")


def test_watches_of_more_than_a_megabyte_are_set_again_in_pieces(
    zookeeper, session, handle, proxy, events, during_a_gap
):
    paths = [f"/{number:04}-{'x' * 500}" for number in range(3000)]
    watcher, added = Calls(), Calls()
    for path, mode in zip(paths, itertools.cycle([0, 1]), strict=False):
        zookeeper.aadd_watch(session, path, mode, watcher, added)
    assert {code for _, code in added.wait(len(paths))} == {zookeeper.OK}
    during_a_gap(lambda: None)
    assert events(watcher) == []
    assert 3 < proxy.requests[Op.SET_WATCHES2] < 10
    zookeeper.write_many(handle, [("create", path, "", OPEN) for path in paths])
    assert events(watcher) == [(zookeeper.CREATED_EVENT, path) for path in paths]


@pytest.mark.parametrize("mode", ["PERSISTENT", "PERSISTENT_RECURSIVE"])
def test_a_watch_can_be_added_and_removed_without_a_connection(
    zookeeper, session, handle, proxy, node, events, during_a_gap, mode
):
    leaving, coming, added, removed = Calls(), Calls(), Calls(), Calls()
    zookeeper.add_watch(session, node, getattr(zookeeper, mode), leaving)

    def change():
        zookeeper.aremove_watches(session, node, watcher=leaving, local=True, completion=removed)
        zookeeper.aadd_watch(session, "/b", getattr(zookeeper, mode), coming, added)

    during_a_gap(change)
    assert removed.wait_one() == (session, zookeeper.OK)
    ((_, code),) = added.wait()
    if code != zookeeper.OK:  # it was lost with a connection that came to nothing
        assert code == zookeeper.CONNECTIONLOSS
        zookeeper.add_watch(session, "/b", getattr(zookeeper, mode), coming)
    for _ in range(2):
        zookeeper.set(handle, node, "x")
        zookeeper.create(handle, "/b", "", OPEN)
        zookeeper.delete(handle, "/b")
        told = [(zookeeper.CREATED_EVENT, "/b"), (zookeeper.DELETED_EVENT, "/b")]
        assert events(leaving) == []
        assert events(coming)[-2:] == told
        during_a_gap(lambda: None)


def test_a_watch_whose_answer_is_lost_is_not_set_again(
    zookeeper, session, handle, proxy, node, events, during_a_gap
):
    watcher, added = Calls(), Calls()
    proxy.stall()
    zookeeper.aadd_watch(session, node, zookeeper.PERSISTENT, watcher, added)
    proxy.cut()
    proxy.resume()
    assert added.wait_one() == (session, zookeeper.CONNECTIONLOSS)
    wait_until_connected(zookeeper, session)
    during_a_gap(lambda: None)
    asked = proxy.requests[Op.SET_WATCHES2]
    during_a_gap(lambda: None)
    assert proxy.requests[Op.SET_WATCHES2] == asked
    zookeeper.set(handle, node, "x")
    assert events(watcher) == []


def test_watchers_are_told_of_the_end_of_the_session(
    zookeeper, connect, proxy, root, session, node
):
    watchers = [Calls(), Calls()]
    zookeeper.add_watch(session, node, zookeeper.PERSISTENT, watchers[0])
    zookeeper.add_watch(session, "/", zookeeper.PERSISTENT_RECURSIVE, watchers[1])
    expire(zookeeper, connect, proxy, session)
    last = (session, zookeeper.SESSION_EVENT, zookeeper.EXPIRED_SESSION_STATE, "")
    for watcher in watchers:
        wait_until(lambda watcher=watcher: watcher.all()[-1:] == [last], "it is told")
    with pytest.raises(zookeeper.InvalidStateException):
        zookeeper.add_watch(session, node, zookeeper.PERSISTENT, Calls())


def test_a_root_of_all_paths_that_is_missing_can_be_watched(zookeeper, connect, proxy, root):
    session = connect(hosts=f"{proxy.connection_string}{root}/nowhere")
    watcher = Calls()
    zookeeper.add_watch(session, "/", zookeeper.PERSISTENT_RECURSIVE, watcher)
    with pytest.raises(zookeeper.NoNodeException, match="root"):
        zookeeper.get(session, "/")


# ---- servers that do not know it -------------------------------------------------------------


def test_a_server_that_hangs_up_at_it_is_found_out(zookeeper, session, proxy, node):
    proxy.on_request = lambda request: request.op not in OLD
    refused: list[Any] = []

    def add():
        try:
            zookeeper.add_watch(session, node, zookeeper.PERSISTENT, Calls())
        except zookeeper.ZooKeeperException as fault:
            refused.append(fault)
        return isinstance(refused[-1], zookeeper.UnimplementedException)

    wait_until(add, lambda: f"it is found out: {refused}")
    assert {type(fault) for fault in refused[:-1]} == {zookeeper.ConnectionLossException}
    assert 4 <= len(refused) <= 6
    assert str(refused[-1]) == (
        f"unimplemented: {node}: the server has no watches that stay; they came with ZooKeeper 3.6"
    )
    assert not refused[-1].may_have_happened
    asked = proxy.requests[Op.ADD_WATCH]
    with pytest.raises(zookeeper.UnimplementedException, match=r"3\.6"):
        zookeeper.aadd_watch(session, node, zookeeper.PERSISTENT, Calls())
    assert proxy.requests[Op.ADD_WATCH] == asked
    zookeeper.get(session, node)


@pytest.fixture
def hostile() -> Iterator[Hostility]:
    with hostility() as running:
        yield running


def to_server(zookeeper, opened, server: HostileServer) -> int:
    handle = zookeeper.init(server.connection_string, None, int(scaled(10_000)))
    opened.append(handle)
    wait_until_connected(zookeeper, handle)
    return handle


@pytest.mark.real_only("it is its own server")
def test_a_server_that_says_so_is_asked_once(zookeeper, hostile, opened):
    """Servers of 3.5 answer and hang up."""
    asked = []

    def answer(request, good):
        if request.op in OLD:
            asked.append(request)
            return [p.framed(header(request.xid, UNIMPLEMENTED)), HANG_UP]
        return [good]

    session = to_server(zookeeper, opened, hostile.serve(Scenario("old", answer=answer)))
    for _ in range(3):
        with pytest.raises(zookeeper.UnimplementedException, match=r"ZooKeeper 3\.6$"):
            zookeeper.add_watch(session, "/a", zookeeper.PERSISTENT, Calls())
    assert len(asked) == 1


@pytest.mark.real_only("it is its own server")
def test_watchers_are_told_when_no_server_watches_any_more(zookeeper, hostile, opened):
    """The next server is an old one, as while an ensemble is upgraded."""
    asked = []

    def answer(request, good):
        asked.append(request.op)
        if request.op in OLD and Op.SYNC in asked:
            return [p.framed(header(request.xid, UNIMPLEMENTED)), HANG_UP]
        return [HANG_UP] if request.op == Op.SYNC else [good]

    session = to_server(zookeeper, opened, hostile.serve(Scenario("old", answer=answer)))
    watcher = Calls()
    for path, mode in {"/a": zookeeper.PERSISTENT, "/": zookeeper.PERSISTENT_RECURSIVE}.items():
        zookeeper.add_watch(session, path, mode, watcher)
    one_time = Calls()
    zookeeper.get(session, "/a", one_time)
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.sync(session, "/")

    def told():
        return {path for _, kind, _, path in watcher.all() if kind == zookeeper.NOTWATCHING_EVENT}

    wait_until(lambda: told() == {"/", "/a"}, lambda: f"it is told: {watcher.all()}")
    assert asked.count(Op.SET_WATCHES2) == 1
    # The one-time watch is set again by itself.
    wait_until(lambda: asked.count(Op.SET_WATCHES) >= 2, lambda: f"it is set: {asked}")
    assert zookeeper.NOTWATCHING_EVENT not in {kind for _, kind, _, _ in one_time.all()}
    with pytest.raises(zookeeper.UnimplementedException):
        zookeeper.add_watch(session, "/a", zookeeper.PERSISTENT, watcher)


@pytest.mark.real_only("it is its own server")
@pytest.mark.parametrize(
    "fault", ["hangs up", "is silent", "says so", "says so and goes on", "fails"]
)
def test_watches_stay_where_a_server_knows_addwatch_alone(
    zookeeper, hostile, opened, caplog, fault
):
    """A proxy may let no SetWatches2 pass; the watches of one time stay right, too."""
    asked: list[int] = []
    added: list[tuple[bytes, int]] = []

    def refusal(request):
        return {
            "hangs up": [HANG_UP],
            "is silent": [],
            "says so": [p.framed(header(request.xid, UNIMPLEMENTED)), HANG_UP],
            "says so and goes on": [p.framed(header(request.xid, UNIMPLEMENTED))],
            "fails": [p.framed(header(request.xid, SYSTEM_ERROR))],
        }[fault]

    def answer(request, good):
        asked.append(request.op)
        if request.op == Op.SET_WATCHES2:
            return refusal(request)
        if request.op == Op.ADD_WATCH:
            path = p.Answer(request.frame[12:]).buffer() or b""
            added.append((path, request.frame[-1]))
            if added.count(added[-1]) > 1:
                return [good, event(3, path)]
        return [HANG_UP] if request.op == Op.SYNC else [good]

    session = to_server(zookeeper, opened, hostile.serve(Scenario("half", answer=answer)))
    watched = {f"/{number}": number % 2 for number in range(9)}
    watcher, one_time = Calls(), Calls()
    for path, mode in watched.items():
        zookeeper.add_watch(session, path, mode, watcher)
    zookeeper.get(session, "/other", one_time)
    caplog.set_level(logging.WARNING)
    changed = (session, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE)

    def told():
        return sum(watcher.all().count((*changed, path)) for path in watched)

    for number in (1, 2):
        with pytest.raises(zookeeper.ConnectionLossException):
            zookeeper.sync(session, "/")
        wait_until(
            lambda number=number: told() == number * len(watched),
            lambda: f"they are set: {asked}, {added}",
        )
    again = added[len(watched) :]
    assert sorted(again) == sorted([(path.encode(), mode) for path, mode in watched.items()] * 2)
    assert asked.count(Op.SET_WATCHES2) == (1 if "says" in fault else 2)
    assert zookeeper.NOTWATCHING_EVENT not in {kind for _, kind, _, _ in watcher.all()}
    said = [line for line in caplog.messages if "does not know SetWatches2" in line]
    assert len(said) == 1
    assert said[0].endswith("so watches that stay are set again one by one")


@pytest.mark.real_only("it is its own server")
def test_a_server_with_too_much_to_do_is_asked_again(zookeeper, hostile, opened):
    asked = []

    def answer(request, good):
        asked.append(request.op)
        if request.op == Op.SET_WATCHES2:
            if asked.count(Op.SET_WATCHES2) < 3:
                return [p.framed(header(request.xid, THROTTLED))]
            return [good, event(3, b"/a")]
        return [HANG_UP] if request.op == Op.SYNC else [good]

    session = to_server(zookeeper, opened, hostile.serve(Scenario("busy", answer=answer)))
    watcher = Calls()
    zookeeper.add_watch(session, "/a", zookeeper.PERSISTENT, watcher)
    with pytest.raises(zookeeper.ConnectionLossException):
        zookeeper.sync(session, "/")
    told = (session, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, "/a")
    wait_until(lambda: told in watcher.all(), lambda: f"it is watched: {asked}, {watcher.all()}")
    assert asked.count(Op.SET_WATCHES2) == 3


@pytest.mark.real_only("it is its own server")
@pytest.mark.parametrize("name", SINGLE)
def test_a_refusal_leaves_one_time_watches_at_the_server(zookeeper, hostile, opened, name):
    """The reads behind it rely on the watch that is refused, and have none of their own."""
    asked = []

    def answer(request, good):
        asked.append(request.op)
        if request.op == Op.ADD_WATCH:
            return []
        if Op.ADD_WATCH in asked and asked.count(Op.ADD_WATCH) == 1 and not refused:
            refused.append(request)
            xid = request.xid - 1
            return [p.framed(header(xid, THROTTLED)), good]
        return [good]

    refused: list[object] = []
    session = to_server(zookeeper, opened, hostile.serve(Scenario("busy", answer=answer)))
    added = Calls()
    zookeeper.aadd_watch(session, "/x", zookeeper.PERSISTENT, Calls(), added)
    try:
        READS[name](zookeeper, session, "/x", Calls())
    except zookeeper.ConnectionLossException:
        return  # the connection ended before the answer: the caller knows that it has no watch
    assert added.wait_one() == (session, THROTTLED)
    wait_until(lambda: Op.SET_WATCHES in asked, lambda: f"the watch is set: {asked}")


@pytest.mark.real_only("it is its own server")
def test_an_event_of_a_later_server_has_its_zxid(zookeeper, hostile, opened):
    """Servers from 3.9 on send it."""
    late = p.framed(struct.pack(">iqi", -1, 42, 0) + struct.pack(">ii", 3, 3) + p.buffer(b"/a/b"))

    def answer(request, good):
        return [good, late] if request.op == Op.ADD_WATCH else [good]

    session = to_server(zookeeper, opened, hostile.serve(Scenario("late", answer=answer)))
    zxids = Calls()
    zookeeper.add_watch(
        session,
        "/a",
        zookeeper.PERSISTENT_RECURSIVE,
        lambda h, kind, state, path: zxids(path, zookeeper.event_zxid(h)),
    )
    assert zxids.wait_one() == ("/a/b", 42)
    assert zookeeper.event_zxid(session) is None
