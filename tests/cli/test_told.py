"""Surprises for people who know no more than --help: each is told, or refused."""

from __future__ import annotations

import json
import os
import re

import pytest

import zc.zk
from tests.cli.conftest import PATIENCE_SECONDS
from tests.cli.inprocess import call, the_line
from tests.deadlines import scaled
from zc.zk import scripts
from zc.zk.acl import digest_acl


class TestSetPropertyOfDataThatAreNone:
    """`zk set_property` on nodes whose data are no JSON object."""

    @pytest.mark.parametrize("data", [b"\xff\xfe\0x", b"caf\xe9", b'{"a": "\xff"}'])
    @pytest.mark.parametrize("words", [["a=1"], ["-d", "a=1"], ["-r", "string_value"]])
    def test_binary_data_are_refused_and_stay(self, place, zk, data, words):
        zk.create("/binary", data)
        options = [word for word in words if word.startswith("-")]
        rest = [word for word in words if not word.startswith("-")]
        if options == ["-r"]:
            options, rest = words, []
        line = the_line(call("set_property", *options, place, "/binary", *rest))
        assert line == (
            "/binary: its data are not UTF-8 text, and cannot have properties:"
            " `zk set` replaces them, and `zk edit --raw` changes them"
        )
        assert zk.get("/binary")[0].encode("utf-8", "surrogateescape") == data

    @pytest.mark.parametrize("data", ["hello world", "[1, 2]", "{'a': 1}"])
    def test_text_that_becomes_a_property_is_told(self, place, zk, data):
        zk.create("/text", data)
        told = "/text: its data, which are no JSON object, {} string_value\n"
        dry = call("set_property", "-d", place, "/text", "a=1")
        assert (dry.status, dry.output) == (0, "/text add property a = 1\n")
        assert dry.messages.endswith(told.format("would become the property"))
        assert zk.get("/text")[0] == data
        outcome = call("set_property", place, "/text", "a=1")
        assert (outcome.status, outcome.output) == (0, "")
        assert outcome.messages.endswith(told.format("have become the property"))
        assert zk.get_properties("/text") == {"a": 1, "string_value": data}
        # They are properties from then on.
        assert call("set_property", place, "/text", "b=1") == (0, "", "")

    def test_text_that_is_replaced_or_removed_is_not_told(self, place, zk):
        zk.create("/text", "hello")
        assert call("set_property", place, "/text", "string_value='x'") == (0, "", "")
        assert zk.get("/text")[0] == "x"
        assert call("set_property", "-r", "string_value", place, "/text", "a=1") == (0, "", "")
        assert zk.get_properties("/text") == {"a": 1}

    def test_the_library_keeps_to_its_contract(self, zk):
        zk.create("/text", "hello")
        zk.properties("/text", watch=False).update(a=1)
        assert zk.get_properties("/text") == {"a": 1, "string_value": "hello"}
        assert isinstance(zk, zc.zk.ZooKeeper)


class TestDelete:
    """`zk delete` where nodes stay."""

    @pytest.mark.parametrize("options", [["-y"], ["-d"]])
    def test_an_ephemeral_node_that_stays_is_the_status(self, place, zk, options):
        zk.create("/here", "", zc.zk.OPEN_ACL_UNSAFE, 1)
        outcome = call("delete", *options, place, "/here")
        assert outcome.status == 4
        assert "/here because it's ephemeral" in outcome.output + outcome.messages
        assert outcome.messages.endswith("delete: 1 ephemeral node left: --force deletes it\n")
        assert zk.exists("/here")
        assert call("delete", "-y", "--force", place, "/here") == (0, "", "")

    def test_some_that_stay_are_the_status_too(self, place, zk):
        zk.create_recursive("/top/gone")
        for name in ("a", "b"):
            zk.create(f"/top/{name}", "", zc.zk.OPEN_ACL_UNSAFE, 1)
        outcome = call("delete", "-y", place, "/top")
        assert (outcome.status, outcome.output) == (4, "")
        assert outcome.messages.endswith("delete: 2 ephemeral nodes left: --force deletes them\n")
        assert zk.get_children("/top") == ["a", "b"]

    def test_one_node_is_told_as_one(self, place, zk):
        zk.create("/one")
        line = the_line(call("delete", place, "/one"), 2)
        assert line == "this deletes 1 node: --dry-run shows it, --yes deletes it"

    @pytest.mark.parametrize("path", ["/zookeeper", "/zookeeper/quota", "/zookeeper/config"])
    @pytest.mark.parametrize("option", ["-d", "-y", "-f"])
    def test_the_servers_own_nodes_are_refused(self, connection_string, path, option):
        line = the_line(call("delete", option, connection_string, path))
        assert line == f"{path} cannot be deleted: it is the servers' own"

    def test_a_node_of_that_name_below_a_root_is_anybodys(self, place, zk):
        zk.create_recursive("/zookeeper/quota")
        assert call("delete", "-y", place, "/zookeeper") == (0, "", "")
        assert not zk.exists("/zookeeper")


class TestCreate:
    """`zk create` where nothing is above, and where its output goes nowhere."""

    WAYS: tuple[tuple[list[str], list[str]], ...] = (
        ([], []),
        (["--sequential"], []),
        (["--container"], []),
        (["--ttl", "1h"], []),
        ([], ["--ephemeral-while", "true"]),
    )

    @pytest.mark.parametrize(("options", "behind"), WAYS)
    def test_a_missing_parent_is_named(self, place, zk, options, behind):
        zk.create("/there")
        for path, missing in (("/gone/away/x", "/gone"), ("/there/gone/x", "/there/gone")):
            line = the_line(call("create", *options, place, path, *behind))
            assert line == f"no node: {missing}: --parents makes what is missing above {path}"

    @pytest.mark.parametrize(("options", "behind"), WAYS)
    def test_a_link_that_leads_nowhere_is_named(self, place, zk, options, behind):
        zk.create("/there")
        zk.properties("/there", watch=False).update({"link ->": "/gone"})
        line = the_line(call("create", *options, place, "/there/link/x", *behind))
        assert line == "no node: /gone: the link /there/link leads there"
        zk.properties("/there", watch=False).update({"link ->": "../gone"})
        line = the_line(call("create", *options, place, "/there/link/x", *behind))
        assert line == "no node: ../gone: the link /there/link leads there"

    def test_a_missing_root_is_told_as_before(self, place):
        line = the_line(call("create", f"{place}/new/root", "/a/b"))
        assert "the root /" in line
        assert line.endswith(" does not exist: --parents makes what is missing above /a/b")


def test_differences_of_two_services_name_the_one_that_refuses(place, zk):
    zk.create("/open")
    zk.create("/open/n")
    zk.create("/shut")
    zk.create("/shut/n", "", [digest_acl("alice", "secret")])
    hint = " (--skip-unreadable leaves out such nodes)"
    shut = f"{place}/shut: not authenticated: /n{hint}"
    assert the_line(call("diff", f"{place}/open", f"{place}/shut")) == shut
    assert the_line(call("diff", f"{place}/shut", f"{place}/open")) == shut
    outcome = call("diff", "--skip-unreadable", f"{place}/open", f"{place}/shut")
    assert (outcome.status, outcome.output) == (4, "")
    told = f"left out of {place}/shut, with all below it: not authenticated: /n\n"
    assert outcome.messages.endswith(told)
    # A refusal of the servers of a file's other side needs no name.
    outcome = call("diff", "-", f"{place}/shut", given=b"/n\n")
    assert the_line(outcome) == f"not authenticated: /n{hint}"


def test_trimming_leaves_the_servers_own_nodes_alone(place, connection_string, zk):
    zk.create("/limited")
    assert call("quota", "set", "--count", 9, place, "/limited").status == 0
    try:
        given = b"/zookeeper\n  /quota\n"
        outcome = call("import", "-d", "-t", connection_string, "-", given=given)
        assert outcome.status == 0
        assert "would delete" not in outcome.output
        own = "not trimmed, as it is the servers' own: /zookeeper/"
        assert f"{own}quota/" in outcome.output
        outcome = call("import", "-t", connection_string, "-", given=given)
        assert (outcome.status, outcome.output) == (0, "")
        assert f"{own}quota/" in outcome.messages
        assert call("quota", "get", place, "/limited").output.startswith("/limited count ")
    finally:
        assert call("quota", "delete", place, "/limited").status == 0
    zk.create_recursive("/zookeeper/quota/mine")
    assert call("import", "-t", "-y", place, "-", given=given) == (0, "", "")
    assert zk.get_children("/zookeeper/quota") == []


@pytest.mark.parametrize("command", [["stat"], ["count"], ["count", "-R"]])
def test_a_missing_node_of_several_does_not_hide_the_others(place, zk, command):
    zk.create_recursive("/a/x")
    zk.create("/b")
    zk.properties("/b", watch=False).update({"loop ->": "/b/loop"})
    outcome = call(*command, "--format", "json", place, "/a", "/none", "/b/loop", "/b")
    assert outcome.status == 1
    assert [json.loads(line)["path"] for line in outcome.output.splitlines()] == ["/a", "/b"]
    told = outcome.messages.splitlines()
    assert told[0] == f"python -m zc.zk {command[0]}: no node: /none"
    assert "/b/loop" in told[1]
    assert len(told) == 2


class TestPrograms:
    """`zk` and `python -m zc.zk` without the name of a command."""

    @pytest.mark.parametrize(("program", "name"), [(scripts.zk, "zk"), (scripts.main, "python")])
    def test_the_version_is_told(self, program, name):
        outcome = call("--version", program=program)
        assert (outcome.status, outcome.messages) == (0, "")
        assert outcome.output.startswith(name)
        linked = r"ZooKeeper's C client 3\.\d+\.\d+ and OpenSSL 3\.\d+\.\d+"
        assert re.search(rf" {re.escape(zc.zk.__version__)}, with {linked}\n", outcome.output)
        assert call("get", "--version", program=program).output.endswith(
            outcome.output.partition(zc.zk.__version__)[2]
        )

    def test_help_is_a_word_too(self):
        overview = call("--help", program=scripts.zk)
        assert call("help", program=scripts.zk) == overview
        assert "--version" in overview.output
        assert call("help", "get", program=scripts.zk) == call("get", "--help", program=scripts.zk)
        assert call("help", "help", program=scripts.zk) == overview

    @pytest.mark.parametrize("words", [["help", "exprot"], ["exprot"]])
    def test_no_such_command(self, words):
        told = "zk: no such command: 'exprot'; --help lists them\n"
        assert call(*words, program=scripts.zk) == (2, "", told)

    def test_options_before_the_command(self):
        told = "zk: options come behind the command: '-z'; --help lists commands\n"
        assert call("-z", "h:1", "ls", "/", program=scripts.zk) == (2, "", told)

    @pytest.mark.parametrize("words", [["help", "get", "set"], ["--version", "get"]])
    def test_more_words_than_these_take(self, words):
        outcome = call(*words, program=scripts.zk)
        assert outcome == (
            2,
            "",
            f"zk: too many arguments, from {words[-1]!r}; --help tells more\n",
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "/made"], "/made was created"),
        (["create", "/made", "--format", "json"], "/made was created"),
        (["set", "/a", "x", "--format", "json"], "/a was written"),
        (["cp", "/a", "/made", "--format", "json"], "/made is there"),
        (["quota", "set", "/a", "--count", "9", "--format", "json"], "the quota of /a was set"),
    ],
)
def test_a_full_disk_does_not_hide_what_was_done(start, place, zk, words, told):
    zk.create("/a")
    try:
        with open("/dev/full", "wb") as full:
            variables = {**os.environ, "ZC_ZK_CONNECTION_STRING": place}
            process = start(*words, stdout=full, env=variables)
            _, messages = process.communicate(timeout=scaled(PATIENCE_SECONDS))
        assert process.returncode == 1
        full_disk = "standard output: No space left on device"
        assert messages.decode().endswith(f": {full_disk}: {told} all the same\n")
        assert zk.exists("/made") or words[0] not in ("create", "cp")
        assert words[0] != "set" or zk.get("/a")[0] == "x"
    finally:
        if words[0] == "quota":
            assert call("quota", "delete", place, "/a").status == 0
