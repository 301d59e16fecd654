"""A client that is taken along into a child process is opened there again."""

from __future__ import annotations

import threading

import pytest

import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire, session_id
from tests.library.forked import Child, fault_in_a_child
from tests.library.providers import ADDRESS, PATH
from zc.zk import OPEN_ACL_UNSAFE

pytestmark = [
    pytest.mark.not_emulated("other processes do not reach it"),
    pytest.mark.usefixtures("providers"),
]

SECONDS = 60


def test_the_child_has_a_session_of_its_own(zk) -> None:
    def work(child: Child) -> None:
        zk.reopen()
        child.tell(session_id(zk))
        zk.create("/child", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        zk.close()

    ours = session_id(zk)
    child = Child(work)
    theirs = int(child.hear())
    child.join()
    assert theirs not in (0, ours)
    assert session_id(zk) == ours
    assert not zk.exists("/child"), "it went with the child's session"


def test_live_objects_go_on_in_the_child_with_their_callbacks(zk, other) -> None:
    zk.create("/settings", '{"n": 1}')
    zk.import_tree("/links\n  n => /settings n\n")
    told = Calls()
    settings = zk.properties("/settings")(told)
    links = zk.properties("/links")
    children = zk.children("/providers")

    def work(child: Child) -> None:
        zk.reopen()
        told.wait(2)
        child.tell("open")
        wait_until(lambda: list(children) == ["a"], "the new child is seen", SECONDS)
        wait_until(lambda: (settings["n"], links["n"]) == (2, 2), "the change is seen", SECONDS)
        wait_until(lambda: told.all()[-1] == (settings,), "the callback is called")
        child.tell(len(zk.watches))
        zk.close()

    child = Child(work)
    assert child.hear() == "open"
    other.set("/settings", '{"n": 2}')
    other.create("/providers/a")
    assert child.hear() == "3"
    child.join()
    wait_until(lambda: links["n"] == 2, "the parent's objects go on too")


def test_registrations_stay_with_the_parent(zk, other, connection_string) -> None:
    registration = zk.register("/providers", ADDRESS)
    zk.create("/mine", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)

    def work(child: Child) -> None:
        zk.reopen()
        expire(zk, connection_string)
        child.tell(registration.state)
        registration.update(n=1)
        registration.unregister()
        zk.close()

    owner = other.exists(PATH)["ephemeralOwner"]
    child = Child(work)
    assert child.hear() == "ended"
    child.join()
    assert other.exists(PATH)["ephemeralOwner"] == owner
    assert other.exists("/mine")
    assert str(registration.state) == "registered"


def test_a_registration_in_a_child_does_not_wait_for_the_parents_locks(zk) -> None:
    registration = zk.register("/providers", ADDRESS)
    is_held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with zk._ephemerals.registry.lock:
            is_held.set()
            end.wait(SECONDS)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        assert is_held.wait(SECONDS)
        for call in (lambda: registration.update(n=1), registration.unregister):
            assert fault_in_a_child(call).startswith("ForkedException")
    finally:
        end.set()
        holding.join()
    assert str(registration.state) == "registered"


def test_the_child_can_register_what_the_parent_has_registered(zk, other) -> None:
    registration = zk.register("/providers", ADDRESS)

    def work(child: Child) -> None:
        zk.reopen()
        own = zk.register("/providers", ADDRESS)
        child.tell(own.state)
        wait_until(lambda: str(own.state) == "registered", lambda: repr(own), SECONDS)
        child.tell(session_id(zk) & (2**64 - 1))
        child.wait_for_command()
        zk.close()

    child = Child(work)
    assert child.hear() == "waiting"
    registration.unregister()
    theirs = int(child.hear())
    assert other.exists(PATH)["ephemeralOwner"] & (2**64 - 1) == theirs
    child.command()
    child.join()
    assert not other.exists(PATH)


def test_a_child_of_a_busy_client_opens_it_whatever_its_threads_were_doing(zk, other) -> None:
    zk.create("/busy")
    objects = [zk.children("/busy") for _ in range(20)]
    end = threading.Event()

    def work() -> None:
        while not end.is_set():
            zk.children("/busy")(lambda _: None)
            registration = zk.register("/providers", ADDRESS)
            registration.update(n=1)
            registration.unregister()

    def write() -> None:
        number = 0
        while not end.is_set():
            number += 1
            other.create(f"/busy/{number}")

    def count(child: Child) -> None:
        zk.reopen()
        now = zk.get_children("/busy")
        wait_until(lambda: all(len(o) >= len(now) for o in objects), "all follow", SECONDS)
        zk.close()

    threads = [threading.Thread(target=work), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            Child(count).join()
    finally:
        end.set()
        for thread in threads:
            thread.join(scaled(30))


def test_credentials_are_given_to_the_childs_session(zk) -> None:
    added = Calls()
    zk.add_auth("digest", "user:secret", added)
    added.wait()
    acl = [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}]
    zk.create("/secret", "data", acl)

    def work(child: Child) -> None:
        zk.reopen()
        child.tell(zk.get("/secret")[0])
        zk.close()

    child = Child(work)
    assert child.hear() == "data"
    child.join()


def test_in_the_process_that_opened_it_nothing_happens(zk) -> None:
    registration = zk.register("/providers", ADDRESS)
    ours = session_id(zk)
    zk.reopen()
    assert session_id(zk) == ours
    assert str(registration.state) == "registered"


def test_a_client_that_the_parent_has_closed_stays_closed(zk) -> None:
    zk.close()
    assert fault_in_a_child(zk.reopen).startswith("ClosingException(")


def test_without_a_server_it_fails_as_a_new_client_does(client, own_server) -> None:
    zk = client(own_server.connection_string)
    zk.initial_connection_wait = 0.1
    own_server.kill()
    fault = fault_in_a_child(zk.reopen)
    assert fault.startswith("FailedConnect(")
    assert "no answer within 0.1 seconds" in fault


def test_grandchildren_can_open_it_too(zk, other) -> None:
    zk.create("/settings", '{"n": 1}')
    settings = zk.properties("/settings")

    def inner(child: Child) -> None:
        zk.reopen()
        child.tell("open")
        wait_until(lambda: settings["n"] == 2, "the change is seen", SECONDS)
        zk.close()

    def outer(child: Child) -> None:
        zk.reopen()
        grandchild = Child(inner)
        child.tell(grandchild.hear())
        wait_until(lambda: settings["n"] == 2, "the change is seen", SECONDS)
        grandchild.join()
        zk.close()

    child = Child(outer)
    assert child.hear() == "open"
    other.set("/settings", '{"n": 2}')
    child.join()
