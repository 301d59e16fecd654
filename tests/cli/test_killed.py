"""Commands that are killed (SIGKILL) at their write, done or not: another run makes up for it."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import call
from tests.deadlines import wait_until
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op

WRITES = {Op.CREATE, Op.CREATE2, Op.MULTI, Op.DELETE, Op.SET_DATA, Op.SET_ACL, Op.CREATE_CONTAINER}

ACL = [{"perms": 29, "scheme": "world", "id": "anyone"}]

# A command, and how it is seen that it was done; its path stands for the rest.
COMMANDS = {
    "set /a new": lambda zk: zk.get("/a")[0] == "new" and zk.exists("/a")["version"] in (1, 2),
    "create /new x": lambda zk: zk.get("/new")[0] == "x",
    "create --parents /n/e/w x": lambda zk: zk.get("/n/e/w")[0] == "x",
    "create --container /new": lambda zk: zk.exists("/new") is not None,
    "acl set /a world:anyone:crda": lambda zk: zk.get_acl("/a")[1] == ACL,
    "cp /a /b": lambda zk: zk.get("/b/c")[0] == "c" and zk.get("/a/c")[0] == "c",
    "mv -y /a /b": lambda zk: zk.get("/b/c")[0] == "c" and not zk.exists("/a"),
    "edit /a": lambda zk: zk.get_properties("/a") == {"x": 1},
    "edit -R -y /a": lambda zk: zk.get_properties("/a") == {"x": 1} and zk.get("/a/c")[0] == "c",
    "quota set --count 5 /a": lambda zk: "count 2 of 5" in listed(zk),
}


# An editor that gives the first node a property, once.
EDITOR = r"sed -i '/x = 1/d; 1s/$/\n  x = 1/'"


def listed(zk):
    return call("quota", "get", zk.connection_string, "/a").output


def is_true(is_as_wanted, zk):
    try:
        return is_as_wanted(zk)
    except zookeeper.NoNodeException:
        return False


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not done"])
def test_another_run_makes_up_for_it(
    server, root, place, zk, start, connection_string, is_done, environment, monkeypatch, tmp_path
):
    monkeypatch.setenv("VISUAL", EDITOR)
    environment.update(VISUAL=EDITOR, TMPDIR=str(tmp_path))
    victims: list[int] = []

    def on_request(request):
        if not victims or request.op not in WRITES:
            return True
        os.kill(victims.pop(), signal.SIGKILL)
        return is_done

    with (
        TcpProxy(server.connection_string, on_request) as proxy,
        zc.zk.ZooKeeper(connection_string) as outside,
    ):
        for line, is_as_wanted in COMMANDS.items():
            zk.import_tree("/a\n  /c\n")
            zk.set("/a/c", "c")
            name, *words = line.split()
            verb = words[:1] if name in ("acl", "quota") else []
            words = words[len(verb) :]
            process = start(name, *verb, proxy.connection_string + root, *words)
            victims.append(process.pid)
            process.communicate()
            assert process.returncode == -signal.SIGKILL, line
            if name == "edit":
                (kept,) = tmp_path.glob("zc.zk-edit-*/node.txt")  # what the user has written
                assert "  x = 1\n" in kept.read_text()
                shutil.rmtree(kept.parent)
            seen = partial(is_true, is_as_wanted, zk)
            if is_done and "--parents" not in words:  # that takes several writes
                wait_until(seen, line)
            outcome = call(name, *verb, place, *words)
            told = ("node exists: ", "no node: /a")  # it is done already
            assert outcome.status == 0 or any(each in outcome.messages for each in told), outcome
            wait_until(seen, line)
            for path in zk.get_children("/"):
                zk.delete_recursive(f"/{path}", force=True)
            if outside.exists(f"/zookeeper/quota{root}"):
                outside.delete_recursive(f"/zookeeper/quota{root}")
