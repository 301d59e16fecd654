"""Servers that are registered, and stay so: the client reconciles them."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import end_session, expire, session_id
from tests.library.providers import ADDRESS, PATH, data_of
from tests.ports import free_ports
from tests.servers import standalone
from tests.tcpproxy import TO_CLIENT
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE
from zc.zk.registration.persistent import reconcile
from zc.zk.registration.step import RegistrationState
from zc.zk.watching.dependencies import UNREAD

pytestmark = pytest.mark.usefixtures("providers")


def owner_of(zk: zc.zk.ZooKeeper, path: str = PATH) -> int:
    stat = zk.exists(path)
    return stat["ephemeralOwner"] if stat else 0


@pytest.fixture
def no_new_session(zk: zc.zk.ZooKeeper, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return an event; as long as it is not set, the client gets no handle.

    Its name server does not answer.
    """
    init = zookeeper.init
    is_known = threading.Event()

    def without_name_server(hosts: str, *arguments: Any) -> int:
        if hosts == zk.connection_string and not is_known.is_set():
            raise zookeeper.error(zookeeper.SYSTEMERROR, None, "no name server answers")
        return init(hosts, *arguments)

    monkeypatch.setattr(zookeeper, "init", without_name_server)
    return is_known


def wait_for(registration: zc.zk.Registration, state: str) -> None:
    wait_until(lambda: str(registration.state) == state, lambda: f"{registration} is {state}", 30)


class TestRegistering:
    def test_there_is_an_ephemeral_node_that_only_can_be_read(self, zk, other) -> None:
        zk.register_server("/providers", ADDRESS)
        assert other.get_children("/providers") == ["1.2.3.4:80"]
        assert owner_of(other) == session_id(zk)
        assert other.get_acl(PATH)[1] == READ_ACL_UNSAFE
        assert data_of(other) == {"pid": os.getpid()}

    def test_data_and_acl_can_be_given(self, zk, other) -> None:
        zk.register_server("/providers", ADDRESS, OPEN_ACL_UNSAFE, version="1.0", pid=42)
        assert other.get_acl(PATH)[1] == OPEN_ACL_UNSAFE
        assert data_of(other) == {"pid": 42, "version": "1.0"}

    @pytest.mark.parametrize(
        ("address", "name"),
        [
            (("1.2.3.4", 80), "1.2.3.4:80"),
            ("1.2.3.4:80", "1.2.3.4:80"),
            ("[::1]:80", "[::1]:80"),
            (("::1", 80), "[::1]:80"),
            (("::1", 80, 0, 0), "[::1]:80"),
            (("example.com", 8080), "example.com:8080"),
            (("h", "8080"), "h:8080"),
            ("addr", "addr"),
            ("a:b", "a:b"),
        ],
    )
    def test_addresses_come_in_many_forms(self, zk, other, address, name) -> None:
        registration = zk.register("/providers", address)
        assert registration.paths == [f"/providers/{name}"]
        assert other.get_children("/providers") == [name]

    @pytest.mark.parametrize("address", ["", "a/b", ("a/b", 80), ("host", 0), 80, None])
    def test_a_bad_address_is_refused(self, zk, address) -> None:
        with pytest.raises(ValueError, match=r"address|port|host"):
            zk.register_server("/providers", address)
        assert zk.get_children("/providers") == []

    def test_a_blank_host_registers_every_address(self, zk, other, monkeypatch) -> None:
        monkeypatch.setattr(
            "zc.zk.registration.address.hosts_of_blank", lambda: ["10.0.0.1", "10.0.0.2"]
        )
        registration = zk.register("/providers", ("", 80), name="x")
        assert sorted(other.get_children("/providers")) == ["10.0.0.1:80", "10.0.0.2:80"]
        assert sorted(registration.paths) == ["/providers/10.0.0.1:80", "/providers/10.0.0.2:80"]
        assert data_of(other, "/providers/10.0.0.2:80")["name"] == "x"
        registration.unregister()
        assert other.get_children("/providers") == []

    def test_of_several_nodes_all_or_none_are_registered(self, zk, other, monkeypatch) -> None:
        monkeypatch.setattr(
            "zc.zk.registration.address.hosts_of_blank", lambda: ["10.0.0.1", "10.0.0.2"]
        )
        other.create("/providers/10.0.0.2:80")
        with pytest.raises(zookeeper.NodeExistsException):
            zk.register_server("/providers", ("", 80))
        assert other.get_children("/providers") == ["10.0.0.2:80"]

    def test_the_registration_is_what_register_returns(self, zk, other) -> None:
        assert zk.register_server("/providers", ADDRESS, OPEN_ACL_UNSAFE, weight=1) is None
        assert data_of(other) == {"pid": os.getpid(), "weight": 1}
        assert other.get_acl(PATH)[1] == OPEN_ACL_UNSAFE
        assert zk.register("/providers", "a:1").paths == ["/providers/a:1"]

    def test_the_path_may_be_the_root(self, zk, other) -> None:
        assert zk.register("/", ADDRESS).paths == ["/1.2.3.4:80"]
        assert other.exists("/1.2.3.4:80")

    def test_links_in_the_path_are_followed(self, zk, other) -> None:
        zk.import_tree("/service\n  link -> /providers\n  dots -> ../service/./link\n")
        assert zk.register("/service/link", ADDRESS).paths == [PATH]
        assert zk.register("/service/dots", "a:1").paths == ["/providers/a:1"]
        assert zk.register("/service/../providers", "b:1").paths == ["/providers/b:1"]

    def test_a_missing_path_is_an_error_that_names_it(self, zk) -> None:
        with pytest.raises(zookeeper.NoNodeException) as caught:
            zk.register_server("/missing/path", ADDRESS)
        assert caught.value.path == "/missing/path"

    def test_the_same_address_twice_is_an_error(self, zk, other) -> None:
        first = zk.register("/providers", ADDRESS, version=1)
        zk.import_tree("/service\n  link -> /providers\n")
        for path in ("/providers", "/service/link"):
            with pytest.raises(zookeeper.NodeExistsException):
                zk.register_server(path, ADDRESS, version=2)
        assert data_of(other)["version"] == 1
        first.unregister()
        zk.register_server("/providers", ADDRESS, version=3)
        assert data_of(other)["version"] == 3

    def test_a_node_that_is_there_for_good_is_an_error(self, zk, other) -> None:
        other.create(PATH)
        with pytest.raises(zookeeper.NodeExistsException) as caught:
            zk.register_server("/providers", ADDRESS)
        assert caught.value.path == PATH
        other.delete(PATH)
        zk.register_server("/providers", ADDRESS)
        assert owner_of(other) == session_id(zk)

    @pytest.mark.parametrize("number", [float("nan"), float("-inf")])
    def test_numbers_that_json_does_not_have_are_refused(self, zk, other, number) -> None:
        with pytest.raises(ValueError, match="property 'load': NaN and infinity"):
            zk.register("/providers", ADDRESS, load=number)
        assert zk.get_children("/providers") == []
        registration = zk.register("/providers", ADDRESS, load=1)
        before = other.get(PATH)
        with pytest.raises(ValueError, match="property 'load': NaN and infinity"):
            registration.update(load=[number])
        assert other.get(PATH) == before

    def test_a_value_that_json_cannot_hold_is_refused(self, zk) -> None:
        with pytest.raises(ValueError, match="JSON"):
            zk.register_server("/providers", ADDRESS, data=object())
        assert zk.get_children("/providers") == []


class TestEvents:
    @pytest.fixture
    def events(self, monkeypatch) -> Calls:
        events = Calls()
        monkeypatch.setattr(zc.zk.event, "notify", events)
        return events

    def test_subscribers_are_told_before_there_is_a_node(self, zk, monkeypatch) -> None:
        seen = []

        def notify(event: object) -> None:
            seen.append((repr(event), zk.get_children("/providers")))

        monkeypatch.setattr(zc.zk.event, "notify", notify)
        zk.register_server("/providers", ADDRESS, pid=1)
        assert seen == [("RegisteringServer('1.2.3.4:80', '/providers', {'pid': 1})", [])]

    def test_subscribers_may_add_to_the_properties(self, zk, other, monkeypatch) -> None:
        monkeypatch.setattr(zc.zk.event, "notify", lambda event: event.properties.update(rack="r1"))
        zk.register_server("/providers", ADDRESS, pid=1)
        assert data_of(other) == {"pid": 1, "rack": "r1"}

    def test_a_subscriber_that_fails_stops_the_registration(self, zk, monkeypatch) -> None:
        def notify(event: object) -> None:
            raise LookupError("not today")

        monkeypatch.setattr(zc.zk.event, "notify", notify)
        with pytest.raises(LookupError):
            zk.register_server("/providers", ADDRESS)
        assert zk.get_children("/providers") == []


class TestTheRegistration:
    def test_it_tells_where_and_how(self, zk) -> None:
        registration = zk.register("/providers", ADDRESS, pid=1)
        assert repr(registration) == f"<Registration {PATH}: registered>"
        assert (registration.paths, registration.properties) == ([PATH], {"pid": 1})
        registration.unregister()
        assert str(registration.state) == "ended"

    @pytest.mark.parametrize("acl", [READ_ACL_UNSAFE, OPEN_ACL_UNSAFE])
    def test_its_data_can_be_updated(self, zk, other, acl) -> None:
        registration = zk.register("/providers", ADDRESS, acl, pid=1, load=0)
        registration.update({"load": 1}, zone="a")
        assert data_of(other) == {"pid": 1, "load": 1, "zone": "a"}
        assert owner_of(other) == session_id(zk)
        assert other.get_acl(PATH)[1] == acl
        assert registration.properties == {"pid": 1, "load": 1, "zone": "a"}

    def test_an_update_is_not_seen_as_a_server_that_went(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS, load=0)
        callback = Calls()
        children = other.children("/providers")(callback)
        registration.update(load=1)
        other.create("/providers/last")
        callback.wait(2)
        wait_until(lambda: len(children) == 2, "both are there")
        assert len(callback) == 2

    def test_unregistering_deletes_the_node_for_good(self, zk, other, connection_string) -> None:
        registration = zk.register("/providers", ADDRESS)
        registration.unregister()
        assert not other.exists(PATH)
        registration.unregister()
        expire(zk, connection_string)
        zk.sync("/")
        assert not other.exists(PATH)

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_one_that_has_ended_leaves_nothing_though_the_keeper_comes_late(
        self, zk, other
    ) -> None:
        """The program may end a registration after the keeper has taken it out."""
        registration = zk.register("/providers", ADDRESS)
        (node,) = registration._properties
        registration.unregister()
        assert reconcile(zk.handle, node)
        assert not other.exists(PATH)
        known = zk.watches._dependencies
        wait_until(lambda: not known.subscriptions() and not known.nodes(), "nothing is watched")

    def test_leaving_a_with_block_unregisters(self, zk, other) -> None:
        with zk.register("/providers", ADDRESS):
            assert other.exists(PATH)
        assert not other.exists(PATH)

    def test_it_need_not_be_kept(self, zk, other, connection_string) -> None:
        zk.register_server("/providers", ADDRESS)
        expire(zk, connection_string)
        wait_until(lambda: owner_of(other) == session_id(zk), "the node is there again")

    def test_deleting_the_node_through_the_client_ends_it(
        self, zk, other, connection_string
    ) -> None:
        registration = zk.register("/providers", ADDRESS)
        zk.delete(PATH)
        assert str(registration.state) == "ended"
        expire(zk, connection_string)
        zk.sync("/")
        assert not other.exists(PATH)

    def test_a_deletion_that_is_refused_does_not_end_it(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        with pytest.raises(zookeeper.BadVersionException):
            zk.delete(PATH, 17)
        other.delete(PATH)
        wait_until(lambda: owner_of(other) == session_id(zk), "it is registered again")
        wait_for(registration, "registered")

    @pytest.mark.parametrize("name", ["multi", "amulti", "write_many"])
    @pytest.mark.parametrize("bad", [("delete",), (), None, 17])
    def test_a_transaction_that_is_none_leaves_it_as_it_is(self, zk, other, name, bad) -> None:
        registration = zk.register("/providers", ADDRESS)
        with pytest.raises((zookeeper.BadArgumentsException, ValueError, TypeError)):
            getattr(zk, name)([("delete", PATH), bad])
        other.delete(PATH)
        wait_until(lambda: owner_of(other) == session_id(zk), "it is registered again")
        wait_for(registration, "registered")

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_deletion_cut_off_before_it_is_sent_leaves_it_as_it_is(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        (node,) = zk._ephemerals.registry.nodes()
        (cached,) = node.subscription.nodes.values()
        hold = zk._ephemerals.hold(PATH)
        other.delete(PATH)
        gone = zookeeper.NoNodeException
        wait_until(lambda: isinstance(cached.answer, gone), "it is noticed")
        assert str(registration.state) == "registered", "nobody has looked after the deletion"
        schedule = zk._ephemerals.registry.schedule
        wait_until(lambda: schedule.seconds_left() is None, "it is left alone")
        del hold
        wait_until(lambda: owner_of(other) == session_id(zk), "it is registered again")

    def test_delete_recursive_by_force_ends_it(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        zk.delete_recursive("/providers", force=True)
        assert str(registration.state) == "ended"
        assert not other.exists("/providers")


class TestCuratorsChecklist:
    """Curator's PersistentNode had to learn these; each has one test."""

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    def test_registering_while_there_is_no_server(self, client) -> None:
        with standalone() as server:
            zk = client(server.connection_string, session_timeout=60_000)
            zk.create("/providers")
            server.kill()
            wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
            registration = zk.register("/providers", ADDRESS, pid=1)
            assert str(registration.state) == "pending"
            registration.update(load=5)
            server.start()
            server.wait_until_serving()
            wait_for(registration, "registered")
            assert data_of(zk) == {"pid": 1, "load": 5}
            zk.close()

    def test_data_that_are_set_while_there_is_no_connection(
        self, client, proxy, root, other
    ) -> None:
        zk = client(proxy.connection_string + root)
        registration = zk.register("/providers", ADDRESS, load=0)
        proxy.refuse()
        proxy.cut()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        registration.update(load=1)
        registration.update(load=2)
        proxy.allow()
        wait_until(lambda: other.exists(PATH) and data_of(other)["load"] == 2, "it is written", 30)
        assert owner_of(other) == session_id(zk)

    def test_unregistering_while_there_is_no_connection(self, client, proxy, root, other) -> None:
        zk = client(proxy.connection_string + root, session_timeout=60_000)
        registration = zk.register("/providers", ADDRESS)
        proxy.refuse()
        proxy.cut()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        registration.unregister()
        assert other.exists(PATH)
        proxy.allow()
        wait_until(lambda: not other.exists(PATH), "it is gone", 30)
        wait_for(registration, "ended")

    def test_a_session_that_is_lost_several_times(self, zk, other, connection_string) -> None:
        registration = zk.register("/providers", ADDRESS, pid=1)
        for load in range(4):
            expire(zk, connection_string)
            registration.update(load=load)
            wait_until(lambda: owner_of(other) == session_id(zk), "it is registered again")
            assert data_of(other) == {"pid": 1, "load": load}

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_while_there_is_no_session_it_is_pending(
        self, zk, other, connection_string, no_new_session
    ) -> None:
        registration = zk.register("/providers", ADDRESS)
        assert registration.state == "registered"
        end_session(zk, connection_string)
        assert registration.state == "pending"
        no_new_session.set()
        wait_for(registration, "registered")
        assert owner_of(other) == session_id(zk)

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_node_made_for_good_meanwhile_is_nobodys_former_one(
        self, zk, other, connection_string, no_new_session
    ) -> None:
        registration = zk.register("/providers", ADDRESS)
        end_session(zk, connection_string)
        wait_until(lambda: not other.exists(PATH), "the former one is gone", 30)
        other.create(PATH, "for good")
        no_new_session.set()
        wait_for(registration, "waiting")
        assert other.get(PATH)[0] == "for good"
        other.delete(PATH)
        wait_for(registration, "registered")

    def test_a_node_of_another_session_that_then_ends(self, zk, client, other, caplog) -> None:
        crashed = client()
        crashed.register_server("/providers", ADDRESS, pid=1)
        registration = zk.register("/providers", ADDRESS, pid=2)
        assert str(registration.state) == "waiting"
        assert data_of(other) == {"pid": 1}
        crashed.close()
        wait_until(lambda: owner_of(other) == session_id(zk), "it is ours")
        assert data_of(other) == {"pid": 2}
        wait_for(registration, "registered")
        messages = [r for r in caplog.records if PATH in r.getMessage() and r.name == "zc.zk"]
        assert len([r for r in messages if r.levelno == logging.WARNING]) == 1

    def test_another_session_that_takes_the_name_after_an_expiry(
        self, zk, client, other, connection_string
    ) -> None:
        registration = zk.register("/providers", ADDRESS, pid=1)
        rival = client()
        theirs = rival.register("/providers", ADDRESS, pid=2)
        assert str(theirs.state) == "waiting"
        expire(zk, connection_string)

        def one_has_it() -> bool:
            states = [str(registration.state), str(theirs.state)]
            owner = owner_of(other)
            if sorted(states) != ["registered", "waiting"]:
                return False
            return owner == session_id(zk if states[0] == "registered" else rival)

        wait_until(one_has_it, lambda: f"one has it: {registration} {theirs} {owner_of(other):#x}")

    def test_the_node_of_our_former_session_is_replaced(self, zk, other, monkeypatch) -> None:
        """The server has not expired the session yet: its node vanishes later."""
        with zc.zk.ZooKeeper(other.connection_string, session_timeout=60_000) as former:
            former.register_server("/providers", ADDRESS, pid=1)
            zk.watches.session._handles.former_ids.add(session_id(former))
            registration = zk.register("/providers", ADDRESS, pid=2)
            assert str(registration.state) == "registered"
            assert owner_of(other) == session_id(zk)
            assert data_of(other) == {"pid": 2}
        other.sync("/")
        assert owner_of(other) == session_id(zk)

    def test_a_node_that_is_deleted_by_hand_is_made_again(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS, pid=1)
        for _ in range(3):
            other.delete(PATH)
            wait_until(lambda: owner_of(other) == session_id(zk), "it is there again")
        assert data_of(other) == {"pid": 1}
        wait_for(registration, "registered")

    def test_deletion_by_hand_can_be_made_the_end_of_it(
        self, zk, other, connection_string, caplog
    ) -> None:
        caplog.set_level(logging.INFO, "zc.zk")
        registration = zk.register("/providers", ADDRESS)
        assert registration.revive
        registration.revive = False
        expire(zk, connection_string)
        wait_until(lambda: owner_of(other) == session_id(zk), "a lost session is not the end")
        wait_for(registration, "registered")
        registration.update(n=1)
        other.delete(PATH)
        wait_for(registration, "ended")
        assert f"{PATH} was deleted by somebody" in caplog.text
        registration.update(n=2)
        zk.sync("/")
        assert not other.exists(PATH)
        assert not registration.revive

    def test_deletion_by_hand_is_the_end_also_if_an_update_finds_out(
        self, zk, other, monkeypatch, caplog
    ) -> None:
        caplog.set_level(logging.INFO, "zc.zk")
        registration = zk.register("/providers", ADDRESS)
        registration.revive = False
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])  # the session's comes late
        other.delete(PATH)
        registration.update(n=1)
        assert str(registration.state) == "ended"
        assert f"{PATH} was deleted by somebody" in caplog.text
        assert not other.exists(PATH)

    def test_a_parent_that_is_deleted_and_returns(self, zk, other, caplog) -> None:
        registration = zk.register("/providers", ADDRESS)
        other.delete_recursive("/providers", force=True)
        wait_for(registration, "refused")
        other.create("/providers")
        wait_until(lambda: owner_of(other) == session_id(zk), "it is there again", 30)
        wait_for(registration, "registered")

    def test_a_parent_that_is_replaced_by_a_link(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        other.create("/elsewhere")
        other.ln("/elsewhere", "/providers")
        other.delete_recursive("/providers", force=True)
        path = "/elsewhere/1.2.3.4:80"
        wait_until(lambda: owner_of(other, path) == session_id(zk), "it has moved", 30)
        wait_until(lambda: registration.paths == [path], "it knows where")

    def test_without_a_permission_to_create_it_is_an_error(self, zk, other) -> None:
        other.create("/closed", "", READ_ACL_UNSAFE)
        with pytest.raises(zookeeper.NoAuthException):
            zk.register_server("/closed", ADDRESS)

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_permission_that_is_taken_away_and_given_back(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        admin = {"perms": zookeeper.PERM_ADMIN | zookeeper.PERM_READ | zookeeper.PERM_DELETE}
        other.set_acl("/providers", -1, [{**OPEN_ACL_UNSAFE[0], **admin}])
        other.delete(PATH)
        wait_for(registration, "refused")
        assert not other.exists(PATH)
        other.set_acl("/providers", -1, OPEN_ACL_UNSAFE)
        wait_until(lambda: owner_of(other) == session_id(zk), "it is there again", 30)

    def test_closing_twice(self, zk, other) -> None:
        zk.register_server("/providers", ADDRESS)
        zk.close()
        zk.close()
        wait_until(lambda: not other.exists(PATH), "it is gone")

    def test_after_close_it_is_not_revived(self, zk, other) -> None:
        registration = zk.register("/providers", ADDRESS)
        zk.close()
        assert registration.state == "ended"
        registration.update(load=1)
        registration.unregister()
        wait_until(lambda: not other.exists(PATH), "it is gone")

    def test_an_answer_that_is_lost(self, client, proxy, root, other) -> None:
        """The node has been made and the client does not know it: that is no error."""
        zk = client(proxy.connection_string + root, session_timeout=60_000)
        proxy.stall(TO_CLIENT)
        registrations = []
        thread = threading.Thread(
            target=lambda: registrations.append(zk.register("/providers", ADDRESS, pid=1))
        )
        thread.start()
        wait_until(lambda: other.exists(PATH), "the node is made")
        proxy.cut()
        proxy.resume()
        thread.join(30)
        (registration,) = registrations
        wait_for(registration, "registered")
        assert owner_of(other) == session_id(zk)
        assert data_of(other) == {"pid": 1}


class TestManyOfThem:
    def test_they_return_after_an_expiry_though_some_cannot(
        self, zk, other, client, connection_string
    ) -> None:
        good = [zk.register("/providers", ("host", port)) for port in range(1, 1201)]
        zk.create("/gone")
        lost = zk.register("/gone", ADDRESS)
        rival = client()
        theirs = [rival.register("/providers", ("host", port)) for port in (3, 700)]
        other.delete_recursive("/gone", force=True)
        expire(zk, connection_string)

        def all_there() -> bool:
            stats = other.get_many([f"/providers/host:{port}" for port in range(1, 1201)])
            owners = {s[1]["ephemeralOwner"] for s in stats if isinstance(s, tuple)}
            return len(stats) == 1200 and owners <= {session_id(zk), session_id(rival)}

        wait_until(all_there, "all are there", 30)
        states = [str(registration.state) for registration in good]
        wait_until(
            lambda: {str(r.state) for r in good} <= {"registered", "waiting"},
            lambda: f"all are registered: {set(states)}",
            30,
        )
        assert [str(r.state) for r in good].count("waiting") == sum(
            str(r.state) == "registered" for r in theirs
        )
        wait_for(lost, "refused")
        other.create("/gone")
        wait_for(lost, "registered")

    def test_threads_may_register_update_and_unregister_at_the_same_time(
        self, zk, other, connection_string
    ) -> None:
        kept = []

        def work(number: int) -> None:
            for port in range(1, 21):
                registration = zk.register("/providers", (f"host{number}", port))
                registration.update(load=port)
                if port % 2:
                    registration.unregister()
                else:
                    kept.append(registration)

        threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        expire(zk, connection_string)
        for thread in threads:
            thread.join(60)
        expected = {f"host{number}:{port}" for number in range(6) for port in range(2, 21, 2)}
        wait_until(
            lambda: (
                set(other.get_children("/providers")) == expected
                and {str(r.state) for r in kept} == {"registered"}
            ),
            lambda: f"{set(other.get_children('/providers')) ^ expected}",
            30,
        )
        for registration in kept:
            (path,) = registration.paths
            assert data_of(other, path)["load"] == registration.properties["load"]
            assert owner_of(other, path) == session_id(zk)


class TestNodesThatTheProgramMakes:
    def test_ephemeral_ones_return_in_a_new_session(self, zk, other, connection_string) -> None:
        zk.create("/mine", "data", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.create2("/too", b"\xff", READ_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.create("/number-", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL | zookeeper.SEQUENCE)
        done = Calls()
        zk.acreate("/async", "x", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL, done)
        assert done.wait_one()[1:] == (zookeeper.OK, "/async")
        zk.multi([("create", "/multi", "y", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)])
        expire(zk, connection_string)
        expected = {"/mine": "data", "/too": "\udcff", "/async": "x", "/multi": "y"}
        wait_until(lambda: all(owner_of(other, path) for path in expected), "they are back")
        assert {path: other.get(path)[0] for path in expected} == expected
        assert other.get_acl("/too")[1] == READ_ACL_UNSAFE
        assert sorted(other.get_children("/")) == ["async", "mine", "multi", "providers", "too"]

    def test_they_return_as_they_were_last_written(self, zk, other, connection_string) -> None:
        zk.create("/mine", "old", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.set("/mine", "new")
        zk.set2("/mine", "newer")
        done = Calls()
        zk.aset("/mine", "newest", -1, done)
        done.wait_one()
        acl = [*READ_ACL_UNSAFE, zc.zk.world_permission(zookeeper.PERM_ADMIN)]
        zk.set_acl("/mine", -1, acl)
        expire(zk, connection_string)
        wait_until(lambda: owner_of(other, "/mine") == session_id(zk), "it is back")
        assert other.get("/mine")[0] == "newest"
        assert other.get_acl("/mine")[1][0]["perms"] & zookeeper.PERM_WRITE == 0

    def test_they_stay_away_when_the_program_has_deleted_them(
        self, zk, other, connection_string
    ) -> None:
        for name in "abcd":
            zk.create(f"/{name}", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.delete("/a")
        done = Calls()
        zk.adelete("/b", -1, done)
        done.wait_one()
        zk.multi([("delete", "/c")])
        expire(zk, connection_string)
        wait_until(lambda: owner_of(other, "/d") == session_id(zk), "the other one is back")
        assert sorted(other.get_children("/")) == ["d", "providers"]

    def test_a_node_that_somebody_deletes_is_not_revived_at_once(self, zk, other) -> None:
        zk.create("/mine", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.register_server("/providers", ADDRESS)
        other.delete("/mine")
        other.delete(PATH)
        wait_until(lambda: other.exists(PATH), "the registered server is back")
        assert not other.exists("/mine")


def test_a_port_that_is_listened_to_can_be_registered(zk, other) -> None:
    (port,) = free_ports(1)
    zk.register_server("/providers", ("", port))
    names = other.get_children("/providers")
    assert names
    assert {zc.zk.parse_addr(name)[1] for name in names} == {port}


@pytest.mark.parametrize("revive", [True, False])
def test_a_read_from_before_the_node_was_made_is_not_believed(zk, revive) -> None:
    """Such a read is settled by the worker after the node is registered."""
    registration = zk.register("/providers", "host:1")
    registration.revive = revive
    registry = zk._ephemerals.registry
    (node,) = registry.nodes()
    (cached,) = node.subscription.nodes.values()
    wait_until(lambda: cached.answer is not UNREAD, "it is watched")
    cached.answer = zookeeper.NoNodeException(node.path)
    registry._refresh(node, False)
    assert node.known.state is RegistrationState.REGISTERED
    wait_until(lambda: registry.schedule.seconds_left() is None, "it is seen to")
    assert registration.state == "registered"
    registration.unregister()
    assert zk.get_children("/providers") == []
