"""Watches that nobody waits for any more are not set again after a reconnect."""

from __future__ import annotations

import itertools

import pytest

from tests.binding.test_standing_watches import READS
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, wait_until
from tests.hostile import HANG_UP, Scenario, header, hostility
from tests.sessions import OPEN, reconnected, wait_until_connected, wait_until_delivered
from tests.tcpproxy import TO_CLIENT
from tests.testing import protocol as p
from tests.wireframes import Op

pytestmark = pytest.mark.not_emulated("it has no network")

NO_WATCHER = -121
MODES = ["PERSISTENT", "PERSISTENT_RECURSIVE"]


@pytest.fixture
def session(connect, proxy, root):
    """Return a session whose connection can be cut."""
    return connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)


@pytest.fixture
def watched(server, root):
    """Return a function: the nodes below the root that the server has watches at."""

    def watched():
        lines = server.ask("wchp").splitlines()
        return {line.removeprefix(root) for line in lines if line.startswith(f"{root}/")}

    return watched


@pytest.fixture
def reconnect(zookeeper, session, proxy):
    """Return a function that breaks the connection and waits for the next one.

    It calls another one in between, and returns how many requests have set watches again.
    """

    def set_again():
        return proxy.requests[Op.SET_WATCHES] + proxy.requests[Op.SET_WATCHES2]

    def reconnect(meanwhile=int):
        before = set_again()
        reconnected(zookeeper, session, proxy, meanwhile)
        return set_again() - before

    return reconnect


@pytest.mark.parametrize("gone_first", ["read", "stay"])
@pytest.mark.parametrize("first", ["read", "stay"])
@pytest.mark.parametrize("mode", MODES)
def test_watches_of_both_kinds_that_were_removed_stay_away(
    zookeeper, session, handle, watched, reconnect, mode, first, gone_first
):
    """One request removes all that a path has, and the C client has not sent it."""
    staying, leaving = Calls(), Calls()
    paths = {f"/{number}": name for number, name in enumerate(READS)}
    for path in paths:
        zookeeper.create(handle, path, "", OPEN)
    paths["/missing"] = "exists"

    def read(path):
        READS[paths[path]](zookeeper, session, path, leaving)

    def stay(path):
        zookeeper.add_watch(session, path, getattr(zookeeper, mode), staying)

    def remove_read(path):
        kind = zookeeper.WATCH_CHILDREN if "children" in paths[path] else zookeeper.WATCH_DATA
        zookeeper.remove_watches(session, path, kind, leaving)

    def remove_stay(path):
        zookeeper.remove_watches(session, path, getattr(zookeeper, f"WATCH_{mode}"), staying)

    setting = [read, stay] if first == "read" else [stay, read]
    removing = [remove_read, remove_stay] if gone_first == "read" else [remove_stay, remove_read]
    for path, work in itertools.product(paths, setting):
        work(path)
    assert watched() == paths.keys()
    for path, work in itertools.product(paths, removing):
        work(path)
    wait_until(lambda: watched() == set(), lambda: f"they are removed: {watched()}")
    for _ in range(2):
        assert reconnect() == 0
        assert watched() == set()


@pytest.mark.parametrize("mode", MODES)
def test_a_kind_that_is_still_wanted_is_set_again(
    zookeeper, session, handle, node, watched, reconnect, mode
):
    staying, data, children = Calls(), Calls(), Calls()
    zookeeper.add_watch(session, node, getattr(zookeeper, mode), staying)
    zookeeper.get(session, node, data)
    zookeeper.get_children(session, node, children)
    zookeeper.remove_watches(session, node, zookeeper.WATCH_DATA, data)
    zookeeper.remove_watches(session, node, getattr(zookeeper, f"WATCH_{mode}"), staying)

    def change():
        zookeeper.set(handle, node, "x")
        zookeeper.create(handle, f"{node}/b", "", OPEN)

    reconnect(change)
    kinds = [kind for _, kind, _, _ in children.all() if kind != zookeeper.SESSION_EVENT]
    assert kinds == [zookeeper.CHILD_EVENT]
    assert zookeeper.CHANGED_EVENT not in {kind for _, kind, _, _ in data.all() + staying.all()}
    wait_until(lambda: watched() == set(), lambda: f"none is left: {watched()}")
    assert reconnect() == 0
    assert watched() == set()


@pytest.mark.parametrize("name", ["get", "exists", "get_children"])
def test_a_watcher_that_watches_again_hears_of_a_gap(
    zookeeper, session, handle, node, reconnect, name
):
    """The watch that is forgotten may not be a later one."""
    staying, leaving, coming = Calls(), Calls(), Calls()
    zookeeper.add_watch(session, node, zookeeper.PERSISTENT_RECURSIVE, staying)
    READS[name](zookeeper, session, node, leaving)
    zookeeper.aremove_watches(session, node, watcher=leaving)
    READS[name](zookeeper, session, node, coming)
    zookeeper.aremove_watches(session, node, watcher=staying)
    wait_until_delivered(zookeeper, session)

    def change():
        zookeeper.set(handle, node, "x")
        zookeeper.create(handle, f"{node}/b", "", OPEN)

    reconnect(change)
    kind = zookeeper.CHILD_EVENT if "children" in name else zookeeper.CHANGED_EVENT
    assert [call[1] for call in coming.all() if call[1] != zookeeper.SESSION_EVENT] == [kind]


def test_a_read_that_nobody_waits_for_any_more_is_not_watched_again(
    zookeeper, session, node, proxy, watched, reconnect
):
    watcher = Calls()
    proxy.stall(TO_CLIENT)
    with pytest.raises(zookeeper.OperationTimeoutException):
        zookeeper.get(session, node, watcher, timeout=0.1)
    proxy.resume()
    wait_until_delivered(zookeeper, session)
    assert watched() == {node}
    assert reconnect() == 0
    assert watched() == set()


@pytest.mark.parametrize("name", READS)
def test_a_local_removal_without_a_connection_lasts(
    zookeeper, session, node, watched, reconnect, name
):
    watcher, removed = Calls(), Calls()
    READS[name](zookeeper, session, node, watcher)

    def remove():
        kind = zookeeper.WATCH_CHILDREN if "children" in name else zookeeper.WATCH_DATA
        zookeeper.aremove_watches(session, node, kind, watcher, True, removed)

    reconnect(remove)
    assert removed.wait_one() == (session, zookeeper.OK)
    assert reconnect() == 0
    assert watched() == set()


@pytest.mark.real_only("it is its own server")
def test_a_watch_that_the_server_does_not_have_is_not_set_again(zookeeper, opened):
    """Servers drop the watches of clients that may not read a node, and say nothing."""
    asked = []

    def answer(request, good):
        asked.append(request.op)
        if request.op == Op.REMOVE_WATCHES:
            return [p.framed(header(request.xid, NO_WATCHER))]
        return [HANG_UP] if request.op == Op.SYNC else [good]

    with hostility() as hostile:
        server = hostile.serve(Scenario("forgetful", answer=answer))
        session = zookeeper.init(server.connection_string, None, LONG_SESSION)
        opened.append(session)
        wait_until_connected(zookeeper, session)
        watcher = Calls()
        zookeeper.get(session, "/a", watcher)
        with pytest.raises(zookeeper.NoWatcherException):
            zookeeper.remove_watches(session, "/a", zookeeper.WATCH_DATA, watcher)
        with pytest.raises(zookeeper.ConnectionLossException):
            zookeeper.sync(session, "/")

        def is_answered():
            try:
                return zookeeper.get(session, "/a")
            except zookeeper.ConnectionLossException:
                return None  # it came before the end of the first connection

        wait_until(is_answered, "it connects again")
        assert Op.SET_WATCHES not in asked
