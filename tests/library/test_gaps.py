"""After a gap within a session what has changed is read, and what is in doubt; nothing else.

Each doubt has a test that cuts the connection at the worst moment for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.awkward import awkward, hang_up_at, never_answer
from tests.calls import Calls
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.library.bad_days import expire
from tests.sessions import OPEN
from tests.tcpproxy import TO_CLIENT, TcpProxy
from tests.wireframes import Op, Request
from zc.zk.watching import unread
from zc.zk.watching.dependencies import UNREAD, Care, Kind

pytestmark = pytest.mark.not_emulated("it has no network")

# A session that outlives each cut.

READS = (Op.GET_DATA, Op.EXISTS, Op.GET_CHILDREN, Op.GET_CHILDREN2, Op.MULTI_READ)

NODES = 40

# One request, for whatever, tells that the watches are set and the session goes on.
PROOF = 1


@pytest.fixture
def followed(client: Callable[..., zc.zk.ZooKeeper], proxy: TcpProxy, root: str) -> zc.zk.ZooKeeper:
    """Return a client whose way leads through the proxy."""
    return client(proxy.connection_string + root, session_timeout=LONG_SESSION)


@pytest.fixture
def nodes(other: zc.zk.ZooKeeper) -> list[str]:
    paths = [f"/n{number}" for number in range(NODES)]
    assert other.handle is not None
    zookeeper.write_many(other.handle, [("create", path, '{"v": 0}', OPEN) for path in paths])
    return paths


def reads(proxy: TcpProxy) -> int:
    return sum(proxy.requests[op] for op in READS)


def blip(proxy: TcpProxy, zk: zc.zk.ZooKeeper, meanwhile: Callable[[], object] = int) -> None:
    """Break the connection, and let it come back within the session."""
    session, connections = zk.client_id()[0], proxy.connections
    proxy.refuse()
    proxy.cut()
    wait_until(lambda: zk.state != zookeeper.CONNECTED_STATE, "the loss is noticed")
    meanwhile()
    proxy.allow()
    wait_until(lambda: proxy.connections > connections, "it connects again", 30)
    wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "it is connected", 30)
    assert zk.client_id()[0] == session


def set_v(zk: zc.zk.ZooKeeper, path: str, value: int) -> None:
    zk.set(path, f'{{"v": {value}}}')


def has_v(live: Any, value: int) -> Callable[[], bool]:
    return lambda: live.get("v") == value


class TestWhatIsNotRead:
    def test_a_blip_without_changes_costs_no_read(self, followed, other, proxy, nodes) -> None:
        objects = [followed.properties(path) for path in nodes]
        lists = [followed.children(path) for path in nodes]
        before = reads(proxy)
        blip(proxy, followed)
        # When this change shows, all that the blip has had read is read, too.
        set_v(other, nodes[0], 1)
        wait_until(has_v(objects[0], 1), "the change is seen")
        assert reads(proxy) == before + PROOF + 1
        assert proxy.requests[Op.SET_WATCHES] >= 1
        assert [list(each) for each in lists] == [[]] * NODES

    def test_only_what_has_changed_is_read_and_told(self, followed, other, proxy, nodes) -> None:
        objects = [followed.properties(path) for path in nodes]
        calls = [Calls() for _ in nodes]
        for live, told in zip(objects, calls, strict=True):
            live(told)
        before = reads(proxy)

        def meanwhile() -> None:
            set_v(other, nodes[3], 1)
            set_v(other, nodes[30], 2)

        blip(proxy, followed, meanwhile)
        wait_until(has_v(objects[3], 1), "the first change is seen")
        wait_until(has_v(objects[30], 2), "the second change is seen")
        calls[3].wait(2)
        calls[30].wait(2)
        assert reads(proxy) <= before + PROOF + 2
        assert sum(map(len, calls)) == NODES + 2

    def test_a_new_session_reads_all(self, followed, other, proxy, nodes, server) -> None:
        objects = [followed.properties(path) for path in nodes]
        connections = proxy.connections
        before = proxy.requests[Op.MULTI_READ]
        proxy.refuse()
        proxy.cut()
        for path in nodes:
            set_v(other, path, 1)
        proxy.allow()
        expire(followed, server.connection_string)
        wait_until(lambda: all(live.get("v") == 1 for live in objects), "all is seen", 30)
        assert proxy.connections > connections
        assert proxy.requests[Op.MULTI_READ] > before


class TestChangesInAGap:
    """A change of any kind is seen that is made while there is no connection."""

    def test_data(self, followed, other, proxy, nodes) -> None:
        live = followed.properties(nodes[0])
        blip(proxy, followed, lambda: set_v(other, nodes[0], 1))
        wait_until(has_v(live, 1), "it is seen")

    def test_children_that_come_and_go(self, followed, other, proxy, nodes) -> None:
        other.create("/n0/old")
        live = followed.children("/n0")

        def meanwhile() -> None:
            other.create("/n0/new")
            other.delete("/n0/old")

        blip(proxy, followed, meanwhile)
        wait_until(lambda: list(live) == ["new"], lambda: f"it is seen: {list(live)}")

    def test_a_deletion(self, followed, other, proxy, nodes) -> None:
        lives = followed.properties("/n0"), followed.children("/n0")
        blip(proxy, followed, lambda: other.delete("/n0"))
        wait_until(lambda: all(live.deleted for live in lives), "both are deleted")

    def test_a_node_that_is_made_anew(self, followed, other, proxy, nodes) -> None:
        other.create("/n0/old")
        properties, children = followed.properties("/n0"), followed.children("/n0")

        def meanwhile() -> None:
            other.delete_recursive("/n0")
            other.create("/n0", '{"v": 9}')

        blip(proxy, followed, meanwhile)
        wait_until(has_v(properties, 9), "its data are seen")
        wait_until(lambda: list(children) == [], "its children are seen")

    def test_a_node_that_returns(self, followed, other, proxy, nodes) -> None:
        properties, children = followed.properties("/n0"), followed.children("/n0")
        other.delete("/n0")
        wait_until(lambda: properties.deleted and children.deleted, "they are deleted")

        def meanwhile() -> None:
            other.create("/n0", '{"v": 9}')
            other.create("/n0/child")

        blip(proxy, followed, meanwhile)
        wait_until(has_v(properties, 9), "its data are seen")
        wait_until(lambda: list(children) == ["child"], "its children are seen")

    def test_a_target_of_links(self, followed, other, proxy, nodes) -> None:
        other.create("/hub", '{"v =>": "/n0 v", "way ->": "/n1"}')
        hub, way = followed.properties("/hub"), followed.properties("/hub/way")

        def meanwhile() -> None:
            set_v(other, "/n0", 1)
            set_v(other, "/n1", 2)

        blip(proxy, followed, meanwhile)
        wait_until(lambda: (hub["v"], way["v"]) == (1, 2), "they are seen")


class Moment:
    """A proxy's hook that acts once, at the first request of some operations from now on."""

    def __init__(
        self, ops: tuple[Op, ...], verdict: bool | bytes, then: Callable[[], object] = int
    ) -> None:
        self._ops, self._verdict, self._then = ops, verdict, then
        self.has_come = threading.Event()

    def __call__(self, request: Request) -> bool | bytes:
        if request.op not in self._ops or self.has_come.is_set():
            return True
        self._then()
        self.has_come.set()
        return self._verdict

    def wait(self) -> None:
        assert self.has_come.wait(scaled(30)), "the moment comes"


class TestDoubts:
    """The connection is cut at the worst moment."""

    def test_an_event_on_its_way(self, followed, other, proxy, nodes) -> None:
        live = followed.properties("/n0")
        proxy.stall(TO_CLIENT)
        set_v(other, "/n0", 1)
        proxy.cut()
        proxy.resume()
        wait_until(has_v(live, 1), "it is seen", 30)

    @pytest.mark.parametrize(
        "ops", [(Op.GET_DATA,), (Op.GET_CHILDREN, Op.GET_CHILDREN2)], ids=["data", "children"]
    )
    def test_a_read_after_an_event_that_does_not_arrive(
        self, followed, other, proxy, nodes, ops
    ) -> None:
        lives = followed.properties("/n0"), followed.children("/n0")
        moment = proxy.on_request = Moment(ops, False)
        set_v(other, "/n0", 1)
        other.create("/n0/child")
        moment.wait()
        wait_until(has_v(lives[0], 1), "the data are seen", 30)
        wait_until(lambda: list(lives[1]) == ["child"], "the children are seen", 30)

    def test_a_read_after_an_event_whose_answer_does_not_arrive(
        self, followed, other, proxy, nodes
    ) -> None:
        live = followed.properties("/n0")
        moment = proxy.on_request = Moment((Op.GET_DATA,), True, lambda: proxy.stall(TO_CLIENT))
        set_v(other, "/n0", 1)
        moment.wait()
        set_v(other, "/n0", 2)
        proxy.cut()
        proxy.resume()
        wait_until(has_v(live, 2), "it is seen", 30)

    @pytest.mark.parametrize("op", [Op.MULTI_READ, Op.SET_WATCHES])
    @pytest.mark.parametrize("arrives", [True, False])
    def test_many_that_are_read_and_watched_at_once(
        self, followed, other, proxy, nodes, op, arrives
    ) -> None:
        """Their reads are answered, and their watches are not set, or not known to be."""
        objects = [followed.properties(path) for path in nodes]

        def lose() -> None:
            if arrives:
                proxy.stall(TO_CLIENT)

        blip(proxy, followed)
        moment = Moment((op,), arrives, lose)
        proxy.stall(TO_CLIENT)
        zookeeper.write_many(other.handle, [("set", path, '{"v": 1}') for path in nodes])
        proxy.on_request = moment
        proxy.resume()
        moment.wait()
        zookeeper.write_many(other.handle, [("set", path, '{"v": 2}') for path in nodes])
        proxy.cut()
        proxy.resume()
        wait_until(lambda: all(live.get("v") == 2 for live in objects), "all is seen", 30)

    def test_a_reconnect_during_a_reconnect(self, followed, other, proxy, nodes) -> None:
        objects = [followed.properties(path) for path in nodes]
        moment = proxy.on_request = Moment((Op.SET_WATCHES,), False, lambda: set_v(other, "/n1", 2))
        blip(proxy, followed, lambda: set_v(other, "/n0", 1))
        moment.wait()
        wait_until(has_v(objects[0], 1), "the change of the first gap is seen", 30)
        wait_until(has_v(objects[1], 2), "the change of the second gap is seen", 30)

    def test_events_of_a_reconnect_that_are_lost(self, followed, other, proxy, nodes) -> None:
        objects = [followed.properties(path) for path in nodes]
        moment = Moment((Op.SET_WATCHES,), True, lambda: proxy.stall(TO_CLIENT))

        def meanwhile() -> None:
            proxy.on_request = moment
            set_v(other, "/n0", 1)

        proxy.refuse()
        proxy.cut()
        meanwhile()
        proxy.allow()
        moment.wait()
        proxy.cut()
        proxy.resume()
        wait_until(has_v(objects[0], 1), "it is seen", 30)

    def test_a_server_that_passes_over_the_watches_of_a_reconnect(
        self, followed, other, proxy, nodes
    ) -> None:
        """Other answers come, and the connection breaks again before they are set one by one."""
        objects = [followed.properties(path) for path in nodes]
        proxy.refuse()
        proxy.cut()
        set_v(other, "/n0", 1)
        proxy.on_request = awkward(never_answer(Op.SET_WATCHES), hang_up_at(Op.EXISTS))
        proxy.allow()
        wait_until(lambda: proxy.connections > 2, "the connection breaks", 30)
        proxy.on_request = never_answer(Op.SET_WATCHES)
        wait_until(has_v(objects[0], 1), "it is seen", 30)

    def test_a_refused_read_is_done_again_at_once(
        self, followed, other, proxy, nodes, monkeypatch
    ) -> None:
        monkeypatch.setattr(unread, "pause", lambda failures: 1e6)
        live = followed.properties("/n0")
        blind = [
            {"perms": zookeeper.PERM_ALL & ~zookeeper.PERM_READ, "scheme": "world", "id": "anyone"}
        ]
        moment = proxy.on_request = Moment(
            (Op.GET_DATA,), True, lambda: other.set_acl("/n0", -1, blind)
        )
        set_v(other, "/n0", 1)
        moment.wait()
        node = followed.watches.find(Kind.DATA, "/n0")
        wait_until(lambda: node.is_refused, "the read is refused")
        other.set_acl("/n0", -1, OPEN)
        blip(proxy, followed)
        wait_until(has_v(live, 1), "it is seen")

    def test_a_failed_first_read_is_done_by_the_worker(self, followed, other, proxy, nodes) -> None:
        """The subscriber to the node stays, as a live object does whose link leads there."""

        class Owner:
            refreshed = 0

            def refresh(self, tell: bool) -> None:
                self.refreshed += 1

        owner = Owner()
        subscription = followed.watches.subscribe(owner, Care(Owner.refresh))
        proxy.on_request = Moment((Op.GET_DATA,), False)
        with pytest.raises(zookeeper.ConnectionLossException):
            followed.watches.watch_and_read_many(subscription, [(Kind.DATA, "/n0")])
        node = followed.watches.find(Kind.DATA, "/n0")
        wait_until(lambda: node.answer is not UNREAD, "it is read", 30)
        wait_until(lambda: owner.refreshed, "its subscriber is told")
        assert node.answer[0] == '{"v": 0}'
