"""`zk acl`: who may do what, looked at and changed."""

from __future__ import annotations

import json

import pytest

from tests.cli.inprocess import call, the_line
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op
from zc.zk.acl import OPEN_ACL_UNSAFE, digest_acl

ALICE = digest_acl("alice", "secret")
READ = {"scheme": "world", "id": "anyone", "perms": 1}


@pytest.fixture
def alice(tmp_path):
    """Return the options of somebody who has authenticated."""
    file = tmp_path / "alice"
    file.write_text("digest:alice:secret\n")
    file.chmod(0o600)
    return "--credentials", file


def the_message(outcome):
    assert (outcome.status, outcome.messages.count("\n")) == (0, 1), outcome
    return outcome.messages


@pytest.fixture
def tree(zk):
    zk.add_auth("digest", "alice:secret")
    zk.create_recursive("/a/p10")
    zk.create("/a/p2", "", [READ, {**ALICE, "perms": 31}])


@pytest.mark.usefixtures("tree")
class TestGet:
    def test_one_node_and_all_below_in_natural_order(self, place, alice):
        assert call("acl", "get", place, "/a").output == "/a world:anyone:cdrwa\n"
        assert call("acl", "get", "-R", *alice, place, "/a") == (
            0,
            "/a world:anyone:cdrwa\n"
            f"/a/p2 world:anyone:r, digest:{ALICE['id']}:cdrwa\n"
            "/a/p10 world:anyone:cdrwa\n",
            "",
        )

    def test_json(self, place, alice):
        outcome = call("acl", "get", "--format", "json", *alice, place, "/a/p2")
        assert json.loads(outcome.output) == {
            "path": "/a/p2", "acl": [READ, ALICE], "aversion": 0, "masked": False,
        }  # fmt: skip

    def test_an_acl_that_is_printed_can_be_set(self, place, zk, alice):
        _, _, printed = call("acl", "get", *alice, place, "/a/p2").output.strip().partition(" ")
        assert call("acl", "set", *alice, place, "/a/p10", printed).status == 0
        assert zk.get_acl("/a/p10")[1] == zk.get_acl("/a/p2")[1]

    def test_digests_that_are_masked_are_told_and_cannot_be_set(self, place, alice):
        outcome = call("acl", "get", "-R", place, "/a")
        assert "/a/p2 world:anyone:r, digest:alice:x:cdrwa\n" in outcome.output
        assert "the x in digest entries of 1 node is not theirs" in the_message(outcome)
        outcome = call("acl", "get", "-R", "--format", "json", place, "/a")
        assert [json.loads(line)["masked"] for line in outcome.output.splitlines()] == [
            False, True, False,
        ]  # fmt: skip
        for kind in ("set", "add", "remove"):
            line = the_line(call("acl", kind, *alice, place, "/a/p2", "digest:alice:x:cdrwa"), 2)
            assert line.startswith("not a digest: of 'alice'")

    def test_hostile_names_and_ids_are_escaped(self, place, zk):
        name = "/a/x\u202e\u2028"
        zk.create(name, "", [{"scheme": "ip", "id": "10.0.0.1", "perms": 1}, *OPEN_ACL_UNSAFE])
        outcome = call("acl", "get", "-R", place, "/a")
        assert outcome.output.replace("\n", "").isprintable()

    def test_a_node_that_may_not_be_looked_at(self, place, zk):
        zk.create("/a/x", "", [{**ALICE, "perms": 31}])
        outcome = call("acl", "get", place, "/a/x")
        assert outcome.status == 1
        assert "--skip-unreadable" in outcome.messages
        outcome = call("acl", "get", "-R", "--skip-unreadable", place, "/a")
        assert outcome.status == 4
        assert "/a/p10" in outcome.output
        assert "/a/x" in outcome.messages
        assert "/a/x" not in outcome.output


@pytest.mark.usefixtures("tree")
class TestChange:
    def test_set_add_and_remove(self, place, zk, alice):
        assert call("acl", "set", *alice, place, "/a", "world:anyone:r,auth::cdrwa") == (0, "", "")
        assert zk.get_acl("/a")[1][:2] == [READ, ALICE]  # by TLS, a certificate, too
        zk.set_acl("/a", 1, [READ, ALICE])
        assert call("acl", "add", *alice, place, "/a", "world:anyone:w") == (0, "", "")
        assert zk.get_acl("/a")[1] == [{**READ, "perms": 3}, ALICE]
        assert call("acl", "remove", *alice, place, "/a", "world:anyone:cdrwa") == (0, "", "")
        assert zk.get_acl("/a")[1] == [ALICE]
        assert zk.get_acl("/a")[0]["aversion"] == 4

    def test_an_acl_that_is_as_wanted_is_not_written(self, place, zk):
        assert call("acl", "set", place, "/a", "world:anyone:cdrwa") == (0, "", "")
        assert zk.get_acl("/a")[0]["aversion"] == 0

    def test_a_dry_run_and_a_plan(self, place, zk, alice):
        words = *alice, place, "/a", "world:anyone:cdra"
        outcome = call("acl", "set", "-R", "-d", *words)
        assert outcome.output == (
            "/a acl change from world:anyone:cdrwa to world:anyone:cdra\n"
            f"/a/p2 acl change from world:anyone:r, digest:{ALICE['id']}:cdrwa"
            " to world:anyone:cdra\n"
            "/a/p10 acl change from world:anyone:cdrwa to world:anyone:cdra\n"
        )
        line = the_line(call("acl", "set", "-R", *words), 2)
        assert line == "this changes the ACL of 3 nodes: --dry-run shows them, --yes changes them"
        assert zk.get_acl("/a")[0]["aversion"] == 0
        outcome = call("acl", "set", "-R", "-d", "--format", "json", *words)
        assert [json.loads(line)["path"] for line in outcome.output.splitlines()] == [
            "/a", "/a/p2", "/a/p10",
        ]  # fmt: skip

    def test_a_change_of_many_is_shown_and_confirmed(self, place, zk, alice, monkeypatch):
        monkeypatch.setattr("zc.zk.cli.confirmation.can_ask", lambda: True)
        words = "acl", "set", "-R", *alice, place, "/a", "world:anyone:cdra"
        outcome = call(*words, given=b"\n")
        assert outcome.status == 1
        assert "Change the ACL of 3 nodes? [y/N] " in outcome.messages
        assert zk.get_acl("/a")[0]["aversion"] == 0
        assert call(*words, given=b"y\n").status == 0
        assert zk.get_acl("/a")[0]["aversion"] == 1

    def test_all_nodes_below(self, place, zk, alice):
        assert call("acl", "add", "-R", "-y", *alice, place, "/a", "world:anyone:d").status == 0
        assert zk.get_acl("/a/p2")[1] == [{**READ, "perms": 9}, ALICE]
        assert zk.get_acl("/a/p10")[1] == OPEN_ACL_UNSAFE

    def test_nobody_is_locked_out_without_force(self, place, zk, alice):
        line = the_line(call("acl", "set", place, "/a", "world:anyone:cdrw"))
        assert line.startswith("/a: you could not change its ACL again (world:anyone:cdrw)")
        other = digest_acl("bob", "x")["id"]
        line = the_line(call("acl", "set", *alice, place, "/a", f"digest:{other}:cdrwa"))
        assert "you could not change its ACL again" in line
        assert zk.get_acl("/a")[0]["aversion"] == 0
        assert call("acl", "set", *alice, place, "/a", f"digest:{ALICE['id']}:cdrwa").status == 0
        assert call("acl", "set", "--force", *alice, place, "/a", "world:anyone:r").status == 0

    def test_an_acl_of_nothing_is_refused(self, place):
        line = the_line(call("acl", "remove", "--force", place, "/a", "world:anyone:cdrwa"))
        assert line == "/a: no entry would be left, and servers take no empty ACL"

    def test_a_node_that_is_not_ours_to_change(self, place):
        line = the_line(call("acl", "set", place, "/a/p2", "world:anyone:cdrwa"))
        assert line == (
            "not authenticated: /a/p2: to change its ACL takes the permission a (--credentials says"
            " who you are)"
        )
        outcome = call("acl", "set", "-R", "-y", place, "/a", "world:anyone:cdra")
        assert (outcome.status, outcome.messages.count("permission a")) == (1, 1)
        assert outcome.messages.endswith("2 of 3 ACLs were changed\n")

    def test_changes_of_others_meanwhile_are_told_and_the_rest_is_done(
        self, place, zk, monkeypatch
    ):
        from zc.zk.operations.acls import change_acls as real_change

        def change_acls(session, changes, progress=None):
            zk.set_acl("/a/p10", -1, [READ, *OPEN_ACL_UNSAFE])
            return real_change(session, changes, progress)

        monkeypatch.setattr("zc.zk.cli.acl.change_acls", change_acls)
        outcome = call("acl", "set", "-R", "-y", place, "/a", "world:anyone:cdra")
        assert outcome.status == 1
        assert "/a/p10: somebody else has changed its ACL" in outcome.messages
        assert "1 of 3 ACLs were changed: run it again" in outcome.messages


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "One of get, set, add, remove comes first: ''"),
        (["show", "/a"], "comes first: 'show'"),
        (["get"], "which node?"),
        (["set", "/a"], "which entries?"),
        (["set", "/a", "world"], "not of the form SCHEME:ID:PERMISSIONS"),
        (["set", "/a", "digest:alice:secret:r"], "not a digest"),
        (["set", "/a", "auth::r"], "auth is who you have authenticated as"),
        (["set", "/a", "world:anyone:r", "x"], "too many arguments, from 'x'"),
    ],
)
def test_words_that_make_no_sense(place, words, told):
    given = [words[0], place, *words[1:]] if words else []
    line = the_line(call("acl", *given), 2)
    assert told in line
    assert "secret" not in line


def test_a_node_that_is_missing(place):
    for words in (["get"], ["set"]):
        more = ["world:anyone:r"] * (words == ["set"])
        assert the_line(call("acl", *words, place, "/none", *more)) == "no node: /none"


def test_a_change_that_is_killed_is_finished_by_the_next(server, root, place, zk, start):
    zk.create("/a")
    zk.write_many([("create", f"/a/{number}", "", OPEN_ACL_UNSAFE) for number in range(1500)])
    words = "acl", "set", "-R", "-y"
    seen = 0

    def on_request(request):
        nonlocal seen
        seen += request.op == Op.SET_ACL
        if seen == 700:
            process.kill()
        return True

    with TcpProxy(server.connection_string, on_request) as proxy:
        process = start(*words, proxy.connection_string + root, "/a", "world:anyone:cdra")
        process.communicate()
    assert process.returncode == -9
    outcome = call(*words, "--format", "json", place, "/a", "world:anyone:cdra")
    assert outcome.status == 0
    assert 0 < len(outcome.output.splitlines()) < 1501
    assert call(*words, "-d", place, "/a", "world:anyone:cdra").output == ""


def test_connections_that_break_at_any_change_are_made_up_for(server, root, zk):
    zk.create("/a")
    for number in range(6):
        zk.create(f"/a/{number}")
    letters = "cdrwa", "cdra"
    broken = count = 0

    def on_request(request):
        nonlocal count
        count += request.op == Op.SET_ACL
        return request.op != Op.SET_ACL or count != broken

    with TcpProxy(server.connection_string, on_request) as proxy:
        while count >= broken:
            broken, count = broken + 1, 0
            wanted = f"world:anyone:{letters[broken % 2]}"
            outcome = call("acl", "set", "-R", "-y", proxy.connection_string + root, "/a", wanted)
            assert outcome.status == 0, outcome
            assert len({str(zk.get_acl(path)[1]) for path in zk.walk("/a")}) == 1
    assert broken == 8


def test_servers_that_die_leave_word_of_what_was_done(server, root, zk, monkeypatch):
    zk.create("/a")
    for number in range(6):
        zk.create(f"/a/{number}")
    monkeypatch.setattr("zc.zk.session.retry.MAX_ATTEMPTS", 1)
    writes = 0

    def on_request(request):
        nonlocal writes
        writes += request.op == Op.SET_ACL
        return writes < 3

    with TcpProxy(server.connection_string, on_request) as proxy:
        there = proxy.connection_string + root
        outcome = call("acl", "set", "-R", "-y", there, "/a", "world:anyone:cdra")
    line = outcome.messages.splitlines()[-1]
    assert outcome.status == 1
    assert " of 7 changes of ACLs; " in line
    assert line.endswith(" others may have been) (run it again, which does the rest)")
