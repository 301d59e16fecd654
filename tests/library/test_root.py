"""A root behind the servers that does not exist: errors, and making it."""

from __future__ import annotations

import contextlib
import threading

import pytest

import zc.zk
import zookeeper
from tests.deadlines import wait_until
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.session import retry
from zc.zk.testing.engine import digest

pytestmark = pytest.mark.quick


@pytest.fixture
def nested(root: str) -> str:
    return f"{root}/a/b"


@pytest.fixture
def homeless(client, connection_string, nested) -> zc.zk.ZooKeeper:
    """Return a client whose root does not exist, nor anything above it."""
    return client(connection_string + nested)


CALLS = {
    "get": lambda zk: zk.get("/x"),
    "get of the root": lambda zk: zk.get("/"),
    "get_children": lambda zk: zk.get_children("/x"),
    "get_children of the root": lambda zk: zk.get_children("/"),
    "get_acl": lambda zk: zk.get_acl("/x"),
    "set": lambda zk: zk.set("/x", ""),
    "set_acl": lambda zk: zk.set_acl("/x", -1, OPEN_ACL_UNSAFE),
    "delete": lambda zk: zk.delete("/x"),
    "create": lambda zk: zk.create("/x"),
    "create2": lambda zk: zk.create2("/x"),
    "multi": lambda zk: zk.multi([("create", "/x", "", OPEN_ACL_UNSAFE)]),
    "read_tree": lambda zk: zk.read_tree("/x"),
    "export_tree": lambda zk: zk.export_tree("/x"),
    "export_tree of the root": lambda zk: zk.export_tree("/"),
    "delete_recursive": lambda zk: zk.delete_recursive("/x"),
    "walk": lambda zk: list(zk.walk("/x")),
    "register": lambda zk: zk.register("/x", ("h", 1)),
    "children": lambda zk: zk.children("/x"),
    "properties": lambda zk: zk.properties("/x"),
    "get_properties": lambda zk: zk.get_properties("/x"),
    "ln": lambda zk: zk.ln("/x", "/y"),
    "resolve": lambda zk: zk.resolve("/x"),
}


@pytest.mark.parametrize("name", CALLS)
def test_errors_name_the_root(homeless, nested, name) -> None:
    with pytest.raises(zookeeper.NoNodeException, match=f"the root {nested} does not exist"):
        CALLS[name](homeless)


def test_a_root_that_exists_is_not_spoken_of(zk) -> None:
    with pytest.raises(zookeeper.NoNodeException) as caught:
        zk.get("/x")
    assert str(caught.value) == "no node: /x"


def test_create_recursive_makes_it(homeless, connection_string, client, nested) -> None:
    homeless.create_recursive("/x/y", "data")
    assert homeless.get("/x/y")[0] == "data"
    assert client(connection_string).get(f"{nested}/x/y")[0] == "data"


def test_create_recursive_of_the_root_itself(homeless) -> None:
    homeless.create_recursive("/", "data")
    assert homeless.get("/")[0] == "data"


@pytest.mark.parametrize("path", ["/", "/deep/down"])
def test_import_tree_makes_it(homeless, path, capsys) -> None:
    homeless.import_tree("/x\n  v = 1\n", path)
    assert homeless.export_tree(path).strip().splitlines()[-2:] == ["/x", "  v = 1"] or (
        "/x" in homeless.export_tree(path)
    )
    assert homeless.get_properties(f"{path.rstrip('/')}/x") == {"v": 1}


def test_a_plan_shows_it(homeless) -> None:
    plan = homeless.plan_import("/x\n")
    assert [change.path for change in plan] == ["/", "/x"]
    plan.apply()
    assert homeless.exists("/x")


def test_a_dry_run_does_not_make_it(homeless, capsys) -> None:
    homeless.import_tree("/x\n", dry_run=True)
    assert "add /" in capsys.readouterr().out
    assert homeless.exists("/") is None


def test_it_is_made_with_the_credentials_of_the_client(client, connection_string, root) -> None:
    """The node above belongs to somebody, and so does the root that is made."""
    credential = "somebody:secret"
    with contextlib.closing(client(connection_string)) as owner:
        owner.add_auth("digest", credential)
        # The scheme auth would stand for a certificate, too, which all clients have by TLS.
        acl = [{"perms": 31, "scheme": "digest", "id": digest(credential)}]
        owner.create(f"{root}/mine", "", acl)
    homeless = client(f"{connection_string}{root}/mine/root")
    with pytest.raises(zookeeper.NoAuthException):
        homeless.create_recursive("/x")
    homeless.add_auth("digest", credential)
    homeless.create_recursive("/x", acl=[{"perms": 31, "scheme": "auth", "id": ""}])
    assert homeless.exists("/x")


def test_a_credential_counts_before_its_answer_is_told(
    client, connection_string, root, request
) -> None:
    """The thread that tells of the answer is busy with a watcher of the program."""
    credential = "somebody:secret"
    is_called, end = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        is_called.set()
        end.wait()

    with contextlib.closing(client(connection_string)) as owner:
        owner.add_auth("digest", credential)
        acl = [{"perms": 31, "scheme": "digest", "id": digest(credential)}]
        owner.create(f"{root}/mine", "", acl)
    homeless = client(f"{connection_string}{root}/mine/root")
    request.addfinalizer(end.set)
    homeless.aexists("/x", None, hold)
    wait_until(is_called.is_set, "the event thread is held up")
    homeless.add_auth("digest", credential)
    homeless.create_recursive("/x", acl=[{"perms": 31, "scheme": "auth", "id": ""}])
    assert homeless.exists("/x")


def test_a_permanent_error_is_no_conflict(zk, monkeypatch) -> None:
    """An ephemeral node has no children, however often a retry tries it."""
    zk.create("/e", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
    rests: list[float] = []
    monkeypatch.setattr(retry, "rest", rests.append)
    with pytest.raises(zookeeper.NoChildrenForEphemeralsException):
        zk.import_tree("/e\n  /child\n")
    assert len(rests) < 5
