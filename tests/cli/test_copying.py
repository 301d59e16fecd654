"""`zk cp` and `zk mv`: subtrees with their ACLs, whole or told."""

from __future__ import annotations

import json
import os
import signal

import pytest

import zookeeper
from tests.cli.inprocess import call, the_line
from tests.deadlines import wait_until
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op
from zc.zk.acl import OPEN_ACL_UNSAFE, digest_acl

WRITES = {Op.CREATE, Op.CREATE2, Op.MULTI, Op.DELETE, Op.CREATE_CONTAINER, Op.CREATE_TTL}

OWN = [{"perms": 31, "scheme": "world", "id": "anyone"}, digest_acl("alice", "secret", "r")]


@pytest.fixture
def tree(zk):
    """Make nodes of all kinds below /a."""
    zk.create("/a", "top")
    zk.create("/a/b", b"\xff\0", OWN)
    zk.create("/a/null", None)
    zk.create("/a/container", "", OPEN_ACL_UNSAFE, zookeeper.CONTAINER)
    zk.create("/a/container/in", "in it")
    zk.create("/a/ttl", "", OWN, zookeeper.PERSISTENT_WITH_TTL, ttl=3_600_000)


def seen(zk, path):
    """Return all that a copy is to have, by path behind `path`."""
    paths = list(zk.walk(path))
    nodes = zip(paths, zk.get_many(paths), zk.get_acl_many(paths), strict=True)
    return {
        each.removeprefix(path): (node[0], node[1]["ephemeralOwner"], access[1])
        for each, node, access in nodes
        if isinstance(node, tuple) and isinstance(access, tuple)
    }


def large(zk, count=620):
    zk.create("/a", "top")
    steps = [("create", f"/a/{number:03}", f"{number}", OWN) for number in range(count)]
    zk.write_many(steps)


class TestCopy:
    @pytest.mark.usefixtures("tree")
    def test_data_and_acls_are_kept(self, place, zk):
        before = seen(zk, "/a")
        outcome = call("cp", "-d", place, "/a", "/copy")
        assert outcome == (0, "copy /a to /copy: 6 nodes, 10 bytes\n", "")
        assert not zk.exists("/copy")
        assert call("cp", place, "/a", "/copy") == (0, "", "")
        assert seen(zk, "/copy") == before == seen(zk, "/a")

    @pytest.mark.usefixtures("tree")
    def test_json_tells_what_was_done(self, place, zk):
        outcome = call("cp", place, "/a", "/copy", "--format", "json")
        assert json.loads(outcome.output) == {
            "source": "/a", "target": "/copy", "copied": 6, "bytes": 10, "deleted": 0,
            "ephemeral": [], "atomic": True,
        }  # fmt: skip

    @pytest.mark.usefixtures("tree")
    def test_a_slash_copies_into_a_node(self, place, zk):
        zk.create("/into")
        assert call("cp", place, "/a/b", "/into/") == (0, "", "")
        assert seen(zk, "/into/b") == seen(zk, "/a/b")

    @pytest.mark.usefixtures("tree")
    def test_the_root_is_a_node_to_copy_into(self, place, zk):
        zk.create("/other")
        zk.create("/other/lock", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        assert call("cp", place, "/a/b", "/") == (0, "", "")
        assert call("cp", place, "/a", f"{place}/other", "/") == (0, "", "")
        assert seen(zk, "/b") == seen(zk, "/a/b")
        assert seen(zk, "/other/a") == seen(zk, "/a")

    def test_a_node_that_is_older_is_no_copy(self, place, zk):
        zk.create_recursive("/old/jobs/1")
        zk.create("/new")
        for command in ("cp",), ("mv", "-y"):
            line = the_line(call(*command, place, "/new", "/old"))
            assert line.startswith("/old: this node is there, and older than /new: it is no copy")
        assert zk.exists("/new")
        outcome = call("cp", "--merge", place, "/new", "/old")
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.messages.endswith("/old has had all of /new already\n")

    def test_names_are_told_if_asked_for(self, place, zk):
        zk.create("/a", "x")
        assert call("cp", "-v", place, "/a", "/b").output == (
            "copy /a to /b: 1 node, 1 byte\nadd /b\n"
        )
        assert call("mv", "-v", "-y", place, "/b", "/c").output.endswith("delete /b\n")

    @pytest.mark.usefixtures("tree")
    def test_to_other_servers(self, place, zk):
        zk.create("/other")
        assert call("cp", place, "/a", f"{place}/other", "/copy") == (0, "", "")
        assert seen(zk, "/other/copy") == seen(zk, "/a")

    def test_links_are_followed(self, place, zk):
        zk.create_recursive("/real/node", "x")
        zk.ln("/real", "/link")
        assert call("cp", place, "/link/node", "/link/copy") == (0, "", "")
        assert zk.get("/real/copy")[0] == "x"

    def test_no_node_is_made_in_the_place_of_a_link(self, place, zk):
        zk.create("/a")
        zk.ln("/nowhere", "/link")
        for command in ["cp"], ["mv", "-y"]:
            line = the_line(call(*command, place, "/a", "/link"))
            assert line == "/link is a link to /nowhere, which a node would hide"
        assert zk.get_children("/") == ["a"]

    def test_errors_name_the_servers_of_two(self, place, zk, connection_string):
        nobody = [digest_acl("alice", "secret")]
        zk.create("/a")
        zk.create("/shut", "", nobody)
        zk.create("/other")
        zk.create("/other/a", "another")
        zk.create("/other/open", "", [{"perms": 1, "scheme": "world", "id": "anyone"}])
        there = f"{place}/other"
        for words, told in [
            ([place, "/none", there, "/x"], f"{place}: no node: /none"),
            ([place, "/shut", there, "/x"], f"{place}: not authenticated: /shut"),
            ([place, "/a", there, "/none/x"], f"{there}: no node: /none"),
            ([place, "/a", there, "/open/x"], f"{there}: not authenticated: /open/x"),
            ([there, "/a", f"{place}/shut/x", "/b"], f"{place}/shut/x: no"),
            ([place, "/a", there, "/a"], f"{there}: /a: this node is there, and not as /a is"),
        ]:
            assert the_line(call("cp", *words)).startswith(told)
        # There is but one otherwise.
        assert the_line(call("cp", place, "/none", "/x")) == "no node: /none"

    @pytest.mark.usefixtures("tree")
    def test_ephemeral_nodes_are_left_out_which_is_said(self, place, zk):
        zk.create("/a/eph", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        outcome = call("cp", "-d", place, "/a", "/copy")
        assert "/a/eph is ephemeral and not copied\n" in outcome.output
        outcome = call("cp", place, "/a", "/copy")
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.messages.endswith("1 node not copied: ephemeral, as of programs that run\n")
        assert not zk.exists("/copy/eph")
        assert zk.exists("/copy/ttl")
        assert "there is nothing to copy" in the_line(call("cp", place, "/a/eph", "/copy2"))

    def test_nothing_is_overwritten(self, place, zk):
        zk.create_recursive("/a/b", "new")
        zk.create_recursive("/copy/b", "old")
        line = the_line(call("cp", place, "/a", "/copy"))
        assert line.startswith("/copy/b: this node is there, and not as /a/b is")
        zk.set("/copy/b", "new")
        zk.create("/copy/other")
        zk.create("/a/c")
        line = the_line(call("cp", place, "/a", "/copy"))
        assert line.startswith("/copy/other: this node is there")
        assert "--merge" in line
        assert not zk.exists("/copy/c")
        assert call("cp", "--merge", place, "/a", "/copy") == (0, "", "")
        assert zk.exists("/copy/c")
        assert zk.exists("/copy/other")

    def test_a_large_tree_is_said_to_be_not_at_once(self, place, zk):
        large(zk)
        outcome = call("cp", "-d", place, "/a", "/copy")
        assert "not at once" in outcome.output
        assert call("cp", place, "/a", "/copy") == (0, "", "")
        assert seen(zk, "/copy") == seen(zk, "/a")

    def test_a_node_of_900_kilobytes(self, place, zk):
        zk.create("/a", "x" * 900_000)
        assert call("cp", place, "/a", "/copy") == (0, "", "")
        assert zk.get("/copy")[0] == "x" * 900_000

    def test_a_node_that_may_not_be_read_is_an_error_before_anything(self, place, zk):
        zk.create_recursive("/a/secret")
        zk.set_acl("/a/secret", -1, [{"scheme": "world", "id": "anyone", "perms": 30}])
        assert the_line(call("cp", place, "/a", "/copy")) == "not authenticated: /a/secret"
        assert not zk.exists("/copy")

    def test_an_acl_that_is_shown_in_part_is_not_copied(self, place, zk):
        zk.create("/a", "", [{"perms": 1, "scheme": "world", "id": "anyone"}, OWN[1]])
        line = the_line(call("cp", place, "/a", "/copy"))
        assert line == "not authenticated: /a: servers show its ACL to its administrators only"


class TestMove:
    def test_the_root_is_a_node_to_move_into(self, place, zk):
        zk.create_recursive("/p/leaf/k", "x")
        assert call("mv", "-y", place, "/p/leaf", "/") == (0, "", "")
        assert zk.get("/leaf/k")[0] == "x"
        assert not zk.exists("/p/leaf")
        assert "itself" in the_line(call("mv", "-y", place, "/leaf", "/"))
        assert zk.exists("/leaf/k")

    def test_a_link_is_not_moved_and_stays_good(self, place, zk):
        zk.create_recursive("/real/k", "x")
        zk.create("/links", '{"l ->": "/real"}')
        assert "no node: /links/l" in the_line(call("mv", "-y", place, "/links/l", "/moved"))
        assert call("mv", "-y", place, "/links/l/k", "/k") == (0, "", "")
        assert zk.exists("/k")
        assert zk.exists("/real")

    def test_the_reason_for_not_at_once_is_told(self, place, zk):
        zk.create_recursive("/a/b", "x")
        zk.create("/c")
        outcome = call("mv", "-d", "--merge", place, "/a", "/c")
        assert "not at once: this is done in part already; nodes are copied" in outcome.output

    @pytest.mark.usefixtures("tree")
    def test_all_is_moved_at_once(self, place, zk):
        before = seen(zk, "/a")
        outcome = call("mv", "-d", place, "/a", "/b")
        assert outcome.output == "copy /a to /b: 6 nodes, 10 bytes\ndelete /a: 6 nodes\n"
        assert "this deletes 6 nodes" in the_line(call("mv", place, "/a", "/b"), 2)
        zxid = zk.exists("/")["pzxid"]
        assert call("mv", "-y", place, "/a", "/b") == (0, "", "")
        assert seen(zk, "/b") == before
        assert not zk.exists("/a")
        assert {zk.exists(path)["czxid"] for path in zk.walk("/b")} == {zk.exists("/")["pzxid"]}
        assert zk.exists("/")["pzxid"] > zxid

    @pytest.mark.usefixtures("tree")
    def test_the_plan_is_shown_and_confirmed(self, place, zk, monkeypatch):
        monkeypatch.setattr("zc.zk.cli.confirmation.can_ask", lambda: True)
        outcome = call("mv", place, "/a", "/b", given=b"n\n")
        assert (outcome.status, outcome.output) == (1, "")
        assert outcome.messages.startswith(
            "copy /a to /b: 6 nodes, 10 bytes\ndelete /a: 6 nodes\nMove 6 nodes? [y/N] "
        )
        assert outcome.messages.endswith(": nothing was changed\n")
        assert zk.exists("/a")
        assert call("mv", place, "/a", "/b", given=b"y\n").status == 0
        assert not zk.exists("/a")

    def test_a_large_tree_is_copied_compared_and_deleted(self, place, zk):
        large(zk, 300)
        before = seen(zk, "/a")
        assert (
            "copied, then compared, and then deleted" in call("mv", "-d", place, "/a", "/b").output
        )
        assert call("mv", "-y", place, "/a", "/b") == (0, "", "")
        assert seen(zk, "/b") == before
        assert not zk.exists("/a")

    @pytest.mark.usefixtures("tree")
    def test_ephemeral_nodes_stop_a_move(self, place, zk):
        zk.create("/a/eph", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
        line = the_line(call("mv", "-y", place, "/a", "/b"))
        assert line.startswith("/a/eph is ephemeral")
        assert not zk.exists("/b")

    @pytest.mark.parametrize("name", ["cp", "mv"])
    def test_places_that_make_no_sense(self, place, zk, name):
        zk.create_recursive("/a/b/c")
        zk.ln("/a/b", "/link")
        for target in ("/a", "/a/", "/a/b/new", "/link/new"):
            line = the_line(call(name, *["-y"] * (name == "mv"), place, "/a", target))
            assert line.startswith("/a cannot be copied or moved to ")
        assert the_line(call(name, place, "/a", "/none/x")).startswith("no node: /none")
        assert the_line(call(name, place, "/none", "/x")) == "no node: /none"
        assert "SOURCE and TARGET are needed" in the_line(call(name, place, "/a"), 2)

    def test_a_large_tree_that_may_not_be_deleted_is_told_to_be_copied(self, place, zk):
        large(zk, 300)
        zk.set_acl("/a", -1, [{"perms": 31 & ~8, "scheme": "world", "id": "anyone"}])
        line = the_line(call("mv", "-y", place, "/a", "/b"))
        assert line.startswith("not authenticated: /a/299")
        assert line.endswith("(all of it was copied to /b)")
        assert len(list(zk.walk("/a"))) == len(list(zk.walk("/b"))) == 301

    def test_nodes_of_the_servers_own(self, place, zk, connection_string, root):
        for path in ("/zookeeper", "/zookeeper/quota"):
            line = the_line(call("mv", "-y", connection_string, path, f"{root}/x"))
            assert line == f"{path} cannot be moved: it is the servers' own"
        assert call("cp", connection_string, "/zookeeper/quota", f"{root}/x").status == 0
        assert zk.exists("/x")
        assert the_line(call("mv", "-y", connection_string, "/", f"{root}/y"))
        outcome = call("cp", "-d", "-v", connection_string, "/", place, "/whole")
        assert outcome.status == 1  # it is the same service
        assert "cannot be copied or moved to a place below itself" in outcome.messages

    def test_others_who_change_nodes_meanwhile_stop_it(self, place, zk, monkeypatch):
        zk.create_recursive("/a/b", "x")
        from zc.zk.operations import copying

        real_apply = copying.CopyPlan.apply

        def apply(self, progress=None):
            zk.set("/a/b", "changed")
            return real_apply(self, progress)

        monkeypatch.setattr(copying.CopyPlan, "apply", apply)
        line = the_line(call("mv", "-y", place, "/a", "/b"))
        assert line.startswith("somebody else has changed what the plan was made from")
        assert zk.get("/a/b")[0] == "changed"
        assert not zk.exists("/b")

    def test_others_who_change_a_large_tree_meanwhile_stop_the_deletion(
        self, place, zk, monkeypatch
    ):
        large(zk, 300)
        from zc.zk.operations import copying

        real_compare = copying.CopyPlan._compare

        def compare(self):
            zk.set("/a/007", "changed")
            return real_compare(self)

        monkeypatch.setattr(copying.CopyPlan, "_compare", compare)
        line = the_line(call("mv", "-y", place, "/a", "/b"))
        assert line.startswith("/a/007: somebody else has changed it")
        assert len(list(zk.walk("/a"))) == 301


class TestInterruptions:
    """Nothing is lost, whatever breaks, and running it again does the rest."""

    @pytest.fixture
    def writes(self, server):
        """Yield a proxy, and the list of its writes; `at` calls something at the n-th."""

        class Writes:
            count = 0
            at = None

            def __call__(self, request):
                if request.op not in WRITES:
                    return True
                self.count += 1
                return self.at(self.count) if self.at else True

        counted = Writes()
        with TcpProxy(server.connection_string, counted) as proxy:
            yield proxy, counted

    @pytest.mark.parametrize("name", ["cp", "mv"])
    def test_connections_that_break_at_any_write_are_made_up_for(self, root, zk, writes, name):
        proxy, counted = writes
        large(zk, 520)
        before = seen(zk, "/a")
        broken = 0
        while True:
            broken += 1
            counted.count, counted.at = 0, lambda number, which=broken: number != which
            outcome = call(
                name, *["-y"] * (name == "mv"), proxy.connection_string + root, "/a", "/b"
            )
            assert outcome.status == 0, outcome
            assert seen(zk, "/b") == before
            assert bool(zk.exists("/a")) == (name == "cp")
            if counted.count < broken:
                break
            if name == "mv":
                assert call("cp", zk.connection_string, "/b", "/a").status == 0
            zk.delete_recursive("/b")
        assert broken > 3

    @pytest.mark.parametrize(("count", "number"), [(520, 1), (520, 2), (3, 1)])
    @pytest.mark.parametrize("name", ["cp", "mv"])
    def test_servers_that_die_leave_word_of_what_was_done(
        self, server, root, zk, name, count, number, monkeypatch
    ):
        large(zk, count)
        monkeypatch.setattr("zc.zk.session.retry.MAX_ATTEMPTS", 1)
        writes = 0

        def on_request(request):
            nonlocal writes
            writes += request.op in WRITES
            return writes < number

        with TcpProxy(server.connection_string, on_request) as proxy:
            there = proxy.connection_string + root
            outcome = call(name, *["-y"] * (name == "mv"), there, "/a", "/b")
        line = outcome.messages.splitlines()[-1]
        assert (outcome.status, f"{there}: connection loss" in line) == (1, True)
        if count == 3:
            assert line.endswith("(all of it was done or nothing: run it again if nothing was)")
        else:
            assert f"(done: {number - 1 or 'none'} of 521 creations; " in line
            assert line.endswith("(run it again, which does the rest)")

    def test_a_move_that_is_killed_at_any_write_is_finished_by_the_next(
        self, root, zk, writes, start, place
    ):
        proxy, counted = writes
        large(zk, 520)  # several transactions
        before = seen(zk, "/a")
        number = 0
        is_done = False
        while not is_done:
            number += 1
            process = start("mv", "-y", proxy.connection_string + root, "/a", "/b")

            def at(count, which=number, process=process):
                if count == which:
                    os.kill(process.pid, signal.SIGKILL)
                return True

            counted.count, counted.at = 0, at
            process.communicate()
            is_done = process.returncode == 0
            assert is_done or process.returncode == -signal.SIGKILL
            counted.at = None

            def is_whole():
                found: dict[str, object] = {}
                for top in ("/a", "/b"):
                    found |= seen(zk, top) if zk.exists(top) else {}
                return found == before

            # The last write may be under way.
            wait_until(is_whole, "each node is at one place at least")
            wait_until(
                lambda: not zk.exists("/a") or call("mv", "-y", place, "/a", "/b").status == 0,
                "moved by another run",
            )
            assert seen(zk, "/b") == before
            assert not zk.exists("/a")
            zk.delete_recursive("/b")
            large(zk, 520)
        assert number > 3
