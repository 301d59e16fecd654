"""Many servers of one client are registered together, in few requests."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.deadlines import wait_until
from tests.library.bad_days import expire, session_id
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op
from zc.zk import event
from zc.zk.registration.pieces import pieces
from zc.zk.registration.registry import Registry
from zc.zk.registration.step import Desired

pytestmark = pytest.mark.usefixtures("providers")

SERVERS = [("/providers", ("host", port)) for port in range(1, 1001)]
NAMES = {f"host:{port}" for port in range(1, 1001)}


def names(zk: zc.zk.ZooKeeper, path: str = "/providers") -> set[str]:
    return set(zk.get_children(path))


def owners(zk: zc.zk.ZooKeeper, path: str = "/providers") -> set[int]:
    """Return the sessions whose nodes are below a path."""
    answers = zk.get_many([f"{path}/{name}" for name in zk.get_children(path)])
    return {answer[1]["ephemeralOwner"] for answer in answers if isinstance(answer, tuple)}


def is_left(registry: Registry) -> object:
    return registry._by_path or registry.schedule._due


class TestRegistering:
    def test_all_are_registered_in_the_order_given(self, zk, other) -> None:
        registrations = zk.register_all(SERVERS, load=1)
        assert len(registrations) == 1000
        assert registrations[6].paths == ["/providers/host:7"]
        assert [each.paths for each in registrations[:2]] == [
            ["/providers/host:1"], ["/providers/host:2"]
        ]  # fmt: skip
        assert registrations.states == {registrations[0].state: 1000}
        assert repr(registrations) == "<Registrations: 1000 registered>"
        assert names(other) == NAMES
        assert owners(other) == {session_id(zk)}
        assert other.get_acl("/providers/host:7")[1] == zc.zk.READ_ACL_UNSAFE
        assert other.get_properties("/providers/host:7") == {"pid": os.getpid(), "load": 1}

    def test_each_is_a_registration_of_its_own(self, zk, other) -> None:
        registrations = zk.register_all(
            [("/providers", "a", {"load": 1}), ("/providers", "b"), ("/providers", ("c", 1))],
            zc.zk.OPEN_ACL_UNSAFE,
            load=2,
        )
        assert [each.properties["load"] for each in registrations] == [1, 2, 2]
        registrations[0].update(load=3)
        registrations[1].unregister()
        assert other.get_properties("/providers/a")["load"] == 3
        assert names(other) == {"a", "c:1"}
        assert other.get_acl("/providers/a")[1] == zc.zk.OPEN_ACL_UNSAFE

    def test_none_is_nothing_to_do(self, zk, other) -> None:
        assert list(zk.register_all([])) == []
        assert repr(zk.register_all([])) == "<Registrations: none>"

    def test_all_end_together(self, zk, other) -> None:
        with zk.register_all(SERVERS) as registrations:
            assert names(other) == NAMES
            registrations[0].unregister()
        assert names(other) == set()
        registrations.unregister()
        assert registrations.states == {registrations[0].state: 1000}
        assert str(registrations[0].state) == "ended"
        assert not is_left(zk._ephemerals.registry)

    def test_they_may_be_at_many_paths_with_links_in_them(self, zk, other) -> None:
        other.create("/links", '{"providers ->": "/providers"}')
        other.create("/more")
        registrations = zk.register_all(
            [("/links/providers", ("linked", port)) for port in range(1, 101)]
            + [("/more", ("plain", port)) for port in range(1, 101)]
        )
        assert names(other) == {f"linked:{port}" for port in range(1, 101)}
        assert names(other, "/more") == {f"plain:{port}" for port in range(1, 101)}
        assert registrations[0].paths == ["/providers/linked:1"]

    def test_subscribers_hear_of_each_before_there_is_any(self, zk, other, monkeypatch) -> None:
        heard = []

        def hear(happened: Any) -> None:
            heard.append((happened.name, len(names(other))))
            happened.properties["heard"] = True

        monkeypatch.setattr(event, "notify", hear)
        zk.register_all(SERVERS[:5])
        assert heard == [(f"host:{port}", 0) for port in range(1, 6)]
        assert other.get_properties("/providers/host:3")["heard"] is True

    def test_much_data_goes_in_several_transactions(self, zk, other) -> None:
        text = "x" * 20_000
        zk.register_all(SERVERS[:100], text=text)
        assert other.get_properties("/providers/host:100")["text"] == text
        assert len(names(other)) == 100


@pytest.mark.not_emulated("it has no network")
class TestRequests:
    def test_a_thousand_take_a_few(self, client, proxy: TcpProxy, root, other) -> None:
        zk = client(proxy.connection_string + root)
        before = proxy.requests.copy()
        with zk.register_all(SERVERS):
            sent = proxy.requests - before
            assert sent[Op.MULTI] <= 10
            assert sent[Op.CREATE] == 0
            assert names(other) == NAMES
            wait_until(lambda: not zk._ephemerals.registry.schedule._due, "all is done")
            before = proxy.requests.copy()
        sent = proxy.requests - before
        assert names(other) == set()
        assert sent[Op.DELETE] == 0
        assert sent[Op.MULTI] <= 40

    def test_links_to_their_place_are_followed_once(self, client, proxy, root, other) -> None:
        other.create("/links", '{"providers ->": "/providers"}')
        zk = client(proxy.connection_string + root)
        before = proxy.requests.copy()
        zk.register_all([("/links/providers", ("host", port)) for port in range(1, 1001)])
        sent = proxy.requests - before
        assert names(other) == NAMES
        assert sent[Op.MULTI] <= 20
        assert sent[Op.CREATE] == 0
        assert sent[Op.GET_DATA] + sent[Op.EXISTS] < 30


class TestRefusals:
    @pytest.mark.parametrize("count", [3, 1000])
    def test_one_without_a_place_is_named_and_none_is_registered(self, zk, other, count) -> None:
        servers = [*SERVERS[: count - 1], ("/nowhere", ("host", 1))]
        with pytest.raises(zookeeper.NoNodeException) as refusal:
            zk.register_all(servers)
        assert f"/nowhere/host:1 cannot be registered: none of {count} servers is" in str(
            refusal.value
        )
        assert names(other) == set()
        assert not is_left(zk._ephemerals.registry)
        zk.register_all(SERVERS)
        assert names(other) == NAMES

    def test_one_that_is_not_permitted_is_named(self, zk, other) -> None:
        other.create("/closed", "", zc.zk.READ_ACL_UNSAFE)
        servers = [*SERVERS, ("/closed", ("host", 1)), ("/closed", ("host", 2))]
        with pytest.raises(zookeeper.NoAuthException) as refusal:
            zk.register_all(servers)
        assert "/closed/host:1 cannot be registered nor 1 others" in str(refusal.value)
        assert names(other) == set()

    def test_a_node_that_is_there_for_good_is_named(self, zk, other) -> None:
        other.create("/providers/host:500", "for good")
        with pytest.raises(zookeeper.NodeExistsException, match=r"host:500.*it is not ephemeral"):
            zk.register_all(SERVERS)
        assert names(other) == {"host:500"}

    @pytest.mark.parametrize("earlier", [True, False])
    def test_an_address_twice_is_named_and_nothing_is_sent(self, zk, other, earlier) -> None:
        if earlier:
            zk.register(*SERVERS[0])
        with pytest.raises(zookeeper.NodeExistsException, match=r"host:1: .* has it already"):
            zk.register_all([*SERVERS, *([] if earlier else SERVERS[:1])])
        assert names(other) == ({"host:1"} if earlier else set())

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            (("/providers", ("host", 0)), ValueError),
            (("providers", "a"), zookeeper.BadArgumentsException),
            (("/providers", "a", {"x": float("nan")}), ValueError),
            (("/providers",), TypeError),
        ],
    )
    def test_a_mistake_is_told_before_anything_is_sent(
        self, zk, other, monkeypatch, wrong, fault
    ) -> None:
        def send(*arguments: object, **more: object) -> None:
            raise AssertionError("nothing is to be sent")

        monkeypatch.setattr(zookeeper, "write_many", send)
        monkeypatch.setattr(zookeeper, "create", send)
        with pytest.raises(fault):
            zk.register_all([*SERVERS[:10], wrong])
        assert not is_left(zk._ephemerals.registry)

    def test_an_interrupt_leaves_none(self, zk, other, monkeypatch) -> None:
        write_many = zookeeper.write_many

        def interrupted(*arguments: Any, **more: Any) -> None:
            write_many(*arguments, **more)
            monkeypatch.setattr(zookeeper, "write_many", write_many)
            raise KeyboardInterrupt

        monkeypatch.setattr(zookeeper, "write_many", interrupted)
        with pytest.raises(KeyboardInterrupt):
            zk.register_all(SERVERS[:100])
        zk._session.wake()
        wait_until(lambda: names(other) == set(), "none is left", 30)
        wait_until(lambda: not is_left(zk._ephemerals.registry), "all is done", 30)


class TestBadDays:
    def test_one_that_another_session_has_is_waited_for(self, zk, other, client) -> None:
        rival = client()
        rival.register(*SERVERS[6])
        registrations = zk.register_all(SERVERS)
        assert str(registrations[6].state) == "waiting"
        assert sum(registrations.states.values()) == 1000
        assert registrations.states[registrations[0].state] == 999
        rival.close()
        wait_until(lambda: owners(other) == {session_id(zk)}, "all are ours", 30)

    def test_all_return_after_an_expiry(self, zk, other, connection_string) -> None:
        registrations = zk.register_all(SERVERS, load=1)
        expire(zk, connection_string)
        wait_until(
            lambda: names(other) == NAMES and owners(other) == {session_id(zk)},
            lambda: f"all are there: {registrations}",
            30,
        )
        wait_until(lambda: len(registrations.states) == 1, lambda: repr(registrations), 30)

    @pytest.mark.not_emulated("its callbacks have seen each change by itself")
    def test_those_who_follow_the_list_find_all_back_at_the_first_look(
        self, zk, other, connection_string
    ) -> None:
        zk.register_all(SERVERS)
        others = [zk.properties("/providers"), *(zk.children("/providers") for _ in range(20))]
        lengths = []
        others[-1].callbacks.append(lambda live: lengths.append(len(live)))
        epoch = zk._session.epoch
        expire(zk, connection_string)
        restored = zk._session.maintenance
        wait_until(lambda: restored._restored_epoch > epoch and lengths, "it is restored", 30)
        assert owners(other) == {session_id(zk)}
        assert set(lengths) == {1000}

    @pytest.mark.parametrize("op", [Op.MULTI, Op.EXISTS, Op.MULTI_READ, Op.SET_WATCHES])
    @pytest.mark.not_emulated("it has no network")
    def test_a_connection_lost_while_all_is_restored(
        self, client, proxy: TcpProxy, root, other, connection_string, op: int
    ) -> None:
        zk = client(proxy.connection_string + root)
        registrations = zk.register_all(SERVERS)
        lists = [zk.children("/providers"), zk.properties("/providers")]
        seen: list[int] = []

        def cut(request: Any) -> bool:
            seen.append(request.op)
            if request.op == op and seen.count(op) == 1:
                proxy.cut()
                return False
            return True

        expire(zk, connection_string)
        proxy.on_request = cut
        wait_until(
            lambda: owners(other) == {session_id(zk)} and names(other) == NAMES,
            lambda: repr(registrations),
            60,
        )
        wait_until(lambda: len(registrations.states) == 1, lambda: repr(registrations), 30)
        other.create("/providers/another")
        wait_until(lambda: set(lists[0]) == {*NAMES, "another"}, "changes are seen", 30)
        other.delete("/providers/host:7")
        wait_until(lambda: set(lists[0]) == {*NAMES, "another"}, "it is made again", 30)

    @pytest.mark.not_emulated("it has no network")
    def test_those_of_the_former_session_are_replaced_in_few_requests(
        self, client, proxy: TcpProxy, root, other
    ) -> None:
        """The server has not expired the session yet: its nodes vanish later."""
        zk = client(proxy.connection_string + root)
        with zc.zk.ZooKeeper(other.connection_string, session_timeout=60_000) as former:
            former.register_all(SERVERS, load=1)
            zk.watches.session._handles.former_ids.add(session_id(former))
            before = proxy.requests.copy()
            registrations = zk.register_all(SERVERS, load=2)
            sent = proxy.requests - before
            assert repr(registrations) == "<Registrations: 1000 registered>"
            assert owners(other) == {session_id(zk)}
            assert other.get_properties("/providers/host:7")["load"] == 2
            # A slow machine may have one or the other tried by itself.
            assert sent[Op.MULTI] + sent[Op.CREATE] + sent[Op.DELETE] <= 20
            assert sent[Op.EXISTS] <= 20
        other.sync("/")
        assert names(other) == NAMES

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_without_a_connection_they_are_pending_and_come_later(
        self, client, proxy: TcpProxy, root, other, caplog
    ) -> None:
        zk = client(proxy.connection_string + root)
        proxy.refuse()
        proxy.cut()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        registrations = zk.register_all(SERVERS)
        assert repr(registrations) == "<Registrations: 1000 pending>"
        assert [
            record.levelno for record in caplog.records if "will be registered" in record.message
        ] == [logging.WARNING]
        proxy.allow()
        wait_until(lambda: names(other) == NAMES, "all are there", 30)
        proxy.refuse()
        proxy.cut()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        registrations.unregister()
        proxy.allow()
        wait_until(lambda: names(other) == set(), "none is there", 30)

    def test_a_closed_client_registers_none(self, zk, other) -> None:
        zk.register_all(SERVERS[:5])
        zk.close()
        with pytest.raises(zookeeper.ClosingException):
            zk.register_all(SERVERS[5:10])

    @pytest.mark.parametrize("lost", [0, 1])
    @pytest.mark.not_emulated("it has no network")
    def test_a_lost_answer_leaves_all_registered_in_the_end(
        self, client, proxy: TcpProxy, root, other, lost: int
    ) -> None:
        zk = client(proxy.connection_string + root)
        multis = []

        def drop(request: Any) -> bool:
            if request.op == Op.MULTI:
                multis.append(request)
                return len(multis) - 1 != lost
            return True

        proxy.on_request = drop
        registrations = zk.register_all(SERVERS)
        wait_until(
            lambda: owners(other) == {session_id(zk)} and len(names(other)) == 1000,
            lambda: repr(registrations),
            30,
        )


def test_a_replaced_node_is_never_parted_from_its_deletion() -> None:
    class Attempt:
        def __init__(self, size: int) -> None:
            self.desired = Desired("x" * size, [])

    chosen: Any = [(Attempt(size), None) for size in [10] * 600 + [90_000] * 3]
    cut = list(pieces(chosen))
    assert [each for piece in cut for each in piece] == chosen
    assert [len(piece) for piece in cut] == [250, 250, 101, 1, 1]
