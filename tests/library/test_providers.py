"""From a list of registered servers to the one to call."""

from __future__ import annotations

import logging
import pickle
import threading
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls, InThreads
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from tests.library.forked import Child
from zc.zk.providers import least_used, rendezvous, round_robin, subset, weighted, zone_first

pytestmark = [pytest.mark.quick, pytest.mark.usefixtures("providers")]

PATH = "/providers"


def register(zk: zc.zk.ZooKeeper, *names: str, **properties: Any) -> list[zc.zk.Registration]:
    return [zk.register(PATH, name, pid=1, **properties) for name in names]


def test_it_is_a_mapping_from_address_to_properties_that_is_live(zk, other) -> None:
    servers = zk.providers(PATH)
    assert (dict(servers), len(servers), servers.deleted) == ({}, 0, False)
    one, _two = register(other, "a:1", "b:1", weight=2)
    wait_until(lambda: len(servers) == 2, "both are seen")
    assert dict(servers) == {"a:1": {"pid": 1, "weight": 2}, "b:1": {"pid": 1, "weight": 2}}
    assert "a:1" in servers
    assert "c:1" not in servers
    one.update(weight=3)
    wait_until(lambda: servers["a:1"]["weight"] == 3, "the change is seen")
    one.unregister()
    wait_until(lambda: list(servers) == ["b:1"], "the end is seen")
    with pytest.raises(KeyError):
        servers["a:1"]


def test_properties_are_for_reading(zk) -> None:
    register(zk, "a:1")
    with pytest.raises(TypeError, match="does not support item assignment"):
        zk.providers(PATH)["a:1"]["weight"] = 3


def test_servers_are_picked_one_after_the_other(zk) -> None:
    register(zk, "a:1", "b:1", "c:1")
    servers = zk.providers(PATH)
    picked = [servers.pick().address for _ in range(6)]
    assert sorted(picked[:3]) == ["a:1", "b:1", "c:1"]
    assert picked[:3] == picked[3:]
    provider = servers.pick()
    assert f"{provider.host}:{provider.port}" == provider.address
    assert provider.properties == {"pid": 1}


@pytest.mark.parametrize(
    "strategy",
    [round_robin, least_used, rendezvous, weighted(), zone_first("a"), subset(2, "me")],
)
def test_each_strategy_follows_the_list(zk, other, strategy) -> None:
    servers = zk.providers(PATH, strategy)
    with pytest.raises(zc.zk.NoProvider):
        servers.pick("key")
    (one,) = register(other, "a:1")
    wait_until(lambda: len(servers) == 1, "it is seen")
    assert {servers.pick("key").address for _ in range(4)} == {"a:1"}
    register(other, "b:1")
    one.unregister()
    wait_until(lambda: list(servers) == ["b:1"], "the change is seen")
    assert {servers.pick("key").address for _ in range(4)} == {"b:1"}


def test_a_program_may_have_a_strategy_of_its_own(zk) -> None:
    register(zk, "a:1", version=1)
    register(zk, "b:1", version=2)

    def newest(candidates, picks):
        best = max(candidates, key=lambda each: each.properties["version"])
        return lambda key: best

    assert {zk.providers(PATH, newest).pick().address for _ in range(3)} == {"b:1"}


def test_links_are_followed(zk, other) -> None:
    zk.create("/shop")
    zk.ln("/providers", "/shop/prices")
    register(zk, "a:1")
    servers = zk.providers("/shop/prices")
    assert (servers.real_path, servers.pick().address) == ("/providers", "a:1")
    zk.create("/newer")
    zk.register("/newer", "b:1")
    zk.properties("/shop").update({"prices ->": "/newer"})
    wait_until(lambda: list(servers) == ["b:1"], "the other end is seen")


def test_there_is_no_such_service_without_a_node(zk) -> None:
    with pytest.raises(zookeeper.NoNodeException):
        zk.providers("/nothing")


def test_a_node_that_goes_takes_its_servers_and_brings_them_back(zk, other) -> None:
    zk.create("/late")
    registration = other.register("/late", "a:1")
    servers = zk.providers("/late")
    registration.unregister()
    wait_until(lambda: not other.get_children("/late"), "it is gone")
    other.delete("/late")
    wait_until(lambda: servers.deleted, "the end is seen")
    with pytest.raises(zc.zk.NoProvider, match="at /late: 0 registered"):
        servers.pick()
    other.create("/late")
    other.register("/late", "b:1")
    wait_until(lambda: list(servers) == ["b:1"], "the return is seen")


def test_callbacks_hear_of_servers_and_of_their_properties(zk, other) -> None:
    seen = []
    callback = Calls(lambda servers: seen.append({name: dict(servers[name]) for name in servers}))
    _servers = zk.providers(PATH)(callback)
    (one,) = register(other, "a:1")
    callback.wait(2)
    one.update(draining=True)
    wait_until(lambda: seen[-1] == {"a:1": {"pid": 1, "draining": True}}, lambda: f"all: {seen}")


def test_many_servers_are_read_in_few_requests(zk, other) -> None:
    other.write_many(
        [("create", f"/providers/10.0.0.{n}:80", "", zc.zk.OPEN_ACL_UNSAFE, 0) for n in range(200)]
    )
    assert len(zk.providers(PATH)) == 200


# Draining, failures


@pytest.fixture
def long_out(monkeypatch) -> None:
    """Have servers that failed be out for as long as a test may take."""
    monkeypatch.setattr("zc.zk.providers.outliers.FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr("zc.zk.providers.outliers.MAX_PAUSE_SECONDS", 3600.0)


def test_a_server_that_drains_is_passed_over(zk, other) -> None:
    one, _two = register(other, "a:1", "b:1")
    servers = zk.providers(PATH)
    one.update(draining=True)
    wait_until(lambda: servers["a:1"].get("draining"), "it is seen")
    assert [each.address for each in servers.available] == ["b:1"]
    assert {servers.pick().address for _ in range(4)} == {"b:1"}
    one.update(draining=False)
    wait_until(lambda: not servers["a:1"]["draining"], "it is seen")
    assert {servers.pick().address for _ in range(4)} == {"a:1", "b:1"}


def test_a_server_that_failed_is_passed_over_until_it_succeeds(zk, long_out) -> None:
    register(zk, "a:1", "b:1")
    servers = zk.providers(PATH)
    servers.failed("a:1")
    assert {servers.pick().address for _ in range(4)} == {"b:1"}
    servers.succeeded("a:1")
    assert {servers.pick().address for _ in range(4)} == {"a:1", "b:1"}
    servers.failed(next(each for each in servers.available if each.address == "b:1"))
    assert {servers.pick().address for _ in range(4)} == {"a:1"}


def test_a_server_that_failed_is_back_after_a_while(zk) -> None:
    register(zk, "a:1", "b:1")
    servers = zk.providers(PATH)
    servers.failed("a:1")
    wait_until(lambda: servers.pick().address == "a:1", "it is tried again")


def test_the_last_servers_stay_whatever_fails(zk, long_out) -> None:
    register(zk, "a:1", "b:1", "c:1", "d:1")
    servers = zk.providers(PATH, kept_share=0.75)
    for address in servers:
        servers.failed(address)
    assert len(servers.available) == 3


def test_a_failure_of_a_stranger_takes_nobody_out(zk) -> None:
    register(zk, "a:1", "b:1")
    servers = zk.providers(PATH)
    servers.failed("c:1")
    servers.succeeded("d:1")
    assert len(servers.available) == 2


def test_those_tried_already_are_passed_over(zk) -> None:
    register(zk, "a:1", "b:1", "c:1")
    servers = zk.providers(PATH, rendezvous)
    order: list[str] = []
    for _ in range(3):
        order.append(servers.pick("key", but_not=order).address)
    assert sorted(order) == ["a:1", "b:1", "c:1"]
    with pytest.raises(zc.zk.NoProvider, match=r"3 registered \(3 tried already\)"):
        servers.pick("key", but_not=order)


def test_calls_under_way_are_counted(zk) -> None:
    register(zk, "a:1", "b:1")
    servers = zk.providers(PATH, least_used)
    with servers.using() as one, servers.using() as two:
        assert {one.address, two.address} == {"a:1", "b:1"}
        with pytest.raises(LookupError), servers.using():
            raise LookupError
        with servers.using(but_not=[one.address]) as three:
            assert three.address == two.address
            assert servers.pick().address == one.address


# Nobody there


def test_an_exception_says_where_it_looked_and_at_how_many(zk, caplog) -> None:
    register(zk, "a:1", "b:1", draining=True)
    register(zk, "no-address")
    with pytest.raises(zc.zk.NoProvider) as caught:
        zk.providers(PATH).pick()
    fault = caught.value
    assert str(fault) == (
        "no server to call at /providers: 3 registered (2 draining, 1 without an address)"
    )
    assert (fault.path, fault.registered, fault.draining, fault.unusable) == (PATH, 3, 2, 1)
    assert isinstance(fault, zc.zk.Error)
    assert str(pickle.loads(pickle.dumps(fault))) == str(fault)
    assert "passes over what is no address of the form host:port: 'no-address'" in caplog.text


def test_the_first_server_can_be_waited_for(zk, other) -> None:
    servers = zk.providers(PATH)
    found = Calls()
    waiting = InThreads([lambda: found(servers.wait(scaled(30)))])
    register(other, "a:1")
    waiting.join()
    assert found.wait_one()[0].address == "a:1"
    assert servers.wait(0).address == "a:1"


def test_waiting_goes_on_until_a_server_takes_work(zk, other) -> None:
    (one,) = register(other, "a:1", draining=True)
    servers = zk.providers(PATH)
    found = Calls()
    waiting = InThreads([lambda: found(servers.wait(scaled(30)))])
    one.update(draining=False)
    waiting.join()
    assert found.wait_one()[0].properties["draining"] is False


def test_waiting_ends_with_its_deadline(zk) -> None:
    with pytest.raises(zc.zk.NoProvider, match="0 registered"):
        zk.providers(PATH).wait(0.01)


def test_waiting_ends_when_the_client_is_closed(zk) -> None:
    servers = zk.providers(PATH)
    begun = threading.Event()
    waiting = InThreads([lambda: (begun.set(), servers.wait(scaled(30)))])
    assert begun.wait(30)
    zk.close()
    waiting.join()
    assert waiting.raised == [zookeeper.ClosingException]


# Bad days


@pytest.mark.not_emulated("it has no connection to lose")
def test_a_list_goes_on_being_used_without_a_connection_and_tells_its_age(client) -> None:
    with zc.zk.testing.Server() as server:
        with zc.zk.ZooKeeper(server.connection_string) as zk:
            zk.create("/providers")
            registration = zk.register(PATH, "a:1")
            servers = zk.providers(PATH)
            assert servers.age == 0.0
            server.stop()
            wait_until(lambda: servers.age > 0, "the loss is seen")
            assert servers.pick().address == "a:1"
            first = servers.age
            wait_until(lambda: servers.age > first, "it grows")
            servers.failed("a:1")
            assert servers.pick().address == "a:1"
            with pytest.raises(
                zc.zk.NoProvider, match=r"as of \d+ seconds ago, as there is no conn"
            ):
                servers.pick(but_not=["a:1"])
            server.start()
            wait_until(lambda: servers.age == 0.0, "it is back", 30)
            wait_until(lambda: registration.state == "registered", "so is the server", 30)
            wait_until(lambda: list(servers) == ["a:1"], "it is seen")


def test_a_new_session_reads_all_again(zk, other, connection_string) -> None:
    register(other, "a:1")
    servers = zk.providers(PATH)
    expire(zk, connection_string)
    register(other, "b:1")
    wait_until(lambda: sorted(servers) == ["a:1", "b:1"], "it is seen")
    assert {servers.pick().address for _ in range(2)} == {"a:1", "b:1"}


def test_a_server_whose_properties_are_secret_can_be_called(zk, other) -> None:
    other.add_auth("digest", "me:secret")
    secret = [zc.zk.digest_acl("me", "secret")]
    other.create("/providers/a:1", '{"weight": 2}', secret)
    servers = zk.providers(PATH)
    assert dict(servers) == {"a:1": {}}
    assert servers.pick().address == "a:1"


def test_bad_json_keeps_the_last_good_properties(zk, other, caplog) -> None:
    other.create("/providers/a:1", '{"weight": 2}')
    servers = zk.providers(PATH)
    other.set("/providers/a:1", '{"weight": }')
    other.create("/providers/b:1")
    wait_until(lambda: "b:1" in servers, "the changes are seen")
    assert servers["a:1"] == {"weight": 2}
    assert "keeping the last good" in caplog.text


def test_picking_goes_on_in_many_threads_while_servers_come_and_go(zk, other) -> None:
    register(zk, "z:1")
    servers = zk.providers(PATH, least_used)
    over = threading.Event()
    strange: list[object] = []

    def pick() -> None:
        while not over.is_set():
            with servers.using() as provider:
                servers.failed(provider)
                servers.succeeded(provider)
            if not isinstance(provider, zc.zk.Provider):
                strange.append(provider)

    threads = InThreads([pick] * 4)
    try:
        for turn in range(5):
            for registration in register(other, *(f"h{n}:1" for n in range(5))):
                registration.unregister()
            wait_until(lambda: list(servers) == ["z:1"], f"the end of turn {turn} is seen")
    finally:
        over.set()
        threads.join()
    assert (threads.raised, strange) == ([], [])


def test_a_dropped_object_is_not_followed_any_more(zk) -> None:
    servers = zk.providers(PATH)
    assert len(zk.watches) == 1
    del servers
    assert len(zk.watches) == 0


def test_its_repr_names_the_path(zk) -> None:
    servers = zk.providers(PATH)
    assert repr(servers) == f"zc.zk.Providers({zk.handle}, {PATH})"
    assert len({servers, zk.providers(PATH)}) == 2


@pytest.mark.not_emulated("other processes do not reach it")
def test_a_forked_child_goes_on_after_reopen(zk, other) -> None:
    register(other, "a:1")
    servers = zk.providers(PATH)
    servers.failed("a:1")

    def work(child: Child) -> None:
        try:
            servers.wait(1, but_not=["a:1"])
        except zookeeper.ForkedException:
            child.tell((servers.pick().address, servers.age))
        zk.reopen()
        child.tell("open")
        wait_until(lambda: sorted(servers) == ["a:1", "b:1"], "the change is seen", 60)
        child.tell((sorted({servers.pick().address for _ in range(4)}), servers.age))
        zk.close()

    child = Child(work)
    assert child.hear() == "('a:1', inf)"
    assert child.hear() == "open"
    register(other, "b:1")
    heard = child.hear()
    child.join()
    assert heard == "(['b:1'], 0.0)"


def test_a_name_that_is_no_address_is_told_once(zk, other, caplog) -> None:
    caplog.set_level(logging.WARNING)
    register(other, "no-address")
    servers = zk.providers(PATH)
    register(other, "a:1")
    wait_until(lambda: len(servers) == 2, "it is seen")
    assert {servers.pick().address for _ in range(3)} == {"a:1"}
    servers.failed("a:1")
    assert servers.pick().address == "a:1"
    assert caplog.text.count("'no-address'") == 1
