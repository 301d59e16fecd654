"""The commands that look at nodes: get, ls, stat, find, grep, du, count."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from unittest import mock

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import zk as run
from tests.deadlines import scaled
from zc.zk.cli.progress import looking
from zc.zk.operations.survey import survey
from zc.zk.testing import Server, setUp, tearDown

CLOSED = [{"scheme": "world", "id": "anyone", "perms": 31 & ~1}]
OPEN = [{"scheme": "world", "id": "anyone", "perms": 31}]

TREE = """\
/shop : web
  threads = 8
  prices => /prices vat
  main -> /shop/providers
  /providers
  /queue
    /p10
    /p2
      text = 'two'
    /p1
/prices
  vat = 0.07
"""

# As far as servers allow it in names.
HOSTILE = "x\u202e\u2028y"
ESCAPED = "x\\u202e\\u2028y"


@pytest.fixture
def tree(zk):
    zk.import_tree(TREE)
    zk.create("/shop/providers/one", '{"pid": 7}', OPEN, zookeeper.EPHEMERAL)
    zk.create("/shop/box", "", OPEN, zookeeper.CONTAINER)
    zk.create("/shop/lease", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, ttl=90_000)
    return zk


def lines(outcome):
    assert (outcome.status, outcome.messages) == (0, "")
    return outcome.output.splitlines()


def objects(outcome):
    return [json.loads(line) for line in lines(outcome)]


class TestGet:
    @pytest.mark.parametrize("data", [b"", b"text", b"two\nlines\n", b"\x00\xff\xfe\x1b[2J\r\n"])
    def test_data_come_byte_for_byte(self, zk, place, data, tmp_path):
        zk.create("/n", data)
        outcome = run("get", place, "/n")
        assert (outcome.status, outcome.messages) == (0, "")
        assert outcome.output.encode("utf-8", "surrogateescape") == data
        assert run("get", "-o", tmp_path / "file", place, "/n") == (0, "", "")
        assert (tmp_path / "file").read_bytes() == data

    def test_a_terminal_gets_text_that_commands_nothing(self, zk, place, monkeypatch):
        monkeypatch.setattr("zc.zk.cli.get.is_terminal", lambda stream: True)
        zk.create("/n", b"a\tb\n\x1b[2J\xff")
        assert lines(run("get", place, "/n")) == ["a    b", "\\x1b[2J\\xff"]

    def test_null_data_are_nothing_and_null_in_json(self, zk, place):
        zk.create("/n", None)
        assert run("get", place, "/n") == (0, "", "")
        (told,) = objects(run("get", "--format", "json", place, "/n"))
        assert told["data"] is None

    def test_900_kb_come_whole(self, zk, place):
        data = os.urandom(900_000)
        zk.create("/n", data)
        assert run("get", place, "/n").output.encode("utf-8", "surrogateescape") == data

    def test_properties(self, tree, place):
        def got(name):
            return lines(run("get", "--property", name, place, "/shop"))

        assert got("threads") == ["8"]
        assert got("type") == ["web"]
        assert got("prices") == ["0.07"]
        assert got("prices=>") == ["/prices vat"]
        assert got("main ->") == ["/shop/providers"]
        outcome = run("get", "--property", "none", place, "/shop")
        assert (outcome.status, outcome.output) == (1, "")
        assert outcome.messages == "zk get: there is no property 'none' at /shop\n"
        tree.set("/prices", "")
        outcome = run("get", "--property", "prices", place, "/shop")
        assert outcome.status == 1
        assert "/shop prices =>: " in outcome.messages

    def test_a_property_that_utf_8_cannot_hold_comes_as_json(self, zk, place):
        zk.create("/n", '{"a": "\\ud800"}')
        assert lines(run("get", "--property", "a", place, "/n")) == ['"\\ud800"']

    def test_links_in_the_path_are_followed(self, tree, place):
        assert run("get", place, "/shop/main/one") == (0, '{"pid": 7}', "")
        (told,) = objects(run("get", "--format", "json", place, "/shop/main/one"))
        assert told["path"] == "/shop/providers/one"
        assert lines(run("get", "--property", "pid", place, "/shop/main/one")) == ["7"]

    def test_long_tells_version_and_times_behind_the_data(self, tree, place):
        tree.set("/prices", "new")
        told = lines(run("get", "-l", place, "/prices"))
        assert told[:2] == ["new", "/prices"]
        assert "  version   1 of the data, 0 of the children, 0 of the ACL" in told

    def test_json_has_data_and_stat_exactly(self, zk, place):
        zk.create("/n", b"\xff\x00")
        (told,) = objects(run("get", "--format", "json", place, "/n"))
        assert told == {
            "path": "/n",
            "kind": "persistent",
            "stat": zk.exists("/n"),
            "base64": "/wA=",
        }

    def test_faults(self, tree, place):
        assert run("get", place, "/none").messages == "zk get: no node: /none\n"
        assert run("get", place).messages.startswith("zk get: which node? PATH is missing")
        assert run("get", place).status == 2
        assert run("get", place, "shop").status == 2
        tree.set_acl("/prices", -1, CLOSED)
        outcome = run("get", place, "/prices")
        assert outcome == (1, "", "zk get: not authenticated: /prices\n")


class TestLs:
    def test_names_are_in_natural_order(self, tree, place):
        assert lines(run("ls", place, "/shop/queue")) == ["p1", "p2", "p10"]
        assert lines(run("ls", place)) == ["prices", "shop"]
        assert lines(run("ls", place, "/shop/queue/p1")) == []

    def test_kinds_are_marked(self, tree, place):
        told = lines(run("ls", "-F", place, "/shop"))
        assert told == ["box", "lease", "providers/", "queue/"]
        assert lines(run("ls", "-F", place, "/shop/main")) == ["one (ephemeral)"]

    def test_a_terminal_gets_marks(self, tree, place, monkeypatch):
        monkeypatch.setattr("zc.zk.cli.ls.is_terminal", lambda stream: True)
        assert lines(run("ls", place, "/shop/main")) == ["one (ephemeral)"]

    def test_long_lists_kind_version_children_and_bytes(self, tree, place):
        told = lines(run("ls", "-l", place, "/shop"))
        assert [line.split()[0] for line in told] == ["persistent"] * 4
        (line,) = lines(run("ls", "-l", place, "/shop/main"))
        assert line.split()[0] == "ephemeral"
        assert re.fullmatch(
            r"persistent +v0 +3 below +0 bytes +[0-9]{4}-[0-9-]{5} [0-9:]{8}  queue", told[-1]
        )

    def test_recursive_lists_all_paths_below(self, tree, place):
        told = lines(run("ls", "-R", place, "/shop"))
        assert told == [
            "/shop/box",
            "/shop/lease",
            "/shop/providers",
            "/shop/providers/one",
            "/shop/queue",
            "/shop/queue/p1",
            "/shop/queue/p2",
            "/shop/queue/p10",
        ]
        assert lines(run("ls", "-R", "--depth", 1, place)) == ["/prices", "/shop"]

    def test_json_has_an_object_a_node(self, tree, place):
        (told,) = objects(run("ls", "--format", "json", place, "/shop/providers"))
        session = tree.client_id()[0] & 2**64 - 1
        assert told == {
            "path": "/shop/providers/one",
            "kind": "ephemeral",
            "session": f"{session:#x}",
            "stat": tree.exists("/shop/providers/one"),
        }

    def test_nodes_that_may_not_be_read_are_listed_and_what_is_below_is_told(self, tree, place):
        tree.set_acl("/shop/queue", -1, CLOSED)
        assert lines(run("ls", "-F", place, "/shop"))[-1] == "queue/"
        outcome = run("ls", "-R", place, "/shop")
        assert outcome.status == 4
        assert outcome.output.splitlines()[-1] == "/shop/queue"
        assert outcome.messages == "zk ls: not looked into: not authenticated: /shop/queue\n"
        for more in [], ["-F"], ["-R"]:
            outcome = run("ls", *more, place, "/shop/queue")
            assert outcome == (1, "", "zk ls: not authenticated: /shop/queue\n")

    def test_names_cannot_command_a_terminal_or_forge_lines(self, zk, place):
        zk.create(f"/{HOSTILE}")
        for more in [], ["-F"], ["-R"], ["-l"]:
            (line,) = lines(run("ls", *more, place))
            assert line.endswith(ESCAPED)
        (told,) = objects(run("ls", "--format", "json", place))
        assert told["path"] == f"/{HOSTILE}"

    def test_faults(self, zk, place):
        for more in [], ["-F"], ["-R"]:
            assert run("ls", *more, place, "/none") == (1, "", "zk ls: no node: /none\n")
        assert run("ls", "-R", "--depth", 0, place).status == 2
        assert run("ls", "--depth", 2, place).status == 2
        assert run("ls", place, "/", "/").status == 2


class TestStat:
    def test_all_is_told_in_words(self, tree, place):
        told = lines(run("stat", place, "/shop", "/shop/main/one", "/shop/lease"))
        assert told[0] == "/shop"
        assert told[1] == "  kind      persistent"
        assert re.match(r"  created   20..-..-.. ..:..:.. \(.* ago\), zxid 0x", told[2])
        assert re.match(r"  changed   20..-..-.. ..:..:.. \(.* ago\), zxid 0x", told[3])
        assert told[5:7] == [
            f"  data      {tree.exists('/shop')['dataLength']} bytes",
            f"  children  4, last changed by zxid {tree.exists('/shop')['pzxid']:#x}",
        ]
        session = tree.client_id()[0] & 2**64 - 1
        assert told[7:9] == [
            "/shop/providers/one",
            f"  kind      ephemeral, of session {session:#x}",
        ]
        assert "  kind      persistent" in told[14:]

    def test_no_permission_is_needed(self, tree, place):
        tree.set_acl("/prices", -1, CLOSED)
        (told,) = objects(run("stat", "--format", "json", place, "/prices"))
        assert told == {"path": "/prices", "kind": "persistent", "stat": tree.exists("/prices")}

    def test_faults(self, zk, place):
        assert run("stat", place, "/none") == (1, "", "zk stat: no node: /none\n")
        assert run("stat", place).status == 2


class TestFind:
    def found(self, place, *arguments):
        return lines(run("find", *arguments, place))

    def test_without_criteria_it_is_every_node(self, tree, place):
        told = self.found(place)
        assert told[:3] == ["/", "/prices", "/shop"]
        assert len(told) == 11

    def test_names_and_paths(self, tree, place):
        assert self.found(place, "--name", "p?") == ["/shop/queue/p1", "/shop/queue/p2"]
        assert self.found(place, "--name", "p*", "--depth", 1) == ["/prices"]
        assert self.found(place, "--path", "/*/queue") == ["/shop/queue"]
        assert self.found(place, "--path", "/**/p2") == ["/shop/queue/p2"]

    def test_kinds_and_owners(self, tree, place):
        assert self.found(place, "--kind", "ephemeral") == ["/shop/providers/one"]
        assert len(self.found(place, "--kind", "persistent")) == 10
        assert len(self.found(place, "--kind", "ephemeral", "--kind", "persistent")) == 11
        session = tree.client_id()[0] & 2**64 - 1
        for written in f"{session:#x}", f"{session}":
            assert self.found(place, "--owner", written) == ["/shop/providers/one"]
        assert self.found(place, "--owner", "0x1") == []

    def test_ages(self, tree, place):
        assert self.found(place, "--older", "1h") == []
        assert len(self.found(place, "--newer", "1h")) == 11
        assert len(self.found(place, "--created-newer", "1d12h")) == 11
        assert self.found(place, "--created-older", "60s") == []

    def test_properties(self, tree, place):
        assert self.found(place, "--property", "threads") == ["/shop"]
        assert self.found(place, "--property", "threads=8") == ["/shop"]
        assert self.found(place, "--property", "threads='8'") == []
        assert self.found(place, "--property", "threads=8.0") == []
        assert self.found(place, "--property", "type=web") == ["/shop"]
        assert self.found(place, "--property", "type='web'") == ["/shop"]
        assert self.found(place, "--property", "main") == ["/shop"]
        assert self.found(place, "--property", "prices =>") == ["/shop"]
        assert self.found(place, "--property", "type=web", "--property", "none") == []

    def test_data_limit_and_json(self, tree, place):
        assert self.found(place, "--data", "t.o") == ["/shop/queue/p2"]
        assert self.found(place, "--limit", 2) == ["/", "/prices"]
        (told,) = objects(run("find", "--format", "json", "--name", "p10", place))
        assert told["path"] == "/shop/queue/p10"
        assert told["stat"] == tree.exists("/shop/queue/p10")
        (line,) = self.found(place, "-l", "--name", "one")
        assert line.startswith("ephemeral ")
        assert line.endswith("  /shop/providers/one")

    def test_nodes_that_may_not_be_read_are_found_by_what_is_known_of_them(self, tree, place):
        tree.set_acl("/shop/queue", -1, CLOSED)
        outcome = run("find", "--name", "queue", place)
        assert (outcome.status, outcome.output) == (4, "/shop/queue\n")
        assert outcome.messages == "zk find: not looked into: not authenticated: /shop/queue\n"
        assert run("find", "--data", "", "--name", "queue", place)[:2] == (4, "")

    @pytest.mark.parametrize(
        "wrong",
        [
            ["--older", "soon"],
            ["--owner", "me"],
            ["--kind", "file"],
            ["--data", "("],
            ["--property", "=1"],
            ["--limit", "0"],
        ],
    )
    def test_arguments_that_make_no_sense_are_wrong_usage(self, place, wrong):
        outcome = run("find", *wrong, place)
        assert (outcome.status, outcome.output) == (2, "")
        assert wrong[0] in outcome.messages
        assert outcome.messages.count("\n") == 1


class TestGrep:
    def test_lines_that_match_come_behind_the_path(self, zk, place):
        zk.create("/a", "first\nport=8080\nlast port\n")
        zk.create("/b", '{"port": 8080}')
        assert lines(run("grep", place, "port")) == [
            "/a: port=8080",
            "/a: last port",
            '/b: {"port": 8080}',
        ]
        assert lines(run("grep", "-l", "-i", place, "PORT")) == ["/a", "/b"]
        assert lines(run("grep", place, "^port.*80$", "/a")) == ["/a: port=8080"]

    def test_texts_as_they_stand(self, zk, place):
        zk.create("/a", "a.b\naxb\n")
        assert lines(run("grep", "-F", place, "a.b")) == ["/a: a.b"]
        assert lines(run("grep", "-e", "a[.]b", place)) == ["/a: a.b"]
        (told,) = objects(run("grep", "--format", "json", place, "a.b"))
        assert told == {"path": "/a", "lines": ["a.b", "axb"]}

    def test_nothing_found_is_status_1(self, zk, place):
        assert run("grep", place, "none") == (1, "", "zk grep: nothing matches\n")

    def test_lines_that_are_no_text_are_base64_in_json(self, zk, place):
        zk.create("/a", b"port \xff\xfe\nport \xc3\xa9\n" + b"\x80" * 200 + b"port")
        outcome = run("grep", "--format", "json", place, "port")
        (told,) = objects(outcome)
        binary, text, cut = told["lines"]
        assert text == "port \u00e9"
        assert base64.b64decode(binary["base64"]) == b"port \xff\xfe"
        assert base64.b64decode(cut["base64"]) == b"..." + b"\x80" * 156 + b"port"
        assert re.search("ud[89a-f]", outcome.output) is None  # no half of a pair

    def test_a_long_line_is_cut_around_the_match(self, zk, place):
        zk.create("/a", "x" * 100_000 + "needle" + "y" * 100_000)
        (line,) = lines(run("grep", place, "needle"))
        assert len(line) < 200
        assert "xxneedleyy" in line

    def test_data_cannot_command_a_terminal_or_forge_lines(self, zk, place):
        zk.create("/a", f"needle {HOSTILE}\x1b[8m\r/b: forged")
        (line,) = lines(run("grep", place, "needle"))
        assert line == f"/a: needle {ESCAPED}\\x1b[8m\\r/b: forged"

    def test_faults(self, zk, place):
        for wrong in (["(", "/"], [], ["a", "none"]):
            outcome = run("grep", place, *wrong)
            assert (outcome.status, outcome.output) == (2, "")
        assert run("grep", place, "a", "/none") == (1, "", "zk grep: no node: /none\n")


class TestDu:
    def test_nodes_ephemerals_and_bytes_of_each_part(self, tree, place):
        told = [line.split() for line in lines(run("du", place, "/shop"))]
        assert [(row[0], row[2], row[-1]) for row in told] == [
            ("1", "0", "/shop/box"),
            ("1", "0", "/shop/lease"),
            ("2", "1", "/shop/providers"),
            ("4", "0", "/shop/queue"),
            ("9", "1", "/shop"),
        ]
        everything = sum(node.stat["dataLength"] for node in tree.read_tree("/shop"))
        assert told[-1][4] == f"{everything}"

    def test_json_depth_and_the_largest(self, tree, place):
        told = objects(run("du", "--format", "json", "--depth", 2, "--top", 3, place))
        assert [each["path"] for each in told] == ["/", "/shop", "/shop/queue"]
        assert told[0]["nodes"] == 11
        told = objects(run("du", "--format", "json", "--by", "nodes", "--top", 2, place, "/shop"))
        assert [(each["path"], each["nodes"]) for each in told] == [
            ("/shop", 9),
            ("/shop/queue", 4),
        ]

    def test_nodes_that_may_not_be_read_are_told(self, tree, place):
        tree.set_acl("/shop/queue", -1, CLOSED)
        outcome = run("du", place, "/shop")
        assert outcome.status == 4
        assert outcome.output.splitlines()[-1].split()[0] == "6"
        assert outcome.messages == "zk du: not looked into: not authenticated: /shop/queue\n"


class TestCount:
    def test_children_or_all_nodes_below(self, tree, place):
        assert lines(run("count", place, "/shop")) == ["4"]
        assert lines(run("count", "-R", place, "/shop")) == ["8"]
        told = lines(run("count", place, "/shop/queue", "/shop/main"))
        assert told == ["        3  /shop/queue", "        1  /shop/main"]
        assert objects(run("count", "-R", "--format", "json", place, "/shop")) == [
            {"path": "/shop", "below": 8}
        ]
        assert run("count", place, "/none") == (1, "", "zk count: no node: /none\n")


def test_a_tree_of_many_levels_and_widths_is_seen_whole(zk, place):
    operations = [("create", f"/wide{n}", "") for n in range(300)]
    operations += [("create", f"/wide{n}/{m}", "x") for n in range(0, 300, 7) for m in range(30)]
    path = ""
    for _ in range(60):
        path += "/deep"
        operations.append(("create", path, ""))
    operations = [(*operation, OPEN) for operation in operations]
    zk.write_many(operations)
    expected = sorted(node.path for node in zk.read_tree("/"))
    told = lines(run("ls", "-R", place))
    assert sorted(told) == expected[1:]
    assert told[:3] == ["/deep", "/deep/deep", "/deep/deep/deep"]
    assert told[-2:] == ["/wide298", "/wide299"]
    assert lines(run("find", "--name", "29", "--limit", 1, place)) == ["/wide0/29"]


def test_the_age_of_a_node_is_told_by_its_last_change(zk, place):
    zk.create("/old")
    later = time.time() * 1000 - zk.exists("/old")["mtime"]
    assert later < 3_600_000
    assert lines(run("find", "--older", "1ms", "--name", "old", place)) == ["/old"]


@pytest.mark.parametrize("break_it", [lambda own: own.cut(), lambda own: own.expire()])
def test_a_lost_connection_or_session_in_the_middle_costs_no_node(break_it):
    with Server() as own, zc.zk.ZooKeeper(own.connection_string) as client:
        client.write_many([("create", f"/n{number}", "x", OPEN) for number in range(3000)])
        seen = []

        def take(path, data, stat):
            seen.append(path)
            if len(seen) in (100, 1500):
                break_it(own)
            return len(data or "")

        nodes = list(survey(client._session, "/", take))
        assert [node.path for node in nodes[:3]] == ["/", "/n0", "/n1"]
        paths = [node.path for node in nodes if node.value == 1]
        assert paths == [f"/n{number}" for number in range(3000)]


def test_few_nodes_are_kept_of_a_tree_that_is_read_ahead(zk, monkeypatch):
    monkeypatch.setattr("zc.zk.operations.survey.MAX_AHEAD", 300)
    monkeypatch.setattr("zc.zk.operations.survey.MAX_AT_ONCE", 50)
    operations = [("create", f"/{n}", "", OPEN) for n in range(40)]
    operations += [("create", f"/{n}/{m}", "", OPEN) for n in range(40) for m in range(20)]
    operations += [("create", f"/{n}/7/{m}", "", OPEN) for n in range(40) for m in range(30)]
    zk.write_many(operations)
    read = most = 0

    def take(path, data, stat):
        nonlocal read
        read += 1

    for come, _ in enumerate(survey(zk._session, "/", take), 1):
        most = max(most, read - come)
    assert come == read == 1 + len(operations)
    assert most <= 2 * (300 + 50)


def test_nodes_that_vanish_while_the_tree_is_read_are_left_out(zk):
    zk.write_many([("create", f"/n{number}", "", OPEN) for number in range(400)])

    def take(path, data, stat):
        if path == "/":
            zk.delete("/n7")
            zk.delete("/n399")

    paths = [node.path for node in survey(zk._session, "/", take)]
    assert len(paths) == 399
    assert not {"/n7", "/n399"}.intersection(paths)


def test_long_data_are_read_in_small_parts(zk, monkeypatch):
    monkeypatch.setattr("zc.zk.operations.survey.MAX_BYTES_AT_ONCE", 50_000)
    zk.write_many([("create", f"/n{number}", "x" * 10_000, OPEN) for number in range(300)])
    sizes = []

    def get_many(handle, paths, **more):
        sizes.append(len(paths))
        return zookeeper.get_many(handle, paths, **more)

    def aget_many(handle, paths, completion):
        sizes.append(len(paths))
        return zookeeper.aget_many(handle, paths, completion)

    binding = mock.Mock(wraps=zk._session.binding)
    binding.get_many, binding.aget_many = get_many, aget_many
    monkeypatch.setattr(zk._session, "binding", binding)
    assert sum(1 for _ in survey(zk._session, "/", lambda *_: None)) == 301
    assert sizes[0] == 1
    assert max(sizes[1:]) <= 100
    assert max(sizes[2:]) <= 5


def test_a_reader_that_hangs_up_ends_a_long_list(start, zk, place):
    zk.write_many([("create", f"/{'n' * 100}{number}", "", OPEN) for number in range(3000)])
    process = start("ls", "-R", place)
    assert process.stdout.readline() == f"/{'n' * 100}0\n".encode()
    process.stdout.close()
    assert process.wait(scaled(60)) == 128 + 13
    assert process.stderr.read() == b""


def test_commands_look_at_the_emulation_too():
    test = mock.Mock(spec=[])
    setUp(test, TREE)
    try:
        where = "zookeeper.example.com:2181"
        assert lines(run("ls", where, "/shop/queue")) == ["p1", "p2", "p10"]
        assert run("get", "--property", "prices", where, "/shop").output == "0.07\n"
        assert lines(run("find", "--property", "threads=8", where)) == ["/shop"]
        assert lines(run("grep", where, "two")) == ['/shop/queue/p2: {"text":"two"}']
        assert lines(run("count", "-R", where, "/shop")) == ["5"]
        assert lines(run("du", where, "/shop"))[-1].endswith("  /shop")
        assert lines(run("stat", where, "/shop/main"))[0] == "/shop/providers"
        assert run("wait", "--children", 3, where, "/shop/queue") == (0, "", "")
        outcome = run("wait", "--deadline", "10ms", where, "/none")
        assert outcome == (1, "", "zk wait: /none: it is not there, after 10 ms\n")
    finally:
        tearDown(test)


@pytest.mark.parametrize(
    ("terminals", "has_bar"), [("oe", False), ("o", False), ("e", True), ("", False)]
)
def test_a_bar_is_drawn_where_no_results_are(monkeypatch, terminals, has_bar):
    streams = {"o": sys.stdout, "e": sys.stderr}
    monkeypatch.setattr(
        "zc.zk.cli.progress.is_terminal",
        lambda stream: any(stream is streams[each] for each in terminals),
    )
    with looking() as bar:
        assert (bar is not None) == has_bar
