"""`zk create`: nodes of every kind."""

from __future__ import annotations

import json
import signal
import sys

import pytest

import zookeeper
from tests.cli.inprocess import call, the_line
from tests.deadlines import wait_until
from zc.zk.acl import digest_acl

EPHEMERAL = "--ephemeral-while"


def is_ephemeral(zk, path):
    return zk.exists(path)["ephemeralOwner"] != 0


class TestKinds:
    def test_a_plain_node_with_data(self, place, zk, tmp_path):
        assert call("create", place, "/a") == (0, "/a\n", "")
        assert call("create", place, "/b", "größe") == (0, "/b\n", "")
        assert call("create", place, "/c", "--", "-x") == (0, "/c\n", "")
        assert call("create", place, "-f", "-", "/d", given=b"\xff\0") == (0, "/d\n", "")
        assert [zk.get(path)[0] for path in ("/a", "/b", "/c")] == ["", "größe", "-x"]
        assert zk.get("/d")[0].encode("utf-8", "surrogateescape") == b"\xff\0"
        assert not is_ephemeral(zk, "/a")

    def test_numbers(self, place, zk):
        zk.create("/queue")
        assert call("create", "--sequential", place, "/queue/job-").output == (
            "/queue/job-0000000000\n"
        )
        outcome = call("create", "--sequential", "--format", "json", place, "/queue/")
        assert json.loads(outcome.output) == {"path": "/queue/0000000001", "kind": "persistent"}

    def test_containers_and_times_to_live(self, place, zk):
        assert call("create", "--container", place, "/c") == (0, "/c\n", "")
        assert call("create", "--ttl", 90.5, place, "/t") == (0, "/t\n", "")
        outcome = call("create", "--ttl", 7, "--sequential", place, "/t-")
        assert outcome.output == "/t-0000000002\n"
        assert zk.exists("/c")
        assert zk.exists("/t")

    def test_servers_are_asked_for_the_kind_and_the_time(self, place, monkeypatch):
        asked = []

        def create(h, path, data, acl, flags, *, ttl=None):
            asked.append((flags, ttl))
            return path

        monkeypatch.setattr(zookeeper, "create", create)
        call("create", "--container", place, "/c")
        call("create", "--ttl", "1m30.5s", place, "/t")
        call("create", "--ttl", 7, "--sequential", place, "/t")
        assert asked == [(4, None), (5, 90_500), (6, 7_000)]

    def test_servers_without_times_to_live_are_told_what_they_need(self, place, monkeypatch):
        def create(h, path, *_, **__):
            raise zookeeper.error(zookeeper.UNIMPLEMENTED, path)

        monkeypatch.setattr(zookeeper, "create", create)
        line = the_line(call("create", "--ttl", 7, place, "/t"))
        assert "zookeeper.extendedTypesEnabled=true" in line
        assert "/t" in line
        line = the_line(call("create", "--container", place, "/c"))
        assert line.endswith("these servers make no nodes of the kind 'container'")

    def test_an_acl(self, place, zk, tmp_path):
        (tmp_path / "alice").write_text("digest:alice:secret\n")
        (tmp_path / "alice").chmod(0o600)
        outcome = call(
            "create", "--credentials", tmp_path / "alice", "--acl", "world:anyone:r,auth::cdrwa",
            place, "/a",
        )  # fmt: skip
        assert outcome == (0, "/a\n", "")
        zk.add_auth("digest", "alice:secret")
        wait_until(lambda: digest_acl("alice", "secret") in zk.get_acl("/a")[1], "its owner's")
        assert call("create", "-p", "r", place, "/b").status == 0
        assert zk.get_acl("/b")[1] == [{"scheme": "world", "id": "anyone", "perms": 1}]
        assert "auth is who you have authenticated as" in the_line(
            call("create", "--acl", "auth::r", place, "/c"), 2
        )


def test_a_lost_answer_is_told_with_what_may_have_happened(place, monkeypatch):
    def create(h, path, *_, **__):
        raise zookeeper.error(zookeeper.CONNECTIONLOSS, path)

    monkeypatch.setattr(zookeeper, "create", create)
    line = the_line(call("create", "--sequential", place, "/a-"))
    assert line.endswith("/a-: the node may have been created all the same: look for it")


class TestPlaces:
    def test_parents_are_made_if_asked_for(self, place, zk):
        assert the_line(call("create", place, "/x/y/z")).startswith("no node: /x: --parents")
        assert call("create", "--parents", place, "/x/y/z", "deep") == (0, "/x/y/z\n", "")
        assert zk.get("/x/y/z")[0] == "deep"
        assert zk.get("/x")[0] == ""
        assert call("create", "--parents", place, "/x/y/w") == (0, "/x/y/w\n", "")

    def test_the_root_of_the_connection_is_made_as_a_parent(self, place, zk):
        assert "the root /" in the_line(call("create", f"{place}/new/root", "/a"))
        assert call("create", "--parents", f"{place}/new/root", "/a") == (0, "/a\n", "")
        assert zk.exists("/new/root/a")

    def test_links_above_the_node_are_followed(self, place, zk):
        zk.create_recursive("/real/node")
        zk.ln("/real/node", "/link")
        assert call("create", place, "/link/new") == (0, "/real/node/new\n", "")
        assert call("create", place, "/link/../other") == (0, "/real/other\n", "")

    def test_no_node_is_made_in_the_place_of_a_link(self, place, zk):
        zk.create_recursive("/real/node")
        for target, link in ("/real/node", "/good"), ("/nowhere", "/bad"), ("loop", "/loop"):
            zk.ln(target, link)
        before = zk.export_tree("/")
        nowhere = "no node: /nowhere: the link /bad leads there"
        while_true = [EPHEMERAL, "true"]
        for behind in [], while_true:
            assert the_line(call("create", place, "/bad/x", *behind)) == nowhere
            assert the_line(call("create", "--parents", place, "/bad/x", *behind)) == nowhere
            assert the_line(call("create", "--parents", place, "/bad/x/y", *behind)) == nowhere
            line = the_line(call("create", place, "/good", *behind))
            assert line == "node exists: /good: it is a link to /real/node, which a node would hide"
            assert "/bad: it is a link" in the_line(call("create", place, "/bad", *behind))
            loop = the_line(call("create", "--parents", place, "/loop/x", *behind))
            assert loop == "a loop of links: /loop -> /loop"
        assert zk.export_tree("/") == before
        assert call("create", place, "/good/q-", "--sequential").output.startswith("/real/node/q-")

    def test_parents_are_made_where_links_lead(self, place, zk):
        zk.create_recursive("/real/node")
        zk.ln("/real/node", "/link")
        words = ["create", "--parents", place]
        assert call(*words, "/link/a/b/c", "x") == (0, "/real/node/a/b/c\n", "")
        outcome = call(*words, "/link/e/f", EPHEMERAL, "true")
        assert outcome == (0, "/real/node/e/f\n", "")
        assert zk.get_children("/real/node") == ["a", "e"]
        assert not zk.exists("/link")

    def test_a_property_link_is_no_link_in_a_path(self, place, zk):
        zk.create("/a", '{"p =>": "/nowhere q"}')
        assert call("create", "--parents", place, "/a/p/x") == (0, "/a/p/x\n", "")

    def test_the_root_alone_is_made_with_its_data(self, place, zk):
        assert call("create", "--parents", f"{place}/new/root", "/", "x") == (0, "/\n", "")
        assert zk.get("/new/root")[0] == "x"
        line = the_line(call("create", "--parents", f"{place}/new/root", "/", "y"))
        assert line == "node exists: /"

    def test_a_node_that_is_there(self, place, zk):
        zk.create("/a", "kept")
        assert the_line(call("create", place, "/a", "x")) == "node exists: /a"
        assert zk.get("/a")[0] == "kept"

    def test_a_place_that_is_closed(self, place, zk):
        zk.create("/closed", "", [{"scheme": "world", "id": "anyone", "perms": 1}])
        assert the_line(call("create", place, "/closed/a")) == "not authenticated: /closed/a"

    def test_a_hostile_name_is_told_escaped(self, place):
        outcome = call("create", place, "/\u202e\u2028evil")
        assert outcome.status in (0, 1)
        assert (outcome.output + outcome.messages).rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "which node? PATH is missing"),
        (["/"], "the root is there"),
        (["a"], "not the path of a node"),
        (["/a", "x", "y"], "too many arguments, from 'y'"),
        (["/a", "x", "-f", "-"], "-f FILE, and DATA as well"),
        (["/a", "--ttl", "0"], "not a time, such as"),
        (["/a", "--ttl", "nan"], "not a time, such as"),
        (["/a", "--ttl", "9" * 15], "not a time, such as"),
        (["/a", "--ttl", "1", "--container"], "not allowed with"),
        (["/a", "--sequential", "--container"], "no containers with numbers"),
        (["/a", EPHEMERAL], "which command?"),
        (["/a", EPHEMERAL, "--"], "which command?"),
        (["/a", "--sequential", EPHEMERAL, "true"], "goes neither with"),
    ],
)
def test_words_that_make_no_sense(place, words, told):
    assert told in the_line(call("create", place, *words), 2)


class TestWhileACommandRuns:
    def test_the_node_lives_as_long_and_the_status_is_passed_on(self, start, place, zk):
        zk.create("/s")
        program = "import sys; sys.stdin.read(); sys.exit(7)"
        process = start(
            "create", place, "/s/me", '{"port": 80}', EPHEMERAL, sys.executable, "-c", program,
            stdin=-1,
        )  # fmt: skip
        assert process.stdout.readline() == b"/s/me\n"
        assert zk.get("/s/me")[0] == '{"port": 80}'
        assert is_ephemeral(zk, "/s/me")
        zk.delete("/s/me")
        wait_until(lambda: zk.exists("/s/me"), "made again")
        process.stdin.close()
        assert process.wait(30) == 7
        assert not zk.exists("/s/me")

    def test_signals_are_passed_on(self, start, place, zk):
        process = start("create", place, "/me", EPHEMERAL, "sleep", "60")
        assert process.stdout.readline() == b"/me\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
        assert not zk.exists("/me")

    def test_no_such_program(self, place, zk):
        line = the_line(call("create", place, "/me", EPHEMERAL, "no-such-program"), 127)
        assert "'no-such-program'" in line
        assert not zk.exists("/me")

    def test_a_place_that_is_taken_for_good(self, place, zk):
        zk.create("/me")
        outcome = call("create", place, "/me", EPHEMERAL, "true")
        assert "it is not ephemeral" in the_line(outcome)
