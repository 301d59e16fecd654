"""Kazoo, which shares no code with us, is a client of our server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.servers import SUPERUSER
from zc.zk.testing import Server

kazoo_client = pytest.importorskip("kazoo.client")
exceptions = pytest.importorskip("kazoo.exceptions")
security = pytest.importorskip("kazoo.security")

Connect = Callable[..., Any]


@pytest.fixture
def connect(own: Server) -> Iterator[Connect]:
    """Yield a function that makes connected clients; they are closed at the end."""
    with ExitStack() as opened:

        def connect(**options: Any) -> Any:
            client = kazoo_client.KazooClient(own.connection_string, timeout=10, **options)
            client.start(scaled(15))
            opened.callback(_end, client)
            return client

        yield connect


def _end(client: Any) -> None:
    client.stop()
    client.close()


def test_nodes_are_created_read_changed_and_deleted(connect: Connect) -> None:
    kazoo = connect()
    assert kazoo.create("/a", b"1") == "/a"
    path, stat = kazoo.create("/a/b", b"22", include_data=True)
    assert (path, stat.data_length) == ("/a/b", 2)
    assert kazoo.create("/a/s-", sequence=True) == "/a/s-0000000001"
    assert kazoo.create("/a/e", ephemeral=True) == "/a/e"
    assert sorted(kazoo.get_children("/a")) == ["b", "e", "s-0000000001"]
    assert kazoo.set("/a", b"changed").version == 1
    data, stat = kazoo.get("/a")
    assert (data, stat.version, stat.children_count) == (b"changed", 1, 3)
    assert kazoo.exists("/a/e").owner_session_id == kazoo.client_id[0]
    assert kazoo.exists("/nowhere") is None
    kazoo.ensure_path("/a/long/way/down")
    kazoo.delete("/a", recursive=True)
    assert kazoo.exists("/a") is None


def test_errors_are_the_servers(connect: Connect) -> None:
    kazoo = connect()
    kazoo.create("/a")
    with pytest.raises(exceptions.NodeExistsError):
        kazoo.create("/a")
    with pytest.raises(exceptions.NoNodeError):
        kazoo.create("/no/parent")
    with pytest.raises(exceptions.BadVersionError):
        kazoo.set("/a", b"", version=7)
    kazoo.create("/a/b")
    with pytest.raises(exceptions.NotEmptyError):
        kazoo.delete("/a")
    kazoo.create("/e", ephemeral=True)
    with pytest.raises(exceptions.NoChildrenForEphemeralsError):
        kazoo.create("/e/child")


def test_watches_fire_and_are_set_again_by_recipes(connect: Connect) -> None:
    watching, changing = connect(), connect()
    changing.create("/a", b"first")
    seen: dict[str, Any] = {}

    @watching.DataWatch("/a")
    def data_changed(data: bytes, stat: Any) -> None:
        seen["data"] = data

    @watching.ChildrenWatch("/a")
    def children_changed(names: list[str]) -> None:
        seen["children"] = sorted(names)

    for number in range(5):
        value = b"%d" % number
        changing.set("/a", value)
        changing.create(f"/a/{number}")
        expected = {"data": value, "children": [str(n) for n in range(number + 1)]}
        wait_until(partial(seen.__eq__, expected), f"both are told: {expected}")


def test_a_lock_is_held_by_one_at_a_time(connect: Connect) -> None:
    clients = [connect() for _ in range(3)]
    inside: list[int] = []
    counted: list[int] = []

    def count(number: int, client: Any) -> None:
        for _ in range(5):
            with client.Lock("/lock", str(number)):
                inside.append(number)
                assert inside == [number]
                counted.append(number)
                inside.remove(number)

    threads = [
        threading.Thread(target=count, args=(number, client))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(30))
    assert sorted(counted) == [0] * 5 + [1] * 5 + [2] * 5


def test_the_next_candidate_is_elected_when_the_leader_has_gone(connect: Connect) -> None:
    elected, leave = Calls(), [threading.Event(), threading.Event()]
    clients = [connect(), connect()]

    def lead(number: int) -> None:
        elected(number)
        leave[number].wait(scaled(30))

    threads = [
        threading.Thread(target=client.Election("/election", str(number)).run, args=(lead, number))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    ((first,),) = elected.wait(1)
    leave[first].set()
    (_, (second,)) = elected.wait(2)
    leave[second].set()
    for thread in threads:
        thread.join(scaled(30))
    assert {first, second} == {0, 1}


def test_a_transaction_is_done_whole_or_not_at_all(connect: Connect) -> None:
    kazoo = connect()
    good = kazoo.transaction()
    good.create("/a", b"1")
    good.set_data("/a", b"2")
    good.check("/a", version=1)
    good.create("/b", ephemeral=True)
    good.delete("/b")
    path, stat, checked, other, deleted = good.commit()
    assert (path, stat.version, checked, other, deleted) == ("/a", 1, True, "/b", True)
    bad = kazoo.transaction()
    bad.create("/c")
    bad.check("/a", version=7)
    bad.create("/d")
    kinds = [type(result) for result in bad.commit()]
    assert kinds == [
        exceptions.RolledBackError,
        exceptions.BadVersionError,
        exceptions.RuntimeInconsistency,
    ]
    assert kazoo.exists("/c") is None


def test_access_control_lists_keep_others_out(connect: Connect) -> None:
    owner, other, superuser = connect(auth_data=[("digest", "bob:secret")]), connect(), connect()
    superuser.add_auth(*SUPERUSER)
    owner.create("/a", b"hidden", acl=[security.make_digest_acl("bob", "secret", all=True)])
    assert owner.get("/a")[0] == b"hidden"
    with pytest.raises(exceptions.NoAuthError):
        other.get("/a")
    assert superuser.get("/a")[0] == b"hidden"
    other.add_auth("digest", "bob:secret")
    other.set_acls("/a", [security.make_acl("world", "anyone", read=True)])
    acls, stat = connect().get_acls("/a")
    assert (acls[0].id.scheme, stat.acl_version) == ("world", 1)


def test_a_session_survives_a_lost_connection_and_ends_with_its_client(
    own: Server, connect: Connect
) -> None:
    kazoo, other = connect(), connect()
    kazoo.create("/e", ephemeral=True)
    id = kazoo.client_id
    states = Calls()
    kazoo.add_listener(lambda state: states(state))
    own.cut()
    wait_until(lambda: ("CONNECTED",) in states.all(), "kazoo is connected again", 30)
    assert kazoo.client_id == id
    assert other.retry(other.exists, "/e") is not None
    kazoo.stop()
    assert other.exists("/e") is None


def test_kazoo_understands_the_servers_version_and_words(connect: Connect) -> None:
    kazoo = connect()
    assert kazoo.server_version()[:2] == (3, 8)
    assert kazoo.command(b"ruok") == "imok"
    assert "Mode: standalone" in kazoo.command(b"srvr")
