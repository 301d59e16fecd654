"""`zk quota`: limits of paths, as Java's tools write them."""

from __future__ import annotations

import json

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import call, the_line

Q = "/zookeeper/quota"


@pytest.fixture
def outside(connection_string):
    """Yield a client that sees the servers' own root."""
    with zc.zk.ZooKeeper(connection_string) as client:
        yield client


@pytest.fixture
def quota(place, root, outside, zk):
    """Yield a function that calls the command; the quotas are gone afterwards."""
    zk.create_recursive("/a/b")
    yield lambda kind, *words: call("quota", kind, place, *words)
    if outside.exists(Q + root):
        outside.delete_recursive(Q + root)


class TestSetting:
    def test_limits_are_nodes_as_java_writes_them(self, quota, outside, root):
        assert quota("set", "/a", "--count", 5, "--hard-bytes", 1000) == (0, "", "")
        limits = outside.get(f"{Q}{root}/a/zookeeper_limits")[0]
        assert limits == "count=5,bytes=-1=;byteHardLimit=1000"
        assert outside.exists(f"{Q}{root}/a/zookeeper_stats")
        assert quota("set", "/a", "--count", "none", "--bytes", 7) == (0, "", "")
        limits = outside.get(f"{Q}{root}/a/zookeeper_limits")[0]
        assert limits == "count=-1,bytes=7=;byteHardLimit=1000"

    def test_the_usage_is_told_for_a_node_and_those_below_it(self, quota, zk):
        quota("set", "/a", "--count", 5, "--hard-count", 9)
        zk.set("/a/b", "1234")
        for path in ("/a", "/a/b"):
            outcome = quota("get", path)
            assert outcome == (0, "/a count 2 of 5, at most 9, bytes 4 of any\n", "")
        outcome = quota("get", "/a", "--format", "json")
        assert json.loads(outcome.output) == {
            "path": "/a",
            "limits": {"count": 5, "hard-count": 9},
            "used": {"count": 2, "bytes": 4},
        }

    def test_a_limit_that_is_exceeded_already_is_told(self, quota):
        outcome = quota("set", "/a", "--count", 1)
        assert outcome.status == 0
        assert outcome.messages.endswith(": /a: --count 1 is exceeded already: 2\n")

    def test_no_quota_is_above_or_below_another(self, quota, root):
        quota("set", "/a/b", "--count", 5)
        line = the_line(quota("set", "/a", "--count", 5))
        assert line.startswith(f"{root}/a/b has a quota")
        quota("delete", "/a/b")
        quota("set", "/a", "--count", 5)
        assert the_line(quota("set", "/a/b", "--count", 5)).startswith(f"{root}/a has a quota")

    def test_the_last_limit_is_deleted_and_not_unset(self, quota):
        quota("set", "/a", "--count", 5)
        assert the_line(quota("set", "/a", "--count", "none")) == (
            "/a would have no limit: delete its quota"
        )


def test_all_are_listed_in_natural_order(quota, zk):
    for path in ("/p10", "/p2"):
        zk.create(path)
        quota("set", path, "--count", 5)
    assert (
        quota("list").output
        == "/p2 count 1 of 5, bytes 0 of any\n/p10 count 1 of 5, bytes 0 of any\n"
    )


def test_to_delete_leaves_nothing_behind(quota, outside, root):
    quota("set", "/a/b", "--count", 5)
    assert quota("delete", "/a/b") == (0, "", "")
    assert not outside.exists(Q + root)
    assert the_line(quota("delete", "/a/b")) == "/a/b has no quota of its own"
    assert the_line(quota("get", "/a")) == "/a has no quota"


class TestQuotasOfNodesThatGo:
    """Servers keep quotas when nodes go, which every command that deletes says."""

    STAYS = ": the quota of /a/b stays: `zk quota delete` takes it away\n"

    @pytest.fixture(autouse=True)
    def quota_of_b(self, quota):
        assert quota("set", "/a/b", "--count", 5).status == 0

    def test_a_deletion_says_so(self, place, zk, quota):
        for words in ["-d"], ["-y"]:
            outcome = call("delete", *words, place, "/a")
            assert outcome.status == 0
            assert outcome.messages.endswith(self.STAYS), outcome
        assert not zk.exists("/a")
        assert quota("delete", "/a/b") == (0, "", "")

    def test_those_of_nodes_that_stay_are_not_told(self, place, zk):
        zk.create("/a/b/here", "", flags=zookeeper.EPHEMERAL)
        zk.create("/ab")
        assert call("delete", "-y", place, "/ab") == (0, "", "")
        outcome = call("delete", "-y", place, "/a")
        assert outcome.status == 4
        assert "quota" not in outcome.messages

    def test_a_move_says_so(self, place):
        for words in ["-d"], ["-y"]:
            outcome = call("mv", *words, place, "/a", "/z")
            assert outcome.status == 0
            assert outcome.messages.endswith(self.STAYS), outcome
        assert call("mv", "-y", place, "/z", "/a") == (0, "", "")

    def test_an_import_says_so(self, place, zk):
        for words in ["-d", "-t"], ["-t", "-y"]:
            outcome = call("import", *words, place, given=b"/a\n")
            assert outcome.status == 0
            assert outcome.messages.endswith(self.STAYS), outcome
        assert zk.get_children("/a") == []
        assert call("import", place, given=b"/a\n  /b\n") == (0, "", "")

    def test_an_editor_that_takes_the_node_out_is_told(self, place, monkeypatch, tmp_path):
        monkeypatch.setenv("VISUAL", "sed -i /b/d")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        outcome = call("edit", "-R", "-y", place, "/a")
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.messages.endswith(self.STAYS), outcome

    def test_many_are_counted(self, place, zk, quota, outside, root):
        for number in range(12):
            zk.create(f"/a/n{number}")
            quota("set", f"/a/n{number}", "--count", 5)
        outcome = call("delete", "-y", place, "/a")
        assert outcome.messages.count("`zk quota delete`") == 10
        assert outcome.messages.endswith(": 3 more quotas stay: `zk quota list` shows them\n")

    def test_those_that_nobody_may_see_are_no_matter(self, place, monkeypatch):
        def read_tree(h, path, **_):
            if path.startswith(Q):
                raise zookeeper.error(zookeeper.NOAUTH, path)
            return reads(h, path)

        reads = zookeeper.read_tree
        monkeypatch.setattr(zookeeper, "read_tree", read_tree)
        assert call("delete", "-y", place, "/a") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "/a"], "One of get, set, list, delete comes first: 'show'"),
        (["get"], "which node?"),
        (["set", "/a"], "set needs one"),
        (["get", "/a", "--count", "1"], "go with set"),
        (["set", "/a", "--count", "0"], "not a limit"),
        (["set", "/a", "--bytes", "1" * 30], "not a limit"),
        (["list", "/a"], "too many arguments"),
    ],
)
def test_words_that_make_no_sense(place, words, told):
    assert told in the_line(call("quota", words[0], place, *words[1:]), 2)


def test_places_that_can_have_none(quota, connection_string):
    assert the_line(quota("set", "/none", "--count", 1)) == "no node: /none"
    for path in ("/", "/zookeeper"):
        line = the_line(call("quota", "set", connection_string, path, "--count", 1))
        assert line == f"{path} cannot have a quota: it is the servers' own"
