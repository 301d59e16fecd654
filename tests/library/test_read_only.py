"""Clients that can do with reads, while most of the servers are away.

A real server that is cut off from the others lets in clients that say that they only read, if it
may have sessions of its own (local ones), as opening any other session is a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import zc.zk
import zc.zk.event
import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import session_id
from tests.servers import QUICK_START, Ensemble, ensemble_of
from zc.zk.event import ClientEvent, Connected, ReadOnly, Reestablished, SessionEvent
from zc.zk.session.state import NOTHING, State, StateMachine

READ_ONLY_SERVERS = (*QUICK_START, "-Dreadonlymode.enabled=true")
LOCAL_SESSIONS = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
SECONDS = 90


@pytest.fixture
def servers(own_servers_only: None) -> Iterator[Ensemble]:
    with ensemble_of(3, java_options=READ_ONLY_SERVERS, settings=LOCAL_SESSIONS) as running:
        yield running


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[ClientEvent]:
    told: list[ClientEvent] = []
    monkeypatch.setattr(zc.zk.event, "subscribers", [told.append])
    return told


def cut_off(servers: Ensemble) -> None:
    """Leave one server, which knows all that has been written."""
    last, *others = servers.servers
    with zc.zk.ZooKeeper(last.connection_string) as zk:
        zk.sync("/")
    for server in others:
        server.kill()
    wait_until(lambda: last.ask("isro") == "ro", "it knows that it is alone", SECONDS)


def bring_back(servers: Ensemble) -> None:
    for server in servers.servers[1:]:
        server.start()


def wait_for_state(zk: zc.zk.ZooKeeper, state: int) -> None:
    wait_until(lambda: zk.state == state, lambda: f"{state}: {zk.state}", SECONDS)


def kinds(told: list[ClientEvent], zk: zc.zk.ZooKeeper) -> list[type[ClientEvent]]:
    return [type(event) for event in told if event.zk is zk and isinstance(event, SessionEvent)]


@pytest.mark.not_emulated("the server is elsewhere, or nowhere")
def test_it_reads_while_the_quorum_is_lost_and_goes_on_as_before(servers, told) -> None:
    timeout = int(scaled(4000))
    with zc.zk.ZooKeeper(servers.connection_string, timeout, read_only=True) as zk:
        assert zk.state == zookeeper.CONNECTED_STATE
        zk.import_tree("/shop\n  n = 1\n  /providers\n")
        settings, names = zk.properties("/shop"), zk.children("/shop/providers")
        calls = Calls()
        settings(calls)
        kept = zk.register("/shop/providers", "1.2.3.4:1", weight=1)
        withdrawn = zk.register("/shop/providers", "1.2.3.4:2")
        wait_until(lambda: len(names) == 2, "they are seen")
        former = session_id(zk)
        last = servers.servers[0]

        cut_off(servers)
        wait_for_state(zk, zookeeper.READONLY_STATE)
        wait_until(lambda: ReadOnly in kinds(told, zk), "it is told")
        assert "read-only" in repr(zk)
        assert settings["n"] == 1
        assert zk.get_properties("/shop") == {"n": 1}
        assert zk.export_tree("/shop") == "/shop\n  n = 1\n  /providers\n"
        assert sorted(zk.children("/shop/providers")) == ["1.2.3.4:1", "1.2.3.4:2"]
        for write in (
            lambda: zk.set("/shop", "{}"),
            lambda: settings.update(n=2),
            lambda: zk.create("/other"),
            lambda: zk.import_tree("/other"),
            lambda: zk.delete_recursive("/shop", force=True),
        ):
            with pytest.raises(zookeeper.NotReadOnlyException):
                write()
        assert str(kept.state) == "pending"
        late = zk.register("/shop/providers", "1.2.3.4:3")
        assert str(late.state) == "pending"
        kept.update(weight=2)
        withdrawn.unregister()

        # A client that comes at this point can read, too.
        with zc.zk.ZooKeeper(last.connection_string, timeout, read_only=True) as newcomer:
            assert newcomer.state == zookeeper.READONLY_STATE
            assert dict(newcomer.properties("/shop")) == {"n": 1}

        bring_back(servers)
        wait_for_state(zk, zookeeper.CONNECTED_STATE)
        wait_until(lambda: str(kept.state) == str(late.state) == "registered", "back", SECONDS)
        with zc.zk.ZooKeeper(servers.connection_string, timeout) as other:
            other.sync("/shop")
            expected = ["1.2.3.4:1", "1.2.3.4:3"]
            wait_until(lambda: sorted(other.get_children("/shop/providers")) == expected, "all")
            assert other.get_properties("/shop/providers/1.2.3.4:1")["weight"] == 2
            owner = other.get("/shop/providers/1.2.3.4:1")[1]["ephemeralOwner"]
            assert owner == session_id(zk) != former
            other.set("/shop", json.dumps({"n": 3}))
            wait_until(lambda: settings == {"n": 3}, "the change is seen")
        wait_until(lambda: sorted(names) == expected, "and these")
        wait_until(lambda: kinds(told, zk)[-1] is Reestablished, "it is told", SECONDS)
        assert kinds(told, zk)[-2] is Connected


@pytest.mark.not_emulated("the server is elsewhere, or nowhere")
def test_without_being_asked_for_it_waits_for_a_server_that_can_write(servers) -> None:
    with zc.zk.ZooKeeper(servers.connection_string, int(scaled(4000))) as zk:
        zk.create("/n")
        cut_off(servers)
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "it has none", SECONDS)
        with pytest.raises(zookeeper.ZooKeeperException) as caught:
            zk.get("/n", timeout=1)
        assert not isinstance(caught.value, zookeeper.NotReadOnlyException)
        bring_back(servers)
        wait_for_state(zk, zookeeper.CONNECTED_STATE)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_server_that_can_write_is_as_good_with_it(client, read_only) -> None:
    zk = client(read_only=read_only)
    assert zk.state == zookeeper.CONNECTED_STATE
    zk.create("/n")
    with zk.register("/n", "h:1") as registration:
        assert str(registration.state) == "registered"


def test_a_read_only_client_gives_up_a_session_that_can_write_sooner() -> None:
    left = {}
    for read_only in (False, True):
        life = StateMachine(None, read_only=read_only)
        with life.changed:
            life.note_connected(is_new=True, granted_ms=None)
            life.note_disconnected()
        left[read_only] = life.seconds_left(10)
    sooner, later = left[True], left[False]
    assert sooner is not None
    assert later is not None
    assert sooner <= 10 < later


def test_a_session_becomes_read_only_and_whole_again() -> None:
    life = StateMachine(None, read_only=True)
    with life.changed:
        assert life.note_connected(is_new=True, granted_ms=None, read_only=True).event is ReadOnly
        assert (life.state, life.epoch, life.has_session) == (State.READ_ONLY, 1, True)
        assert life.note_connected(is_new=False, granted_ms=None, read_only=True) == NOTHING
        life.note_disconnected()
        assert life.note_connected(is_new=True, granted_ms=None).event is Connected
        assert (life.state, life.epoch, life.connects) == (State.CONNECTED, 2, 2)
