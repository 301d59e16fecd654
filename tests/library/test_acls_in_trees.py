"""Backup and restore with ACLs and kinds of nodes, by the library."""

from __future__ import annotations

from typing import Any

import pytest

import zc.zk
import zookeeper
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, digest_acl

ALICE = digest_acl("alice", "secret")
READ_ADMIN = [zc.zk.world_permission(zookeeper.PERM_READ | zookeeper.PERM_ADMIN)]
NOT_READABLE = [zc.zk.world_permission(zookeeper.PERM_ALL & ~zookeeper.PERM_READ)]

TEXT = f"""\
/app
  = acl world:anyone:r, digest:{ALICE["id"]}:cdrwa
  /leases
    /one
  /public
    x = 1
    = acl world:anyone:cdrwa
/open
"""


@pytest.fixture
def alice(client) -> zc.zk.ZooKeeper:
    """Return a client that has authenticated as alice."""
    alice: zc.zk.ZooKeeper = client()
    alice.add_auth("digest", "alice:secret")
    return alice


def acl_of(zk: zc.zk.ZooKeeper, path: str) -> Any:
    return zk.get_acl(path)[1]


def test_an_export_with_acls_comes_back_as_it_was(alice, zk) -> None:
    alice.import_tree(TEXT)
    assert alice.export_tree(acls=True) == TEXT
    assert acl_of(alice, "/app/leases/one") == [zc.zk.world_permission(1), ALICE]
    assert not alice.is_ephemeral("/app/leases")
    # Of those who may not administer servers hide the hashes, which would shut all out.
    with pytest.raises(zookeeper.NoAuthException, match="servers show the hashes in its ACL only"):
        zk.export_tree(acls=True)
    skipped: list[str] = []
    text = zk.export_tree(acls=True, skip=lambda path, fault: skipped.append(path))
    assert (text, skipped) == ("/open\n", ["/app"])
    # A text without ACLs is what it always was.
    assert alice.export_tree() == "".join(
        f"{line}\n" for line in TEXT.splitlines() if "= acl" not in line
    )
    alice.delete_recursive("/app")
    assert alice.export_tree() == "/open\n"


def test_registrations_are_marked_if_asked_for_and_not_made_again(zk, capsys) -> None:
    zk.import_tree("/a\n")
    zk.register("/a", "host:1", main="yes")
    assert zk.export_tree(ephemeral=True) == "/a\n  /host:1\n    main = 'yes'\n" + (
        f"    pid = {zk.get_properties('/a/host:1')['pid']}\n"
    )
    text = zk.export_tree(ephemeral=True, kinds=True)
    assert text.endswith("\n    = ephemeral\n")
    zk.import_tree(text)
    assert zk.is_ephemeral("/a/host:1")
    with pytest.raises(zc.zk.LossError, match="ephemeral nodes are not made again: /b/a/host:1"):
        zk.import_tree(text, "/b", strict=True)
    assert not zk.exists("/b")
    plan = zk.plan_import(text, "/b")
    assert plan.losses == ["ephemeral nodes are not made again: /b/a/host:1"]
    zk.import_tree(text, "/b")
    assert capsys.readouterr().out == "Not creating /b/a/host:1 because it was ephemeral.\n"
    assert zk.get_children("/b/a") == []
    zk.import_tree(text, "/b", ephemeral_as_permanent=True)
    assert zk.get_properties("/b/a/host:1")["main"] == "yes"
    assert not zk.is_ephemeral("/b/a/host:1")


def test_acls_of_nodes_that_are_there_change_as_the_plan_says(zk, other) -> None:
    zk.import_tree("/a\n  /b\n  /gone\n    /x\n/c\n")
    zk.set_acl("/c", -1, READ_ADMIN)
    text = "/a\n  y = 1\n  = acl world:anyone:ra\n  /b\n    /new\n/c\n"
    plan = zk.plan_import(text, trim=True)
    assert str(plan).splitlines() == [
        "/a add property y = 1",
        "/a acl change from world:anyone:cdrwa to world:anyone:ra",
        "would delete /a/gone/x.",
        "would delete /a/gone.",
        "/a/b acl change from world:anyone:cdrwa to world:anyone:ra",
        "add /a/b/new",
        "/a/b/new add acl world:anyone:ra",
    ]
    other.set_acl("/a/b", -1, OPEN_ACL_UNSAFE)
    with pytest.raises(zookeeper.BadVersionException) as caught:
        plan.apply()
    assert caught.value.path == "/a/b"
    assert "1 of 2 changes of ACLs" in str(caught.value)
    # Nothing forbade what came before the ACLs.
    assert zk.export_tree() == "/a\n  y = 1\n  /b\n    /new\n/c\n"
    zk.import_tree(text, trim=True)
    assert [acl_of(zk, path) for path in ("/a", "/a/b", "/a/b/new")] == [READ_ADMIN] * 3
    assert str(zk.plan_import(text, trim=True)) == ""


def test_acl_is_for_new_nodes_unless_existing_ones_are_to_be_reset(zk) -> None:
    zk.import_tree("/a\n")
    zk.import_tree("/a\n/b\n", acl=READ_ADMIN)
    assert [acl_of(zk, path) for path in ("/a", "/b")] == [OPEN_ACL_UNSAFE, READ_ADMIN]
    plan = zk.plan_import("/a\n", acl=READ_ADMIN, reset_acls=True)
    assert str(plan) == "/a acl change from world:anyone:cdrwa to world:anyone:ra"
    zk.import_tree("/a\n/b\n", reset_acls=True, acl=READ_ADMIN)
    assert acl_of(zk, "/a") == READ_ADMIN
    zk.import_tree("/a\n/b\n", reset_acls=True)
    assert [acl_of(zk, path) for path in ("/a", "/b")] == [OPEN_ACL_UNSAFE] * 2


def test_an_acl_that_opens_comes_before_what_needs_it(zk) -> None:
    zk.import_tree("/a\n  /old\n")
    zk.set_acl("/a", -1, READ_ADMIN)
    zk.import_tree("/a\n  = acl world:anyone:cdrwa\n  /new\n", trim=True)
    assert zk.get_children("/a") == ["new"]


@pytest.mark.parametrize("acl", ["world:anyone:r", f"digest:{ALICE['id']}:cdrwa"])
def test_a_node_that_shuts_its_maker_out_is_made_with_all_below_it(zk, client, acl) -> None:
    text = f"/a\n  = acl {acl}\n  /b\n    /c\n      x = 1\n"
    plan = zk.plan_import(text)
    assert len(plan) == 5
    assert str(plan).splitlines()[0] == "add /a"
    plan.apply()
    alice = client()
    alice.add_auth("digest", "alice:secret")
    assert alice.export_tree(acls=True) == text
    wanted = plan[3].new
    assert [alice.get_acl(path)[1] for path in ("/a", "/a/b", "/a/b/c")] == [wanted] * 3
    assert str(alice.plan_import(text)) == ""


@pytest.mark.not_over_tls("its session is known by a certificate too")
def test_an_import_that_was_cut_off_leaves_no_node_more_open(alice, client, monkeypatch) -> None:
    """A node has its ACL, or one that lets in its maker besides, from its first moment on."""
    text = f"/a\n  = acl digest:bob:{ALICE['id'][6:]}:cdrwa, world:anyone:r\n  /b\n  /c\n"
    plan = alice.plan_import(text)

    def cut_off(*arguments: object, **options: object) -> object:
        raise zookeeper.ConnectionLossException("cut off")

    writing = zookeeper.write_many
    calls: list[object] = []

    def write_many(handle: int, ops: Any, **options: Any) -> Any:
        calls.append(handle)
        return (cut_off if len(calls) > 1 else writing)(handle, ops, **options)

    with monkeypatch.context() as patched:
        patched.setattr(zookeeper, "write_many", write_many)
        with pytest.raises(zookeeper.ConnectionLossException, match="done: 3 of 3 creations"):
            plan.apply()
    stranger = client()
    for change in ("/a", "/a/b"):
        with pytest.raises(zookeeper.NoAuthException):
            stranger.set(change, "x")
        with pytest.raises(zookeeper.NoAuthException):
            stranger.create(f"{change}/x", "")
    alice.import_tree(text)
    assert str(alice.plan_import(text)) == ""  # as far as it may see, shut out as it is
    ids = [entry["id"] for path in ("/a", "/a/b") for entry in stranger.get_acl(path)[1]]
    assert ids == ["bob:x", "anyone"] * 2


@pytest.mark.not_over_tls("its session is known by a certificate too")
def test_auth_is_who_imports_and_is_set_once(alice, zk) -> None:
    text = "/a\n  = acl auth::cdrwa, world:anyone:r\n"
    alice.import_tree(text)
    assert acl_of(alice, "/a") == [ALICE, zc.zk.world_permission(1)]
    assert str(alice.plan_import(text)) == ""
    with pytest.raises(zookeeper.InvalidACLException):
        zk.import_tree(text.replace("/a", "/b"))
    bob = {**ALICE, "id": "bob:Jq0="}
    alice.set_acl("/a", -1, [bob, ALICE])
    assert str(alice.plan_import(text)).startswith("/a acl change from digest:bob:Jq0=:cdrwa, ")


def test_nodes_that_cannot_be_read_are_left_as_they_are_if_asked_for(zk) -> None:
    zk.import_tree("/a\n  /secret\n    /below\n  /b\n")
    zk.set_acl("/a/secret", -1, NOT_READABLE)
    text = "/a\n  /secret\n    /other\n  /b\n    x = 1\n    = acl world:anyone:ra\n"
    with pytest.raises(zookeeper.NoAuthException):
        zk.import_tree(text, trim=True)
    skipped: list[str] = []
    zk.import_tree(text, trim=True, skip=lambda path, fault: skipped.append(path))
    assert skipped == ["/a/secret"]
    assert zk.get_properties("/a/b") == {"x": 1}
    assert acl_of(zk, "/a/b") == READ_ADMIN
    with pytest.raises(zookeeper.NoAuthException):
        zk.export_tree(acls=True)


def test_a_bad_acl_is_an_error_before_anything_is_written(zk) -> None:
    text = "/a\n  = acl world:anyone:63\n/b\n"
    with pytest.raises(zookeeper.InvalidACLException, match="/a"):
        zk.import_tree(text)
    assert not zk.exists("/b")
    zk.import_tree("/b\n/many\n" + "".join(f"  /n{number}\n" for number in range(600)))
    text = "/b\n  = acl world:anyone:63\n/many\n  /new\n"
    with pytest.raises(zookeeper.InvalidACLException, match="/b"):
        zk.import_tree(text)
    assert not zk.exists("/many/new")


def test_thousands_of_acls_are_set_and_read(zk) -> None:
    text = "/top\n" + "".join(f"  /n{number:05}\n" for number in range(3000))
    zk.import_tree(text)
    closed = text.replace("/top\n", "/top\n  = acl world:anyone:ra\n")
    reports: list[tuple[int, int | None]] = []
    zk.import_tree(closed, progress=lambda *report: reports.append(report))
    assert reports[-1] == (3001, 3001)
    assert zk.export_tree(acls=True) == closed
    zk.import_tree(text, reset_acls=True)
    assert zk.export_tree(acls=True) == text


def test_containers_and_nodes_with_a_time_to_live_are_made(zk, client, monkeypatch) -> None:
    """No answer of a server tells what they are, so it is what was asked for that is looked at."""
    asked: list[Any] = []
    multi = zookeeper.multi

    def noting(handle: int, ops: Any, **options: Any) -> Any:
        asked.extend(ops)
        return multi(handle, ops, **options)

    with monkeypatch.context() as patched:
        patched.setattr(zookeeper, "multi", noting)
        zk.import_tree("/c\n  = container\n  /x\n    = ttl 1h\n/p\n")
    assert [each[4:] for each in asked] == [
        (zookeeper.CONTAINER,),
        (zookeeper.PERSISTENT_WITH_TTL, 3_600_000),
        (0,),
    ]
    assert [zk.is_ephemeral(path) for path in ("/c", "/c/x")] == [False, False]
    assert zk.export_tree() == "/c\n  /x\n/p\n"
    assert str(zk.plan_import("/c\n  = container\n")) == "extra path not trimmed: /c/x"


def test_a_time_to_live_that_servers_do_not_have_is_told(zk, monkeypatch) -> None:
    """Servers refuse such nodes unless they are set up for them."""

    def refused(path: str) -> zookeeper.ZooKeeperException:
        fault = zookeeper.error(zookeeper.UNIMPLEMENTED, path)
        vars(fault).update(index=0)
        return fault

    def multi(*arguments: object, **options: object) -> object:
        raise refused("/c")

    monkeypatch.setattr(zookeeper, "multi", multi)
    with pytest.raises(zookeeper.UnimplementedException, match="no nodes with a time to live"):
        zk.import_tree("/c\n  = ttl 1h\n")
    monkeypatch.setattr(
        zookeeper, "write_many", lambda handle, ops, **options: [refused("/n")] * 600
    )
    with pytest.raises(zookeeper.UnimplementedException, match="no nodes with a time to live"):
        zk.import_tree("".join(f"/n{number}\n" for number in range(600)))


def test_acl_of_the_default_may_shut_out_as_ever(zk) -> None:
    with pytest.raises(zookeeper.NoAuthException):
        zk.import_tree("/a\n  /b\n", acl=READ_ACL_UNSAFE)
    assert not zk.exists("/a")
