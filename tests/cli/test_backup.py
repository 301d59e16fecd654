"""A whole tree into a file and back: every kind of node, every scheme of ACL, awkward data."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import call
from tests.deadlines import scaled
from tests.servers import SUPERUSER
from tests.wireframes import Op
from zc.zk import OPEN_ACL_UNSAFE, digest_acl, sasl_acl, world_permission, x509_acl
from zc.zk.testing import Certificates, Server, certificates
from zc.zk.testing.engine import digest

# All of 100,000 takes half a minute; CI has enough of these.
MANY = int(os.environ.get("ZK_TEST_BACKUP_NODES", "2000"))

IP: list[Any] = [{"perms": 31, "scheme": "ip", "id": "127.0.0.0/8"}]
CLOSED = [world_permission(zookeeper.PERM_READ | zookeeper.PERM_ADMIN)]
NOT_READABLE = [world_permission(zookeeper.PERM_ALL & ~zookeeper.PERM_READ)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def ensemble(made: Certificates) -> Iterator[Callable[[], Server]]:
    """Return a function that starts empty servers, which know all schemes."""
    started: list[Server] = []

    def start() -> Server:
        server = Server(tls=made.server_tls, sasl={"app": "secret"}, superuser=digest(SUPERUSER[1]))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def opened(server: Server, made: Certificates) -> zc.zk.ZooKeeper:
    """Return a client that may do everything, and is known by several schemes."""
    zk = zc.zk.ZooKeeper(server.connection_string, int(scaled(10_000)), tls=made.client_tls)
    zk.add_auth(*SUPERUSER)
    return zk


def plant(zk: zc.zk.ZooKeeper) -> None:
    """Make a tree in which everything is that there can be."""
    alice = digest_acl("alice", "secret")
    everybody: list[Any] = [
        alice,
        sasl_acl("app"),
        sasl_acl("app/h@REALM", "r"),
        x509_acl("CN=app,O=Shop"),
        world_permission(1),
        *IP,
        {"perms": 0, "scheme": "world", "id": "anyone"},
    ]
    auth = [{"perms": 31, "scheme": "auth", "id": ""}]
    odd = [{"perms": 31, "scheme": "sasl", "id": "a,b 'c\"\n:Jq0="}]
    writes: list[Any] = [
        ("create", "/acls", "", OPEN_ACL_UNSAFE),
        ("create", "/acls/all", "", everybody),
        ("create", "/acls/all/same", "", everybody),
        ("create", "/acls/all/open", "", OPEN_ACL_UNSAFE),
        ("create", "/acls/auth", "", auth),
        ("create", "/acls/odd", "", odd),
        ("create", "/closed", "", CLOSED),
        ("create", "/data", "", OPEN_ACL_UNSAFE),
        ("create", "/data/null", None, OPEN_ACL_UNSAFE),
        ("create", "/data/binary", b"\0\xff\xfe text", CLOSED),
        ("create", "/data/large", "\u00e9" * 450_000, OPEN_ACL_UNSAFE),
        ("create", "/data/json", '{ "b": [1.50, null], "a": "x" }', OPEN_ACL_UNSAFE),
        ("create", "/data/a b\u2028 : c", '{"type":"t","x ->":"/data/null"}', OPEN_ACL_UNSAFE),
        # No server tells that they are these: they come back as permanent nodes.
        ("create", "/kinds", "", OPEN_ACL_UNSAFE, zookeeper.CONTAINER),
        ("create", "/kinds/ttl", "x", CLOSED, zookeeper.PERSISTENT_WITH_TTL, 3_600_001),
        ("create", "/many", "", IP),
        *(("create", f"/many/n{number:06}", f"{number}", IP) for number in range(MANY)),
    ]
    for result in zk.write_many(writes):
        if isinstance(result, Exception):
            raise result


def everything(zk: zc.zk.ZooKeeper) -> dict[str, Any]:
    """Return all that a server holds, but numbers of changes, times and its own nodes."""
    nodes = [node for node in zk.read_tree("/") if not node.path.startswith("/zookeeper")]
    acls = zk.get_acl_many([node.path for node in nodes])
    return {
        node.path: (node.data, acl[1])  # type: ignore[index]
        for node, acl in zip(nodes, acls, strict=True)
    }


@pytest.fixture
def options(made: Certificates, tmp_path: Path) -> list[object]:
    credentials = tmp_path / "credentials"
    credentials.write_text(":".join(SUPERUSER))
    credentials.chmod(0o600)
    return [
        "--credentials", credentials, "--tls", "--tls-ca", made.ca,
        "--tls-certificate", made.client.certificate, "--tls-key", made.client.key,
    ]  # fmt: skip


@pytest.mark.parametrize("file", ["backup.txt", "backup.json", "backup.yaml"])
def test_a_whole_ensemble_comes_back_to_an_empty_one(
    command, ensemble, made, options, tmp_path, file
) -> None:
    first, second = ensemble(), ensemble()
    with opened(first, made) as zk:
        plant(zk)
        wanted = everything(zk)
    place, other = first.connection_string, second.connection_string
    exported = command("export", "--acls", "--strict", "-o", file, place, *options)
    assert exported == (0, "", "")
    assert command("import", "--strict", *options, other, file) == (0, "", "")
    with opened(second, made) as zk:
        assert everything(zk) == wanted
    assert command("diff", "--acls", "--exit-code", *options, place, other) == (0, "", "")
    assert command("diff", "--exit-code", *options, other, file) == (0, "", "")
    assert command("import", "-d", "-t", "--reset-acls", *options, other, file) == (0, "", "")


TREE = """\
/app
  = acl world:anyone:ra
  /one
    x = 1
/jobs
"""


def test_acls_are_shown_by_every_command(command, place, zk) -> None:
    assert command("import", place, given=TREE) == (0, "", "")
    assert command("export", "--acls", place) == (0, TREE, "")
    assert command("export", place).output == TREE.replace("  = acl world:anyone:ra\n", "")
    changed = TREE.replace(":ra", ":r").replace("    x = 1\n", "    = acl world:anyone:cdrwa\n")
    to_file = [
        "/app acl change from world:anyone:ra to world:anyone:r",
        "/app/one remove property x = 1",
        "/app/one acl change from world:anyone:ra to world:anyone:cdrwa",
    ]
    shown = command("import", "-d", "--exit-code", place, given=changed)
    assert (shown.status, shown.output.splitlines()) == (3, to_file)
    assert command("diff", place, "-", given=changed).output.splitlines() == to_file
    assert command("diff", "-", place, given=changed).output.splitlines() == [
        "/app acl change from world:anyone:r to world:anyone:ra",
        "/app/one add property x = 1",
        "/app/one acl change from world:anyone:cdrwa to world:anyone:ra",
    ]
    # Of nodes at the top the open ACL is left out of files: it is compared all the same.
    zk.create("/free", "")
    shut = "/free\n  = acl world:anyone:r\n"
    assert command("diff", "--part", "-", place, given=shut).output == (
        "/free acl change from world:anyone:r to world:anyone:cdrwa\n"
    )
    assert command("diff", "--part", "-", place, given="/free\n").output == ""
    zk.set_acl("/free", -1, CLOSED)
    assert command("diff", "--part", "--acls", "-", place, given="/free\n").output == (
        "/free acl change from world:anyone:cdrwa to world:anyone:ra\n"
    )
    assert command("import", "--reset-acls", place, given="/free\n") == (0, "", "")
    assert zk.get_acl("/free")[1] == OPEN_ACL_UNSAFE


def test_registrations_are_marked_and_left_out_of_an_import(command, place, zk) -> None:
    zk.import_tree("/app\n")
    zk.register("/app", "host:1")
    text = command("export", "-e", place).output
    assert "    = ephemeral\n" in text
    assert "= ephemeral" not in command("export", "-e", "--no-kinds", place).output
    left_out = "does not come back: ephemeral nodes are not made again: /b/app/host:1"
    outcome = command("import", "--strict", place, "-", "/b", given=text)
    assert (outcome.status, outcome.output) == (1, "")
    assert left_out in outcome.messages
    assert zk.exists("/b") is None
    outcome = command("import", place, "-", "/b", given=text)
    assert outcome.status == 0
    assert outcome.messages.splitlines() == [
        f"python -m zc.zk import: {left_out}",
        "python -m zc.zk import: Not creating /b/app/host:1 because it was ephemeral.",
    ]
    assert command("import", "--ephemeral-as-permanent", place, "-", "/b", given=text).status == 0
    assert zk.is_ephemeral("/b/app/host:1") is False


def test_things_that_a_backup_cannot_hold_are_said_before_it_is_written(command, place, zk) -> None:
    zk.create("/queue", "")
    zk.create("/queue/job-", "", flags=zookeeper.SEQUENCE)
    outcome = command("export", "--strict", "-o", "backup.txt", place)
    assert outcome.status == 1
    told = "not in what is written: the counters of sequential nodes: /queue"
    assert told in outcome.messages
    outcome = command("export", place)
    assert outcome.status == 0
    assert told in outcome.messages
    outcome = command("import", "-d", place, "-", "/copy", given=outcome.output)
    assert "sequence counters begin anew, below numbers in use: /copy/queue" in outcome.messages


def test_acls_that_are_not_written_are_told(command, place, zk, monkeypatch) -> None:
    zk.import_tree("/app\n  /deep\n    /deeper\n      /deepest\n")
    deepest = "/app/deep/deeper/deepest"
    zk.create(f"{deepest}/closed", "", CLOSED)
    told = f"not in what is written: ACLs of 1 node (--acls writes them): {deepest}/closed"
    strict = "export", "--strict", "-o", "backup.txt", place
    outcome = command(*strict)
    assert (outcome.status, told in outcome.messages) == (1, True)
    outcome = command("export", place)
    assert (outcome.status, told in outcome.messages) == (0, True)
    assert command(*strict, "--acls") == (0, "", "")
    assert command(*strict, "/app/deep", "--name", "x").status == 1
    # Of a large tree some are looked at: those whose ACL was changed, and those at the top.
    monkeypatch.setattr("zc.zk.operations.export.MAX_ACLS_LOOKED_AT", 2)
    assert call("export", place).messages == ""
    assert told in call(*strict).messages
    zk.set_acl(deepest, -1, CLOSED)
    assert f"ACLs of at least 1 node (--acls writes them): {deepest}" in (
        call("export", place).messages
    )
    zk.set_acl("/", -1, [*CLOSED, world_permission(zookeeper.PERM_CREATE)])
    assert "not in what is written: the ACL of /" in call("export", place).messages


def test_nodes_that_cannot_be_read_make_no_backup_or_restore_impossible(command, place, zk) -> None:
    zk.import_tree("/app\n  /public\n  /secret\n    /below\n")
    zk.set_acl("/app/secret", -1, NOT_READABLE)
    outcome = command("export", "--acls", "--skip-unreadable", place)
    assert (outcome.status, outcome.output) == (4, "/app\n  /public\n")
    assert "left out, with all below it: not authenticated: /app/secret" in outcome.messages
    given = "/app\n  /public\n    x = 1\n  /secret\n    = acl world:anyone:r\n    /new\n"
    outcome = command("import", place, given=given)
    assert outcome.status == 1
    outcome = command("import", "--skip-unreadable", place, given=given)
    assert (outcome.status, zk.get_properties("/app/public")) == (4, {"x": 1})
    assert "/app/secret" in outcome.messages


def test_an_acl_that_would_shut_all_out_is_told_before_it_does(command, place, zk) -> None:
    given = "/app\n  = acl digest:alice:s3cret:cdrwa\n  /one\n"
    outcome = command("import", "--strict", place, given=given)
    assert (outcome.status, zk.exists("/app")) == (1, None)
    assert "an ACL in the file: /app: not a digest: of 'alice' the id is" in outcome.messages
    assert "s3cret" not in outcome.messages
    outcome = command("import", "-d", place, given=given)
    assert (outcome.status, "not a digest" in outcome.messages) == (0, True)
    outcome = command("import", place, given="/app\n  = acl auth::cdrwa\n")
    assert outcome.status == 2
    assert "an ACL in the file: auth is who you have authenticated as" in outcome.messages


@pytest.mark.not_over_tls("its session is known by a certificate too")
@pytest.mark.parametrize("number", [1, 3, 5, 300])
def test_an_import_of_acls_that_is_killed_is_completed_by_the_next_one(
    start, command, place, zk, proxy, root, tmp_path, number
) -> None:
    """At no moment is a node more open than the text says, but for the importer's own host."""
    nodes = "".join(f"  /n{number:05}\n" for number in range(1200))
    text = f"/new\n  = acl world:anyone:ra\n{nodes}/old\n  = acl world:anyone:ra\n{nodes}"
    zk.import_tree(f"/old\n{nodes}")
    (tmp_path / "tree.txt").write_text(text)
    seen: list[int] = []
    processes: list[Any] = []

    def kill_at_a_write(request: Any) -> bool:
        if request.op in (Op.MULTI, Op.SET_ACL):
            seen.append(request.op)
            if len(seen) == number:
                processes[0].kill()
        return True

    proxy.on_request = kill_at_a_write
    processes.append(start("import", proxy.connection_string + root, "tree.txt"))
    assert processes[0].wait(scaled(60)) == -signal.SIGKILL
    new = list(zk.walk("/new")) if zk.exists("/new") else []
    for path, (_, acl) in zip(new, zk.get_acl_many(new), strict=True):
        ours = [entry for entry in acl if entry not in CLOSED]
        assert {entry["scheme"] for entry in ours} <= ({"ip"} if path == "/new" else set())
        assert len(acl) - len(ours) == 1
    assert command("import", place, "tree.txt") == (0, "", "")
    paths = list(zk.walk("/"))[1:]
    assert [acl for _, acl in zk.get_acl_many(paths)] == [CLOSED] * 2402
    assert command("diff", "--exit-code", place, "tree.txt") == (0, "", "")
