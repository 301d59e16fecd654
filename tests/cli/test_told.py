"""What people who know no more than --help would not expect, and are told, or refused."""

from __future__ import annotations

import pytest

import zc.zk
from tests.cli.inprocess import call, the_line


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
