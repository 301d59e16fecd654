"""`zk set`: a node's data, replaced byte for byte."""

from __future__ import annotations

import json

import pytest

import zookeeper
from tests.cli.inprocess import call, the_line

# Characters that do something to a terminal.
HOSTILE = "\x1b[2Jrm -rf\r\n\u202e"


class TestData:
    def test_a_word(self, place, zk):
        zk.create("/a", "before")
        assert call("set", place, "/a", "größe") == (0, "", "")
        assert zk.get("/a")[0] == "größe"
        assert call("set", place, "/a", "") == (0, "", "")
        assert zk.get("/a")[0] == ""

    def test_a_word_that_begins_with_a_dash(self, place, zk):
        zk.create("/a")
        assert call("set", place, "/a", "--", "--debug") == (0, "", "")
        assert zk.get("/a")[0] == "--debug"

    def test_a_file_and_standard_input_byte_for_byte(self, place, zk, tmp_path):
        zk.create("/a")
        data = bytes(range(256)) * 3_500  # as much as nearly fits
        (tmp_path / "data").write_bytes(data)
        assert call("set", place, "-f", tmp_path / "data", "/a") == (0, "", "")
        assert zk.get("/a")[0].encode("utf-8", "surrogateescape") == data
        assert call("set", place, "-f", "-", "/a", given=b"\0\xff\r\n") == (0, "", "")
        assert zk.get("/a")[0].encode("utf-8", "surrogateescape") == b"\0\xff\r\n"

    def test_a_link_is_followed(self, place, zk):
        zk.create_recursive("/real/node")
        zk.ln("/real", "/link")
        outcome = call("set", place, "--format", "json", "/link/node", "x")
        assert json.loads(outcome.output)["path"] == "/real/node"
        assert zk.get("/real/node")[0] == "x"

    def test_data_that_do_not_fit_are_refused_and_nothing_is_written(self, place, zk, tmp_path):
        zk.create("/a", "kept")
        (tmp_path / "big").write_bytes(b"x" * (1 << 20))
        line = the_line(call("set", place, "-f", tmp_path / "big", "/a"))
        assert "/a" in line
        assert "is over the limit of" in line
        assert "(jute.maxbuffer)" in line
        (tmp_path / "big").write_bytes(b"x" * ((1 << 20) + 1))
        line = the_line(call("set", place, "-f", tmp_path / "big", "/a"))
        assert line == f"{tmp_path}/big: more than 1048576 bytes fit into no node"
        line = the_line(call("set", place, "-f", "/dev/zero", "/a"))
        assert line == "/dev/zero: more than 1048576 bytes fit into no node"
        assert zk.get("/a")[0] == "kept"


class TestVersion:
    def test_the_version_before_and_after_are_told_in_json(self, place, zk):
        zk.create("/a")
        zk.set("/a", "1")
        outcome = call("set", "--format", "json", "--version", 1, place, "/a", "22")
        assert json.loads(outcome.output) == {
            "path": "/a", "version_before": 1, "version": 2, "bytes": 2,
        }  # fmt: skip

    def test_another_version_is_a_conflict(self, place, zk):
        zk.create("/a", "kept")
        line = the_line(call("set", "--version", 3, place, "/a", "x"))
        assert line.endswith(": /a: it has another version than 3")
        line = the_line(call("set", "-d", "--version", 3, place, "/a", "x"))
        assert line == "/a has the version 0, and not 3"
        assert zk.get("/a")[0] == "kept"

    @pytest.mark.parametrize("version", ["-1", "x", "", "9" * 20, "1.0"])
    def test_no_version(self, place, version):
        outcome = call("set", f"--version={version}", place, "/a", "x")
        assert (outcome.status, outcome.output) == (2, "")
        assert f"not a version, a number from 0: {version!r}" in outcome.messages


def test_a_dry_run_shows_the_change_escaped_and_changes_nothing(place, zk):
    zk.create("/a", '{"name": "old"}')
    outcome = call("set", "-d", place, "/a", '{"name": "new"}')
    assert outcome == (0, "/a name change from 'old' to 'new'\n", "")
    outcome = call("set", "-d", place, "/a", HOSTILE)
    assert (outcome.status, outcome.messages) == (0, "")
    assert outcome.output.endswith("\n")
    assert outcome.output[:-1].replace("\n", "").isprintable()
    assert call("set", "-d", place, "/a", '{"name": "old"}').output == ""
    assert zk.exists("/a")["version"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "which node? PATH is missing"),
        (["/a"], "which data? DATA or -f FILE is missing"),
        (["/a", "x", "-f", "-"], "-f FILE, and DATA as well"),
        (["a", "x"], "not the path of a node"),
        (["/a", "x", "y"], "too many arguments, from 'y'"),
    ],
)
def test_words_that_make_no_sense(place, words, told):
    assert told in the_line(call("set", place, *words), 2)


def test_a_node_that_is_missing_or_closed(place, zk):
    assert the_line(call("set", place, "/none", "x")) == "no node: /none"
    zk.create("/closed", "", [{"scheme": "world", "id": "anyone", "perms": 1}])
    assert the_line(call("set", place, "/closed", "x")) == "not authenticated: /closed"
    hostile = f"/{HOSTILE}"
    line = the_line(call("set", place, hostile, "x"))
    assert line.isprintable()


def test_a_write_whose_answer_was_lost_is_known_to_have_happened(place, zk, monkeypatch):
    zk.create("/a")
    real_set2 = zookeeper.set2
    lost: list[object] = []

    def set2(*arguments, **options):
        stat = real_set2(*arguments, **options)
        if not lost:
            lost.append(stat)
            raise zookeeper.error(zookeeper.CONNECTIONLOSS, "/a")
        return stat

    monkeypatch.setattr(zookeeper, "set2", set2)
    monkeypatch.setattr("zc.zk.session.retry.NEWS_SECONDS", 0)
    outcome = call("set", place, "--version", 0, "--format", "json", "-f", "-", "/a", given=b"\xff")
    assert outcome.status == 0
    assert json.loads(outcome.output)["version"] == 1
    assert lost
    assert zk.get("/a")[1]["version"] == 1
