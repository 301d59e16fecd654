"""The commands that change, on the emulation that suites of users have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

import zc.zk
from tests.cli.inprocess import call
from zc.zk.testing import setUp, tearDown

TREE = "/shop\n  threads = 8\n  /queue\n"
SERVER = "zookeeper.example.com:2181"


class Test:
    """A test, as `setUp` takes one."""


@pytest.fixture
def zk() -> Iterator[zc.zk.ZooKeeper]:
    test = Test()
    setUp(test, TREE)
    with zc.zk.ZooKeeper(SERVER) as client:
        yield client
    tearDown(test)


def test_single_nodes(zk):
    assert call("set", SERVER, "/shop/queue", "x") == (0, "", "")
    assert call("create", SERVER, "--sequential", "/shop/queue/n-").output.endswith("0000000000\n")
    assert call("create", SERVER, "--parents", "/a/b", "y") == (0, "/a/b\n", "")
    assert zk.get("/shop/queue")[0] == "x"
    assert zk.get("/a/b")[0] == "y"


def test_subtrees(zk):
    assert call("cp", SERVER, "/shop", "/copy") == (0, "", "")
    assert call("mv", "-y", SERVER, "/copy", "/moved") == (0, "", "")
    assert zk.exists("/moved/queue")
    assert not zk.exists("/copy")
    assert call("acl", "set", "-R", "-y", SERVER, "/moved", "world:anyone:cdra") == (0, "", "")
    assert call("acl", "get", "-R", SERVER, "/moved").output == (
        "/moved world:anyone:cdra\n/moved/queue world:anyone:cdra\n"
    )


def test_quotas(zk):
    assert call("quota", "set", "--count", 5, SERVER, "/shop") == (0, "", "")
    outcome = call("quota", "list", "--format", "json", SERVER)
    assert json.loads(outcome.output)["used"] == {"count": 2, "bytes": 13}
    assert call("quota", "delete", SERVER, "/shop") == (0, "", "")


def test_an_editor(zk, monkeypatch, tmp_path):
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib\nfile = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('8', '9'))\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    assert call("edit", SERVER, "/shop") == (0, "", "")
    assert call("edit", "-R", SERVER, "/shop").status == 0
    assert zk.get_properties("/shop") == {"threads": 9}


def test_a_lock_and_a_node_while_a_command_runs(zk):
    words = "sh", "-c", 'test "$ZC_ZK_FENCING_NUMBER" -gt 0'
    assert call("lock", SERVER, "/lock", "--", *words).status == 0
    assert call("create", SERVER, "/me", "--ephemeral-while", "true") == (0, "/me\n", "")
    assert not zk.exists("/me")
